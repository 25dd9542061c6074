//! The decoder uses no heap: a whole day passes through it without a single allocation.

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
};

use pulsewing_core::json::{Decoder, Event, Flow};
use pulsewing_testkit::bodies;

/// The system's allocator, with a counter per thread.
struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

fn allocations() -> u64 {
    ALLOCATIONS.with(Cell::get)
}

#[expect(unsafe_code, reason = "an allocator cannot be written without")]
// SAFETY: every call is passed unchanged to the system's allocator; the counter has a constant
// initial value and no destructor, so that using it allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.with(|count| count.set(count.get() + 1));
        // SAFETY: the caller upholds the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as above; the memory came from `System`.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Decodes a body in chunks; returns the number of events and of allocations.
fn decode(body: &[u8], chunk_size: usize) -> (u64, u64) {
    let mut events = 0;
    let before = allocations();
    let mut handler = |event: Event<'_>| {
        if let Event::Number(number) = event {
            assert!(number.round_half_up().is_some());
        }
        events += 1;
        Flow::Continue
    };
    let mut decoder: Decoder = Decoder::new();
    for chunk in body.chunks(chunk_size) {
        assert_eq!(decoder.feed(chunk, &mut handler), Ok(()));
    }
    assert_eq!(decoder.finish(&mut handler), Ok(()));
    (events, allocations() - before)
}

#[test]
fn a_day_from_either_cloud_is_decoded_without_an_allocation() {
    assert!(allocations() > 0, "the counter counts");
    for layout in [bodies::Layout::Compact, bodies::Layout::Indented] {
        for (body, least_events) in [
            (bodies::fitbit_day(), 6 * bodies::MINUTES),
            (bodies::google_rollup_day(layout), 15 * bodies::MINUTES),
            (bodies::google_raw_page(0, layout), 30 * bodies::RAW_POINTS),
        ] {
            for chunk_size in [1, 7, 1_400, usize::MAX] {
                let (events, allocations) = decode(&body, chunk_size);
                assert!(events > least_events as u64);
                assert_eq!(allocations, 0);
            }
        }
    }
}

#[test]
fn a_refused_document_takes_no_allocation_either() {
    let before = allocations();
    let mut decoder: Decoder = Decoder::new();
    let mut handler = |_: Event<'_>| Flow::Skip;
    assert!(decoder.feed(br#"{"name":"\u00e9","#, &mut handler).is_ok());
    assert!(decoder.feed(b"]", &mut handler).is_err());
    assert_eq!(allocations() - before, 0);
}
