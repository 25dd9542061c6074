//! A letter: what one message says.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use jiff::Timestamp;
use pulsewing_core::alarm::{Kind, Level};

use crate::notice::Notice;

/// What one message says: one notice, several of the same moment, or a sum of many. Its id stays the same
/// however often it is sent.
#[derive(Clone, Debug)]
pub(crate) struct Letter {
    pub(crate) id: String,
    pub(crate) form: Form,
    /// What it tells, loudest first. Empty in a test.
    pub(crate) entries: Vec<Entry>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// Alarms as they come.
    News,
    /// What was more than an hour may have.
    Sum,
    /// A test.
    Test,
}

/// A notice, and how many of its subject it stands for.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// The latest one.
    pub(crate) notice: Arc<Notice>,
    /// The number of notices.
    pub(crate) times: u32,
}

impl Letter {
    pub(crate) fn news(notices: impl IntoIterator<Item = Arc<Notice>>) -> Self {
        let once = |notice| Entry { notice, times: 1 };
        Self::new(Form::News, notices.into_iter().map(once).collect())
    }

    pub(crate) fn sum(entries: Vec<Entry>) -> Self {
        Self::new(Form::Sum, entries)
    }

    pub(crate) fn test() -> Self {
        Self::new(Form::Test, Vec::new())
    }

    fn new(form: Form, mut entries: Vec<Entry>) -> Self {
        entries.sort_by_key(|entry| std::cmp::Reverse(entry.notice.loudness()));
        let id = id();
        Self { id, form, entries }
    }

    /// Returns how loudly to tell it. A test is as loud as a warning: whoever makes it wants to hear it.
    pub(crate) fn loudness(&self) -> Level {
        let levels = self.entries.iter().map(|entry| entry.notice.loudness());
        levels.max().unwrap_or(match self.form {
            Form::Test => Level::Warning,
            Form::News | Form::Sum => Level::Info,
        })
    }

    /// Returns the notice that matters most.
    pub(crate) fn first(&self) -> Option<&Notice> {
        self.entries.first().map(|entry| &*entry.notice)
    }

    /// Returns how many notices it stands for.
    pub(crate) fn count(&self) -> u64 {
        self.entries
            .iter()
            .map(|entry| u64::from(entry.times))
            .sum()
    }

    /// Takes out what is too old to be told, and returns how many notices that were.
    pub(crate) fn drop_old(&mut self, now: Timestamp) -> u64 {
        let before = self.count();
        self.entries.retain(|entry| !entry.notice.is_too_old(now));
        before.saturating_sub(self.count())
    }
}

/// What waits to be summed up: the latest notice of each subject.
#[derive(Debug, Default)]
pub(crate) struct Held(Vec<Entry>);

impl Held {
    pub(crate) fn holds(&self, subject: (&str, Kind)) -> bool {
        self.0.iter().any(|entry| entry.notice.subject() == subject)
    }

    /// Adds a notice to those of its subject. The latest one is told.
    pub(crate) fn add(&mut self, new: Entry) {
        let subject = new.notice.subject();
        let same = self
            .0
            .iter_mut()
            .find(|entry| entry.notice.subject() == subject);
        match same {
            Some(entry) => {
                entry.times = entry.times.saturating_add(new.times);
                entry.notice = new.notice;
            }
            None => self.0.push(new),
        }
    }

    /// Takes out what waits of a subject, and returns how many notices that were: a newer one says it.
    pub(crate) fn absorb(&mut self, subject: (&str, Kind)) -> u32 {
        let place = self
            .0
            .iter()
            .position(|entry| entry.notice.subject() == subject);
        place.map_or(0, |place| self.0.remove(place).times)
    }

    /// Takes out everything.
    pub(crate) fn take(&mut self) -> Vec<Entry> {
        std::mem::take(&mut self.0)
    }

    /// Returns how loudly to tell it.
    pub(crate) fn loudness(&self) -> Option<Level> {
        self.0.iter().map(|entry| entry.notice.loudness()).max()
    }
}

/// Returns a new random UUID (RFC 9562, version 4).
fn id() -> String {
    let mut bytes = [0; 16];
    if getrandom::fill(&mut bytes).is_err() {
        // An id need not be secret, only another one than the last.
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let next = NEXT.fetch_add(1, Ordering::Relaxed);
        bytes = u128::from(next).to_be_bytes();
    }
    let value = u128::from_be_bytes(bytes) & !(0xf << 76) & !(0b11 << 62);
    let value = value | 0x4 << 76 | 0b10 << 62;
    let digits = format!("{value:032x}");
    let part = |range| digits.get(range).unwrap_or_default();
    format!(
        "{}-{}-{}-{}-{}",
        part(0..8),
        part(8..12),
        part(12..16),
        part(16..20),
        part(20..32)
    )
}

#[cfg(test)]
mod tests {
    use pulsewing_core::alarm::Event;

    use super::*;
    use crate::notice::tests::high;

    #[test]
    fn an_id_is_a_random_uuid() {
        let (one, other) = (id(), id());
        assert_ne!(one, other);
        let parts: Vec<_> = one.split('-').map(str::len).collect();
        assert_eq!(parts, [8, 4, 4, 4, 12]);
        assert_eq!(one.as_bytes()[14], b'4');
        assert!(b"89ab".contains(&one.as_bytes()[19]));
    }

    #[test]
    fn the_loudest_comes_first() {
        let warning = Notice {
            kind: Kind::Stale,
            level: Level::Warning,
            ..high(Event::Raised)
        };
        let notices = [high(Event::Cleared), warning, high(Event::Raised)];
        let letter = Letter::news(notices.map(Arc::new));
        let events: Vec<_> = letter.entries.iter().map(|e| e.notice.event).collect();
        assert_eq!(events, [Event::Raised, Event::Raised, Event::Cleared]);
        assert_eq!(letter.loudness(), Level::Urgent);
        assert_eq!(letter.first().unwrap().kind, Kind::High);
        assert_eq!(letter.count(), 3);
    }

    #[test]
    fn what_waits_is_told_as_it_is_last() {
        let mut held = Held::default();
        let once = |event| Entry {
            notice: Arc::new(high(event)),
            times: 1,
        };
        held.add(once(Event::Raised));
        held.add(once(Event::Repeated));
        held.add(once(Event::Cleared));
        assert_eq!(held.loudness(), Some(Level::Info));
        let letter = Letter::sum(held.take());
        assert_eq!(letter.count(), 3);
        assert_eq!(letter.first().unwrap().event, Event::Cleared);
        assert_eq!(held.loudness(), None);
        held.add(once(Event::Raised));
        assert_eq!(held.absorb(("ben", Kind::High)), 0);
        assert_eq!(held.absorb(("lea", Kind::High)), 1);
        assert_eq!(held.loudness(), None);
    }
}
