//! The body of a reply: plain, or compressed with gzip (RFC 9110, section 8.4).

use std::io::{self, Write};

use flate2::write::MultiGzDecoder;
use pulsewing_core::oauth::NoAnswer;
use reqwest::header::{CONTENT_ENCODING, HeaderMap};

/// The limit on a body's unpacked length, in bytes: twice the most that a cycle reads of any body.
const LONGEST: usize = 8 * 1_024 * 1_024;

/// The number of bytes to unpack at a time. They may expand to a thousand times as many.
const PIECE: usize = 1_024;

/// Unpacks a body, and limits its length.
#[derive(Debug)]
pub(super) struct Body {
    coding: Coding,
    /// The number of bytes that may still come.
    left: usize,
}

#[derive(Debug)]
enum Coding {
    Identity,
    Gzip {
        decoder: Box<MultiGzDecoder<Unpacked>>,
        has_begun: bool,
    },
}

/// Unpacked bytes that were not taken yet.
#[derive(Debug)]
struct Unpacked {
    bytes: Vec<u8>,
    room: usize,
}

impl Write for Unpacked {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.bytes.len().saturating_add(bytes.len()) > self.room {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.bytes.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Body {
    /// Prepares for the body of a reply with these headers.
    ///
    /// # Errors
    /// [`NoAnswer::Compressed`] for a coding other than gzip.
    pub(super) fn new(headers: &HeaderMap) -> Result<Self, NoAnswer> {
        let texts = headers.get_all(CONTENT_ENCODING);
        let codings = texts
            .iter()
            .flat_map(|text| text.as_bytes().split(|byte| *byte == b','));
        let mut codings = codings
            .map(<[u8]>::trim_ascii)
            .filter(|coding| !coding.is_empty() && !coding.eq_ignore_ascii_case(b"identity"));
        let coding = match (codings.next(), codings.next()) {
            (None, _) => Coding::Identity,
            (Some(coding), None)
                if coding.eq_ignore_ascii_case(b"gzip")
                    || coding.eq_ignore_ascii_case(b"x-gzip") =>
            {
                Coding::Gzip {
                    decoder: Box::new(MultiGzDecoder::new(Unpacked {
                        bytes: Vec::new(),
                        room: LONGEST,
                    })),
                    has_begun: false,
                }
            }
            _ => return Err(NoAnswer::Compressed),
        };
        Ok(Self {
            coding,
            left: LONGEST,
        })
    }

    /// Takes the next bytes from the connection, and hands over their contents.
    ///
    /// # Errors
    /// [`NoAnswer::TooLong`] after 8 MiB, and [`NoAnswer::Malformed`] for invalid gzip.
    pub(super) fn take(
        &mut self,
        chunk: &[u8],
        mut hand_over: impl FnMut(&[u8]),
    ) -> Result<(), NoAnswer> {
        let Coding::Gzip { decoder, has_begun } = &mut self.coding else {
            self.left = self
                .left
                .checked_sub(chunk.len())
                .ok_or(NoAnswer::TooLong)?;
            hand_over(chunk);
            return Ok(());
        };
        *has_begun |= !chunk.is_empty();
        for piece in chunk.chunks(PIECE) {
            decoder.get_mut().room = self.left;
            let unpacked = decoder.write_all(piece).and_then(|()| decoder.flush());
            self.left = hand_on(decoder.get_mut(), self.left, &mut hand_over);
            unpacked.map_err(|error| cause(&error))?;
        }
        Ok(())
    }

    /// Ends the body, and hands over what is left.
    ///
    /// # Errors
    /// [`NoAnswer::Disconnected`] if the compressed data is cut off.
    pub(super) fn end(&mut self, mut hand_over: impl FnMut(&[u8])) -> Result<(), NoAnswer> {
        let Coding::Gzip {
            decoder,
            has_begun: true,
        } = &mut self.coding
        else {
            return Ok(());
        };
        let ended = decoder.try_finish();
        self.left = hand_on(decoder.get_mut(), self.left, &mut hand_over);
        ended.map_err(|error| match cause(&error) {
            NoAnswer::Malformed => NoAnswer::Disconnected,
            other => other,
        })
    }
}

/// Hands over the unpacked bytes; returns the number of bytes that may still come.
fn hand_on(unpacked: &mut Unpacked, left: usize, hand_over: &mut impl FnMut(&[u8])) -> usize {
    if !unpacked.bytes.is_empty() {
        hand_over(&unpacked.bytes);
    }
    let left = left.saturating_sub(unpacked.bytes.len());
    unpacked.bytes.clear();
    left
}

fn cause(error: &io::Error) -> NoAnswer {
    match error.kind() {
        io::ErrorKind::FileTooLarge => NoAnswer::TooLong,
        _ => NoAnswer::Malformed,
    }
}

#[cfg(test)]
mod tests {
    use flate2::{Compression, write::GzEncoder};
    use proptest::prelude::*;
    use reqwest::header::HeaderValue;

    use super::*;

    fn packed(plain: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(plain).unwrap();
        encoder.finish().unwrap()
    }

    fn body(coding: &str) -> Result<Body, NoAnswer> {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_ENCODING, HeaderValue::from_str(coding).unwrap());
        Body::new(&headers)
    }

    fn read(coding: &str, bytes: &[u8], size: usize) -> (Vec<u8>, Result<(), NoAnswer>) {
        let mut body = body(coding).unwrap();
        let mut all = Vec::new();
        let mut result = Ok(());
        for chunk in bytes.chunks(size.max(1)) {
            result = result.and_then(|()| body.take(chunk, |bytes| all.extend_from_slice(bytes)));
        }
        let end = result.and_then(|()| body.end(|bytes| all.extend_from_slice(bytes)));
        (all, end)
    }

    #[test]
    fn gzip_and_identity_are_understood_and_nothing_else() {
        let plain = b"{\"a\":1}".repeat(500);
        for coding in ["gzip", "x-gzip", "GZip", "identity, gzip"] {
            assert_eq!(read(coding, &packed(&plain), 7), (plain.clone(), Ok(())));
        }
        for coding in ["identity", "", " , "] {
            assert_eq!(read(coding, &plain, 7), (plain.clone(), Ok(())), "{coding}");
        }
        for coding in ["br", "deflate", "zstd", "gzip, gzip", "gzip, br"] {
            assert_eq!(body(coding).unwrap_err(), NoAnswer::Compressed, "{coding}");
        }
        // No body at all, as after a 304.
        assert_eq!(read("gzip", b"", 7), (Vec::new(), Ok(())));
    }

    #[test]
    fn what_breaks_off_or_is_no_gzip_is_no_whole_body() {
        let plain = b"0123456789".repeat(100);
        let packed = packed(&plain);
        for length in 1..packed.len() {
            let (_, end) = read("gzip", &packed[..length], 5);
            assert_eq!(end, Err(NoAnswer::Disconnected), "{length}");
        }
        assert_eq!(
            read("gzip", b"<html>no gzip</html>", 5).1,
            Err(NoAnswer::Malformed)
        );
        let mut damaged = packed.clone();
        let last = damaged.len() - 6;
        damaged[last] ^= 1;
        assert!(read("gzip", &damaged, 5).1.is_err());
    }

    #[test]
    fn a_bomb_is_put_out() {
        let bomb = packed(&vec![b' '; 3 * LONGEST]);
        assert!(bomb.len() < LONGEST / 100);
        let mut taken = 0;
        let mut body = body("gzip").unwrap();
        let mut largest = 0;
        let result = body.take(&bomb, |bytes| {
            taken += bytes.len();
            largest = largest.max(bytes.len());
        });
        assert_eq!(result, Err(NoAnswer::TooLong));
        assert!(
            taken <= LONGEST && largest <= 2_048 * PIECE,
            "{taken} {largest}"
        );
        let plain = vec![b' '; LONGEST + 1];
        assert_eq!(read("identity", &plain, 65_536).1, Err(NoAnswer::TooLong));
        assert_eq!(read("identity", &plain[1..], 65_536).1, Ok(()));
    }

    proptest! {
        #[test]
        fn any_bytes_in_any_chunks_do_no_harm(bytes in proptest::collection::vec(any::<u8>(), 0..300), size in 1_usize..50) {
            let _ = read("gzip", &bytes, size);
            let (plain, end) = read("gzip", &packed(&bytes), size);
            prop_assert_eq!((plain, end), (bytes, Ok(())));
        }
    }
}
