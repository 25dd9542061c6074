//! Numbers and times in large figures, readable from across the room.

/// The figures of one size: the digits, and the colon of a time.
#[derive(Debug)]
pub(super) struct Figures {
    digits: [&'static [&'static str]; 10],
    colon: &'static [&'static str],
}

impl Figures {
    /// Five lines high; a digit is six columns wide.
    pub(super) const LARGE: Self = Self {
        digits: [
            &["██████", "██  ██", "██  ██", "██  ██", "██████"],
            &["  ██  ", "████  ", "  ██  ", "  ██  ", "██████"],
            &["██████", "    ██", "██████", "██    ", "██████"],
            &["██████", "    ██", " █████", "    ██", "██████"],
            &["██  ██", "██  ██", "██████", "    ██", "    ██"],
            &["██████", "██    ", "██████", "    ██", "██████"],
            &["██████", "██    ", "██████", "██  ██", "██████"],
            &["██████", "    ██", "   ██ ", "  ██  ", "  ██  "],
            &["██████", "██  ██", "██████", "██  ██", "██████"],
            &["██████", "██  ██", "██████", "    ██", "██████"],
        ],
        colon: &["  ", "██", "  ", "██", "  "],
    };

    /// Three lines high; a digit is three columns wide.
    pub(super) const SMALL: Self = Self {
        digits: [
            &["█▀█", "█ █", "▀▀▀"],
            &["▄█ ", " █ ", "▀▀▀"],
            &["▀▀█", "█▀▀", "▀▀▀"],
            &["▀▀█", "▀▀█", "▀▀▀"],
            &["█ █", "▀▀█", "  ▀"],
            &["█▀▀", "▀▀█", "▀▀▀"],
            &["█▀▀", "█▀█", "▀▀▀"],
            &["▀▀█", "  █", "  ▀"],
            &["█▀█", "█▀█", "▀▀▀"],
            &["█▀█", "▀▀█", "▀▀▀"],
        ],
        colon: &["▄", "▄", " "],
    };

    /// Returns the number of lines.
    pub(super) fn height(&self) -> u16 {
        u16::try_from(self.colon.len()).unwrap_or(u16::MAX)
    }

    /// Returns the number of columns that `text` takes, with the gap after it.
    pub(super) fn width(&self, text: &str) -> u16 {
        let columns = self.lines(text).first().map_or(0, |it| it.chars().count());
        u16::try_from(columns).unwrap_or(u16::MAX)
    }

    /// Returns the lines of a number or a time. Other characters are left out.
    pub(super) fn lines(&self, text: &str) -> Vec<String> {
        let mut lines = vec![String::new(); self.colon.len()];
        for character in text.bytes() {
            let shape = match character {
                b':' => Some(&self.colon),
                digit => self.digits.get(usize::from(digit.wrapping_sub(b'0'))),
            };
            for (line, part) in lines.iter_mut().zip(shape.into_iter().copied().flatten()) {
                line.push_str(part);
                line.push(' ');
            }
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_digit_is_as_wide_and_as_high_as_the_others() {
        for (figures, width) in [(Figures::LARGE, 6), (Figures::SMALL, 3)] {
            for shape in figures.digits {
                assert_eq!(shape.len(), figures.colon.len());
                for line in shape {
                    assert_eq!(line.chars().count(), width, "{line:?}");
                }
            }
        }
        assert_eq!(Figures::LARGE.lines("72")[0], "██████ ██████ ");
        assert_eq!(
            Figures::SMALL.lines("1:4"),
            ["▄█  ▄ █ █ ", " █  ▄ ▀▀█ ", "▀▀▀     ▀ "]
        );
        assert_eq!(
            (Figures::LARGE.width("14:07"), Figures::LARGE.height()),
            (31, 5)
        );
    }
}
