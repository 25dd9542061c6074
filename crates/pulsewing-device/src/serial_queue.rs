//! The board's output: a queue of bytes between the parts that print and the serial line.
//!
//! The line may have no reader: without a computer nothing is read, for days. So reports and log
//! lines never wait; lines that do not fit are dropped, one by one, and counted. Only the answer to
//! a command waits for room, since its reader asked for it, and not for long.

use core::{
    cell::{Cell, RefCell},
    fmt::{self, Write as _},
    time::Duration,
};

use embassy_futures::select::{Either, select};
use embassy_sync::{blocking_mutex::raw::NoopRawMutex, signal::Signal};
use embedded_io_async::Write;
use heapless::Deque;

use crate::ports::Clock;

/// The queue's size in bytes: enough for a report and some log lines.
const QUEUE: usize = 2_048;

/// How many bytes are written at once.
const CHUNK: usize = 64;

/// How long an answer waits for room.
const PATIENCE: Duration = Duration::from_secs(10);

/// The error when nobody reads the output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NobodyListens;

/// The queue.
pub(crate) struct SerialQueue {
    queue: RefCell<Deque<u8, QUEUE>>,
    filled: Signal<NoopRawMutex, ()>,
    drained: Signal<NoopRawMutex, ()>,
    /// Whether everything that left the queue has been written.
    is_written: Cell<bool>,
    lost: Cell<u32>,
}

impl SerialQueue {
    pub(crate) const fn new() -> Self {
        Self {
            queue: RefCell::new(Deque::new()),
            filled: Signal::new(),
            drained: Signal::new(),
            is_written: Cell::new(true),
            lost: Cell::new(0),
        }
    }

    /// Logs a line for people, prefixed with `# `, if there is room.
    pub(crate) fn log(&self, text: fmt::Arguments<'_>) {
        // A line that is too long is cut: a part of a log line is better than none.
        let said: heapless::String<254> = self::text(format_args!("# {text}"));
        let mut line: heapless::String<256> = heapless::String::new();
        let _ = writeln!(line, "{said}");
        self.offer(line.as_bytes());
    }

    /// Queues whole lines if there is room for all of them.
    pub(crate) fn offer(&self, text: &[u8]) {
        let lost = self.lost.get();
        if lost > 0 {
            let mut line: heapless::String<48> = heapless::String::new();
            let _ = writeln!(line, "# {lost} messages were lost here");
            if !self.push(line.as_bytes()) {
                self.lost.set(lost.saturating_add(1));
                return;
            }
            self.lost.set(0);
        }
        if !self.push(text) {
            self.lost.set(self.lost.get().saturating_add(1));
        }
    }

    /// Queues part of an answer, once there is room.
    pub(crate) async fn answer(
        &self,
        text: &[u8],
        clock: &impl Clock,
    ) -> Result<(), NobodyListens> {
        let give_up_at = clock.up().saturating_add(PATIENCE);
        while !self.push(text) {
            self.wait_drained(clock, give_up_at).await?;
        }
        Ok(())
    }

    /// Waits until everything has been written, but not forever.
    pub(crate) async fn flush(&self, clock: &impl Clock) -> Result<(), NobodyListens> {
        let give_up_at = clock.up().saturating_add(PATIENCE);
        while !(self.is_written.get() && self.queue.borrow().is_empty()) {
            self.wait_drained(clock, give_up_at).await?;
        }
        Ok(())
    }

    async fn wait_drained(&self, clock: &impl Clock, until: Duration) -> Result<(), NobodyListens> {
        match select(self.drained.wait(), clock.sleep_until(until)).await {
            Either::First(()) => Ok(()),
            Either::Second(()) => Err(NobodyListens),
        }
    }

    /// Queues all of the text or nothing.
    fn push(&self, text: &[u8]) -> bool {
        let mut queue = self.queue.borrow_mut();
        if queue.capacity() - queue.len() < text.len() {
            return false;
        }
        for byte in text {
            // There is room.
            let _ = queue.push_back(*byte);
        }
        self.filled.signal(());
        true
    }

    /// Writes what is queued, forever.
    pub(crate) async fn pump(&self, output: &mut impl Write) -> ! {
        loop {
            let mut chunk: heapless::Vec<u8, CHUNK> = heapless::Vec::new();
            {
                let mut queue = self.queue.borrow_mut();
                while !chunk.is_full()
                    && let Some(byte) = queue.pop_front()
                {
                    let _ = chunk.push(byte);
                }
            }
            if chunk.is_empty() {
                self.is_written.set(true);
                self.drained.signal(());
                self.filled.wait().await;
                continue;
            }
            self.is_written.set(false);
            // A broken line cannot report its own error.
            let _ = output.write_all(&chunk).await;
            if self.queue.borrow().is_empty() {
                let _ = output.flush().await;
            }
            self.drained.signal(());
        }
    }
}

/// Accepts characters as long as there is room.
pub(crate) struct Cut<'t, const N: usize>(pub(crate) &'t mut heapless::String<N>);

impl<const N: usize> fmt::Write for Cut<'_, N> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        text.chars()
            .try_for_each(|character| self.0.push(character))
            .map_err(|_| fmt::Error)
    }
}

/// Formats a text, cut to at most `N` bytes.
pub(crate) fn text<const N: usize>(text: fmt::Arguments<'_>) -> heapless::String<N> {
    let mut line = heapless::String::new();
    let _ = Cut(&mut line).write_fmt(text);
    line
}
