//! The words of a command line: separated by blanks; words in double quotes may contain blanks.

use core::ops::Range;

/// The maximum number of words in a command.
const MAX_WORDS: usize = 8;

/// The longest line, in bytes: `data ` and the base64 of 384 bytes are 517.
pub(crate) const MAX_LINE: usize = 520;

/// Why a line cannot be split into words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum WordsError {
    /// The line is not text.
    #[error("the line is not UTF-8")]
    NotText,
    /// A closing quotation mark is missing.
    #[error("a quotation mark is missing")]
    OpenQuote,
    /// A backslash precedes something other than a quotation mark or a backslash.
    #[error("a backslash is only allowed before \\ and \"")]
    Escape,
    /// There are more words than any command has.
    #[error("the command has too many words")]
    TooMany,
}

/// A line split into words. It may contain secrets, so it is wiped when it is dropped.
pub(crate) struct Words {
    text: zeroize::Zeroizing<[u8; MAX_LINE]>,
    ranges: heapless::Vec<Range<usize>, MAX_WORDS>,
}

impl Words {
    /// Splits a line.
    pub(crate) fn from_line(line: &[u8]) -> Result<Self, WordsError> {
        let line = core::str::from_utf8(line).map_err(|_| WordsError::NotText)?;
        let mut words = Self {
            text: zeroize::Zeroizing::new([0; MAX_LINE]),
            ranges: heapless::Vec::new(),
        };
        let mut length = 0;
        let mut rest = line.bytes().peekable();
        loop {
            while rest.next_if(|byte| matches!(byte, b' ' | b'\t')).is_some() {}
            if rest.peek().is_none() {
                return Ok(words);
            }
            let start = length;
            let is_quoted = rest.next_if_eq(&b'"').is_some();
            loop {
                let byte = match rest.next() {
                    None if is_quoted => return Err(WordsError::OpenQuote),
                    None => break,
                    Some(b'"') if is_quoted => break,
                    Some(b' ' | b'\t') if !is_quoted => break,
                    Some(b'\\') if is_quoted => rest
                        .next_if(|byte| matches!(byte, b'"' | b'\\'))
                        .ok_or(WordsError::Escape)?,
                    Some(byte) => byte,
                };
                // Not longer than the line, which fits.
                if let Some(slot) = words.text.get_mut(length) {
                    *slot = byte;
                    length += 1;
                }
            }
            words
                .ranges
                .push(start..length)
                .map_err(|_| WordsError::TooMany)?;
        }
    }

    /// Returns the words.
    pub(crate) fn list(&self) -> heapless::Vec<&str, MAX_WORDS> {
        self.ranges
            .iter()
            .filter_map(|range| {
                let word = self.text.get(range.clone())?;
                // Only whole characters of valid text were copied.
                core::str::from_utf8(word).ok()
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(line: &str, expected: &[&str]) {
        assert_eq!(
            Words::from_line(line.as_bytes()).unwrap().list(),
            expected,
            "{line}"
        );
    }

    #[test]
    fn blanks_separate_and_quotes_join() {
        check("", &[]);
        check("  set\tevery  900 ", &["set", "every", "900"]);
        check(
            r#"wifi add "Lindenhof 24" "pass\"word\\ ä""#,
            &["wifi", "add", "Lindenhof 24", r#"pass"word\ ä"#],
        );
        check(r#"unset """#, &["unset", ""]);
        check(r"C:\x a\", &[r"C:\x", r"a\"]);
    }

    #[test]
    fn what_has_no_meaning_is_refused() {
        let error = |line: &[u8]| Words::from_line(line).err();
        assert_eq!(error(br#"a "b"#), Some(WordsError::OpenQuote));
        assert_eq!(error(br#""\n""#), Some(WordsError::Escape));
        assert_eq!(error(b"\xff"), Some(WordsError::NotText));
        assert_eq!(error(b"1 2 3 4 5 6 7 8 9"), Some(WordsError::TooMany));
    }

    proptest! {
        #[test]
        fn any_word_comes_back_from_its_quotation(word in "[ -~äß€]{0,40}") {
            let quoted = word.replace('\\', r"\\").replace('"', r#"\""#);
            let line = std::format!("put \"{quoted}\"");
            let words = Words::from_line(line.as_bytes()).unwrap();
            prop_assert_eq!(words.list()[1], word);
        }
    }
    extern crate std;
}
