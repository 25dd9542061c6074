//! One request and its reply, between the cycle and the web.

use jiff::{SignedDuration, Timestamp};
use pulsewing_core::{
    AccessToken,
    cycle::Cycle,
    request::{Endpoint, Method, REQUEST_BUFFER, ReplyHead, Request},
};
use zeroize::Zeroizing;

use crate::{
    meter::{Meter, Work},
    ports::{Reply, System},
};

/// A request without the cycle's borrow: the cycle has to be free to be told the reply.
pub(super) struct Parcel {
    pub(super) method: Method,
    pub(super) endpoint: Endpoint,
    pub(super) bearer: Option<AccessToken>,
    pub(super) content_type: Option<&'static str>,
    /// Target and body, one behind the other.
    texts: Zeroizing<heapless::Vec<u8, REQUEST_BUFFER>>,
    target: usize,
}

impl Parcel {
    /// Copies a request; `None` if it is longer than requests are.
    pub(super) fn pack(request: &Request<'_>) -> Option<Self> {
        let mut texts = Zeroizing::new(heapless::Vec::new());
        texts.extend_from_slice(request.target.as_bytes()).ok()?;
        texts.extend_from_slice(request.body).ok()?;
        Some(Self {
            method: request.method,
            endpoint: request.endpoint,
            bearer: request.bearer.cloned(),
            content_type: request.content_type,
            texts,
            target: request.target.len(),
        })
    }

    pub(super) fn target(&self) -> &str {
        self.texts
            .get(..self.target)
            .and_then(|text| core::str::from_utf8(text).ok())
            .unwrap_or_default()
    }

    pub(super) fn body(&self) -> &[u8] {
        self.texts.get(self.target..).unwrap_or_default()
    }
}

/// Hands a reply to the cycle as it comes.
pub(super) struct Receiver<'c, S> {
    pub(super) cycle: &'c mut Cycle,
    pub(super) now: Timestamp,
    /// By how much the server's clock is ahead of ours, if it says the time.
    pub(super) drift: Option<SignedDuration>,
    pub(super) system: &'c S,
    pub(super) meter: &'c Meter,
}

impl<S: System> Reply for Receiver<'_, S> {
    fn now(&self) -> Timestamp {
        self.now
    }

    fn head(&mut self, head: ReplyHead) {
        self.cycle.reply_head(head);
    }

    fn body(&mut self, chunk: &[u8]) {
        let Self { cycle, system, .. } = self;
        self.meter.measure(*system, Work::Decode(chunk.len()), || {
            cycle.reply_body(chunk);
        });
    }

    fn date(&mut self, date: Timestamp) {
        self.drift = Some(date.duration_since(self.now));
    }
}
