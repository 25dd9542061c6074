//! Any bytes are read as a stored chain or refused; what is read can be written and read again.
//!
//! The input is the fields; a head and a checksum are put around them, or the fuzzer would never get
//! past those.

use pulsewing_core::chain::{Record, codec::MAX_RECORD};
use sha2::{Digest, Sha256};

/// Reads the bytes as they are, and as fields that were written whole.
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
