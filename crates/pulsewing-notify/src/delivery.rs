//! The task of one channel: what of a letter goes out, when, and who is remembered to know.
//!
//! ```text
//! queue ─▶ sift: an end goes only to those who heard of the beginning
//!            │
//!            ├─ the hour has room ─▶ persist: 4 tries ─▶ memory, tally
//!            │
//!            └─ it has none ─▶ held, one line for each subject ─▶ a sum, once there is room
//! ```
//!
//! Letters of one channel go one after the other, so that an all-clear never overtakes its alarm.

use std::sync::Arc;

use jiff::Timestamp;
use pulsewing_core::alarm::{Event, Kind, Level};
use tokio::time::{Instant, sleep_until};

use crate::{
    attempt::{How, persist},
    carrier::Carrier,
    channel::Channel,
    form::{self, Answer},
    hour::Hour,
    letter::{Entry, Held, Letter},
    outbox::Clock,
    queue::Queue,
    tally::Tally,
    told::Memory,
    verdict::{Failure, Lost, Reply, Trouble, success},
};

/// The task of one channel. See [the module](self).
pub(crate) struct Delivery<C> {
    pub(crate) channel: Arc<Channel>,
    pub(crate) carrier: C,
    pub(crate) queue: Arc<Queue>,
    pub(crate) memory: Arc<Memory>,
    pub(crate) tally: Arc<Tally>,
    pub(crate) clock: Clock,
    /// The messages of the last hour.
    pub(crate) hour: Hour,
    /// What waits for room.
    pub(crate) held: Held,
}

impl<C: Carrier> Delivery<C> {
    /// Sends what comes, until the queue is closed and empty.
    pub(crate) async fn run(mut self) {
        loop {
            let now = Instant::now();
            let level = self.held.loudness();
            let room_at = level.map(|level| self.hour.room_at(level, now));
            tokio::select! {
                biased;
                () = sleep_until(room_at.unwrap_or(now)), if room_at.is_some() => self.sum().await,
                letter = self.queue.next() => match letter {
                    Some(letter) => self.take(letter).await,
                    None => break,
                },
            }
        }
        // Nobody waits for room any more.
        let late = Letter::sum(self.held.take());
        self.tally.dropped(late.count());
    }

    async fn take(&mut self, mut letter: Letter) {
        for entry in letter.entries.iter().filter(|e| e.notice.is_follow_up()) {
            self.hush(entry.notice.subject()).await;
        }
        self.sift(&mut letter);
        if letter.entries.is_empty() {
            return;
        }
        if !self.hour.has_room(letter.loudness(), Instant::now()) {
            letter.entries.drain(..).for_each(|e| self.held.add(e));
            return;
        }
        for entry in &mut letter.entries {
            let waiting = self.held.absorb(entry.notice.subject());
            entry.times = entry.times.saturating_add(waiting);
        }
        self.deliver(letter).await;
    }

    /// Takes out the ends of alarms that nobody here has heard of. If the beginning waits for room, the end
    /// waits with it.
    fn sift(&mut self, letter: &mut Letter) {
        let entries = std::mem::take(&mut letter.entries);
        for entry in entries {
            let subject = entry.notice.subject();
            let is_told = self.memory.has(&self.channel.name, subject);
            if is_told || !entry.notice.is_follow_up() {
                letter.entries.push(entry);
            } else if self.held.holds(subject) {
                self.held.add(entry);
            }
        }
    }

    async fn sum(&mut self) {
        let sum = Letter::sum(self.held.take());
        self.deliver(sum).await;
    }

    async fn deliver(&mut self, mut letter: Letter) {
        let channel = Arc::clone(&self.channel);
        let (clock, tally) = (Arc::clone(&self.clock), Arc::clone(&self.tally));
        let request = || {
            // It may have waited for others, for room, or for hours because the server wanted that.
            tally.dropped(letter.drop_old(clock()));
            let is_empty = letter.entries.is_empty();
            (!is_empty).then(|| form::request(&channel, &letter, clock()))
        };
        let judge = |reply| judge(&channel, reply, clock());
        let ended = persist(&self.carrier, request, judge).await;
        if ended.may_have_arrived {
            self.hour.record(Instant::now());
        }
        match ended.how {
            How::Taken(receipt) => {
                self.tally.took(&letter);
                for entry in &letter.entries {
                    self.remember(entry, receipt.as_deref()).await;
                }
            }
            How::Failed(failure) => {
                tracing::warn!("alarms by {}: {failure}", self.channel.name);
                self.tally.failed(letter.count(), failure);
                for Entry { notice, .. } in &letter.entries {
                    if notice.event == Event::Cleared {
                        self.memory.forget(&self.channel.name, notice.subject());
                    }
                }
            }
            How::Withdrawn => {}
        }
        self.memory.save().await;
    }

    /// Remembers who has heard of what.
    async fn remember(&self, Entry { notice, .. }: &Entry, receipt: Option<&str>) {
        let (name, subject) = (&self.channel.name, notice.subject());
        match notice.event {
            // An acknowledgement can be the last of a sum that has the alarm as well.
            Event::Raised | Event::Repeated | Event::Acknowledged => {
                let receipt = receipt.filter(|_| notice.loudness() == Level::Urgent);
                if receipt.is_some() {
                    // Only the newest message rings.
                    self.hush(subject).await;
                }
                self.memory.tell(name, subject, receipt);
            }
            Event::Cleared => self.memory.forget(name, subject),
            Event::Past => {}
        }
    }

    /// Ends the ringing of an alarm's messages.
    async fn hush(&self, subject: (&str, Kind)) {
        let receipts = self.memory.take_receipts(&self.channel.name, subject);
        for receipt in receipts {
            let request = || form::cancel(&self.channel, &receipt);
            let judge = |reply| judge(&self.channel, reply, (self.clock)());
            let ended = persist(&self.carrier, request, judge).await;
            if let How::Failed(failure) = ended.how {
                tracing::warn!(
                    "{}: a message rings on that should not: {failure}",
                    self.channel.name
                );
                self.tally.failed(0, failure);
            }
        }
    }
}

/// Judges the reply to a message. Returns its receipt, if it has one.
pub(crate) fn judge(
    channel: &Channel,
    reply: Result<Reply, Lost>,
    now: Timestamp,
) -> Result<Option<String>, Trouble> {
    let target = &channel.target;
    let reply = success(reply, now, |body| form::refusal(target, body))?;
    // The status has said that it was taken; sent again it would come twice.
    let Some(body) = reply.body else {
        return Ok(None);
    };
    match form::answer(target, &body) {
        Answer::Taken { receipt } => Ok(receipt),
        // A hotel's page may be gone by the next time.
        Answer::Strange => Err(Trouble::passing(Failure::Stranger(target.to()))),
    }
}
