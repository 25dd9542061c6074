//! Finds the few places of a body that matter, and skips the rest.
//!
//! A [`Place`] is a position in the documented shape of a reply. Values without a place are skipped, and
//! so are values whose type does not fit their place. A name thus matters only where it belongs.

use super::DecodeError;
use crate::json::{Decoder, Event, Flow, Handler, Text};

/// A position in a reply's shape.
pub(super) trait Place: Copy {
    /// The body itself.
    const BODY: Self;

    /// Returns the kind of value at this place.
    fn kind(self) -> Kind<Self>;
}

/// The kind of value at a place.
pub(super) enum Kind<P> {
    /// An object, whose members have places of their own.
    Object,
    /// An array, whose elements are all at this place.
    Array(P),
    /// A string, a number or a word.
    Scalar,
}

/// A receiver of the values at a reply's places.
pub(super) trait Visitor {
    type Place: Place;

    /// Returns the place of an object's member; `None` if it does not matter.
    fn member(&mut self, object: Self::Place, key: &[u8]) -> Option<Self::Place>;

    /// Handles the beginning of an object or array.
    fn begin(&mut self, _: Self::Place) {}

    /// Handles the end of an object or array.
    fn end(&mut self, _: Self::Place) {}

    /// Handles a string, number or word, even where an object or array was expected.
    fn scalar(&mut self, place: Self::Place, event: Event<'_>);

    /// Reads an object from its bytes instead of from its members, and returns the input after it; see
    /// [`Handler::element`].
    #[inline]
    fn object<'c>(&mut self, _: Self::Place, _: &'c [u8]) -> Option<&'c [u8]> {
        None
    }

    /// Returns an error if the visitor refuses the body so far.
    fn verdict(&self) -> Result<(), DecodeError> {
        Ok(())
    }
}

/// The maximum depth of the shapes.
const MAX_OPEN: usize = 8;

/// Walks through one body, in chunks of any size; strings up to `TOKEN` bytes are visible.
pub(super) struct Walker<P, const TOKEN: usize> {
    json: Decoder<TOKEN>,
    position: Position<P>,
    failed: Option<DecodeError>,
}

/// A walk through one body, together with its visitor.
pub(super) struct Reader<V: Visitor, const TOKEN: usize> {
    walker: Walker<V::Place, TOKEN>,
    visitor: V,
}

/// The current position of the walk.
struct Position<P> {
    /// The object or array that is open.
    here: P,
    /// The place of the next value.
    next: P,
    /// The open ones around `here`, outermost first.
    outer: [P; MAX_OPEN],
    open: u8,
    mismatch: Mismatch,
}

/// The sign that the body is not the requested one.
#[derive(Clone, Copy)]
enum Mismatch {
    No,
    /// The body reports an error.
    ErrorReport,
    /// The body is of another type.
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

    /// Checks the visitor's verdict first: it is about bytes before the one that the decoder refused.
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

impl<V: Visitor, const TOKEN: usize> Reader<V, TOKEN> {
    pub(super) const fn new(visitor: V) -> Self {
        Self {
            walker: Walker::new(),
            visitor,
        }
    }

    pub(super) fn feed(&mut self, chunk: &[u8]) -> Result<(), DecodeError> {
        self.walker.feed(chunk, &mut self.visitor)
    }

    /// Ends the body, and returns the visitor, which has seen all of it.
    pub(super) fn finish(mut self) -> Result<V, DecodeError> {
        self.walker.finish(&mut self.visitor)?;
        Ok(self.visitor)
    }

    /// Returns the visitor of a body of which a part is enough.
    pub(super) fn into_visitor(self) -> V {
        self.visitor
    }
}

impl<V: Visitor + Default, const TOKEN: usize> Default for Reader<V, TOKEN> {
    fn default() -> Self {
        Self::new(V::default())
    }
}

struct Walk<'w, P, V> {
    position: &'w mut Position<P>,
    visitor: &'w mut V,
}

impl<P: Place, V: Visitor<Place = P>> Handler for Walk<'_, P, V> {
    #[inline]
    fn element<'c>(&mut self, input: &'c [u8]) -> Option<&'c [u8]> {
        if cfg!(feature = "fast") {
            self.visitor.object(self.position.next, input)
        } else {
            None
        }
    }

    // The decoder knows the event at each call site: inlined, the match costs nothing.
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
        // Both providers report errors like this, now and then with a status of 200.
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
        // An array's next element has the same place; an object's next member will set its own.
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
