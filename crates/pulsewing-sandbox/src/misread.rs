//! Describes errors in hand-written JSON, in words.

use serde_json::error::{Category, Error};

/// Describes the error, with its position if the text is not JSON at all.
pub(crate) fn in_words(error: &Error) -> String {
    let (line, column) = (error.line(), error.column());
    let text = error.to_string();
    // The position comes from the parser; in valid JSON the name of the member is more helpful.
    let what = text.split(" at line ").next().unwrap_or_default();
    match error.classify() {
        Category::Eof => "this is not JSON: it ends too early".to_owned(),
        Category::Syntax | Category::Io if line > 0 => {
            format!("this is not JSON: see line {line}, column {column}")
        }
        Category::Syntax | Category::Io => "this is not JSON".to_owned(),
        Category::Data => expectation(what).unwrap_or_else(|| what.to_owned()),
    }
}

/// Rephrases the parser's message for a value of an unexpected kind.
fn expectation(what: &str) -> Option<String> {
    let rest = what
        .strip_prefix("invalid type: ")
        .or_else(|| what.strip_prefix("invalid value: "))?;
    let (found, expected) = rest.split_once(", expected ")?;
    Some(format!("expected {expected}, not {found}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Change;

    #[test]
    fn a_slip_is_named_and_the_parser_is_not_heard() {
        for (text, words) in [
            ("gone=true", "this is not JSON: see line 1, column 1"),
            ("{\"gone\":true", "this is not JSON: it ends too early"),
            (
                "{\"battery\":101}",
                "a battery level must be 0 to 100, not 101",
            ),
            (
                "{\"gone\":\"yes\"}",
                "expected a boolean, not string \"yes\"",
            ),
        ] {
            let error = serde_json::from_str::<Change>(text).unwrap_err();
            assert_eq!(in_words(&error), words, "{text}");
        }
        let error = serde_json::from_str::<Change>("{\"gon\":true}").unwrap_err();
        let words = in_words(&error);
        assert!(
            words.starts_with("unknown field `gon`, expected one of `replay`"),
            "{words}"
        );
        assert!(!words.contains("column"), "{words}");
    }
}
