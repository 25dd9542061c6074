//! The board as a whole: its name, its figures, its watchdog, and its restart.

use core::{cell::RefCell, fmt::Write as _};

use esp_hal::{
    efuse,
    peripherals::RTC_TIMER,
    rtc_cntl::{Rtc, RwdtStage, SocResetReason, reset_reason},
    system::{Cpu, software_reset},
    time::Duration,
};
use jiff::Timestamp;
use pulsewing_device::ports::System;

use crate::feather;

/// How long the program may run without progress.
const PATIENCE: Duration = Duration::from_secs(180);

/// The port.
pub(crate) struct Machine {
    rtc: RefCell<Rtc<'static>>,
}

impl Machine {
    /// Starts the watchdog of the low-power domain, which resets everything.
    pub(crate) fn start(timer: RTC_TIMER<'static>) -> Self {
        let mut rtc = Rtc::new(timer);
        rtc.rwdt.set_timeout(RwdtStage::Stage0, PATIENCE);
        rtc.rwdt.enable();
        rtc.rwdt.feed();
        Self {
            rtc: RefCell::new(rtc),
        }
    }
}

impl System for Machine {
    const BOARD: &'static str = feather::NAME;

    fn built_at(&self) -> Timestamp {
        built_at()
    }

    fn serial_number(&self) -> heapless::String<16> {
        let mut number = heapless::String::new();
        for byte in efuse::base_mac_address().as_bytes() {
            // Twelve digits fit.
            let _ = write!(number, "{byte:02x}");
        }
        number
    }

    fn progress(&self) {
        self.rtc.borrow_mut().rwdt.feed();
    }

    fn heap(&self) -> (usize, usize, usize) {
        let stats = esp_alloc::HEAP.stats();
        (stats.current_usage, stats.max_usage, stats.size)
    }

    fn start_reason(&self) -> Option<&'static str> {
        reset_reason(Cpu::ProCpu).map(word)
    }

    fn restart(&self) -> ! {
        software_reset()
    }
}

/// Returns the word for a reset reason. A panic causes a software reset; its message identifies it.
const fn word(reason: SocResetReason) -> &'static str {
    match reason {
        SocResetReason::ChipPowerOn => "power-on",
        SocResetReason::CoreSw => "software",
        SocResetReason::SysBrownOut => "brown-out",
        SocResetReason::CoreUsbUart | SocResetReason::CoreUsbJtag => "usb",
        SocResetReason::CoreMwdt0
        | SocResetReason::CoreMwdt1
        | SocResetReason::CoreRtcWdt
        | SocResetReason::SysRtcWdt
        | SocResetReason::SysSuperWdt => "watchdog",
        _ => "other",
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
