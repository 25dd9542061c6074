//! Lines out of a byte stream, and which of them belong to a reply.

/// The longest line that is kept, in bytes. The longest of a board's own are the rows of its screen.
const MAX_LINE: usize = 4_096;

/// Cuts bytes into lines, whatever pieces they come in.
#[derive(Debug, Default)]
pub struct Lines {
    begun: Vec<u8>,
    is_too_long: bool,
}

/// A line of a board.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    /// One of a reply, without its `> `.
    Reply(String),
    /// The end of a reply: all is well.
    Ok,
    /// The end of a reply: the board says why not.
    Error(String),
    /// The report, the log, or noise.
    Other(String),
}

impl Lines {
    /// Takes a byte; returns the line that it ends, if it ends one. Empty lines, and lines that are
    /// longer than any, are passed over.
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

/// A board's words on their way to a terminal: without what would steer it.
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
