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
    position: Position<P>,
    failed: Option<DecodeError>,
}

/// Where the walk is.
struct Position<P> {
    /// The object or array that is open.
    here: P,
    /// Where the next value stands.
    next: P,
    /// The open ones around `here`, outermost first.
    outer: [P; MAX_OPEN],
    open: u8,
    mismatch: Mismatch,
}

/// Whether the body is another than the one that was asked for.
#[derive(Clone, Copy)]
enum Mismatch {
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
            position: Position {
                here: P::BODY,
                next: P::BODY,
                outer: [P::BODY; MAX_OPEN],
                open: 0,
                mismatch: Mismatch::No,
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
        let position = &mut self.position;
        let outcome = self.json.feed(chunk, &mut Walk { position, visitor });
        self.judge(visitor, outcome.map_err(DecodeError::Json))
    }

    pub(super) fn finish<V: Visitor<Place = P>>(
        &mut self,
        visitor: &mut V,
    ) -> Result<(), DecodeError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        let position = &mut self.position;
        let outcome = self.json.finish(&mut Walk { position, visitor });
        self.judge(visitor, outcome.map_err(DecodeError::Json))
    }

    /// What the visitor found comes first: it stood before the byte that the decoder refused.
    fn judge<V: Visitor<Place = P>>(
        &mut self,
        visitor: &V,
        outcome: Result<(), DecodeError>,
    ) -> Result<(), DecodeError> {
        let verdict = match self.position.mismatch {
            Mismatch::ErrorReport => Err(DecodeError::ErrorReport),
            Mismatch::OtherType => Err(DecodeError::NotTheReply),
            Mismatch::No => visitor.verdict().and(outcome),
        };
        self.failed = verdict.err();
        verdict
    }
}

struct Walk<'w, P, V> {
    position: &'w mut Position<P>,
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
        if let Some(place) = self.visitor.member(self.position.here, key) {
            self.position.next = place;
            return Flow::Continue;
        }
        // Either provider reports an error like this, now and then with a status of 200.
        if self.position.open == 1 && matches!(key, b"error" | b"errors") {
            self.position.mismatch = Mismatch::ErrorReport;
        }
        Flow::Skip
    }

    fn begin(&mut self, event: Event<'_>) -> Flow {
        let position = &mut *self.position;
        let place = position.next;
        let element = match (event, place.kind()) {
            (Event::BeginObject, Kind::Object) => place,
            (Event::BeginArray, Kind::Array(element)) => element,
            _ => {
                if position.open == 0 {
                    position.mismatch = Mismatch::OtherType;
                }
                return Flow::Skip;
            }
        };
        let Some(slot) = position.outer.get_mut(usize::from(position.open)) else {
            return Flow::Skip;
        };
        *slot = position.here;
        position.open = position.open.wrapping_add(1);
        position.here = place;
        position.next = element;
        self.visitor.begin(place);
        Flow::Continue
    }

    fn end(&mut self) -> Flow {
        let position = &mut *self.position;
        let place = position.here;
        position.open = position.open.saturating_sub(1);
        if let Some(outer) = position.outer.get(usize::from(position.open)) {
            position.here = *outer;
        }
        // An array's next element stands where this one did; an object's next member will say
        // itself where it stands.
        position.next = place;
        self.visitor.end(place);
        Flow::Continue
    }

    fn scalar(&mut self, event: Event<'_>) -> Flow {
        if self.position.open == 0 {
            self.position.mismatch = Mismatch::OtherType;
        }
        self.visitor.scalar(self.position.next, event);
        Flow::Continue
    }
}
