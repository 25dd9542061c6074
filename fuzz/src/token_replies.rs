//! Any reply of the token endpoint is either an answer or not, no matter where it is split; and where
//! tokens rotate, only a complete refresh token makes a grant.
//!
//! The first byte of the input picks the status, the second seeds the positions of the splits; the rest
//! is the body.

use pulsewing_core::oauth::{Answer, ReplyDecoder};

const STATUSES: [u16; 8] = [200, 400, 401, 409, 410, 429, 500, 302];

/// Reads the reply whole and in two pieces.
pub fn run(input: &[u8]) {
    let [pick, seed, body @ ..] = input else {
        return;
    };
    let status = STATUSES[usize::from(*pick) % STATUSES.len()];
    let (head, tail) = body.split_at(usize::from(*seed).min(body.len()));
    for rotates in [true, false] {
        let whole = answer(status, rotates, &[body]);
        assert_eq!(whole, answer(status, rotates, &[head, tail]));
        if let Answer::Granted(grant) = &whole {
            assert_eq!(status, 200);
            assert!(grant.refresh.is_some() || (!rotates && grant.access.is_some()));
        }
    }
}

fn answer(status: u16, rotates: bool, chunks: &[&[u8]]) -> Answer {
    let mut decoder = ReplyDecoder::new();
    chunks.iter().for_each(|chunk| decoder.feed(chunk));
    decoder.finish(status, rotates)
}
