//! A Rust file split into code and comments, line by line, so that a rule about one does not match the
//! other. Lines that only tests compile are known.

use std::ops::Range;

/// Two views of a file, each as long as the file, with blanks in place of the other part. The content of
/// string and character literals is in neither.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) code: String,
    pub(super) comments: String,
}

impl Source {
    pub(super) fn parse(text: &str) -> Self {
        let mut views = Views::default();
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            let (part, length) = part_at(rest, views.last_code);
            let length = length.max(first.len_utf8());
            let (taken, remaining) = rest.split_at(length);
            views.push(part, taken);
            rest = remaining;
        }
        Self {
            code: views.code,
            comments: views.comments,
        }
    }

    /// Returns the lines, counted from 1, inside `#[cfg(test)]` items.
    pub(super) fn test_lines(&self) -> Vec<Range<usize>> {
        self.test_items()
            .map(|(start, end)| self.lines_between(start, end))
            .collect()
    }

    /// Returns the modules that `#[cfg(test)] mod NAME;` puts into files of their own.
    pub(super) fn test_modules(&self) -> Vec<&str> {
        self.test_items()
            .filter_map(|(start, end)| {
                let item = self.code.get(start..end)?;
                let name = item.rsplit("mod ").next()?.trim();
                let is_path = item.contains("mod ") && item.trim_end().ends_with(';');
                is_path.then(|| name.trim_end_matches(';').trim())
            })
            .collect()
    }

    /// Returns the ranges of the items behind `#[cfg(test)]`: from the attribute to the closing brace or
    /// semicolon.
    fn test_items(&self) -> impl Iterator<Item = (usize, usize)> {
        self.code.match_indices("#[cfg(test)]").map(|(start, _)| {
            let body = self.code.get(start..).unwrap_or_default();
            (start, start + item_length(body))
        })
    }

    fn lines_between(&self, start: usize, end: usize) -> Range<usize> {
        let line_of = |place: usize| {
            let before = self.code.get(..place).unwrap_or_default();
            before.bytes().filter(|byte| *byte == b'\n').count() + 1
        };
        line_of(start)..line_of(end) + 1
    }
}

/// Returns the length of an item: to the end of its first braces, or to a semicolon before any brace
/// opens.
fn item_length(item: &str) -> usize {
    let mut depth = 0_usize;
    for (place, character) in item.char_indices() {
        match character {
            '{' => depth += 1,
            '}' if depth <= 1 => return place + 1,
            '}' => depth -= 1,
            ';' if depth == 0 => return place + 1,
            _ => {}
        }
    }
    item.len()
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Code,
    Comment,
    Literal,
}

#[derive(Default)]
struct Views {
    code: String,
    comments: String,
    last_code: Option<char>,
}

impl Views {
    fn push(&mut self, part: Part, text: &str) {
        for character in text.chars() {
            let blank = if character == '\n' { '\n' } else { ' ' };
            self.code
                .push(if part == Part::Code { character } else { blank });
            self.comments.push(if part == Part::Comment {
                character
            } else {
                blank
            });
        }
        self.last_code = match part {
            Part::Code => text.chars().next_back(),
            Part::Comment | Part::Literal => None,
        };
    }
}

/// Returns the kind of the part that begins here, and its length in bytes.
fn part_at(rest: &str, before: Option<char>) -> (Part, usize) {
    if rest.starts_with("//") {
        return (Part::Comment, rest.find('\n').unwrap_or(rest.len()));
    }
    if rest.starts_with("/*") {
        return (Part::Comment, block_comment_length(rest));
    }
    if rest.starts_with('"') {
        return (Part::Literal, quoted_length(rest, '"'));
    }
    let starts_word = !before.is_some_and(|c| c.is_alphanumeric() || c == '_');
    if starts_word && let Some(length) = raw_string_length(rest) {
        return (Part::Literal, length);
    }
    if rest.starts_with('\'') && is_character(rest) {
        return (Part::Literal, quoted_length(rest, '\''));
    }
    (Part::Code, 1)
}

fn block_comment_length(rest: &str) -> usize {
    let bytes = rest.as_bytes();
    let mut depth = 0_usize;
    let mut place = 0;
    while let Some(pair) = bytes.get(place..place + 2) {
        match pair {
            b"/*" => depth += 1,
            b"*/" => depth -= 1,
            _ => {
                place += 1;
                continue;
            }
        }
        place += 2;
        if depth == 0 {
            return place;
        }
    }
    rest.len()
}

/// Returns the length of a literal that begins with `quote`, both quotes included.
fn quoted_length(rest: &str, quote: char) -> usize {
    let mut escaped = false;
    for (place, character) in rest.char_indices().skip(1) {
        if escaped {
            escaped = false;
        } else if character == '\\' {
            escaped = true;
        } else if character == quote {
            return place + 1;
        }
    }
    rest.len()
}

fn raw_string_length(rest: &str) -> Option<usize> {
    let after_prefix = ["r", "br", "cr"]
        .iter()
        .find_map(|prefix| rest.strip_prefix(prefix))?;
    let hashes = after_prefix
        .bytes()
        .take_while(|byte| *byte == b'#')
        .count();
    let body = after_prefix.get(hashes..)?.strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(hashes));
    let length = body
        .find(&end)
        .map_or(body.len(), |place| place + end.len());
    Some(rest.len() - body.len() + length)
}

/// Returns whether a quote begins a character, not a lifetime: it closes after one character or an
/// escape.
fn is_character(rest: &str) -> bool {
    let mut characters = rest.chars().skip(1);
    match characters.next() {
        Some('\\') => true,
        Some(_) => characters.next() == Some('\''),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_and_comments_are_told_apart() {
        let source = Source::parse("let a = 1; // one\n/* two /* three */ four */ let b = 2;\n");
        assert!(source.code.contains("let a = 1;") && source.code.contains("let b = 2;"));
        assert!(source.comments.contains("one") && source.comments.contains("four"));
        assert!(!source.code.contains("three") && !source.comments.contains("let"));
    }

    #[test]
    fn the_content_of_literals_is_nowhere() {
        let text = "f(\"x // \\\" y\", r#\"raw \" z\"#, b\"w\", '\"', '\\'', 'v'); g::<'u>(\"t\")";
        let source = Source::parse(text);
        for letter in ["x", "y", "z", "w", "v", "raw"] {
            assert!(!source.code.contains(letter), "{letter}: {}", source.code);
        }
        assert!(source.code.contains("g::<'u>(") && source.comments.trim().is_empty());
        assert_eq!(source.code.len(), text.len());
    }

    #[test]
    fn lines_stay_where_they_were() {
        let source = Source::parse("/* a\nb */\n\"c\nd\"\nmark\n");
        assert_eq!(source.code.lines().position(|line| line == "mark"), Some(4));
    }

    #[test]
    fn the_lines_of_inline_tests_are_known() {
        let text = "fn a() {}\n#[cfg(test)]\nmod tests {\n    fn b() { \"}\"; }\n}\nfn c() {}\n";
        let lines = Source::parse(text).test_lines();
        assert_eq!(lines.first(), Some(&(2..6)));
        assert_eq!(lines.len(), 1);
    }

    #[test]
    fn test_modules_in_files_of_their_own_are_known() {
        let source =
            Source::parse("#[cfg(test)]\nmod props;\n#[cfg(test)]\nmod tests { mod x; }\n");
        assert_eq!(source.test_modules(), ["props"]);
    }

    #[test]
    fn an_unfinished_file_ends_the_walk() {
        for text in [
            "\"open",
            "/* open",
            "r#\"open",
            "'",
            "b",
            "#[cfg(test)]",
            "'\\",
        ] {
            let source = Source::parse(text);
            assert_eq!(source.code.len(), text.len());
            assert!(source.test_modules().is_empty());
        }
    }
}
