//! Requests and replies as the fronts see them: complete, and independent of any HTTP library.

use std::sync::Arc;

use base64ct::{Base64, Encoding};
use bytes::Bytes;
use hyper::{HeaderMap, Method, StatusCode, http::request::Parts};
use percent_encoding::percent_decode_str;
use serde_json::Value;

/// A request that has arrived in full.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) method: Method,
    /// The path, percent-decoded.
    pub(crate) path: String,
    /// The query as sent, without the question mark.
    pub(crate) query: String,
    headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Request {
    pub(crate) fn new(parts: Parts, body: Bytes) -> Self {
        let path = percent_decode_str(parts.uri.path())
            .decode_utf8_lossy()
            .into_owned();
        let query = parts.uri.query().unwrap_or_default().to_owned();
        Self {
            method: parts.method,
            path,
            query,
            headers: parts.headers,
            body,
        }
    }

    /// Returns the parameters of the query.
    pub(crate) fn query_params(&self) -> Params {
        Params::parse(self.query.as_bytes())
    }

    /// Returns the parameters of the form in the body.
    pub(crate) fn form(&self) -> Params {
        Params::parse(&self.body)
    }

    /// Returns the first value of a header, if it is text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Returns the bearer token, if the request carries one.
    pub(crate) fn bearer(&self) -> Option<&str> {
        self.credentials("bearer")
    }

    /// Returns whether it is a `POST` that does not declare the end of its body (RFC 9110, section
    /// 8.6).
    pub(crate) fn lacks_length(&self) -> bool {
        let says = |name: &str| self.headers.contains_key(name);
        self.method == Method::POST && !says("content-length") && !says("transfer-encoding")
    }

    /// Returns whether the request has an `Authorization` header of any kind.
    pub(crate) fn has_authorization(&self) -> bool {
        self.headers.contains_key("authorization")
    }

    /// Returns the id and the secret of HTTP Basic authentication; `None` if they cannot be
    /// decoded.
    pub(crate) fn basic(&self) -> Option<(String, String)> {
        let decoded = Base64::decode_vec(self.credentials("basic")?).ok()?;
        let text = String::from_utf8(decoded).ok()?;
        let (id, secret) = text.split_once(':')?;
        Some((id.to_owned(), secret.to_owned()))
    }

    fn credentials(&self, scheme: &str) -> Option<&str> {
        let value = self.headers.get("authorization")?.to_str().ok()?;
        let (found, credentials) = value.trim().split_once(' ')?;
        found
            .eq_ignore_ascii_case(scheme)
            .then_some(credentials.trim())
    }
}

/// Form or query parameters in the order in which they were sent.
#[derive(Debug, Default)]
pub(crate) struct Params(Vec<(String, String)>);

impl Params {
    pub(crate) fn parse(text: &[u8]) -> Self {
        Self(form_urlencoded::parse(text).into_owned().collect())
    }

    /// Returns the first value of a parameter that is present and not empty.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let found = self
            .0
            .iter()
            .find(|(key, value)| key == name && !value.is_empty());
        found.map(|(_, value)| value.as_str())
    }

    /// Returns every value of a parameter.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0
            .iter()
            .filter(move |(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// Returns the names in order.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }

    /// Returns these parameters under other names.
    pub(crate) fn renamed(self, rename: impl Fn(&str) -> String) -> Self {
        let renamed = self.0.into_iter();
        Self(
            renamed
                .map(|(name, value)| (rename(&name), value))
                .collect(),
        )
    }

    /// Returns these parameters, followed by `more`.
    pub(crate) fn and(mut self, more: Self) -> Self {
        self.0.extend(more.0);
        self
    }
}

/// A reply that is ready to be sent.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    /// Held until the reply is sent: meanwhile a second refresh of the same token is a conflict.
    #[expect(dead_code, reason = "its being held is what counts")]
    pub(crate) answering: Option<Arc<()>>,
}

impl Reply {
    pub(crate) fn empty(status: StatusCode) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Vec::new(),
            answering: None,
        }
    }

    pub(crate) fn json(status: StatusCode, body: &Value) -> Self {
        Self::text(status, "application/json; charset=utf-8", body.to_string())
    }

    /// Returns a 200 with a JSON body.
    pub(crate) fn ok(body: &Value) -> Self {
        Self::json(StatusCode::OK, body)
    }

    /// Returns whether the body is JSON.
    pub(crate) fn is_json(&self) -> bool {
        let mut types = self
            .headers
            .iter()
            .filter(|(name, _)| name == "Content-Type");
        types.any(|(_, value)| value.starts_with("application/json"))
    }

    pub(crate) fn html(status: StatusCode, body: String) -> Self {
        Self::text(status, "text/html; charset=utf-8", body)
    }

    pub(crate) fn found(location: String) -> Self {
        Self::empty(StatusCode::FOUND).with_header("Location", location)
    }

    pub(crate) fn with_header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    fn text(status: StatusCode, content_type: &str, body: String) -> Self {
        let mut reply = Self::empty(status).with_header("Content-Type", content_type);
        reply.body = body.into_bytes();
        reply
    }
}

/// Returns a JSON object with one more member; anything else as it is.
pub(crate) fn with(mut object: Value, name: &str, member: impl Into<Value>) -> Value {
    if let Some(members) = object.as_object_mut() {
        members.insert(name.to_owned(), member.into());
    }
    object
}

/// Returns a text with HTML's special characters escaped.
pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            _ => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(authorization: &str) -> Request {
        let (parts, ()) = hyper::Request::builder()
            .uri("/v4/users/me/dataTypes/heart-rate/dataPoints%3ArollUp?a=1+2&b=%22")
            .header("Authorization", authorization)
            .body(())
            .unwrap()
            .into_parts();
        Request::new(
            parts,
            Bytes::from_static(b"&grant_type=refresh_token&x=&x=2"),
        )
    }

    #[test]
    fn paths_queries_and_forms_are_decoded() {
        let request = request("Bearer abc");
        assert!(request.path.ends_with("/dataPoints:rollUp"));
        assert_eq!(request.query_params().get("a"), Some("1 2"));
        assert_eq!(request.query_params().get("b"), Some("\""));
        assert_eq!(request.form().get("grant_type"), Some("refresh_token"));
        assert_eq!(request.form().get("x"), Some("2"));
    }

    #[test]
    fn credentials_are_read_by_scheme() {
        assert_eq!(request("Bearer abc").bearer(), Some("abc"));
        assert_eq!(request("bearer  abc ").bearer(), Some("abc"));
        assert_eq!(
            request("Basic YTpiOmM=").basic(),
            Some(("a".to_owned(), "b:c".to_owned()))
        );
        assert_eq!(request("Basic YTpiOmM=").bearer(), None);
        assert_eq!(request("Basic ???").basic(), None);
        assert!(request("nonsense").has_authorization());
    }
}
