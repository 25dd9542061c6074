//! Searches for the end of runs of bytes, a machine word at a time.

/// The number of bytes in a word: eight on a PC, four on a board.
const LANES: usize = size_of::<usize>();

/// Returns a word with this byte in every lane.
const fn splat(byte: u8) -> usize {
    usize::from_le_bytes([byte; LANES])
}

/// Marks, by its high bit, the first byte that does not stand for itself in a string, and perhaps
/// some after it: a quote, a backslash, a control character or a byte beyond ASCII.
///
/// The subtractions borrow only from a lane that is itself marked, so the lowest mark is exact.
#[inline]
fn special(word: usize) -> usize {
    let quote = (word ^ splat(b'"')).wrapping_sub(splat(1));
    let backslash = (word ^ splat(b'\\')).wrapping_sub(splat(1));
    let control = word.wrapping_sub(splat(0x20));
    (quote | backslash | control | word) & splat(0x80)
}

/// Returns whether a byte stands for itself in a string.
#[inline]
fn is_plain(byte: u8) -> bool {
    (0x20..0x80).contains(&byte) && byte != b'"' && byte != b'\\'
}

/// Splits `input` after the leading bytes that stand for themselves in a string.
#[inline]
pub(super) fn split_plain(input: &[u8]) -> (&[u8], &[u8]) {
    let mut rest = input;
    let mut length = 0_usize;
    while let Some((word, behind)) = rest.split_first_chunk::<LANES>() {
        let marks = special(usize::from_le_bytes(*word));
        if marks != 0 {
            length = length.wrapping_add((marks.trailing_zeros() >> 3) as usize);
            return input.split_at_checked(length).unwrap_or((input, &[]));
        }
        length = length.wrapping_add(LANES);
        rest = behind;
    }
    for &byte in rest {
        if !is_plain(byte) {
            break;
        }
        length = length.wrapping_add(1);
    }
    input.split_at_checked(length).unwrap_or((input, &[]))
}

/// Splits input that begins after an opening quote into the string's text and the bytes after the
/// closing quote; `None` if there is no closing quote, or a byte in between needs decoding or checking.
#[inline]
pub(crate) fn whole_string(input: &[u8]) -> Option<(&[u8], &[u8])> {
    match split_plain(input) {
        (text, [b'"', behind @ ..]) => Some((text, behind)),
        _ => None,
    }
}

/// Splits a number without sign and exponent off `input`, if the byte after it is there to show that
/// it is complete.
#[inline]
pub(crate) fn whole_number(input: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut rest = match input {
        [b'0', behind @ ..] => behind,
        _ => skip_digits(input),
    };
    if let [b'.', behind @ ..] = rest {
        rest = skip_digits(behind);
        if rest.len() == behind.len() {
            return None;
        }
    }
    match rest {
        [] | [b'.' | b'e' | b'E' | b'-', ..] => None,
        _ => input.split_at_checked(input.len().wrapping_sub(rest.len())),
    }
}

#[inline]
fn skip_digits(mut input: &[u8]) -> &[u8] {
    while let [b'0'..=b'9', behind @ ..] = input {
        input = behind;
    }
    input
}

/// Returns `input` without its leading white space.
#[inline]
pub(super) fn skip_space(input: &[u8]) -> &[u8] {
    match input {
        [first, ..] if *first > b' ' => input,
        [b' ', behind @ ..] if behind.first().is_some_and(|second| *second > b' ') => behind,
        _ => skip_run_of_space(input),
    }
}

/// Skips line breaks one by one, and the indentation after them a word at a time.
#[inline(never)]
fn skip_run_of_space(mut input: &[u8]) -> &[u8] {
    loop {
        while let Some((word, behind)) = input.split_first_chunk::<LANES>() {
            let others = usize::from_le_bytes(*word) ^ splat(b' ');
            if others != 0 {
                let spaces = (others.trailing_zeros() >> 3) as usize;
                input = input.split_at_checked(spaces).unwrap_or_default().1;
                break;
            }
            input = behind;
        }
        match input {
            [b' ' | b'\n' | b'\t' | b'\r', behind @ ..] => input = behind,
            _ => return input,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_is_found_at_every_place_of_a_word() {
        for byte in 0..=u8::MAX {
            for place in 0..20 {
                let mut input = [b'a'; 20];
                input[place] = byte;
                let (plain, rest) = split_plain(&input);
                let expected = if is_plain(byte) { 20 } else { place };
                assert_eq!((plain.len(), rest.len()), (expected, 20 - expected));
            }
        }
    }

    #[test]
    fn the_first_of_two_special_bytes_wins() {
        for first in [0, 0x1f, b'"', b'\\', 0x80, 0xff] {
            for second in 0..=u8::MAX {
                let input = [b'x', b'#', first, second, b'!', b'[', b']', b'~'];
                assert_eq!(split_plain(&input).0, b"x#");
            }
        }
    }

    #[test]
    fn white_space_is_what_the_rfc_names() {
        for byte in 0..=u8::MAX {
            let input = [b' ', byte, b' ', b'x'];
            let rest = skip_space(&input);
            let expected = if b" \t\r\n".contains(&byte) { 1 } else { 3 };
            assert_eq!(rest.len(), expected, "{byte:#x}");
        }
        assert_eq!(skip_space(b"                 \n\t\r  7"), b"7");
    }
}
