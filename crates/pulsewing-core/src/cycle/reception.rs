//! One arriving reply: its size limit, and its result.
//!
//! The content is up to the caller. The checks that it is there at all, is complete and is a success
//! are the same for every call, and are made here.

use jiff::Timestamp;

use super::{
    failure::CallName,
    pacing::Pacing,
    refusal::{self, Setback},
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

/// The reply that is arriving, if there is one; `D` decodes its content.
pub(super) struct Reception<D>(Option<Reply<D>>);

struct Reply<D> {
    head: ReplyHead,
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
    /// A success.
    Content(D),
    /// A success whose content cannot be read.
    Damaged(DecodeError),
    /// A reply that is not a success.
    Error(ErrorDecoder),
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
        Self(None)
    }

    /// Begins a reply; `content` creates the decoder of a success.
    pub(super) fn begin(&mut self, head: ReplyHead, content: impl FnOnce() -> D) {
        self.0 = Some(Reply {
            head,
            length: 0,
            beginning: Beginning::new(),
            body: match head.is_success() {
                true => Body::Content(content()),
                false => Body::Error(ErrorDecoder::new()),
            },
        });
    }

    /// Takes the next bytes of the body; `feed` passes them to the decoder of a success.
    pub(super) fn feed(
        &mut self,
        chunk: &[u8],
        feed: impl FnOnce(&mut D, &[u8]) -> Result<(), DecodeError>,
    ) {
        let Some(reply) = &mut self.0 else {
            return;
        };
        let more = u32::try_from(chunk.len()).unwrap_or(u32::MAX);
        reply.length = reply.length.saturating_add(more);
        reply.beginning.feed(chunk);
        if reply.length > MAX_REPLY {
            return;
        }
        match &mut reply.body {
            Body::Damaged(_) => {}
            Body::Error(decoder) => decoder.feed(chunk),
            Body::Content(decoder) => {
                if let Err(error) = feed(decoder, chunk) {
                    reply.body = Body::Damaged(error);
                }
            }
        }
    }

    /// Ends the reply, complete or failed; `finish` ends the decoder of a success. Counts the request,
    /// and obeys the limits in the reply.
    pub(super) fn end<T>(
        &mut self,
        failed: Option<NoAnswer>,
        asked: Asked,
        pacing: &mut Pacing,
        finish: impl FnOnce(D) -> Result<T, DecodeError>,
    ) -> Result<T, Setback> {
        pacing.count(asked.now);
        let Some(reply) = self.0.take() else {
            return Err(Setback::NoAnswer(failed.unwrap_or(NoAnswer::Disconnected)));
        };
        let head = reply.head;
        let limited_until = pacing.obey(&head, asked.provider, asked.now);
        let cut = match failed {
            None if reply.length > MAX_REPLY => Some(NoAnswer::TooLong),
            failed => failed,
        };
        let content = match (reply.body, cut) {
            (Body::Error(decoder), _) => {
                return Err(refused(decoder, &head, cut, limited_until, asked, pacing));
            }
            (_, Some(cause)) => return Err(Setback::NoAnswer(cause)),
            (Body::Damaged(error), None) => Err(error),
            (Body::Content(decoder), None) => finish(decoder),
        };
        let is_markup = reply.beginning.is_markup();
        content.map_err(|error| refusal::of_content(error, asked.call, head.status, is_markup))
    }
}

/// Returns the meaning of a reply that is not a success, and that was `cut` if it ended early.
fn refused(
    decoder: ErrorDecoder,
    head: &ReplyHead,
    cut: Option<NoAnswer>,
    limited_until: Option<Timestamp>,
    asked: Asked,
    pacing: &mut Pacing,
) -> Setback {
    let Asked {
        provider,
        call,
        now,
    } = asked;
    let reason = decoder.finish();
    let is_limit = refusal::is_limit(head.status, &reason);
    let until = match limited_until {
        None if is_limit => pacing.be_quiet(head, provider, now),
        until => until,
    };
    let until = until.unwrap_or(now);
    match refusal::of_reply(provider, call, head.status, &reason, until) {
        // What is not the provider's own may be so because the rest is missing.
        Setback::NoAnswer(cause @ NoAnswer::Foreign(_)) => Setback::NoAnswer(cut.unwrap_or(cause)),
        Setback::Refused(failure) if is_limit && head.quiet_for_s().is_none() => {
            Setback::Limited(failure)
        }
        setback => setback,
    }
}
