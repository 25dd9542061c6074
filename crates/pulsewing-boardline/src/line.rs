//! Splits a byte stream into lines, and recognises those that belong to a reply.

/// The longest line that is kept, in bytes. A board's longest lines are the rows of its screen.
const MAX_LINE: usize = 4_096;

/// Splits bytes into lines, in whatever pieces they arrive.
#[derive(Debug, Default)]
pub struct Lines {
    begun: Vec<u8>,
    is_too_long: bool,
}

/// A line from a board.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    /// A line of a reply, without its `> `.
    Reply(String),
    /// The end of a reply: success.
    Ok,
    /// The end of a reply: an error, with the board's message.
    Error(String),
    /// The report, the log, or noise.
    Other(String),
}

impl Lines {
    /// Takes a byte; returns the line that it completes, if any. Empty and overlong lines are
    /// ignored.
    pub fn push(&mut self, byte: u8) -> Option<Line> {
        if byte != b'\n' && byte != b'\r' {
            self.is_too_long |= self.begun.len() >= MAX_LINE;
            if !self.is_too_long {
                self.begun.push(byte);
            }
            return None;
        }
        let line = std::mem::take(&mut self.begun);
        let was_too_long = std::mem::take(&mut self.is_too_long);
        (!line.is_empty() && !was_too_long).then(|| Line::new(&String::from_utf8_lossy(&line)))
    }
}

impl Line {
    fn new(text: &str) -> Self {
        let Some(reply) = text.strip_prefix("> ") else {
            return Self::Other(text.to_owned());
        };
        match reply.strip_prefix("error: ") {
            Some(sentence) => Self::Error(printable(sentence)),
            None if reply == "ok" => Self::Ok,
            None => Self::Reply(printable(reply)),
        }
    }
}

/// Prepares the board's text for a terminal: removes control characters.
fn printable(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { '\u{FFFD}' } else { c })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(bytes: &[u8]) -> Vec<Line> {
        let mut lines = Lines::default();
        bytes.iter().filter_map(|byte| lines.push(*byte)).collect()
    }

    #[test]
    fn replies_are_told_from_the_rest() {
        assert_eq!(
            lines(b"> board: virt\r\n# joined\n> error: no such setting\n\n> ok\nWatch Battery %: 7\n> o"),
            [
                Line::Reply("board: virt".into()),
                Line::Other("# joined".into()),
                Line::Error("no such setting".into()),
                Line::Ok,
                Line::Other("Watch Battery %: 7".into()),
            ]
        );
    }

    #[test]
    fn noise_is_a_line_like_others_and_steers_no_terminal() {
        let noise = [b"\xff\xfe> ok\n".as_slice(), b"> error: \x1b[2J\n"].concat();
        assert_eq!(
            lines(&noise),
            [
                Line::Other("\u{FFFD}\u{FFFD}> ok".into()),
                Line::Error("\u{FFFD}[2J".into()),
            ]
        );
    }

    #[test]
    fn a_line_without_an_end_takes_no_more_memory_than_the_longest() {
        let mut lines = Lines::default();
        for _ in 0..10 * MAX_LINE {
            assert_eq!(lines.push(b'x'), None);
        }
        assert!(lines.begun.len() <= MAX_LINE);
        assert_eq!(lines.push(b'\n'), None);
        let next: Vec<Line> = b"> ok\n".iter().filter_map(|b| lines.push(*b)).collect();
        assert_eq!(next, [Line::Ok]);
    }
}
