//! The commands for the controller, their parameters, and the waits after them.
//!
//! The initialisation is the one that Adafruit's CircuitPython driver sends, with two differences.
//! Its waits are those that the Linux driver (`drivers/gpu/drm/tiny/hx8357d.c`) has proven to be
//! enough, without the 10 ms that CircuitPython adds to every command. And MADCTL is sent once, at
//! the end, rather than twice.

use crate::Rotation;

/// A command byte, its parameters, and the wait after them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Command<'a> {
    /// Sent while D/C is low.
    pub opcode: u8,
    /// Sent while D/C is high; often none.
    pub parameters: &'a [u8],
    /// Milliseconds until the next command may follow.
    pub wait_ms: u16,
}

impl<'a> Command<'a> {
    const fn new(opcode: u8, parameters: &'a [u8]) -> Self {
        Self {
            opcode,
            parameters,
            wait_ms: 0,
        }
    }

    const fn then_wait_ms(self, wait_ms: u16) -> Self {
        Self { wait_ms, ..self }
    }
}

/// Returns the commands that take the panel from any state to awake, but showing nothing yet:
/// reset, setup, rotation. They take 400 ms.
pub fn init(rotation: Rotation) -> impl Iterator<Item = Command<'static>> + Clone {
    let [reset, setup, turn] = init_parts(rotation);
    reset.iter().chain(setup).chain(turn).copied()
}

pub(crate) const fn init_parts(rotation: Rotation) -> [&'static [Command<'static>]; 3] {
    [&[SOFT_RESET], SETUP, core::slice::from_ref(turn(rotation))]
}

/// The commands after the reset, for every rotation.
pub(crate) const SETUP: &[Command<'static>] = &[
    // SETEXTC: the key to the vendor's registers, which are those from B0 on.
    Command::new(0xb9, &[0xff, 0x83, 0x57]).then_wait_ms(150),
    // SETRGB: interface; bit 7 of the first byte lets the panel answer on MISO.
    Command::new(0xb3, &[0x80, 0x00, 0x06, 0x06]),
    // SETCOM: VCOM at -1.52 V.
    Command::new(0xb6, &[0x25]),
    // SETOSC: 60 frames a second.
    Command::new(0xb0, &[0x66]),
    // SETPANEL: a blue-green-red glass, gates scanned from the other end.
    Command::new(0xcc, &[0x05]),
    // SETPOWER: drive voltages.
    Command::new(0xb1, &[0x00, 0x15, 0x1c, 0x1c, 0x83, 0xaa]),
    // SETSTBA: source drivers.
    Command::new(0xc0, &[0x50, 0x50, 0x01, 0x3c, 0x1e, 0x08]),
    // SETCYC: cycle timing.
    Command::new(0xb4, &[0x02, 0x40, 0x00, 0x2a, 0x2a, 0x0d, 0x78]),
    Command::new(0xe0, GAMMA),
    // COLMOD: RGB565.
    Command::new(0x3a, &[0x55]),
    // TEON and TESL: the tearing output, in the vertical blank only.
    Command::new(0x35, &[0x00]),
    Command::new(0x44, &[0x00, 0x02]),
    LEAVE_SLEEP,
];

/// SETGAMMA: a curve of sixteen steps, twice, and two flags.
const GAMMA: &[u8] = &[
    0x02, 0x0a, 0x11, 0x1d, 0x23, 0x35, 0x41, 0x4b, 0x4b, 0x42, 0x3a, 0x27, 0x1b, 0x08, 0x09, 0x03,
    0x02, 0x0a, 0x11, 0x1d, 0x23, 0x35, 0x41, 0x4b, 0x4b, 0x42, 0x3a, 0x27, 0x1b, 0x08, 0x09, 0x03,
    0x00, 0x01,
];

/// SWRESET: all registers to their defaults, asleep, display off. The picture memory is kept.
pub(crate) const SOFT_RESET: Command<'static> = Command::new(0x01, &[]).then_wait_ms(100);

/// SLPIN. The supply needs 120 ms to settle before anything else may be sent.
pub(crate) const ENTER_SLEEP: Command<'static> = Command::new(0x10, &[]).then_wait_ms(120);

/// SLPOUT. As for SLPIN, 120 ms would be enough; 150 ms is what every driver in use waits.
pub(crate) const LEAVE_SLEEP: Command<'static> = Command::new(0x11, &[]).then_wait_ms(150);

/// DISPOFF.
pub(crate) const DISPLAY_OFF: Command<'static> = Command::new(0x28, &[]);

/// DISPON.
pub(crate) const DISPLAY_ON: Command<'static> = Command::new(0x29, &[]).then_wait_ms(50);

/// MADCTL for a rotation.
pub(crate) const fn turn(rotation: Rotation) -> &'static Command<'static> {
    const PORTRAIT: &Command<'static> = &Command::new(0x36, &[Rotation::Portrait.madctl()]);
    const LANDSCAPE: &Command<'static> = &Command::new(0x36, &[Rotation::Landscape.madctl()]);
    const PORTRAIT_FLIPPED: &Command<'static> =
        &Command::new(0x36, &[Rotation::PortraitFlipped.madctl()]);
    const LANDSCAPE_FLIPPED: &Command<'static> =
        &Command::new(0x36, &[Rotation::LandscapeFlipped.madctl()]);
    match rotation {
        Rotation::Portrait => PORTRAIT,
        Rotation::Landscape => LANDSCAPE,
        Rotation::PortraitFlipped => PORTRAIT_FLIPPED,
        Rotation::LandscapeFlipped => LANDSCAPE_FLIPPED,
    }
}

/// CASET: the columns of the window, first and last, both big-endian.
pub(crate) const fn columns(bounds: &[u8; 4]) -> Command<'_> {
    Command::new(0x2a, bounds)
}

/// PASET: the rows of the window, first and last, both big-endian.
pub(crate) const fn rows(bounds: &[u8; 4]) -> Command<'_> {
    Command::new(0x2b, bounds)
}

/// RAMWR: pixels follow, from the window's top left corner.
pub(crate) const WRITE_MEMORY: Command<'static> = Command::new(0x2c, &[]);
