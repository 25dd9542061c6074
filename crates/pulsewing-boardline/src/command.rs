//! A command line to the board.

use zeroize::Zeroizing;

use crate::SessionError;

/// The longest line that is sent, in bytes, without its line ending. A board accepts a little more.
const MAX_LINE: usize = 512;

const TOO_LONG: &str = "a word is too long for the board";

/// A console command. Its secrets are wiped when it is dropped, and are hidden when it is
/// displayed.
pub struct Command {
    text: Zeroizing<String>,
    shown: String,
    trouble: Option<&'static str>,
}

impl Command {
    /// Makes a command that begins with these words, which need no quotes.
    #[must_use]
    pub fn new(words: &str) -> Self {
        // A secret that is appended must not leave copies behind as the text grows.
        let mut text = Zeroizing::new(String::with_capacity(2 * MAX_LINE));
        text.push_str(words);
        Self {
            text,
            shown: words.to_owned(),
            trouble: None,
        }
    }

    /// Appends a word, in quotes if it needs them.
    #[must_use]
    pub fn word(mut self, word: &str) -> Self {
        let from = self.text.len();
        self.append(word);
        let appended = self.text.get(from..).unwrap_or_default();
        self.shown.push_str(appended);
        self
    }

    /// Appends a secret word, which is never displayed.
    #[must_use]
    pub fn secret(mut self, word: &str) -> Self {
        self.append(word);
        self.shown.push_str(" …");
        self
    }

    fn append(&mut self, word: &str) {
        if word.chars().any(char::is_control) {
            self.trouble =
                Some("a word for the board contains a line break or a control character");
            return;
        }
        if self.text.len() + 2 * word.len() + 3 > self.text.capacity() {
            self.trouble = Some(TOO_LONG);
            return;
        }
        self.text.push(' ');
        if !word.is_empty() && !word.contains([' ', '"', '\\']) {
            self.text.push_str(word);
            return;
        }
        self.text.push('"');
        for c in word.chars() {
            if matches!(c, '"' | '\\') {
                self.text.push('\\');
            }
            self.text.push(c);
        }
        self.text.push('"');
    }

    /// Returns the line, without its line ending.
    ///
    /// # Errors
    /// [`SessionError::Unsendable`] if the command cannot be put into a line.
    pub fn line(&self) -> Result<&str, SessionError> {
        match self.trouble {
            Some(trouble) => Err(SessionError::Unsendable(trouble)),
            None if self.text.len() > MAX_LINE => Err(SessionError::Unsendable(TOO_LONG)),
            None => Ok(&self.text),
        }
    }
}

/// Displays the command with `…` for every secret.
impl std::fmt::Display for Command {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.shown)
    }
}

impl std::fmt::Debug for Command {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Command").field(&self.shown).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_where_they_need_it() {
        let command = Command::new("wifi add")
            .word("Blue \"Bird\"")
            .secret("a\\b");
        assert_eq!(
            command.line().unwrap(),
            r#"wifi add "Blue \"Bird\"" "a\\b""#
        );
        let open = Command::new("wifi add").word("café").secret("");
        assert_eq!(open.line().unwrap(), "wifi add café \"\"");
    }

    #[test]
    fn a_secret_does_not_show() {
        let command = Command::new("wifi add").word("home").secret("hush hush");
        assert_eq!(command.to_string(), "wifi add home …");
        assert!(!format!("{command:?}").contains("hush"));
    }

    #[test]
    fn what_would_be_another_command_is_no_word() {
        for word in ["a\nreset factory yes", "a\rb", "\u{7f}"] {
            assert!(Command::new("set wearer_name").word(word).line().is_err());
        }
        let long = "x".repeat(MAX_LINE);
        assert!(Command::new("set api_url").word(&long).line().is_err());
        let longer = "x".repeat(9 * MAX_LINE);
        assert!(Command::new("set api_url").word(&longer).line().is_err());
    }
}
