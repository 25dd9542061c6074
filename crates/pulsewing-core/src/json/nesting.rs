//! The stack of open objects and arrays.

use core::num::NonZeroU64;

/// The maximum number of nested objects and arrays.
pub const MAX_DEPTH: u32 = 32;

/// The open containers: one bit each, set for an object; the innermost is the lowest bit.
///
/// A marker bit above the outermost shows where they begin, so the whole stack is one word, and
/// never 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Nesting(NonZeroU64);

/// The kind of a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Container {
    Array,
    Object,
}

impl Nesting {
    pub(super) const EMPTY: Self = Self(NonZeroU64::MIN);

    #[inline]
    pub(super) fn is_empty(self) -> bool {
        self == Self::EMPTY
    }

    /// Returns the innermost container; meaningless when there is none.
    #[inline]
    pub(super) fn innermost(self) -> Container {
        if self.0.get() & 1 == 0 {
            Container::Array
        } else {
            Container::Object
        }
    }

    /// Opens a container; `None` beyond [`MAX_DEPTH`].
    #[inline]
    pub(super) fn push(self, container: Container) -> Option<Self> {
        let is_object = u64::from(container == Container::Object);
        if self.0.get() >> MAX_DEPTH == 0 {
            NonZeroU64::new(self.0.get() << 1 | is_object).map(Self)
        } else {
            None
        }
    }

    /// Closes the innermost container.
    #[inline]
    pub(super) fn pop(self) -> Self {
        NonZeroU64::new(self.0.get() >> 1).map_or(Self::EMPTY, Self)
    }
}
