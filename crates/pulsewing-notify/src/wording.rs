//! What a message says, at the moment when it is sent.

use std::fmt::Write;

use jiff::Timestamp;
use pulsewing_core::alarm::Event;

use crate::{
    letter::{Entry, Form, Letter},
    notice::Notice,
    settings::Detail,
};

/// The words of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Words {
    pub(crate) title: Option<String>,
    pub(crate) body: String,
}

/// Returns what a letter says now, with bodies of at most `most` bytes.
pub(crate) fn words(
    letter: &Letter,
    channel: &str,
    detail: Detail,
    now: Timestamp,
    most: usize,
) -> Words {
    let Some(first) = letter.first() else {
        return Words {
            title: Some("Pulsewing".to_owned()),
            body: format!("A test of the channel {channel}. Nothing is wrong."),
        };
    };
    let (title, body) = match (detail, letter.form, letter.entries.len()) {
        (Detail::None, ..) => (None, without_detail(first).to_owned()),
        (_, Form::Sum, _) => (Some(of_sum(letter)), lines(letter, detail, now)),
        (Detail::Kind, _, 1) => (None, line(first, detail, now)),
        (Detail::Value, _, 1) => (Some(headed(first)), aged(&first.sentence, first, now)),
        (_, _, several) => (
            Some(format!("{}, and {} more", headed(first), several - 1)),
            lines(letter, detail, now),
        ),
    };
    Words {
        title: title.map(|title| clamped(title, MAX_TITLE)),
        body: clamped(body, most),
    }
}

/// Says that there is something, and not what.
const fn without_detail(notice: &Notice) -> &'static str {
    match notice.event {
        Event::Cleared => "Pulsewing: all clear",
        Event::Acknowledged => "Pulsewing: acknowledged",
        Event::Raised | Event::Repeated | Event::Past => "Pulsewing: look at the display",
    }
}

fn of_sum(letter: &Letter) -> String {
    format!("Pulsewing: {} more in one message", letter.count())
}

fn lines(letter: &Letter, detail: Detail, now: Timestamp) -> String {
    let mut text = String::new();
    for Entry { notice, times } in letter.entries.iter().take(MAX_LINES) {
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(&line(notice, detail, now));
        if *times > 1 {
            let _ = write!(text, " [the last of {times}]");
        }
    }
    if let Some(more @ 1..) = letter.entries.len().checked_sub(MAX_LINES) {
        let _ = write!(text, "\nand {more} more");
    }
    text
}

/// One notice in one line.
fn line(notice: &Notice, detail: Detail, now: Timestamp) -> String {
    let headed = headed(notice);
    match detail {
        Detail::Value => format!("{headed}: {}", aged(&notice.sentence, notice, now)),
        Detail::Kind | Detail::None => aged(&headed, notice, now),
    }
}

/// The heading, with whom it is about.
fn headed(notice: &Notice) -> String {
    match notice.wearer_name.as_str() {
        "" => notice.heading.clone(),
        name => format!("{name}: {}", notice.heading),
    }
}

/// Adds how long ago it was measured, before the full stop if there is one.
fn aged(text: &str, notice: &Notice, now: Timestamp) -> String {
    let Some(at) = notice.at else {
        return text.to_owned();
    };
    let age = Age(now.duration_since(at).as_secs());
    match text.strip_suffix('.') {
        Some(open) => format!("{open} ({age})."),
        None => format!("{text} ({age})"),
    }
}

/// A number of seconds ago.
struct Age(i64);

impl std::fmt::Display for Age {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let minutes = self.0 / 60;
        match (minutes / 60, minutes % 60) {
            (..=0, ..=0) => write!(f, "just now"),
            (0, minutes) => write!(f, "{minutes} min ago"),
            (hours @ ..24, 0) => write!(f, "{hours} h ago"),
            (hours @ ..24, minutes) => write!(f, "{hours} h {minutes} min ago"),
            (24..48, _) => write!(f, "1 day ago"),
            (hours, _) => write!(f, "{} days ago", hours / 24),
        }
    }
}

/// Cuts a text to a number of bytes.
fn clamped(mut text: String, most: usize) -> String {
    if text.len() > most {
        text.truncate(text.floor_char_boundary(most.saturating_sub('…'.len_utf8())));
        text.push('…');
    }
    text
}

/// Pushover's limit is 250 characters; a phone shows fewer.
const MAX_TITLE: usize = 200;

/// More lines than that nobody reads on a phone.
const MAX_LINES: usize = 12;

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use pulsewing_core::alarm::Kind;

    use super::*;
    use crate::notice::tests::{high, time};

    fn said(letter: &Letter, detail: Detail) -> (Option<String>, String) {
        let words = words(letter, "phone", detail, time("2026-11-29T13:18:40Z"), 4000);
        (words.title, words.body)
    }

    fn one(event: Event) -> Letter {
        Letter::news([Arc::new(high(event))])
    }

    #[test]
    fn the_detail_decides_what_goes_out_and_the_age_is_that_of_now() {
        let letter = one(Event::Raised);
        assert_eq!(
            said(&letter, Detail::Value),
            (
                Some("Léa: Heart rate too high".to_owned()),
                "It was 132 bpm at 14:05; the limit is 120 (13 min ago).".to_owned()
            )
        );
        assert_eq!(
            said(&letter, Detail::Kind),
            (None, "Léa: Heart rate too high (13 min ago)".to_owned())
        );
        for (event, words) in [
            (Event::Raised, "Pulsewing: look at the display"),
            (Event::Cleared, "Pulsewing: all clear"),
            (Event::Acknowledged, "Pulsewing: acknowledged"),
        ] {
            assert_eq!(said(&one(event), Detail::None), (None, words.to_owned()));
        }
    }

    #[test]
    fn several_are_lines_of_one_message() {
        let stale = Notice {
            kind: Kind::Stale,
            at: None,
            wearer_name: String::new(),
            heading: "No new heart rate".to_owned(),
            sentence: "The newest is of 11:05.".to_owned(),
            ..high(Event::Cleared)
        };
        let letter = Letter::news([high(Event::Raised), stale].map(Arc::new));
        assert_eq!(
            said(&letter, Detail::Value),
            (
                Some("Léa: Heart rate too high, and 1 more".to_owned()),
                "Léa: Heart rate too high: It was 132 bpm at 14:05; the limit is 120 (13 min ago).\n\
                 No new heart rate: The newest is of 11:05."
                    .to_owned()
            )
        );
        let sum = Letter::sum(vec![Entry {
            notice: Arc::new(high(Event::Repeated)),
            times: 5,
        }]);
        assert_eq!(
            said(&sum, Detail::Kind),
            (
                Some("Pulsewing: 5 more in one message".to_owned()),
                "Léa: Heart rate too high (13 min ago) [the last of 5]".to_owned()
            )
        );
    }

    #[test]
    fn without_numbers_none_goes_out() {
        let many = Letter::news((0..20).map(|_| Arc::new(high(Event::Raised))));
        for letter in [one(Event::Raised), many] {
            for detail in [Detail::Kind, Detail::None] {
                let (title, body) = said(&letter, detail);
                let all = format!("{title:?} {body}");
                assert!(!all.contains("132") && !all.contains("120"), "{all}");
            }
        }
    }

    #[test]
    fn an_age_is_short() {
        for (seconds, words) in [
            (-5, "just now"),
            (59, "just now"),
            (60, "1 min ago"),
            (3599, "59 min ago"),
            (3600, "1 h ago"),
            (7500, "2 h 5 min ago"),
            (86_400, "1 day ago"),
            (200_000, "2 days ago"),
        ] {
            assert_eq!(Age(seconds).to_string(), words);
        }
    }

    #[test]
    fn a_long_text_is_cut_between_characters() {
        assert_eq!(clamped("ééééé".to_owned(), 10), "ééééé");
        assert_eq!(clamped("ééééé".to_owned(), 9), "ééé…");
        let long = Notice {
            sentence: "é".repeat(5000),
            heading: "é".repeat(5000),
            ..high(Event::Raised)
        };
        let letter = Letter::news([Arc::new(long)]);
        let now = time("2026-11-29T13:18:40Z");
        let words = words(&letter, "phone", Detail::Value, now, 1000);
        assert!(words.body.len() <= 1000 && words.title.unwrap().len() <= MAX_TITLE);
    }

    #[test]
    fn a_test_says_so() {
        let (title, body) = said(&Letter::test(), Detail::Value);
        assert_eq!(title.as_deref(), Some("Pulsewing"));
        assert_eq!(body, "A test of the channel phone. Nothing is wrong.");
    }
}
