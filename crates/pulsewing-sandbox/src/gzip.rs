//! Compresses replies for clients that ask for it, as both clouds do.

use std::io::Write;

use flate2::{Compression, write::GzEncoder};

use crate::message::Reply;

/// Returns whether an `Accept-Encoding` header asks for gzip (RFC 9110, section 12.5.3).
pub(crate) fn is_wanted(accept_encoding: &str) -> bool {
    accept_encoding.split(',').any(|coding| {
        let mut parts = coding.split(';').map(str::trim);
        let name = parts.next().unwrap_or_default();
        let is_gzip = name.eq_ignore_ascii_case("gzip") || name.eq_ignore_ascii_case("x-gzip");
        let weight = parts.find_map(|part| part.strip_prefix("q="));
        let is_refused = weight.is_some_and(|weight| weight.parse() == Ok(0.0_f32));
        is_gzip && !is_refused
    })
}

/// Returns the reply with its body compressed. A reply without a body stays as it is.
pub(crate) fn compressed(mut reply: Reply) -> Reply {
    if reply.body.is_empty() {
        return reply;
    }
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    // Writing to memory does not fail; if it did, the plain body would be fine too.
    let body = encoder
        .write_all(&reply.body)
        .and_then(|()| encoder.finish());
    if let Ok(body) = body {
        reply.body = body;
        reply = reply.with_header("Content-Encoding", "gzip");
    }
    reply
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gzip_is_wanted_unless_its_weight_is_nothing() {
        for wanted in [
            "gzip",
            "gzip, deflate, br",
            "br;q=1.0, GZIP;q=0.5",
            "x-gzip",
        ] {
            assert!(is_wanted(wanted), "{wanted}");
        }
        for unwanted in [
            "",
            "identity",
            "br",
            "gzip;q=0",
            "gzip; q=0.000, br",
            "gzipped",
        ] {
            assert!(!is_wanted(unwanted), "{unwanted}");
        }
    }
}
