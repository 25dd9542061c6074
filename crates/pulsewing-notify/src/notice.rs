//! Something to tell people: what the daemon knows of a signal.

use jiff::Timestamp;
use pulsewing_core::{
    Bpm,
    alarm::{Event, Kind, Level, Limits},
};

/// Something to tell people: a signal of the core, with its words. [`Detail`](crate::Detail) decides how
/// much of it goes out.
///
/// `Debug` shows no word and no number of it, so that a log keeps none.
#[derive(Clone, PartialEq, Eq)]
pub struct Notice {
    /// The wearer's id: part of the memory of who was told of what.
    pub wearer: String,
    /// What the wearer is called in messages. It is put before the heading, unless it is empty.
    pub wearer_name: String,
    /// What it is about.
    pub kind: Kind,
    /// How much it matters: of an alarm that is over, at its worst.
    pub level: Level,
    /// What happened.
    pub event: Event,
    /// What happened in a few words, without a number and without the wearer's name, such as
    /// `Heart rate too high`.
    pub heading: String,
    /// The same in a sentence, with numbers and the time of day but without the age, which is added when
    /// it is sent: `It was 132 bpm at 14:05; the limit is 120.`
    pub sentence: String,
    /// The heart rate, if it is about one.
    pub bpm: Option<Bpm>,
    /// The limit that was passed, if it is about a heart rate.
    pub limit: Option<Bpm>,
    /// When it was measured: the message says how long ago that is. `None` if nothing was.
    pub at: Option<Timestamp>,
    /// When the alarm began.
    pub since: Timestamp,
    /// The address of the page that shows it, for whoever presses on the message.
    pub page: Option<String>,
    /// Calls that snooze it, as buttons of a message, at most three. They are sent only over a channel
    /// whose settings name a `snooze_token_file`.
    pub snooze: Vec<SnoozeCall>,
}

/// A call of the daemon's API that snoozes an alarm: a `POST` with a JSON body, and with the token of
/// `snooze_token_file` as bearer token.
#[derive(Clone, PartialEq, Eq)]
pub struct SnoozeCall {
    /// What the button says, such as `Silence 30 min`.
    pub label: String,
    /// The whole address, which the phone must be able to reach.
    pub url: String,
    /// The body.
    pub body: String,
}

impl Notice {
    /// Returns how loudly to tell it. Only an alarm that holds is as loud as its level: that something is
    /// over, seen, or long past must not wake anybody.
    pub(crate) const fn loudness(&self) -> Level {
        match self.event {
            Event::Raised | Event::Repeated => self.level,
            Event::Acknowledged | Event::Cleared | Event::Past => Level::Info,
        }
    }

    /// Returns whether it says that something is wrong, so that those who hear of it must also hear when it
    /// is over.
    pub(crate) const fn is_alarm(&self) -> bool {
        matches!(self.event, Event::Raised | Event::Repeated)
    }

    /// Returns whether only those hear of it who have heard of the alarm.
    pub(crate) const fn is_follow_up(&self) -> bool {
        matches!(self.event, Event::Acknowledged | Event::Cleared)
    }

    /// Returns whether it tells of a heart rate that is too old to be told of as news.
    pub(crate) fn is_too_old(&self, now: Timestamp) -> bool {
        let is_old = |at| now.duration_since(at) >= Limits::TOO_OLD;
        self.kind.is_of_rate() && !self.is_follow_up() && self.at.is_some_and(is_old)
    }

    /// Returns what it is about, and whom.
    pub(crate) fn subject(&self) -> (&str, Kind) {
        (&self.wearer, self.kind)
    }
}

impl std::fmt::Debug for Notice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Notice")
            .field("kind", &self.kind)
            .field("level", &self.level)
            .field("event", &self.event)
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for SnoozeCall {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SnoozeCall(..)")
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn time(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    /// A high heart rate of one minute past 14:05, as the tests have it.
    pub(crate) fn high(event: Event) -> Notice {
        Notice {
            wearer: "lea".to_owned(),
            wearer_name: "Léa".to_owned(),
            kind: Kind::High,
            level: Level::Urgent,
            event,
            heading: "Heart rate too high".to_owned(),
            sentence: "It was 132 bpm at 14:05; the limit is 120.".to_owned(),
            bpm: Bpm::new(132),
            limit: Bpm::new(120),
            at: Some(time("2026-11-29T13:05:00Z")),
            since: time("2026-11-29T12:58:00Z"),
            page: Some("https://pulse.example/lea".to_owned()),
            snooze: vec![SnoozeCall {
                label: "Silence 30 min".to_owned(),
                url: "https://pulse.example/api/v1/wearers/lea/alarms/high/snooze".to_owned(),
                body: "{\"minutes\":30}".to_owned(),
            }],
        }
    }

    #[test]
    fn only_an_alarm_that_holds_is_loud() {
        for (event, loudness) in [
            (Event::Raised, Level::Urgent),
            (Event::Repeated, Level::Urgent),
            (Event::Acknowledged, Level::Info),
            (Event::Cleared, Level::Info),
            (Event::Past, Level::Info),
        ] {
            assert_eq!(high(event).loudness(), loudness);
        }
    }

    #[test]
    fn an_old_rate_is_no_news_but_an_end_is() {
        let (young, old) = (time("2026-11-29T16:04:59Z"), time("2026-11-29T16:05:00Z"));
        assert!(!high(Event::Raised).is_too_old(young));
        assert!(high(Event::Raised).is_too_old(old));
        assert!(high(Event::Past).is_too_old(old));
        assert!(!high(Event::Cleared).is_too_old(old));
        let stale = Notice {
            kind: Kind::Stale,
            ..high(Event::Raised)
        };
        assert!(!stale.is_too_old(old));
    }

    #[test]
    fn a_log_keeps_no_word_of_it() {
        let shown = format!("{:?}", high(Event::Raised));
        assert_eq!(
            shown,
            "Notice { kind: High, level: Urgent, event: Raised, .. }"
        );
    }
}
