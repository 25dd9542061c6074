//! The board as a whole: its name, its figures, and its restart.

use core::{fmt::Write as _, panic::PanicInfo};

use embassy_futures::block_on;
use jiff::Timestamp;
use pulsewing_device::ports::System;
use pulsewing_store::{Blocking, MAX_PANIC_TEXT, record_panic};

use crate::{
    flash::{Flash, LAYOUT},
    heap,
    registers::Register,
    time, uart,
};

/// The port.
#[derive(Debug)]
pub(crate) struct Machine {
    /// The network card's address, which is the machine's number.
    pub(crate) address: [u8; 6],
    /// Why the machine started.
    pub(crate) reason: Option<Reason>,
}

/// Why the machine restarts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    Asked,
    Watchdog,
    Panic,
}

// SAFETY: QEMU's test device is at 0x10_0000.
const TEST: Register = unsafe { Register::at(0x10_0000) };
/// Resets the whole machine.
const RESET: u32 = 0x7777;

/// A word that survives a reset: QEMU reloads the program, but does not touch this address.
// SAFETY: `memory.x` leaves this page out.
const RETAINED: Register = unsafe { Register::at(0x80ff_f000) };

impl Reason {
    const ALL: [Self; 3] = [Self::Asked, Self::Watchdog, Self::Panic];

    /// Returns the mark for retained memory, which has arbitrary contents at power-on.
    const fn mark(self) -> u32 {
        match self {
            Self::Asked => 0x5057_0001,
            Self::Watchdog => 0x5057_0002,
            Self::Panic => 0x5057_0003,
        }
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Asked => "software",
            Self::Watchdog => "watchdog",
            Self::Panic => "panic",
        }
    }

    /// Returns and clears the reason of the last restart; `None` after power-on.
    pub(crate) fn take() -> Option<Self> {
        let mark = RETAINED.read();
        RETAINED.write(0);
        Self::ALL.into_iter().find(|reason| reason.mark() == mark)
    }
}

/// Resets the machine, and leaves the reason for the next start.
pub(crate) fn restart_because(reason: Reason) -> ! {
    RETAINED.write(reason.mark());
    TEST.write(RESET);
    loop {
        riscv::asm::wfi();
    }
}

/// Prints the reason on the serial line, records it for the next start, and restarts.
#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    // An interrupt would now find the program in an inconsistent state.
    riscv::interrupt::disable();
    let _ = writeln!(uart::Output, "\n# {info}");
    let mut text = heapless::String::<MAX_PANIC_TEXT>::new();
    // Text that does not fit is left out.
    let _ = write!(text, "{info}");
    let _ = block_on(record_panic(&mut Blocking(Flash), LAYOUT.panic, &text));
    restart_because(Reason::Panic)
}

impl System for Machine {
    const BOARD: &'static str = "virt";

    fn built_at(&self) -> Timestamp {
        built_at()
    }

    fn serial_number(&self) -> heapless::String<16> {
        let mut number = heapless::String::new();
        for byte in self.address {
            // Twelve digits fit.
            let _ = write!(number, "{byte:02x}");
        }
        number
    }

    fn progress(&self) {
        time::progress();
    }

    fn heap(&self) -> (usize, usize, usize) {
        heap::figures()
    }

    fn instructions(&self) -> Option<u64> {
        Some(riscv::register::minstret::read64())
    }

    fn start_reason(&self) -> Option<&'static str> {
        Some(self.reason.map_or("power-on", Reason::word))
    }

    fn restart(&self) -> ! {
        restart_because(Reason::Asked)
    }
}

/// Returns the build time: `build.rs` writes the seconds since 1970.
fn built_at() -> Timestamp {
    env!("PULSEWING_BUILT_AT")
        .parse()
        .ok()
        .and_then(|seconds| Timestamp::from_second(seconds).ok())
        .unwrap_or(Timestamp::UNIX_EPOCH)
}
