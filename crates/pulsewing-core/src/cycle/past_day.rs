//! The heart rate of a day before today, fetched in the pause between two cycles.
//!
//! A cycle fetches today. Data missing from earlier days, because the program was not running or the
//! tracker synced late, is fetched here, with the cycle's current chain and within its limits: half of
//! the hourly cap is left to the cycles. Nothing is retried and nothing is renewed. A problem with a
//! past day is also one for the next cycle, which handles it.
//!
//! Google reports a day's resting heart rate in a separate reply, which is requested last. It is
//! optional: the day is complete without it.
//!
//! This is separate from the [`Cycle`], so that a board without a history needs no memory for it.

use core::{fmt, time::Duration};

use jiff::{Timestamp, civil::Date};

use super::{
    Cycle, Now,
    failure::{CallName, Failure},
    fetch::TRY_FOR,
    pages::Pages,
    reception::{Asked, Reception},
    refusal::Setback,
};
use crate::{
    AccessToken, Bpm, Provider,
    civil::Offsets,
    day::Day,
    dialect::{DecodeError, PageToken, fitbit, google},
    instant::latest_credible,
    oauth::NoAnswer,
    request::{BufferFull, REQUEST_BUFFER, ReplyHead, Request},
};

/// The next action for a past day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PastAction {
    /// Send this, follow no redirect, and report the reply.
    Send {
        /// The request.
        request: Request,
        /// The maximum duration of the whole exchange, in real time.
        timeout: Duration,
    },
    /// It cannot be fetched now: a cycle is due or under way, there is no valid access token, or no
    /// request to spare. Pages fetched so far are lost.
    NotNow,
    /// It has ended: take the [day](PastDay::day), or handle the failure.
    Finished(Result<(), Failure>),
}

/// The fetch of one past day's heart rate. Poll, carry out the action, report the result, poll again.
pub struct PastDay {
    offsets: Offsets,
    /// The requested date.
    date: Date,
    day: Day,
    /// The number of reported minutes that lie in the future.
    future_minutes: u16,
    resting: Option<Bpm>,
    call: Call,
    pages: Pages,
    /// The number of minutes in Google's replies.
    points: u32,
    reception: Reception<Intake>,
    outcome: Option<Result<(), Failure>>,
}

/// The call to make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Call {
    Google(google::SourceFamily),
    /// After the complete heart rate.
    GoogleResting,
    Fitbit,
}

/// The decoder of the reply that is arriving.
enum Intake {
    Google(google::HeartDecoder),
    GoogleResting(google::RestingDecoder),
    Fitbit(fitbit::HeartDecoder),
}

impl PastDay {
    /// Creates the fetch of this date, in the zone that has these offsets around it.
    #[must_use]
    pub fn new(provider: Provider, offsets: Offsets, date: Date) -> Self {
        Self {
            day: Day::new(offsets.day(date)),
            future_minutes: 0,
            offsets,
            date,
            resting: None,
            call: match provider {
                Provider::Google => Call::Google(google::SourceFamily::Wearables),
                Provider::Fitbit => Call::Fitbit,
            },
            pages: Pages::new(),
            points: 0,
            reception: Reception::new(),
            outcome: None,
        }
    }

    /// Returns the next action. The request is written to `buffer`.
    pub fn poll(
        &mut self,
        cycle: &mut Cycle,
        now: Now,
        buffer: &mut [u8; REQUEST_BUFFER],
    ) -> PastAction {
        if let Some(outcome) = self.outcome {
            return PastAction::Finished(outcome);
        }
        // Do not begin a day without a request left for its resting heart rate.
        let requests = match self.call {
            Call::Google(_) => 2,
            Call::GoogleResting | Call::Fitbit => 1,
        };
        let spare = cycle.spare(now, requests);
        let spare = spare.filter(|(access, _)| outlives_a_try(access.expires_at, now));
        let Some((access, user)) = spare else {
            if self.call == Call::GoogleResting {
                self.end(Ok(()));
                return PastAction::Finished(Ok(()));
            }
            return PastAction::NotNow;
        };
        match self.request(&access.token, user, buffer) {
            Ok(request) => PastAction::Send {
                request,
                timeout: TRY_FOR,
            },
            // Unreachable: the buffer has room for every request.
            Err(BufferFull) => PastAction::NotNow,
        }
    }

    fn request(
        &self,
        access: &AccessToken,
        user: &str,
        buffer: &mut [u8],
    ) -> Result<Request, BufferFull> {
        let local = self.day.local();
        match self.call {
            Call::Fitbit => {
                let day = fitbit::HeartDay::Date(local.date());
                fitbit::heart(buffer, access, user, day)
            }
            Call::GoogleResting => {
                let date = local.date();
                let until = date.tomorrow().unwrap_or(date);
                google::resting(buffer, access, date, until, None)
            }
            Call::Google(family) => {
                let query = google::RollUp {
                    family,
                    start: local.start(),
                    end: local.instant(local.minutes()),
                    page: self.pages.token(),
                };
                google::roll_up(buffer, access, query)
            }
        }
    }

    /// Takes the head of a reply.
    pub fn reply_head(&mut self, head: ReplyHead) {
        self.reception.begin(head, || match self.call {
            Call::Google(_) => Intake::Google(google::HeartDecoder::new()),
            Call::GoogleResting => Intake::GoogleResting(google::RestingDecoder::new(self.date)),
            Call::Fitbit => Intake::Fitbit(fitbit::HeartDecoder::new(&self.offsets)),
        });
    }

    /// Takes the next bytes of the reply's body.
    pub fn reply_body(&mut self, chunk: &[u8]) {
        let day = &mut self.day;
        self.reception.feed(chunk, |intake, chunk| match intake {
            Intake::Google(decoder) => decoder.feed(chunk, &mut |point| {
                if let google::HeartPoint::Minute(sample) = point
                    && let Some(minute) = day.local().minute_of(sample.at)
                {
                    day.record(minute, sample.bpm);
                }
            }),
            Intake::GoogleResting(decoder) => decoder.feed(chunk),
            Intake::Fitbit(decoder) => decoder.feed(chunk, day),
        });
    }

    /// Takes the end of the reply, or the failure of the exchange: before, within or after the head.
    pub fn reply_end(&mut self, failed: Option<NoAnswer>, cycle: &mut Cycle, now: Now) {
        let asked = Asked {
            provider: match self.call {
                Call::Google(_) | Call::GoogleResting => Provider::Google,
                Call::Fitbit => Provider::Fitbit,
            },
            call: match self.call {
                Call::Google(_) | Call::Fitbit => CallName::Heart,
                Call::GoogleResting => CallName::Resting,
            },
            now: now.utc,
        };
        let pacing = cycle.pacing_at(now);
        let Self {
            reception,
            day,
            date,
            future_minutes,
            resting,
            points,
            ..
        } = self;
        let received = reception.end(failed, asked, pacing, |intake| {
            let next = match intake {
                Intake::Google(decoder) => {
                    let page = decoder.finish()?;
                    *points = points.saturating_add(page.points);
                    page.next_page
                }
                Intake::GoogleResting(decoder) => {
                    let newest = decoder.finish()?.newest;
                    *resting = newest.filter(|(of, _)| of == date).map(|(_, bpm)| bpm);
                    None
                }
                Intake::Fitbit(decoder) => {
                    *resting = decoder.finish(day)?.resting;
                    // A reply about another date has replaced the day.
                    if day.local().date() != *date {
                        return Err(DecodeError::NotTheReply);
                    }
                    None
                }
            };
            let future = day.truncate(latest_credible(now.utc));
            *future_minutes = future_minutes.saturating_add(future);
            Ok(next)
        });
        match received {
            Ok(next) => self.proceed(next),
            Err(Setback::Unauthorized) => self.end(Err(Failure::Unauthorized)),
            Err(Setback::NoAnswer(cause)) => self.unanswered(cause),
            Err(Setback::Refused(failure)) => self.end(Err(failure)),
            Err(Setback::Limited(failure)) => {
                // A limit that names its end is the account's; without one, another call may pass.
                if self.call == Call::GoogleResting {
                    cycle.pacing_at(now).next_allowed = None;
                }
                self.end(Err(failure));
            }
        }
    }

    fn proceed(&mut self, next: Option<PageToken>) {
        match (self.call, next) {
            (_, Some(next)) => {
                if let Err(cause) = self.pages.turn(next) {
                    self.unanswered(cause);
                }
            }
            (Call::Google(google::SourceFamily::Wearables), None) if self.points == 0 => {
                self.call = Call::Google(google::SourceFamily::All);
                self.pages = Pages::new();
            }
            (Call::Google(_), None) if self.points > 0 => self.call = Call::GoogleResting,
            (_, None) => self.end(Ok(())),
        }
    }

    const fn unanswered(&mut self, cause: NoAnswer) {
        self.end(Err(Failure::NoAnswer {
            call: CallName::Heart,
            cause,
        }));
    }

    /// Ends the fetch. A failure of the resting heart rate alone is not a failure of the day.
    const fn end(&mut self, outcome: Result<(), Failure>) {
        self.outcome = Some(match self.call {
            Call::GoogleResting => Ok(()),
            Call::Google(_) | Call::Fitbit => outcome,
        });
    }

    /// Returns the day, which is complete after [`PastAction::Finished`] with `Ok`.
    #[must_use]
    pub const fn day(&self) -> &Day {
        &self.day
    }

    /// Returns the number of minutes left out because they lie in the future.
    #[must_use]
    pub const fn future_minutes(&self) -> u16 {
        self.future_minutes
    }

    /// Returns the day's resting heart rate, if the provider reported it.
    #[must_use]
    pub const fn resting(&self) -> Option<Bpm> {
        self.resting
    }
}

impl fmt::Debug for PastDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PastDay")
            .field("call", &self.call)
            .field("day", &self.day)
            .field("outcome", &self.outcome)
            .finish_non_exhaustive()
    }
}

fn outlives_a_try(expires_at: Timestamp, now: Now) -> bool {
    let left = expires_at.duration_since(now.utc);
    Duration::try_from(left).is_ok_and(|left| left > TRY_FOR)
}
