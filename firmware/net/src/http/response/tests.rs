use std::{format, string::String, vec::Vec};

use jiff::Timestamp;
use proptest::prelude::*;

use super::*;

/// The calls that a reply received.
#[derive(Debug, Default, PartialEq)]
struct Told {
    heads: Vec<ReplyHead>,
    body: Vec<u8>,
    date: Option<Timestamp>,
}

impl Reply for Told {
    fn now(&self) -> Timestamp {
        "2026-11-22T12:00:00Z".parse().unwrap()
    }
    fn head(&mut self, head: ReplyHead) {
        self.heads.push(head);
    }
    fn body(&mut self, chunk: &[u8]) {
        self.body.extend_from_slice(chunk);
    }
    fn date(&mut self, date: Timestamp) {
        self.date = Some(date);
    }
}

/// Reads a connection that carried these bytes and then ended properly.
fn read(bytes: &[u8]) -> (Told, Result<(), NoAnswer>) {
    read_in_pieces(bytes, bytes.len().max(1))
}

fn read_in_pieces(bytes: &[u8], size: usize) -> (Told, Result<(), NoAnswer>) {
    let mut told = Told::default();
    let mut reader = Reader::new();
    for piece in bytes.chunks(size) {
        if let Err(cause) = reader.take(piece, &mut told) {
            return (told, Err(cause));
        }
    }
    let end = reader.end();
    (told, end)
}

fn body_of(bytes: &str) -> String {
    let (told, end) = read(bytes.as_bytes());
    assert_eq!(end, Ok(()), "{bytes}");
    String::from_utf8(told.body).unwrap()
}

const CHUNKED: &str = "HTTP/1.1 200 OK\r\ntransfer-encoding: Chunked\r\n\r\n";

#[test]
fn status_headers_and_date_are_told_before_the_body() {
    let (told, end) = read(
        b"HTTP/1.1 429 Too Many Requests\r\nDate: Sun, 22 Nov 2026 11:59:58 GMT\r\n\
          Retry-After: 90\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\n{}",
    );
    assert_eq!(end, Ok(()));
    assert_eq!(told.heads.len(), 1);
    assert_eq!(told.heads[0].status, 429);
    assert_eq!(told.heads[0].quiet_for_s(), Some(90));
    assert_eq!(told.date, Some("2026-11-22T11:59:58Z".parse().unwrap()));
    assert_eq!(told.body, b"{}");
}

#[test]
fn a_body_ends_where_its_framing_says() {
    assert_eq!(
        body_of("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcdef"),
        "abc"
    );
    assert_eq!(
        body_of(&format!(
            "{CHUNKED}3\r\nabc\r\n0a;name=value\r\n0123456789\r\n0\r\nX: y\r\n\r\nmore"
        )),
        "abc0123456789"
    );
    assert_eq!(
        body_of("HTTP/1.0 200 OK\r\n\r\nuntil the end"),
        "until the end"
    );
    assert_eq!(body_of("HTTP/1.1 204 No Content\r\n\r\n"), "");
    assert_eq!(
        body_of("HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n"),
        ""
    );
    assert_eq!(body_of("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"), "");
}

#[test]
fn chunks_win_over_a_length() {
    let both = "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n";
    assert_eq!(body_of(&format!("{both}2\r\nab\r\n0\r\n\r\n")), "ab");
}

#[test]
fn a_compressed_body_is_refused_as_that_and_the_status_is_told() {
    for coding in ["gzip", "br", "identity, gzip", "x"] {
        let (told, end) = read(
            format!(
                "HTTP/1.1 429 Too Many Requests\r\nContent-Encoding: {coding}\r\nRetry-After: 9\r\n\
                 Content-Length: 4\r\n\r\n\x1f.\x08."
            )
            .as_bytes(),
        );
        assert_eq!(end, Err(NoAnswer::Compressed), "{coding}");
        assert_eq!((told.heads[0].status, told.body.len()), (429, 0));
        assert_eq!(told.heads[0].quiet_for_s(), Some(9));
    }
    for coding in ["identity", "Identity ,", ""] {
        let reply =
            format!("HTTP/1.1 200 OK\r\nContent-Encoding: {coding}\r\nContent-Length: 1\r\n\r\nx");
        assert_eq!(body_of(&reply), "x", "{coding}");
    }
    // An empty body needs no decompression.
    let empty = "HTTP/1.1 204 No Content\r\nContent-Encoding: gzip\r\n\r\n";
    assert_eq!(body_of(empty), "");
}

#[test]
fn an_interim_reply_is_passed_over() {
    let (told, end) = read(
        b"HTTP/1.1 103 Early Hints\r\nContent-Length: 7\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx",
    );
    assert_eq!(end, Ok(()));
    assert_eq!(told.heads.len(), 1);
    assert_eq!(told.body, b"x");
}

#[test]
fn a_reply_that_breaks_off_is_never_whole() {
    let sized = String::from("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n0123456789");
    let chunked = format!("{CHUNKED}5\r\n01234\r\n5\r\n56789\r\n0\r\n\r\n");
    for whole in [sized, chunked] {
        assert_eq!(body_of(&whole), "0123456789");
        for length in 0..whole.len() {
            let (_, end) = read(&whole.as_bytes()[..length]);
            assert_eq!(end, Err(NoAnswer::Disconnected), "{length}");
        }
    }
}

#[test]
fn what_is_not_http_is_malformed() {
    for bytes in [
        "<html>",
        "HTTP/2 200\r\n\r\n",
        "SSH-2.0-OpenSSH_9\r\n",
        "HTTP/1.1 101 Switching Protocols\r\n\r\n",
        "HTTP/1.1 099 Below Every Status\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: abc\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: +1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
    ] {
        let (told, end) = read(bytes.as_bytes());
        assert_eq!(end, Err(NoAnswer::Malformed), "{bytes}");
        assert_eq!(told, Told::default());
    }
    for body in [
        "x\r\n",
        "\r\n",
        "-1\r\n",
        "fffffffffffffffff\r\n",
        "1\r\nab\r\n",
        "1\r\na\n\n",
    ] {
        let (_, end) = read(format!("{CHUNKED}{body}").as_bytes());
        assert_eq!(end, Err(NoAnswer::Malformed), "{body:?}");
    }
}

#[test]
fn no_server_fills_the_memory_with_a_head_sizes_or_trailers() {
    let long = "x".repeat(10_000);
    let (_, end) = read(format!("HTTP/1.1 200 OK\r\nX: {long}\r\n\r\n").as_bytes());
    assert_eq!(end, Err(NoAnswer::TooLong));
    let (_, end) = read(format!("HTTP/1.1 200 OK\r\n{}\r\n", "X: y\r\n".repeat(65)).as_bytes());
    assert_eq!(end, Err(NoAnswer::TooLong));
    let (_, end) = read(format!("{CHUNKED}1;{long}\r\n").as_bytes());
    assert_eq!(end, Err(NoAnswer::Malformed));
    let (_, end) = read(format!("{CHUNKED}0\r\nX: {long}\r\n\r\n").as_bytes());
    assert_eq!(end, Err(NoAnswer::Malformed));
}

#[test]
fn a_head_of_the_greatest_length_is_read() {
    let filler = "x".repeat(MAX_HEAD - 50);
    let text = format!("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX: {filler}\r\n\r\nok");
    assert_eq!(body_of(&text), "ok");
}

proptest! {
    #[test]
    fn the_pieces_that_bytes_arrive_in_make_no_difference(
        body in proptest::collection::vec(any::<u8>(), 0..200),
        sizes in proptest::collection::vec(1..40_usize, 1..20),
        piece in 1..50_usize,
    ) {
        let mut bytes = CHUNKED.as_bytes().to_vec();
        let mut rest = &body[..];
        for size in sizes.iter().cycle() {
            if rest.is_empty() {
                break;
            }
            let (chunk, after) = rest.split_at((*size).min(rest.len()));
            bytes.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
            bytes.extend_from_slice(chunk);
            bytes.extend_from_slice(b"\r\n");
            rest = after;
        }
        bytes.extend_from_slice(b"0\r\n\r\n");
        let (told, end) = read_in_pieces(&bytes, piece);
        prop_assert_eq!(end, Ok(()));
        prop_assert_eq!(told.body, body);
    }

    #[test]
    fn no_bytes_do_harm(
        bytes in proptest::collection::vec(any::<u8>(), 0..300),
        head in prop_oneof![Just(""), Just(CHUNKED), Just("HTTP/1.1 200 OK\r\n")],
        piece in 1..50_usize,
    ) {
        let mut all = head.as_bytes().to_vec();
        all.extend_from_slice(&bytes);
        let (whole, end) = read(&all);
        let (pieces, end_of_pieces) = read_in_pieces(&all, piece);
        prop_assert_eq!(end, end_of_pieces);
        prop_assert_eq!(whole.heads, pieces.heads);
    }
}
