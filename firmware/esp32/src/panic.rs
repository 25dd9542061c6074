//! The handling of a panic: a line on the serial port, a message in the flash, and a restart.

use core::{
    cell::Cell,
    fmt::{self, Write as _},
    panic::PanicInfo,
    pin::pin,
    sync::atomic::{AtomicBool, Ordering},
    task::{Context, Waker},
};

use critical_section::Mutex;
use esp_hal::{
    peripherals::{FLASH, USB_DEVICE},
    system::software_reset,
    usb::usb_serial_jtag::UsbSerialJtag,
};
use esp_storage::FlashStorage;
use pulsewing_store::{Area, Blocking, PanicText, record_panic};

/// The area for the message, once it is known.
static PLACE: Mutex<Cell<Option<Area>>> = Mutex::new(Cell::new(None));
/// A panic during a panic only restarts.
static IS_PANICKING: AtomicBool = AtomicBool::new(false);

/// Sets the area in which panics are recorded from now on.
pub(crate) fn record_at(place: Area) {
    critical_section::with(|cs| PLACE.borrow(cs).set(Some(place)));
}

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    // Nothing else runs now: no interrupt, no other thread.
    critical_section::with(|cs| {
        if !IS_PANICKING.swap(true, Ordering::Relaxed) {
            let mut line = Line(PanicText::new());
            let _ = write!(line, "{}", info.message());
            if let Some(location) = info.location() {
                let _ = write!(line, " ({}:{})", location.file(), location.line());
            }
            say(&line.0);
            if let Some(place) = PLACE.borrow(cs).get() {
                record(place, &line.0);
            }
        }
        software_reset()
    })
}

/// One line, cut where there is no more room.
struct Line(PanicText);

impl fmt::Write for Line {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for character in text.chars() {
            let character = if character.is_control() {
                ' '
            } else {
                character
            };
            let _ = self.0.push(character);
        }
        Ok(())
    }
}

/// Writes a line to the serial port, if a host reads it.
fn say(line: &str) {
    // SAFETY: the owner of the port does not run any more.
    let port = unsafe { USB_DEVICE::steal() };
    let (_, mut port) = UsbSerialJtag::new(port).split();
    for byte in b"\n# panic: ".iter().chain(line.as_bytes()).chain(b"\n") {
        // A host takes 64 bytes per millisecond; without a host nothing is ever taken.
        if !(0..1_000_000).any(|_| port.write_byte_nb(*byte).is_ok()) {
            return;
        }
    }
    let _ = port.flush_tx_nb();
}

/// Records the message in the flash.
fn record(place: Area, message: &str) {
    // SAFETY: the owner of the flash does not run any more.
    let flash = unsafe { FLASH::steal() };
    let mut flash = Blocking(FlashStorage::new(flash));
    let mut recording = pin!(record_panic(&mut flash, place, message));
    let mut context = Context::from_waker(Waker::noop());
    // This flash blocks, so the future is ready at once.
    let _ = recording.as_mut().poll(&mut context);
}
