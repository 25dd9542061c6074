//! One arriving reply: its size limit, and its result.
//!
//! The content is up to the caller. The checks that it is there at all, is complete and is a success
//! are the same for every call, and are made here.

use jiff::Timestamp;

use super::{
    failure::CallName,
    pacing::Pacing,
    refusal::{self, Refusal},
};
use crate::{
    Provider,
    dialect::{DecodeError, ErrorDecoder},
    markup::Beginning,
    oauth::NoAnswer,
    request::ReplyHead,
};

/// The maximum size of a reply, in bytes. A day of minutes has 226 KB in Google's dialect.
const MAX_REPLY: u32 = 4 * 1_024 * 1_024;

/// An arriving reply; `D` decodes its content.
pub(super) struct Reception<D> {
    head: Option<ReplyHead>,
    length: u32,
    beginning: Beginning,
    body: Body<D>,
}

/// The reader of the body.
#[expect(
    clippy::large_enum_variant,
    reason = "it lies in the cycle, and there is no heap"
)]
enum Body<D> {
    Nothing,
    Damaged(DecodeError),
    Error(ErrorDecoder),
    Content(D),
}

/// The result of a reply.
pub(super) enum Ended<D> {
    /// No answer: the same call may get one later.
    NoAnswer(NoAnswer),
    /// A reply that is not a success.
    Refused(Refused),
    /// A success.
    Content(Content<D>),
}

/// A success.
pub(super) struct Content<D> {
    /// The decoder, which has read the whole content.
    pub(super) decoder: Result<D, DecodeError>,
    pub(super) status: u16,
    /// Whether it is a page for people.
    pub(super) is_markup: bool,
}

/// A reply that is not a success.
pub(super) struct Refused {
    pub(super) refusal: Refusal,
    /// The reason why it ended early, if it did.
    pub(super) cut: Option<NoAnswer>,
    /// Whether it is a rate limit without an end.
    pub(super) is_limit_without_end: bool,
}

/// The call that a reply belongs to, and the end of the reply.
#[derive(Clone, Copy)]
pub(super) struct Asked {
    pub(super) provider: Provider,
    pub(super) call: CallName,
    pub(super) now: Timestamp,
}

impl<D> Reception<D> {
    /// Creates the state in which no reply is arriving.
    pub(super) const fn new() -> Self {
        Self {
            head: None,
            length: 0,
            beginning: Beginning::new(),
            body: Body::Nothing,
        }
    }

    /// Begins a reply; `content` creates the decoder of a success.
    pub(super) fn begin(&mut self, head: ReplyHead, content: impl FnOnce() -> Option<D>) {
        *self = Self {
            head: Some(head),
            length: 0,
            beginning: Beginning::new(),
            body: match head.is_success() {
                true => content().map_or(Body::Nothing, Body::Content),
                false => Body::Error(ErrorDecoder::new()),
            },
        };
    }

    /// Takes the next bytes of the body; `feed` passes them to the decoder of a success.
    pub(super) fn feed(
        &mut self,
        chunk: &[u8],
        feed: impl FnOnce(&mut D, &[u8]) -> Result<(), DecodeError>,
    ) {
        let more = u32::try_from(chunk.len()).unwrap_or(u32::MAX);
        self.length = self.length.saturating_add(more);
        self.beginning.feed(chunk);
        if self.length > MAX_REPLY {
            return;
        }
        match &mut self.body {
            Body::Nothing | Body::Damaged(_) => {}
            Body::Error(decoder) => decoder.feed(chunk),
            Body::Content(decoder) => {
                if let Err(error) = feed(decoder, chunk) {
                    self.body = Body::Damaged(error);
                }
            }
        }
    }

    /// Ends the reply, complete or failed. Counts the request, and obeys the limits in the reply.
    pub(super) fn end(
        &mut self,
        failed: Option<NoAnswer>,
        asked: Asked,
        pacing: &mut Pacing,
    ) -> Ended<D> {
        let Asked {
            provider,
            call,
            now,
        } = asked;
        pacing.count(now);
        let Self {
            head,
            length,
            beginning,
            body,
        } = core::mem::replace(self, Self::new());
        let Some(head) = head else {
            return Ended::NoAnswer(failed.unwrap_or(NoAnswer::Disconnected));
        };
        let limited_until = pacing.obey(&head, provider, now);
        let cut = match failed {
            None if length > MAX_REPLY => Some(NoAnswer::TooLong),
            failed => failed,
        };
        if head.is_success()
            && let Some(cause) = cut
        {
            return Ended::NoAnswer(cause);
        }
        let decoder = match body {
            Body::Nothing => Err(DecodeError::NotTheReply),
            Body::Damaged(error) => Err(error),
            Body::Content(decoder) => Ok(decoder),
            Body::Error(decoder) => {
                let reason = decoder.finish();
                let is_limit = refusal::is_limit(head.status, &reason);
                let until = match limited_until {
                    None if is_limit => pacing.be_quiet(&head, provider, now),
                    until => until,
                };
                let until = until.unwrap_or(now);
                return Ended::Refused(Refused {
                    refusal: refusal::of_reply(provider, call, head.status, &reason, until),
                    cut,
                    is_limit_without_end: is_limit && head.quiet_for_s().is_none(),
                });
            }
        };
        Ended::Content(Content {
            decoder,
            status: head.status,
            is_markup: beginning.is_markup(),
        })
    }
}
