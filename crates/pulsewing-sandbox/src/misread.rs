//! What is wrong with JSON that somebody wrote by hand, in words.

use serde_json::error::{Category, Error};

/// Says what is wrong, and where in a text that is no JSON at all.
pub(crate) fn in_words(error: &Error) -> String {
    let (line, column) = (error.line(), error.column());
    let text = error.to_string();
    // The place is the parser's own; in a text that is JSON the name of the member says it better.
    let what = text.split(" at line ").next().unwrap_or_default();
    match error.classify() {
        Category::Eof => "that is not JSON: it breaks off before its end".to_owned(),
        Category::Syntax | Category::Io if line > 0 => {
            format!("that is not JSON: look at line {line}, column {column}")
        }
        Category::Syntax | Category::Io => "that is not JSON".to_owned(),
        Category::Data => expectation(what).unwrap_or_else(|| what.to_owned()),
    }
}

/// The same without the parser's words for what is not of the expected kind.
fn expectation(what: &str) -> Option<String> {
    let rest = what
        .strip_prefix("invalid type: ")
        .or_else(|| what.strip_prefix("invalid value: "))?;
    let (found, expected) = rest.split_once(", expected ")?;
    Some(format!("{expected} is expected, not {found}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Change;

    #[test]
    fn a_slip_is_named_and_the_parser_is_not_heard() {
        for (text, words) in [
            ("gone=true", "that is not JSON: look at line 1, column 1"),
            (
                "{\"gone\":true",
                "that is not JSON: it breaks off before its end",
            ),
            ("{\"battery\":101}", "a battery level is 0 to 100, not 101"),
            (
                "{\"gone\":\"yes\"}",
                "a boolean is expected, not string \"yes\"",
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
