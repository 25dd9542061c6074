//! The heap: as large as a Feather's, and watched.

use core::{
    alloc::{GlobalAlloc, Layout},
    sync::atomic::{AtomicUsize, Ordering},
};

use embedded_alloc::LlffHeap;

/// What a Feather C6 has beside its static memory: 120 KiB, and 64 KiB that its boot loader leaves behind.
pub(crate) const SIZE: usize = (120 + 64) * 1_024;

/// A heap that remembers the most that was in use.
struct Watched {
    heap: LlffHeap,
    peak: AtomicUsize,
}

#[global_allocator]
static HEAP: Watched = Watched {
    heap: LlffHeap::empty(),
    peak: AtomicUsize::new(0),
};

static mut MEMORY: [u64; SIZE / 8] = [0; SIZE / 8];

// SAFETY: every call goes to an allocator that keeps the contract.
unsafe impl GlobalAlloc for Watched {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise is passed on.
        let pointer = unsafe { self.heap.alloc(layout) };
        self.peak.fetch_max(self.heap.used(), Ordering::Relaxed);
        pointer
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise is passed on.
        unsafe { self.heap.dealloc(pointer, layout) }
    }
}

/// Gives the heap its memory. Once, before anything is allocated.
pub(crate) fn start() {
    let memory = &raw mut MEMORY;
    // SAFETY: nobody else knows the memory, and `main` calls this once, first.
    unsafe { HEAP.heap.init(memory as usize, SIZE) }
}

/// Bytes in use, the most that were, and how many there are.
pub(crate) fn figures() -> (usize, usize, usize) {
    (HEAP.heap.used(), HEAP.peak.load(Ordering::Relaxed), SIZE)
}
