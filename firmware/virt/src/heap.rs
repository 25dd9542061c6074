//! The heap: as large as a Feather's, with its use recorded.

use core::{
    alloc::{GlobalAlloc, Layout},
    sync::atomic::{AtomicUsize, Ordering},
};

use embedded_alloc::LlffHeap;

/// The heap of a Feather C6, in addition to its static memory: 120 KiB, and 64 KiB that its boot
/// loader frees.
pub(crate) const SIZE: usize = (120 + 64) * 1_024;

/// A heap that records the maximum that was in use.
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

/// Gives the heap its memory. To be called once, before anything is allocated.
pub(crate) fn start() {
    let memory = &raw mut MEMORY;
    // SAFETY: nothing else uses the memory, and `main` calls this once, first.
    unsafe { HEAP.heap.init(memory as usize, SIZE) }
}

/// Returns the bytes in use, the maximum so far, and the size of the heap.
pub(crate) fn figures() -> (usize, usize, usize) {
    (HEAP.heap.used(), HEAP.peak.load(Ordering::Relaxed), SIZE)
}
