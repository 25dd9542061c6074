//! Any bytes are either read as a stored chain or refused; a chain that was read can be written and read
//! again.
//!
//! The input is the fields; the target adds a head and a checksum, which the fuzzer would otherwise
//! never get right.

use pulsewing_core::chain::{Record, codec::MAX_RECORD};
use sha2::{Digest, Sha256};

/// Reads the bytes as they are, and as fields of a complete record.
pub fn run(input: &[u8]) {
    let _ = Record::decode(input);
    let Ok(length) = u16::try_from(input.len()) else {
        return;
    };
    let mut bytes = [b"PWCH\x01", &length.to_be_bytes()[..], input].concat();
    let sum = Sha256::digest(&bytes);
    bytes.extend(&sum[..8]);
    if let Ok(record) = Record::decode(&bytes) {
        let mut buffer = [0; MAX_RECORD];
        let written = record.encode(&mut buffer).expect("a record has a bound");
        assert_eq!(Record::decode(written), Ok(record));
    }
}
