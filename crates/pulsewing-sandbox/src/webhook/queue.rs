//! Deliveries: what is sent when, and again when.
//!
//! ```text
//!           due                 204
//!  waiting ─────▶ being sent ───────────▶ delivered
//!     ▲  ▲            │ anything else
//!     │  └── later ───┤                   held: until another delivery has passed it
//!     │               └── after 7 days ─▶ given up
//! ```
//!
//! A subscriber gets one request at a time, the oldest that is due first. Google promises no order;
//! this one is only for tests that compare.

use std::collections::VecDeque;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde_json::{Value, json};

use super::notice::Notice;
use crate::{
    faults::{Faults, Mishap},
    message::with,
};

/// The deliveries, oldest first.
#[derive(Debug, Default)]
pub(super) struct Queue {
    deliveries: VecDeque<Delivery>,
    made: u64,
}

/// Notifications in one request, and what became of it.
#[derive(Debug)]
struct Delivery {
    number: u64,
    subscriber: String,
    at: Timestamp,
    notices: Vec<Notice>,
    state: State,
    attempts: Vec<Attempt>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Waiting {
        due: Timestamp,
    },
    /// Another one must overtake it first.
    Held,
    Sending,
    Delivered,
    GivenUp,
}

#[derive(Debug, Serialize)]
struct Attempt {
    at: Timestamp,
    /// The answer's; none if there was no answer.
    status: Option<u16>,
    /// What was meant to go wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    fault: Option<Mishap>,
}

/// A delivery that must be sent now.
#[derive(Debug)]
pub(super) struct Sending {
    pub(super) number: u64,
    pub(super) subscriber: String,
    pub(super) notices: Vec<Notice>,
    pub(super) mishap: Option<Mishap>,
}

impl Queue {
    /// Adds notices to a subscriber, as many to a request as fit.
    pub(super) fn add(&mut self, subscriber: &str, notices: &[Notice], now: Timestamp) {
        for notices in notices.chunks(LONGEST_ARRAY) {
            self.made += 1;
            self.deliveries.push_back(Delivery {
                number: self.made,
                subscriber: subscriber.to_owned(),
                at: now,
                notices: notices.to_vec(),
                state: State::Waiting { due: now },
                attempts: Vec::new(),
            });
        }
        while self.deliveries.len() > KEPT {
            self.deliveries.pop_front();
        }
    }

    /// Forgets what a deleted subscriber has not got.
    pub(super) fn forget(&mut self, is_there: impl Fn(&str) -> bool) {
        for delivery in &mut self.deliveries {
            let is_open = matches!(delivery.state, State::Waiting { .. } | State::Held);
            if is_open && !is_there(&delivery.subscriber) {
                delivery.state = State::GivenUp;
            }
        }
    }

    /// Returns the deliveries to send now, at most one for each subscriber.
    pub(super) fn poll(
        &mut self,
        is_active: impl Fn(&str) -> bool,
        faults: &mut Faults,
        now: Timestamp,
    ) -> Vec<Sending> {
        let mut busy: Vec<String> = Vec::new();
        for delivery in &self.deliveries {
            if delivery.state == State::Sending {
                busy.push(delivery.subscriber.clone());
            }
        }
        let mut ready = Vec::new();
        for delivery in &mut self.deliveries {
            let State::Waiting { due } = delivery.state else {
                continue;
            };
            if now.duration_since(delivery.at) > LONGEST_WAIT {
                delivery.state = State::GivenUp;
                continue;
            }
            // A clock that was set back makes nobody wait for years.
            let is_due = due <= now || delivery.at > now;
            if !is_due || busy.contains(&delivery.subscriber) || !is_active(&delivery.subscriber) {
                continue;
            }
            let wearers = delivery.notices.iter().map(|notice| notice.wearer);
            let mishap = faults.strike_notification(wearers);
            if mishap == Some(Mishap::OutOfOrder) {
                delivery.state = State::Held;
                continue;
            }
            delivery.state = State::Sending;
            delivery.attempts.push(Attempt {
                at: now,
                status: None,
                fault: mishap,
            });
            busy.push(delivery.subscriber.clone());
            ready.push(Sending {
                number: delivery.number,
                subscriber: delivery.subscriber.clone(),
                notices: delivery.notices.clone(),
                mishap,
            });
        }
        ready
    }

    /// Returns when something is next due, as far as is known.
    pub(super) fn next_due(&self, is_active: impl Fn(&str) -> bool) -> Option<Timestamp> {
        let waiting = self.deliveries.iter().filter_map(|delivery| {
            let State::Waiting { due } = delivery.state else {
                return None;
            };
            // What waits behind another is looked at again when that has been sent.
            let is_behind = self.deliveries.iter().any(|other| {
                other.state == State::Sending && other.subscriber == delivery.subscriber
            });
            (!is_behind && is_active(&delivery.subscriber)).then_some(due)
        });
        waiting.min()
    }

    /// Notes what was answered: 204 is the only success (Google Health API, Webhooks; that 200 is
    /// none, users report).
    pub(super) fn handle_answer(&mut self, number: u64, status: Option<u16>, now: Timestamp) {
        let Some(index) = self.deliveries.iter().position(|it| it.number == number) else {
            return;
        };
        let Some(delivery) = self.deliveries.get_mut(index) else {
            return;
        };
        if let Some(attempt) = delivery.attempts.last_mut() {
            attempt.status = status;
        }
        let pause = pause_after(delivery.attempts.len());
        delivery.state = match status {
            Some(204) => State::Delivered,
            _ if now.duration_since(delivery.at) >= LONGEST_WAIT => State::GivenUp,
            _ => State::Waiting {
                due: now.checked_add(pause).unwrap_or(Timestamp::MAX),
            },
        };
        let subscriber = delivery.subscriber.clone();
        for other in &mut self.deliveries {
            if other.state == State::Held && other.subscriber == subscriber {
                other.state = State::Waiting { due: now };
            }
        }
    }

    /// Describes every delivery, oldest first.
    pub(super) fn describe(&self) -> Value {
        self.deliveries.iter().map(Delivery::describe).collect()
    }
}

impl Delivery {
    fn describe(&self) -> Value {
        let of = |notice: &Notice| json!({ "user_id": notice.wearer.google_id(), "data_type": notice.data_type });
        let state = match self.state {
            State::Waiting { .. } => "waiting",
            State::Held => "held",
            State::Sending => "sending",
            State::Delivered => "delivered",
            State::GivenUp => "given-up",
        };
        let notifications: Vec<Value> = self.notices.iter().map(of).collect();
        let described = json!({
            "number": self.number,
            "at": self.at,
            "subscriber": self.subscriber,
            "notifications": notifications,
            "state": state,
            "attempts": self.attempts,
        });
        match self.state {
            State::Waiting { due } => with(described, "due", due.to_string()),
            _ => described,
        }
    }
}

/// Returns how long to wait after a number of attempts: twice as long each time.
fn pause_after(attempts: usize) -> SignedDuration {
    let doublings = u32::try_from(attempts.saturating_sub(1)).unwrap_or(u32::MAX);
    let factor = 1_i32.checked_shl(doublings.min(16)).unwrap_or(i32::MAX);
    SHORTEST_PAUSE
        .checked_mul(factor)
        .unwrap_or(LONGEST_PAUSE)
        .min(LONGEST_PAUSE)
}

/// The most notifications in one request, as users report.
const LONGEST_ARRAY: usize = 99;

/// How long a delivery is repeated (Google Health API, Webhooks).
const LONGEST_WAIT: SignedDuration = SignedDuration::from_hours(7 * 24);

/// The pauses are not documented; these are chosen.
const SHORTEST_PAUSE: SignedDuration = SignedDuration::from_secs(10);
const LONGEST_PAUSE: SignedDuration = SignedDuration::from_hours(1);

/// How many deliveries are kept.
const KEPT: usize = 10_000;

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::*;
    use crate::{faults::Fault, wearer::Wearer};

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn notices(count: usize) -> Vec<Notice> {
        let notice = Notice {
            wearer: Wearer::FIRST,
            data_type: "heart-rate",
            start: at(0),
            end: at(900),
            zone: TimeZone::UTC,
        };
        vec![notice; count]
    }

    fn queue(notices_: usize) -> Queue {
        let mut queue = Queue::default();
        queue.add("one", &notices(notices_), at(0));
        queue
    }

    fn poll(queue: &mut Queue, second: i64) -> Vec<u64> {
        let sending = queue.poll(|_| true, &mut Faults::default(), at(second));
        sending.into_iter().map(|it| it.number).collect()
    }

    fn state(queue: &Queue, index: usize) -> String {
        queue.describe()[index]["state"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    #[test]
    fn ninety_nine_fit_in_a_request() {
        let queue = queue(200);
        let counts: Vec<usize> = queue.deliveries.iter().map(|it| it.notices.len()).collect();
        assert_eq!(counts, [99, 99, 2]);
    }

    #[test]
    fn only_204_is_a_success() {
        for status in [None, Some(200), Some(201), Some(401), Some(500)] {
            let mut queue = queue(1);
            assert_eq!(poll(&mut queue, 0), [1]);
            assert!(poll(&mut queue, 0).is_empty());
            queue.handle_answer(1, status, at(0));
            assert_eq!(state(&queue, 0), "waiting");
            assert_eq!(queue.next_due(|_| true), Some(at(10)));
            assert!(poll(&mut queue, 9).is_empty());
            assert_eq!(poll(&mut queue, 10), [1]);
            queue.handle_answer(1, Some(204), at(10));
            assert_eq!(state(&queue, 0), "delivered");
            assert_eq!(queue.next_due(|_| true), None);
        }
    }

    #[test]
    fn pauses_double_up_to_an_hour_for_seven_days() {
        let mut queue = queue(1);
        let (mut now, mut pauses) = (0, Vec::new());
        loop {
            assert_eq!(poll(&mut queue, now), [1]);
            queue.handle_answer(1, Some(500), at(now));
            let Some(due) = queue.next_due(|_| true) else {
                break;
            };
            pauses.push(due.as_second() - now);
            now = due.as_second();
            if now > LONGEST_WAIT.as_secs() {
                break;
            }
        }
        assert_eq!(
            pauses[..11],
            [10, 20, 40, 80, 160, 320, 640, 1280, 2560, 3600, 3600]
        );
        assert!(poll(&mut queue, now).is_empty());
        assert_eq!(state(&queue, 0), "given-up");
    }

    #[test]
    fn a_subscriber_gets_one_request_at_a_time() {
        let mut queue = queue(150);
        queue.add("other", &notices(1), at(0));
        assert_eq!(poll(&mut queue, 0), [1, 3]);
        assert!(poll(&mut queue, 0).is_empty());
        queue.handle_answer(1, Some(500), at(0));
        assert_eq!(poll(&mut queue, 0), [2]);
    }

    #[test]
    fn one_that_is_held_goes_after_the_next() {
        let mut queue = queue(150);
        let script = r#"{"route":"google.notify","do":{"notify":"out-of-order"}}"#;
        let mut faults = Faults::default();
        faults.replace(Fault::parse_script(script).unwrap());
        let sent = queue.poll(|_| true, &mut faults, at(0));
        assert_eq!(sent[0].number, 2);
        assert_eq!(state(&queue, 0), "held");
        queue.handle_answer(2, Some(204), at(1));
        assert_eq!(poll(&mut queue, 1), [1]);
    }

    #[test]
    fn nothing_is_sent_to_who_is_inactive_or_gone() {
        let mut queue = queue(1);
        assert!(
            queue
                .poll(|_| false, &mut Faults::default(), at(0))
                .is_empty()
        );
        assert_eq!(queue.next_due(|_| false), None);
        queue.forget(|_| false);
        assert_eq!(state(&queue, 0), "given-up");
    }

    #[test]
    fn a_clock_that_is_set_back_makes_nobody_wait() {
        let mut queue = Queue::default();
        queue.add("one", &notices(1), at(1_000_000));
        assert_eq!(poll(&mut queue, 0), [1]);
    }
}
