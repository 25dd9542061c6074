//! Counts the instructions that the processor spends on each kind of work, on boards that count
//! them.

use core::cell::Cell;

use crate::ports::System;

/// Work that is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Work {
    /// Decoding this many bytes of replies.
    Decode(usize),
    /// Drawing a frame.
    Frame,
    /// Finding the changed parts of the frame.
    Search,
    /// Writing a chain to the flash.
    Store,
}

/// Instructions by kind of work: the total for the bytes of replies, the maximum for the rest.
#[derive(Debug, Default)]
pub(crate) struct InstructionCounts {
    bytes: Cell<u64>,
    decode: Cell<u64>,
    frame: Cell<u64>,
    search: Cell<u64>,
    store: Cell<u64>,
}

impl InstructionCounts {
    /// Does some work and counts its instructions.
    pub(crate) fn measure<T>(
        &self,
        system: &impl System,
        work: Work,
        act: impl FnOnce() -> T,
    ) -> T {
        let before = system.instructions();
        let result = act();
        self.count(system, work, before);
        result
    }

    /// Counts work that began when the instruction counter was at `before`.
    pub(crate) fn count(&self, system: &impl System, work: Work, before: Option<u64>) {
        let (Some(before), Some(after)) = (before, system.instructions()) else {
            return;
        };
        let spent = after.saturating_sub(before);
        let most = |cell: &Cell<u64>| cell.set(cell.get().max(spent));
        match work {
            Work::Decode(bytes) => {
                let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
                self.bytes.set(self.bytes.get().saturating_add(bytes));
                self.decode.set(self.decode.get().saturating_add(spent));
            }
            Work::Frame => most(&self.frame),
            Work::Search => most(&self.search),
            Work::Store => most(&self.store),
        }
    }
}

impl core::fmt::Display for InstructionCounts {
    /// `decode INSTRUCTIONS of BYTES, frame N, search N, store N`.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(
            f,
            "decode {} of {}, frame {}, search {}, store {}",
            self.decode.get(),
            self.bytes.get(),
            self.frame.get(),
            self.search.get(),
            self.store.get()
        )
    }
}
