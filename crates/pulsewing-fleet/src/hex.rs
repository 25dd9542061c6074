//! Secrets of 256 bits as 64 hex digits.

use zeroize::Zeroizing;

/// The length of every secret of ours.
pub(crate) const LENGTH: usize = 32;

/// Returns a secret's digits.
pub(crate) fn digits_of(secret: &[u8; LENGTH]) -> Zeroizing<String> {
    // It never grows, which would leave a copy behind.
    let mut digits = Zeroizing::new(String::with_capacity(2 * LENGTH));
    for byte in secret {
        for digit in [byte >> 4, byte & 15] {
            digits.extend(char::from_digit(digit.into(), 16));
        }
    }
    digits
}

/// Reads a secret's digits; there must be exactly as many as it needs.
pub(crate) fn secret_of(digits: &str) -> Option<Zeroizing<[u8; LENGTH]>> {
    let (pairs, rest) = digits.as_bytes().as_chunks::<2>();
    if pairs.len() != LENGTH || !rest.is_empty() {
        return None;
    }
    let mut secret = Zeroizing::new([0; LENGTH]);
    for (byte, [high, low]) in secret.iter_mut().zip(pairs) {
        let digit = |digit: u8| {
            let value = char::from(digit).to_digit(16);
            value.and_then(|value| u8::try_from(value).ok())
        };
        *byte = (digit(*high)? << 4) | digit(*low)?;
    }
    Some(secret)
}
