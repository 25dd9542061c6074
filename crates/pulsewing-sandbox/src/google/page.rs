//! Page sizes and page tokens.

use std::{fmt::Display, str::FromStr};

use base64ct::{Base64UrlUnpadded, Encoding};
use serde_json::{Value, json};

use super::error;
use crate::{
    message::{Reply, with},
    oauth::fingerprint,
    wearer::Wearer,
};

/// Returns the page size to use: the default for 0 or nothing, at most `max`.
pub(super) fn size(
    requested: Option<i64>,
    default: usize,
    max: usize,
) -> Result<usize, Box<Reply>> {
    match requested.unwrap_or(0) {
        0 => Ok(default),
        negative if negative < 0 => Err(Box::new(error::malformed(
            "page_size",
            "Page size must not be negative.",
        ))),
        size => Ok(usize::try_from(size).unwrap_or(max).min(max)),
    }
}

/// Parses a page size from a query parameter.
pub(super) fn parse_size(text: Option<&str>) -> Result<Option<i64>, Box<Reply>> {
    let parse = |text: &str| {
        let size: Option<i32> = text.parse().ok();
        size.map(i64::from)
            .ok_or_else(|| Box::new(error::malformed("page_size", "Not a 32-bit integer.")))
    };
    text.map(parse).transpose()
}

/// The page tokens of one query: a token of another query is refused.
pub(super) struct Tokens {
    binding: String,
}

impl Tokens {
    /// Binds tokens to the wearer and to everything in a query except the token itself.
    pub(super) fn bound_to(wearer: Wearer, parameters: &[&str]) -> Self {
        let query = parameters.join("\n");
        Self {
            binding: fingerprint(&wearer.own(&query)),
        }
    }

    /// Returns the opaque token for a position.
    pub(super) fn seal(&self, position: &str) -> String {
        Base64UrlUnpadded::encode_string(format!("{}{position}", self.binding).as_bytes())
    }

    /// Returns the position in a token, or `None` if there is no token.
    pub(super) fn open(&self, token: Option<&str>) -> Result<Option<String>, Box<Reply>> {
        let Some(token) = token else { return Ok(None) };
        let position = Base64UrlUnpadded::decode_vec(token)
            .ok()
            .and_then(|bytes| String::from_utf8(bytes).ok())
            .and_then(|text| text.strip_prefix(&self.binding).map(str::to_owned));
        match position {
            Some(position) => Ok(Some(position)),
            None => Err(refused()),
        }
    }
}

impl Tokens {
    /// Returns the position in a token, or `first` if there is no token.
    pub(super) fn position<P: FromStr>(
        &self,
        token: Option<&str>,
        first: P,
    ) -> Result<P, Box<Reply>> {
        match self.open(token)? {
            Some(position) => position.parse().map_err(|_| refused()),
            None => Ok(first),
        }
    }

    /// Returns a page without items that announces more, from the same position on.
    pub(super) fn empty_page(&self, position: impl Display) -> Reply {
        let token = self.seal(&position.to_string());
        Reply::ok(&json!({ "nextPageToken": token }))
    }

    /// Answers with a page of a list: `size` of its items, after those of the pages before.
    pub(super) fn page(
        &self,
        token: Option<&str>,
        size: usize,
        member: &str,
        empty_page: bool,
        all: impl FnOnce() -> Vec<Value>,
    ) -> Result<Reply, Box<Reply>> {
        let skip = self.position(token, 0)?;
        if empty_page {
            return Ok(self.empty_page(skip));
        }
        let all = all();
        let next = (skip + size < all.len()).then(|| self.seal(&(skip + size).to_string()));
        let items = all.into_iter().skip(skip).take(size).collect();
        Ok(reply(member, items, next))
    }
}

/// Returns a page of items, and the token of the next one if there is one.
pub(super) fn reply(member: &str, items: Vec<Value>, next: Option<String>) -> Reply {
    let mut reply = json!({});
    if let Some(token) = next {
        reply = with(reply, "nextPageToken", token);
    }
    if !items.is_empty() {
        reply = with(reply, member, items);
    }
    Reply::ok(&reply)
}

/// Returns the reply to a token of another query.
pub(super) fn refused() -> Box<Reply> {
    Box::new(error::invalid(
        "INVALID_PAGE_TOKEN",
        "The page token does not belong to this request.",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_bound_to_its_query() {
        let tokens = Tokens::bound_to(Wearer::FIRST, &["heart-rate", "50"]);
        let token = tokens.seal("123:0");
        assert_eq!(tokens.open(Some(&token)).unwrap().as_deref(), Some("123:0"));
        assert_eq!(tokens.open(None).unwrap(), None);
        assert!(
            Tokens::bound_to(Wearer::FIRST, &["heart-rate", "51"])
                .open(Some(&token))
                .is_err()
        );
        assert!(tokens.open(Some("%%%")).is_err());
    }

    #[test]
    fn sizes_are_defaulted_and_capped() {
        assert_eq!(size(None, 50, 5000).unwrap(), 50);
        assert_eq!(size(Some(0), 50, 5000).unwrap(), 50);
        assert_eq!(size(Some(9999), 50, 5000).unwrap(), 5000);
        assert!(size(Some(-1), 50, 5000).is_err());
        assert!(parse_size(Some("many")).is_err());
    }
}
