//! Whatever is typed at a board, in pieces of any size: it is answered in short lines, the same for any
//! pieces, and the board is as good as before afterwards. No answer contains a secret.
//!
//! The first byte of the input seeds the split; the rest is typed.

use std::time::Duration;

use base64ct::{Base64, Encoding};
use sha2::{Digest, Sha256};

use crate::{
    board::Bench,
    chain::{chain, token},
};

/// The longest line that a board prints, in bytes.
const MAX_LINE: usize = 768;

/// After a silence of this length a packet that was begun is forgotten.
const SILENCE: Duration = Duration::from_secs(2);

/// A secret that is nobody's name.
const SECRET: &str = "correct horse battery";

/// Types the input whole, byte by byte, and in two pieces.
pub fn run(input: &[u8]) {
    let Some((split, typed)) = input.split_first() else {
        return;
    };
    let whole = verdicts([typed]);
    assert_eq!(whole, verdicts(typed.chunks(1)));
    let (head, tail) = typed.split_at(usize::from(*split).min(typed.len()));
    assert_eq!(whole, verdicts([head, tail]));
}

/// Types the pieces, and then something sensible; returns the last lines of the answers to the pieces.
fn verdicts<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<String> {
    let mut bench = Bench::new();
    let mut said = Vec::new();
    for piece in pieces {
        said.extend(bench.type_bytes(piece));
    }
    check(&said);
    let verdicts = answers(&said).filter(|line| is_last(line)).collect();

    bench.wait(SILENCE);
    said = bench.type_bytes(b"\n");
    for line in secret_lines() {
        said.extend(bench.type_bytes(line.as_bytes()));
    }
    said.extend(bench.type_bytes(b"abort\nset\nwifi\nlog\nchain\n"));
    check(&said);
    let text = String::from_utf8_lossy(&said);
    assert!(!text.contains(SECRET), "{text}");

    let said = bench.type_bytes(b"status\n");
    let last = answers(&said).last();
    assert!(
        !bench.is_on() || last.as_deref() == Some("> ok"),
        "{last:?}"
    );
    verdicts
}

/// Lines with a secret: in its place, out of its place, and where there is no place for one.
fn secret_lines() -> [String; 10] {
    let record = chain(2);
    let digest: String = Sha256::digest(&record)[..6]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    [
        format!("wifi add office \"{SECRET}\"\n"),
        format!("set wifi.1.password \"{SECRET}\"\n"),
        format!("set poll.every \"{SECRET}\"\n"),
        format!("set \"{SECRET}\" 1\n"),
        format!("wifi remove \"{SECRET}\"\n"),
        format!("put \"{SECRET}\" 1 \"{SECRET}\"\n"),
        format!("{SECRET}\n"),
        format!("put chain {} {digest}\n", record.len()),
        format!("data {}\n", Base64::encode_string(&record)),
        "commit\n".to_owned(),
    ]
}

/// Checks that lines are short, and that no refresh token is in any.
fn check(said: &[u8]) {
    let text = String::from_utf8_lossy(said);
    assert!(
        said.split(|byte| *byte == b'\n')
            .all(|line| line.len() < MAX_LINE),
        "{text}"
    );
    assert!(
        [1, 2].iter().all(|of| !text.contains(&token(*of))),
        "{text}"
    );
}

/// Returns the lines that answer something.
fn answers(said: &[u8]) -> impl Iterator<Item = String> {
    said.split(|byte| *byte == b'\n')
        .filter(|line| line.starts_with(b"> "))
        .map(|line| String::from_utf8_lossy(line).into_owned())
}

/// Returns whether no other line of the same answer follows.
fn is_last(line: &str) -> bool {
    line == "> ok" || line.starts_with("> error: ")
}
