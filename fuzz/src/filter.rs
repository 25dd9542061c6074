//! Any filter is either read or refused with a reason; a filter that was read can be written and read
//! again.
//!
//! The first byte of the input picks the data type; the rest is the filter.

use pulsewing_sandbox::rewritten_filter;

/// Reads a filter, and then its rewritten form.
pub fn run(input: &[u8]) {
    let Some((pick, filter)) = input.split_first() else {
        return;
    };
    let data_type = DATA_TYPES[usize::from(*pick) % DATA_TYPES.len()];
    let filter = String::from_utf8_lossy(filter);
    match rewritten_filter(&filter, data_type) {
        Some(Ok(plain)) => {
            assert_eq!(rewritten_filter(&plain, data_type), Some(Ok(plain.clone())));
        }
        Some(Err(reason)) => assert!(reason.starts_with("INVALID_"), "{reason}"),
        None => panic!("there is no data type {data_type}"),
    }
}

const DATA_TYPES: [&str; 4] = [
    "heart-rate",
    "daily-resting-heart-rate",
    "daily-heart-rate-zones",
    "time-in-heart-rate-zone",
];
