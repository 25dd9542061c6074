//! The query parameters of data calls: the call's own, and those that every Google API has
//! (Google Health API, discovery document, `parameters`).

use super::{
    Endpoint, error,
    fields::{FieldsError, Mask, camel},
    route::{Call, SubscriberCall},
    schema::{self, Schema},
};
use crate::message::{Params, Reply, Request};

/// Reads the parameters of a call, under their names in JSON.
///
/// # Errors
/// Returns the 400 reply if there is a parameter that the call does not have.
pub(super) fn read(endpoint: &Endpoint, request: &Request) -> Result<Params, Box<Reply>> {
    let own: &[&str] = match endpoint {
        Endpoint::Points {
            call: Call::List | Call::Reconcile,
            ..
        } => &["filter", "pageSize", "pageToken", "dataSourceFamily"],
        Endpoint::Devices { .. } => &["pageSize", "pageToken"],
        Endpoint::Subscribers { call, .. } => match call {
            SubscriberCall::Create => &["subscriberId"],
            SubscriberCall::List => &["pageSize", "pageToken"],
            SubscriberCall::Patch(_) => &["updateMask"],
            SubscriberCall::Delete(_) => &["force"],
        },
        _ => &[],
    };
    let params = request.query_params();
    let is_known = |name: &str| {
        own.contains(&camel(name).as_str()) || EVERYWHERE.contains(&name) || name.starts_with('$')
    };
    if let Some(unknown) = params.names().find(|name| !is_known(name)) {
        return Err(Box::new(error::unknown_parameter(unknown)));
    }
    Ok(params.renamed(camel))
}

/// Returns a reply in the requested form.
pub(super) fn presented(endpoint: &Endpoint, request: &Request, reply: Reply) -> Reply {
    let Some(schema) = schema_of(endpoint) else {
        return reply;
    };
    let params = request.query_params();
    let mut reply = match get(&params, "fields").filter(|_| reply.status.is_success()) {
        Some(text) => selected(text, schema, reply),
        None => reply,
    };
    let is_plain = get(&params, "prettyPrint").is_some_and(|text| matches!(text, "false" | "0"));
    if !is_plain && reply.is_json() {
        reply.body = indented(&reply.body);
    }
    reply
}

fn selected(text: &str, schema: &Schema, mut reply: Reply) -> Reply {
    let mask = match Mask::parse(text, schema) {
        Ok(mask) => mask,
        Err(FieldsError::Syntax) => return error::fields(text, None),
        Err(FieldsError::Unknown(path)) => return error::fields(text, Some(&path)),
    };
    if let Ok(mut body) = serde_json::from_slice(&reply.body) {
        mask.select(&mut body);
        reply.body = body.to_string().into_bytes();
    }
    reply
}

/// Returns a parameter that every API has; all of these may be written with a leading `$`.
fn get<'a>(params: &'a Params, name: &str) -> Option<&'a str> {
    params.get(name).or_else(|| params.get(&format!("${name}")))
}

/// Returns the schema of a data call's reply; other endpoints are not part of the API.
fn schema_of(endpoint: &Endpoint) -> Option<&'static Schema> {
    Some(match endpoint {
        Endpoint::Points { call, .. } => match call {
            Call::List => &schema::LISTED,
            Call::Reconcile => &schema::RECONCILED,
            Call::RollUp => &schema::ROLLED_UP,
            Call::DailyRollUp => &schema::DAILY_ROLLED_UP,
        },
        Endpoint::Devices { .. } => &schema::DEVICES,
        Endpoint::Device { .. } => &schema::ONE_DEVICE,
        Endpoint::Settings { .. } => &schema::SETTINGS,
        Endpoint::Identity { .. } => &schema::IDENTITY,
        Endpoint::Profile { .. } => &schema::PROFILE,
        Endpoint::Subscribers { .. } => &Schema::Anything,
        Endpoint::Authorize
        | Endpoint::Keyset
        | Endpoint::UserInfo { .. }
        | Endpoint::Token
        | Endpoint::Revoke
        | Endpoint::Unknown => return None,
    })
}

/// Returns compact JSON with line breaks and an indentation of two spaces for each level.
///
/// It works on the bytes: a page has thousands of points that have already been parsed and written.
fn indented(json: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(json.len() * 2);
    let mut depth = 0_usize;
    let mut in_text = false;
    let mut is_escaped = false;
    let mut bytes = json.iter().copied().peekable();
    let line = |out: &mut Vec<u8>, depth: usize| {
        out.push(b'\n');
        out.resize(out.len() + depth * 2, b' ');
    };
    while let Some(byte) = bytes.next() {
        if in_text {
            out.push(byte);
            in_text = is_escaped || byte != b'"';
            is_escaped = byte == b'\\' && !is_escaped;
            continue;
        }
        match byte {
            b'{' | b'[' => {
                out.push(byte);
                match bytes.next_if(|next| matches!(next, b'}' | b']')) {
                    Some(end) => out.push(end),
                    None => {
                        depth += 1;
                        line(&mut out, depth);
                    }
                }
            }
            b'}' | b']' => {
                depth = depth.saturating_sub(1);
                line(&mut out, depth);
                out.push(byte);
            }
            b',' => {
                out.push(byte);
                line(&mut out, depth);
            }
            b':' => out.extend_from_slice(b": "),
            byte => {
                in_text = byte == b'"';
                out.push(byte);
            }
        }
    }
    out
}

/// The parameters of every Google API. Those that the sandbox does not implement have no effect.
const EVERYWHERE: &[&str] = &[
    "access_token",
    "alt",
    "callback",
    "fields",
    "key",
    "oauth_token",
    "prettyPrint",
    "quotaUser",
    "uploadType",
    "upload_protocol",
];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn json_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<String>().prop_map(Value::from),
            "[\"\\\\{}:,\\[\\]]{0,6}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 40, 5, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                prop::collection::btree_map("[a-z\"\\\\]{0,4}", inner, 0..5)
                    .prop_map(|members| json!(members)),
            ]
        })
    }

    proptest! {
        #[test]
        fn indented_json_is_what_serde_json_indents(value in json_value()) {
            let compact = value.to_string();
            let pretty = serde_json::to_string_pretty(&value).unwrap();
            prop_assert_eq!(String::from_utf8(indented(compact.as_bytes())).unwrap(), pretty);
        }

        #[test]
        fn any_bytes_can_be_indented(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            indented(&bytes);
        }
    }
}
