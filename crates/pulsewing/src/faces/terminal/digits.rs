//! Large digits, readable from across the room: five lines high, all of one width.

/// The height of a digit, in lines.
pub(super) const HEIGHT: u16 = 5;

/// The width of a digit, in columns, including the gap after it.
pub(super) const WIDTH: u16 = 7;

const DIGITS: [[&str; 5]; 10] = [
    ["██████", "██  ██", "██  ██", "██  ██", "██████"],
    ["  ██  ", "████  ", "  ██  ", "  ██  ", "██████"],
    ["██████", "    ██", "██████", "██    ", "██████"],
    ["██████", "    ██", " █████", "    ██", "██████"],
    ["██  ██", "██  ██", "██████", "    ██", "    ██"],
    ["██████", "██    ", "██████", "    ██", "██████"],
    ["██████", "██    ", "██████", "██  ██", "██████"],
    ["██████", "    ██", "   ██ ", "  ██  ", "  ██  "],
    ["██████", "██  ██", "██████", "██  ██", "██████"],
    ["██████", "██  ██", "██████", "    ██", "██████"],
];

/// Returns the lines of a number.
pub(super) fn lines(number: u16) -> [String; 5] {
    let mut lines = [const { String::new() }; 5];
    for digit in number.to_string().bytes() {
        let shape = DIGITS.get(usize::from(digit.wrapping_sub(b'0')));
        for (line, part) in lines.iter_mut().zip(shape.into_iter().flatten()) {
            line.push_str(part);
            line.push(' ');
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_digit_is_as_wide_and_as_high_as_the_others() {
        for shape in DIGITS {
            for line in shape {
                assert_eq!(line.chars().count() + 1, usize::from(WIDTH), "{line:?}");
            }
        }
        assert_eq!(lines(72)[0], "██████ ██████ ");
    }
}
