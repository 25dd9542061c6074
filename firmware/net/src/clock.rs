//! The board's two clocks, based on embassy's timer and the answer of a time server.

use core::{cell::Cell, time::Duration};

use critical_section::Mutex;
use embassy_time::{Instant, Timer};
use jiff::{SignedDuration, Timestamp, tz::Offset};
use mbedtls_rs::sys::{
    hook::{
        timer::{MbedtlsTimer, hook_timer},
        wall_clock::{MbedtlsWallClock, hook_wall_clock},
    },
    tm,
};
use pulsewing_core::instant::later;
use pulsewing_device::ports::Clock;

/// The clocks. All instances share them.
///
/// Mbed TLS uses them too: until wall time is set, it regards every certificate as both expired and
/// not yet valid.
#[derive(Clone, Copy, Debug, Default)]
pub struct BoardClock;

/// Wall time at the start of the timer, once it is known.
static STARTED_AT: Mutex<Cell<Option<Timestamp>>> = Mutex::new(Cell::new(None));

/// Connects Mbed TLS to these clocks.
#[expect(unsafe_code, reason = "the hooks are statics of Mbed TLS's bindings")]
pub(crate) fn hook() {
    // SAFETY: the clocks are statics without state of their own, and no session exists yet that
    // could have asked another clock: `Client::new` calls this before it makes any.
    unsafe {
        hook_timer(Some(&BoardClock));
        hook_wall_clock(Some(&BoardClock));
    }
}

impl Clock for BoardClock {
    fn up(&self) -> Duration {
        Duration::from_micros(Instant::now().as_micros())
    }

    fn utc(&self) -> Option<Timestamp> {
        let started_at = critical_section::with(|cs| STARTED_AT.borrow(cs).get())?;
        let up = SignedDuration::try_from(self.up()).ok()?;
        later(started_at, up)
    }

    fn set_utc(&self, utc: Timestamp) {
        let started_at = SignedDuration::try_from(self.up())
            .ok()
            .and_then(|up| later(utc, -up));
        critical_section::with(|cs| STARTED_AT.borrow(cs).set(started_at));
    }

    async fn sleep_until(&self, up: Duration) {
        let micros = u64::try_from(up.as_micros()).unwrap_or(u64::MAX);
        match Instant::try_from_micros(micros) {
            Some(at) => Timer::at(at).await,
            // Beyond the range of the timer.
            None => core::future::pending().await,
        }
    }
}

impl MbedtlsTimer for BoardClock {
    fn now(&self) -> i64 {
        i64::try_from(Instant::now().as_millis()).unwrap_or(i64::MAX)
    }
}

impl MbedtlsWallClock for BoardClock {
    fn instant(&self) -> Option<tm> {
        let at = Offset::UTC.to_datetime(self.utc()?);
        Some(tm {
            tm_sec: at.second().into(),
            tm_min: at.minute().into(),
            tm_hour: at.hour().into(),
            tm_mday: at.day().into(),
            tm_mon: i32::from(at.month()) - 1,
            tm_year: i32::from(at.year()) - 1_900,
            tm_wday: at.weekday().to_sunday_zero_offset().into(),
            tm_yday: i32::from(at.day_of_year()) - 1,
            tm_isdst: 0,
        })
    }
}
