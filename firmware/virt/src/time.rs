//! embassy's timer, and the watchdog, on the machine timer (CLINT).

use core::{
    cell::{Cell, RefCell},
    task::Waker,
};

use critical_section::{CriticalSection, Mutex};
use embassy_time_driver::Driver;
use embassy_time_queue_utils::Queue;

use crate::{registers::Register, system};

/// How long the program may run without progress: three minutes of the timer's 10 MHz.
const PATIENCE: u64 = 180 * embassy_time_driver::TICK_HZ;

// SAFETY: the CLINT is at 0x200_0000; these are hart 0's comparator and the timer.
const COMPARE: [Register; 2] = unsafe { [Register::at(0x200_4000), Register::at(0x200_4004)] };
// SAFETY: as above.
const TIME: [Register; 2] = unsafe { [Register::at(0x200_bff8), Register::at(0x200_bffc)] };

struct Timer {
    queue: Mutex<RefCell<Queue>>,
    /// When the watchdog fires.
    bites_at: Mutex<Cell<u64>>,
}

embassy_time_driver::time_driver_impl!(static TIMER: Timer = Timer {
    queue: Mutex::new(RefCell::new(Queue::new())),
    bites_at: Mutex::new(Cell::new(PATIENCE)),
});

impl Driver for Timer {
    fn now(&self) -> u64 {
        loop {
            let [low, high] = TIME;
            let (before, low, after) = (high.read(), low.read(), high.read());
            // Unless the lower half overflowed in between.
            if before == after {
                return u64::from(before) << 32 | u64::from(low);
            }
        }
    }

    fn schedule_wake(&self, at: u64, waker: &Waker) {
        critical_section::with(|cs| {
            let is_sooner = self.queue.borrow_ref_mut(cs).schedule_wake(at, waker);
            if is_sooner {
                self.set_alarm(cs);
            }
        });
    }
}

impl Timer {
    /// Wakes the tasks that are due, and sets the comparator to the next event, including the
    /// watchdog's.
    fn set_alarm(&self, cs: CriticalSection<'_>) {
        let next = self.queue.borrow_ref_mut(cs).next_expiration(self.now());
        let [low, high] = COMPARE;
        let next = next.min(self.bites_at.borrow(cs).get());
        // The upper half first, at its maximum: a half-written time is never in the past.
        high.write(u32::MAX);
        low.write(next as u32);
        high.write((next >> 32) as u32);
    }
}

/// Starts timer and watchdog.
pub(crate) fn start() {
    critical_section::with(|cs| TIMER.set_alarm(cs));
    // SAFETY: the handler below is in place.
    unsafe { riscv::register::mie::set_mtimer() };
}

/// Reports progress to the watchdog.
pub(crate) fn progress() {
    critical_section::with(|cs| TIMER.bites_at.borrow(cs).set(TIMER.now() + PATIENCE));
}

#[riscv_rt::core_interrupt(riscv::interrupt::Interrupt::MachineTimer)]
fn machine_timer() {
    critical_section::with(|cs| {
        if TIMER.now() >= TIMER.bites_at.borrow(cs).get() {
            system::restart_because(system::Reason::Watchdog);
        }
        TIMER.set_alarm(cs);
    });
}
