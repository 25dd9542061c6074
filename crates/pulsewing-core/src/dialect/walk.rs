//! Finding the few places of a body that matter, wherever else it wanders.
//!
//! A [`Place`] is a position in the shape that a reply is documented to have. Whatever has no place
//! is skipped, and so is a value whose type does not fit its place, so a name is only ever met where
//! it belongs.

use super::DecodeError;
use crate::json::{Decoder, Event, Flow, Handler, Text};

/// A position in a reply's shape.
pub(super) trait Place: Copy {
    /// The body itself.
    const BODY: Self;

    /// What stands there.
    fn kind(self) -> Kind<Self>;
}

/// What stands at a place.
pub(super) enum Kind<P> {
    /// An object, whose members have places of their own.
    Object,
    /// An array, each of whose elements stands at this place.
    Array(P),
    /// A string, a number or a word.
    Scalar,
}

/// Takes what stands at a reply's places.
pub(super) trait Visitor {
    type Place: Place;

    /// The place of an object's member; `None` when it does not matter.
    fn member(&mut self, object: Self::Place, key: &[u8]) -> Option<Self::Place>;

    /// An object or array begins.
    fn begin(&mut self, _: Self::Place) {}

    /// An object or array ends.
    fn end(&mut self, _: Self::Place) {}

    /// A string, number or word stands here, also where an object or array was to be.
    fn scalar(&mut self, place: Self::Place, event: Event<'_>);

    /// What there is to say against the body so far.
    fn verdict(&self) -> Result<(), DecodeError> {
        Ok(())
    }
}

/// How deep any of the shapes is.
const MAX_OPEN: usize = 8;

/// Walks through one body, in chunks of any size; strings up to `TOKEN` bytes are seen.
pub(super) struct Walker<P, const TOKEN: usize> {
    json: Decoder<TOKEN>,
    trail: Trail<P>,
    failed: Option<DecodeError>,
}

/// Where the walk is.
struct Trail<P> {
    /// The object or array that is open.
    here: P,
    /// Where the next value stands.
    next: P,
    /// The open ones around `here`, outermost first.
    outer: [P; MAX_OPEN],
    open: u8,
    stray: Stray,
}

/// Whether the body is another than the one that was asked for.
#[derive(Clone, Copy)]
enum Stray {
    No,
    /// It reports an error.
    ErrorReport,
    /// It is of another type.
    OtherType,
}

impl<P: Place, const TOKEN: usize> Walker<P, TOKEN> {
    pub(super) const fn new() -> Self {
        Self {
            json: Decoder::new(),
            trail: Trail {
                here: P::BODY,
                next: P::BODY,
                outer: [P::BODY; MAX_OPEN],
                open: 0,
                stray: Stray::No,
            },
            failed: None,
        }
    }

    pub(super) fn feed<V: Visitor<Place = P>>(
        &mut self,
        chunk: &[u8],
        visitor: &mut V,
    ) -> Result<(), DecodeError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        let trail = &mut self.trail;
        let outcome = self.json.feed(chunk, &mut Walk { trail, visitor });
        self.judge(visitor, outcome.map_err(DecodeError::Json))
    }

    pub(super) fn finish<V: Visitor<Place = P>>(
        &mut self,
        visitor: &mut V,
    ) -> Result<(), DecodeError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        let trail = &mut self.trail;
        let outcome = self.json.finish(&mut Walk { trail, visitor });
        self.judge(visitor, outcome.map_err(DecodeError::Json))
    }

    /// What the visitor found comes first: it stood before the byte that the decoder refused.
    fn judge<V: Visitor<Place = P>>(
        &mut self,
        visitor: &V,
        outcome: Result<(), DecodeError>,
    ) -> Result<(), DecodeError> {
        let verdict = match self.trail.stray {
            Stray::ErrorReport => Err(DecodeError::ErrorReport),
            Stray::OtherType => Err(DecodeError::NotTheReply),
            Stray::No => visitor.verdict().and(outcome),
        };
        self.failed = verdict.err();
        verdict
    }
}

struct Walk<'w, P, V> {
    trail: &'w mut Trail<P>,
    visitor: &'w mut V,
}

impl<P: Place, V: Visitor<Place = P>> Handler for Walk<'_, P, V> {
    // The decoder knows at each call which event it is: inlined, the choice costs nothing.
    #[inline(always)]
    fn event(&mut self, event: Event<'_>) -> Flow {
        match event {
            Event::Key(key) => self.key(key),
            Event::BeginObject | Event::BeginArray => self.begin(event),
            Event::EndObject | Event::EndArray => self.end(),
            Event::String(_) | Event::Number(_) | Event::Bool(_) | Event::Null => {
                self.scalar(event)
            }
        }
    }
}

impl<P: Place, V: Visitor<Place = P>> Walk<'_, P, V> {
    fn key(&mut self, key: Text<'_>) -> Flow {
        let key = key.as_bytes().unwrap_or_default();
        if let Some(place) = self.visitor.member(self.trail.here, key) {
            self.trail.next = place;
            return Flow::Continue;
        }
        // Either provider reports an error like this, now and then with a status of 200.
        if self.trail.open == 1 && matches!(key, b"error" | b"errors") {
            self.trail.stray = Stray::ErrorReport;
        }
        Flow::Skip
    }

    fn begin(&mut self, event: Event<'_>) -> Flow {
        let trail = &mut *self.trail;
        let place = trail.next;
        let element = match (event, place.kind()) {
            (Event::BeginObject, Kind::Object) => place,
            (Event::BeginArray, Kind::Array(element)) => element,
            _ => {
                if trail.open == 0 {
                    trail.stray = Stray::OtherType;
                }
                return Flow::Skip;
            }
        };
        let Some(slot) = trail.outer.get_mut(usize::from(trail.open)) else {
            return Flow::Skip;
        };
        *slot = trail.here;
        trail.open = trail.open.wrapping_add(1);
        trail.here = place;
        trail.next = element;
        self.visitor.begin(place);
        Flow::Continue
    }

    fn end(&mut self) -> Flow {
        let trail = &mut *self.trail;
        let place = trail.here;
        trail.open = trail.open.saturating_sub(1);
        if let Some(outer) = trail.outer.get(usize::from(trail.open)) {
            trail.here = *outer;
        }
        // An array's next element stands where this one did; an object's next member will say
        // itself where it stands.
        trail.next = place;
        self.visitor.end(place);
        Flow::Continue
    }

    fn scalar(&mut self, event: Event<'_>) -> Flow {
        if self.trail.open == 0 {
            self.trail.stray = Stray::OtherType;
        }
        self.visitor.scalar(self.trail.next, event);
        Flow::Continue
    }
}
