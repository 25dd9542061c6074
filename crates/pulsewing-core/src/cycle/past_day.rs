//! A day before today: its heart rate, fetched in the pause between two cycles.
//!
//! A cycle fetches today. What a history lacks of earlier days, because nobody was there to fetch it
//! or the tracker synced late, is asked for here, with the chain that the cycle has in use and within
//! its limits: half of the hourly cap is left to the cycles. Nothing is tried twice and nothing is
//! renewed. What stands in the way of a past day stands in the way of the next cycle too, which
//! knows what to do about it.
//!
//! Google tells a day's resting heart rate in a reply of its own, which is asked for last. It is welcome,
//! and no more: whatever stands in its way, the day is complete without it.
//!
//! It lives outside of the [`Cycle`], so that a board without a history has no memory for it.

use core::{fmt, time::Duration};

use jiff::{Timestamp, civil::Date};

use super::{
    Cycle, Now, Phase,
    failure::{CallName, Failure, Reason},
    fetch::{MAX_PAGES, MAX_REPLY, TRY_FOR},
    refusal::{self, Refusal},
};
use crate::{
    AccessToken, Bpm, Provider,
    civil::Offsets,
    day::Day,
    dialect::{DecodeError, ErrorDecoder, PageToken, fitbit, google},
    instant::latest_credible,
    oauth::NoAnswer,
    request::{BufferFull, REQUEST_BUFFER, ReplyHead, Request},
};

/// What to do next about a past day.
#[derive(Debug)]
pub enum PastAction<'a> {
    /// Send this, follow no redirect, and tell what comes back.
    Send {
        /// The request.
        request: Request<'a>,
        /// The longest that the whole exchange may take, in real time.
        timeout: Duration,
    },
    /// It cannot be asked for now: a cycle is due or under way, there is no access token that lives,
    /// or no request to spare. What was fetched so far is lost.
    NotNow,
    /// It has ended: take the [day](PastDay::day), or see what stood in the way.
    Finished(Result<(), Failure>),
}

/// One past day's heart rate on its way. Poll, carry the action out, tell how it went, poll again.
pub struct PastDay {
    provider: Provider,
    offsets: Offsets,
    /// Which one was asked for.
    date: Date,
    day: Day,
    /// How many minutes were told that lie in the future.
    future_minutes: u16,
    resting: Option<Bpm>,
    /// Whether the heart rate is there, and what is asked for is Google's resting heart rate.
    is_at_resting: bool,
    family: google::SourceFamily,
    page: Option<PageToken>,
    pages: u8,
    points: u32,
    head: Option<ReplyHead>,
    length: u32,
    intake: Intake,
    outcome: Option<Result<(), Failure>>,
}

/// The decoder of the reply that is coming in.
enum Intake {
    Nothing,
    Damaged(DecodeError),
    Error(ErrorDecoder),
    Google(google::HeartDecoder),
    GoogleResting(google::RestingDecoder),
    Fitbit(fitbit::HeartDecoder),
}

impl PastDay {
    /// The day of this date in the zone that has these offsets around it.
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
            head: None,
            length: 0,
            intake: Intake::Nothing,
            outcome: None,
        }
    }

    /// What to do next. `buffer` is where the request is written.
    pub fn poll<'a>(
        &'a mut self,
        cycle: &'a mut Cycle,
        now: Now,
        buffer: &'a mut [u8; REQUEST_BUFFER],
    ) -> PastAction<'a> {
        if let Some(outcome) = self.outcome {
            return PastAction::Finished(outcome);
        }
        cycle.look_at_clocks(now);
        let cap = cycle.settings.hourly_cap;
        let is_quiet = cycle.phase == Phase::Idle && !cycle.jumped && now.utc < cycle.due;
        // A day is not begun that would lack the request for its resting heart rate.
        let requests = match self.provider {
            Provider::Google if !self.is_at_resting => 2,
            _ => 1,
        };
        let may_ask = is_quiet && !cycle.gone && cycle.pacing.has_room(now.utc, cap, requests);
        let access = cycle
            .chain
            .as_ref()
            .and_then(|chain| chain.access())
            .filter(|access| may_ask && outlives_a_try(access.expires_at, now));
        let Some(access) = access else {
            if self.is_at_resting {
                self.end(Ok(()));
                return PastAction::Finished(Ok(()));
            }
            return PastAction::NotNow;
        };
        let user = cycle.settings.user_id.as_deref().unwrap_or("-");
        match self.request(&access.token, user, buffer) {
            Ok(request) => PastAction::Send {
                request,
                timeout: TRY_FOR,
            },
            // Never: the buffer has room for every request.
            Err(BufferFull) => PastAction::NotNow,
        }
    }

    fn request<'a>(
        &'a self,
        access: &'a AccessToken,
        user: &str,
        buffer: &'a mut [u8],
    ) -> Result<Request<'a>, BufferFull> {
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

    /// A reply begins.
    pub fn reply_head(&mut self, head: ReplyHead) {
        self.head = Some(head);
        self.length = 0;
        self.intake = match self.provider {
            _ if !head.is_success() => Intake::Error(ErrorDecoder::new()),
            Provider::Google if self.is_at_resting => {
                Intake::GoogleResting(google::RestingDecoder::new(self.date))
            }
            Provider::Google => Intake::Google(google::HeartDecoder::new()),
            Provider::Fitbit => Intake::Fitbit(fitbit::HeartDecoder::new(&self.offsets)),
        };
    }

    /// More of its body arrives.
    pub fn reply_body(&mut self, chunk: &[u8]) {
        let more = u32::try_from(chunk.len()).unwrap_or(u32::MAX);
        self.length = self.length.saturating_add(more);
        if self.length > MAX_REPLY {
            return;
        }
        let day = &mut self.day;
        let fed = match &mut self.intake {
            Intake::Nothing | Intake::Damaged(_) => Ok(()),
            Intake::Error(decoder) => {
                decoder.feed(chunk);
                Ok(())
            }
            Intake::Google(decoder) => decoder.feed(chunk, &mut |point| {
                if let google::HeartPoint::Minute(sample) = point
                    && let Some(minute) = day.local().minute_of(sample.at)
                {
                    day.record(minute, sample.bpm);
                }
            }),
            Intake::GoogleResting(decoder) => decoder.feed(chunk),
            Intake::Fitbit(decoder) => decoder.feed(chunk, day),
        };
        if let Err(error) = fed {
            self.intake = Intake::Damaged(error);
        }
    }

    /// The reply has ended, or the exchange failed: before, within or after the head.
    pub fn reply_end(&mut self, failed: Option<NoAnswer>, cycle: &mut Cycle, now: Now) {
        cycle.look_at_clocks(now);
        cycle.pacing.count(now.utc);
        let intake = core::mem::replace(&mut self.intake, Intake::Nothing);
        let Some(head) = self.head.take() else {
            return self.unanswered(failed.unwrap_or(NoAnswer::Disconnected));
        };
        let limited_until = cycle.pacing.obey(&head, self.provider, now.utc);
        let cause = match failed {
            None if self.length > MAX_REPLY => Some(NoAnswer::TooLong),
            failed => failed,
        };
        if head.is_success()
            && let Some(cause) = cause
        {
            return self.unanswered(cause);
        }
        let page = match intake {
            Intake::Nothing => Err(DecodeError::NotTheReply),
            Intake::Damaged(error) => Err(error),
            Intake::Error(decoder) => {
                let reason = decoder.finish();
                let until = match limited_until {
                    None if refusal::is_limit(head.status, &reason) => {
                        cycle.pacing.be_quiet(&head, self.provider, now.utc)
                    }
                    until => until,
                };
                let until = until.unwrap_or(now.utc);
                let refusal =
                    refusal::of_reply(self.provider, CallName::Heart, head.status, &reason, until);
                return match refusal {
                    Refusal::Unauthorized => self.end(Err(Failure::Unauthorized)),
                    Refusal::NoAnswer(cause) => self.unanswered(cause),
                    Refusal::Decided(failure) => self.end(Err(failure)),
                };
            }
            Intake::Google(decoder) => decoder.finish().map(|page| {
                self.points = self.points.saturating_add(page.points);
                page.next_page
            }),
            Intake::GoogleResting(decoder) => decoder.finish().map(|page| {
                let date = self.day.local().date();
                let newest = page.newest.filter(|(of, _)| *of == date);
                self.resting = newest.map(|(_, bpm)| bpm);
                None
            }),
            Intake::Fitbit(decoder) => decoder.finish(&mut self.day).and_then(|facts| {
                self.resting = facts.resting;
                // A day of another date than was asked for takes this one's place.
                let is_asked_for = self.day.local().date() == self.date;
                is_asked_for.then_some(None).ok_or(DecodeError::NotTheReply)
            }),
        };
        let future = self.day.truncate(latest_credible(now.utc));
        self.future_minutes = self.future_minutes.saturating_add(future);
        match page {
            Ok(page) => self.received(page),
            Err(DecodeError::NoIntraday) => self.end(Err(Failure::Rejected {
                call: CallName::Heart,
                status: head.status,
                reason: Reason::IntradayNotAllowed,
            })),
            Err(_) => self.unanswered(NoAnswer::Malformed),
        }
    }

    fn received(&mut self, page: Option<PageToken>) {
        match page {
            Some(page) => {
                self.pages = self.pages.saturating_add(1);
                // As in a cycle: what came so far may be half of a day.
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

    /// What stands in the way of the resting heart rate alone ends nothing but the asking.
    const fn end(&mut self, outcome: Result<(), Failure>) {
        self.outcome = Some(if self.is_at_resting { Ok(()) } else { outcome });
    }

    /// The day; complete once [`PastAction::Finished`] said so.
    #[must_use]
    pub const fn day(&self) -> &Day {
        &self.day
    }

    /// How many minutes it is without, because they were told as later than now.
    #[must_use]
    pub const fn future_minutes(&self) -> u16 {
        self.future_minutes
    }

    /// The day's resting heart rate, if the provider told it.
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
