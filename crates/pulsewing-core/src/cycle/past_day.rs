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
    fetch::{MAX_PAGES, TRY_FOR},
    reception::{Asked, Ended, Reception},
    refusal::{self, Refusal},
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
    provider: Provider,
    offsets: Offsets,
    /// The requested date.
    date: Date,
    day: Day,
    /// The number of reported minutes that lie in the future.
    future_minutes: u16,
    resting: Option<Bpm>,
    /// Whether the heart rate is complete, and Google's resting heart rate is next.
    is_at_resting: bool,
    family: google::SourceFamily,
    page: Option<PageToken>,
    pages: u8,
    points: u32,
    reception: Reception<Intake>,
    outcome: Option<Result<(), Failure>>,
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
            provider,
            day: Day::new(offsets.day(date)),
            future_minutes: 0,
            offsets,
            date,
            resting: None,
            is_at_resting: false,
            family: google::SourceFamily::Wearables,
            page: None,
            pages: 0,
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
        let requests = match self.provider {
            Provider::Google if !self.is_at_resting => 2,
            _ => 1,
        };
        let spare = cycle.spare(now, requests);
        let spare = spare.filter(|(access, _)| outlives_a_try(access.expires_at, now));
        let Some((access, user)) = spare else {
            if self.is_at_resting {
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
        match self.provider {
            Provider::Fitbit => {
                let day = fitbit::HeartDay::Date(local.date());
                fitbit::heart(buffer, access, user, day)
            }
            Provider::Google if self.is_at_resting => {
                let date = local.date();
                let until = date.tomorrow().unwrap_or(date);
                google::resting(buffer, access, date, until, None)
            }
            Provider::Google => {
                let query = google::RollUp {
                    family: self.family,
                    start: local.start(),
                    end: local.instant(local.minutes()),
                    page: self.page.as_ref(),
                };
                google::roll_up(buffer, access, query)
            }
        }
    }

    /// Takes the head of a reply.
    pub fn reply_head(&mut self, head: ReplyHead) {
        let content = || match self.provider {
            Provider::Google if self.is_at_resting => {
                Intake::GoogleResting(google::RestingDecoder::new(self.date))
            }
            Provider::Google => Intake::Google(google::HeartDecoder::new()),
            Provider::Fitbit => Intake::Fitbit(fitbit::HeartDecoder::new(&self.offsets)),
        };
        self.reception.begin(head, || Some(content()));
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
            provider: self.provider,
            call: CallName::Heart,
            now: now.utc,
        };
        let ended = self.reception.end(failed, asked, cycle.pacing_at(now));
        let content = match ended {
            Ended::NoAnswer(cause) => return self.unanswered(cause),
            Ended::Refused(refused) => {
                return match refused.refusal {
                    Refusal::Unauthorized => self.end(Err(Failure::Unauthorized)),
                    Refusal::NoAnswer(cause) => self.unanswered(cause),
                    Refusal::Decided(failure) => self.end(Err(failure)),
                };
            }
            Ended::Content(content) => content,
        };
        let (status, is_markup) = (content.status, content.is_markup);
        let page = content.decoder.and_then(|intake| self.take(intake));
        let future = self.day.truncate(latest_credible(now.utc));
        self.future_minutes = self.future_minutes.saturating_add(future);
        match page {
            Ok(page) => self.received(page),
            Err(error) => match refusal::of_content(error, CallName::Heart, status, is_markup) {
                Ok(cause) => self.unanswered(cause),
                Err(failure) => self.end(Err(failure)),
            },
        }
    }

    /// Takes the content of a complete reply; returns the next page.
    fn take(&mut self, intake: Intake) -> Result<Option<PageToken>, DecodeError> {
        match intake {
            Intake::Google(decoder) => {
                let page = decoder.finish()?;
                self.points = self.points.saturating_add(page.points);
                Ok(page.next_page)
            }
            Intake::GoogleResting(decoder) => {
                let page = decoder.finish()?;
                let date = self.day.local().date();
                let newest = page.newest.filter(|(of, _)| *of == date);
                self.resting = newest.map(|(_, bpm)| bpm);
                Ok(None)
            }
            Intake::Fitbit(decoder) => {
                let facts = decoder.finish(&mut self.day)?;
                self.resting = facts.resting;
                // A reply about another date has replaced the day.
                if self.day.local().date() == self.date {
                    Ok(None)
                } else {
                    Err(DecodeError::NotTheReply)
                }
            }
        }
    }

    fn received(&mut self, page: Option<PageToken>) {
        match page {
            Some(page) => {
                self.pages = self.pages.saturating_add(1);
                // As in a cycle: the data so far may be half of a day.
                if self.pages >= MAX_PAGES || self.page.as_ref() == Some(&page) {
                    return self.unanswered(NoAnswer::Malformed);
                }
                self.page = Some(page);
            }
            None if self.provider == Provider::Google
                && self.points == 0
                && self.family == google::SourceFamily::Wearables =>
            {
                self.family = google::SourceFamily::All;
                self.page = None;
                self.pages = 0;
            }
            None if self.provider == Provider::Google && self.points > 0 && !self.is_at_resting => {
                self.is_at_resting = true;
            }
            None => self.end(Ok(())),
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
        self.outcome = Some(if self.is_at_resting { Ok(()) } else { outcome });
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
            .field("provider", &self.provider)
            .field("day", &self.day)
            .field("outcome", &self.outcome)
            .finish_non_exhaustive()
    }
}

fn outlives_a_try(expires_at: Timestamp, now: Now) -> bool {
    let left = expires_at.duration_since(now.utc);
    Duration::try_from(left).is_ok_and(|left| left > TRY_FOR)
}
