//! Quotes words for a systemd unit (systemd.syntax(7), systemd.service(5) "Command lines").
//!
//! Every word is put in double quotes, so spaces and semicolons are not special. Inside, `"` and
//! `\` are escaped. `%` would begin a specifier and, in a command's arguments, `$` a variable: both
//! are doubled. Where systemd expands no variables, as in a path, `$` stays single: a doubled one
//! would be two.

use thiserror::Error;

/// The reason why a unit cannot contain a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub(crate) enum Unfit {
    /// systemd reads units as UTF-8, and skips other lines.
    #[error("it is not UTF-8")]
    NotUtf8,
    /// Some settings do not support escapes, so a line feed cannot be written everywhere.
    #[error("it has a control character in it")]
    Control,
    /// systemd refuses programs with such paths.
    #[error("systemd runs no program with a quotation mark or a backslash in its path")]
    Program,
}

/// Quotes an argument of a command.
///
/// # Errors
/// [`Unfit`] when no unit can hold it.
pub(super) fn argument(word: &std::ffi::OsStr) -> Result<String, Unfit> {
    quoted(word, true)
}

/// Quotes a path that is a setting's value.
///
/// # Errors
/// [`Unfit`] when no unit can hold it.
pub(super) fn path(path: &std::path::Path) -> Result<String, Unfit> {
    quoted(path.as_os_str(), false)
}

/// Quotes the program of a command.
///
/// # Errors
/// [`Unfit`] when no unit can hold it.
pub(super) fn program(path: &std::path::Path) -> Result<String, Unfit> {
    let word = quoted(path.as_os_str(), false)?;
    if path.to_string_lossy().contains(['"', '\'', '\\']) {
        return Err(Unfit::Program);
    }
    Ok(word)
}

fn quoted(word: &std::ffi::OsStr, has_variables: bool) -> Result<String, Unfit> {
    let word = word.to_str().ok_or(Unfit::NotUtf8)?;
    let mut quoted = String::with_capacity(word.len() + 2);
    quoted.push('"');
    for character in word.chars() {
        match character {
            '"' | '\\' => quoted.push('\\'),
            '%' => quoted.push('%'),
            '$' if has_variables => quoted.push('$'),
            character if character.is_control() => return Err(Unfit::Control),
            _ => {}
        }
        quoted.push(character);
    }
    quoted.push('"');
    Ok(quoted)
}

#[cfg(test)]
pub(super) mod tests {
    use std::{ffi::OsStr, path::Path};

    use proptest::prelude::*;

    use super::*;

    /// Parses a line of words as systemd does, according to its manual: quotes and escapes first
    /// (systemd.syntax(7)), then specifiers (systemd.unit(5)), then variables (systemd.service(5)).
    pub(in crate::service) fn read(line: &str, has_variables: bool) -> Vec<String> {
        let mut words = Vec::new();
        let mut characters = line.chars().peekable();
        while let Some(first) = characters.next() {
            if first == ' ' {
                continue;
            }
            let mut word = String::new();
            let mut quote = None;
            let mut next = Some(first);
            while let Some(character) = next {
                match (character, quote) {
                    ('"' | '\'', None) => quote = Some(character),
                    (character, Some(open)) if character == open => quote = None,
                    (' ', None) => break,
                    ('\\', _) => {
                        let escaped = characters.next().expect("an escape at the end");
                        assert!(
                            "\"'\\".contains(escaped),
                            "\\{escaped} means something else"
                        );
                        word.push(escaped);
                    }
                    (character, _) => word.push(character),
                }
                next = characters.next();
            }
            assert_eq!(quote, None, "an open quote in {line}");
            let word = undoubled(&word, '%');
            words.push(if has_variables {
                undoubled(&word, '$')
            } else {
                word
            });
        }
        words
    }

    fn undoubled(word: &str, mark: char) -> String {
        let mut plain = String::new();
        let mut characters = word.chars();
        while let Some(character) = characters.next() {
            if character == mark {
                assert_eq!(characters.next(), Some(mark), "{mark} alone in {word}");
            }
            plain.push(character);
        }
        plain
    }

    proptest! {
        #[test]
        fn systemd_reads_every_word_as_it_was(words in proptest::collection::vec(r#"([ -~]|[äß→🫀]|[ %$"'\\;{}#]){0,12}"#, 1..5)) {
            let line: Vec<String> = words.iter().map(|word| argument(OsStr::new(word)).unwrap()).collect();
            prop_assert_eq!(&read(&line.join(" "), true), &words);
            let line: Vec<String> = words.iter().map(|word| path(Path::new(word)).unwrap()).collect();
            prop_assert_eq!(&read(&line.join(" "), false), &words);
        }

        #[test]
        fn no_word_ends_the_line_or_is_cut(word in any::<String>()) {
            match argument(OsStr::new(&word)) {
                Ok(line) => {
                    prop_assert!(!line.contains(['\n', '\r', '\0']));
                    prop_assert_eq!(read(&line, true), [word]);
                }
                Err(unfit) => {
                    prop_assert_eq!(unfit, Unfit::Control);
                    prop_assert!(word.chars().any(char::is_control));
                }
            }
        }
    }

    #[test]
    fn what_no_unit_can_hold_is_refused() {
        assert_eq!(argument(OsStr::new("a\nb")), Err(Unfit::Control));
        assert_eq!(program(Path::new("/a\"b")), Err(Unfit::Program));
        assert_eq!(program(Path::new("/a b%$")), Ok("\"/a b%%$\"".to_owned()));
        #[cfg(unix)]
        {
            use std::os::unix::ffi::OsStrExt;
            assert_eq!(argument(OsStr::from_bytes(b"\xFF")), Err(Unfit::NotUtf8));
        }
    }
}
