//! Complaints of the simulated controller about its input.

use core::fmt;

/// A misuse that a real panel would not have tolerated, or whose result nobody would have seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Complaint {
    /// A command that the model does not know. It is ignored, with its parameters.
    UnknownCommand(u8),
    /// A command to a vendor's register, without the key (SETEXTC, B9h) before it. It is ignored.
    Locked(u8),
    /// A command before the end of the wait that the previous one requires.
    TooSoon {
        /// The command that requires the wait.
        after: u8,
        /// The command that came too soon.
        opcode: u8,
        /// Microseconds since then.
        waited_us: u64,
        /// The required wait in microseconds.
        needed_us: u64,
    },
    /// A command was followed by the next one before its parameters were complete. It is ignored.
    MissingParameters {
        /// The command.
        opcode: u8,
        /// The number of bytes that it takes.
        expected: usize,
        /// The number of bytes that came.
        got: usize,
    },
    /// More bytes than a command takes; they are ignored.
    SurplusParameters {
        /// The command.
        opcode: u8,
        /// The number of bytes that it takes.
        expected: usize,
    },
    /// Data without a command that takes it, or beyond the four bytes of CASET or PASET: pixels
    /// without RAMWR before them. They are ignored.
    PixelsBeforeRamwr,
    /// Pixels in a format other than the 16 bits of RGB565 that this model is for; they are taken
    /// as 18 bits in three bytes, as the real controller would.
    WrongPixelFormat {
        /// The parameter of COLMOD (3Ah), 77h after a reset.
        colmod: u8,
    },
    /// A pixel was cut in two by the next command. The half is ignored.
    HalfPixel,
    /// A window whose end lies before its start. It is ignored.
    WindowReversed {
        /// CASET (2Ah) or PASET (2Bh).
        opcode: u8,
        /// Its first column or row.
        first: u16,
        /// Its last.
        last: u16,
    },
    /// RAMWR while the window reaches beyond the panel in its current rotation. Pixels outside are
    /// lost.
    WindowOutsidePanel {
        /// The last column of the window.
        column: u16,
        /// The last row of the window.
        row: u16,
    },
    /// More pixels than the window holds; they continue at its top left.
    PixelsBeyondWindow,
    /// Pixels while the controller sleeps.
    DrawnAsleep,
    /// Pixels while the display is off, unless
    /// [`may_draw_unseen`](super::Settings::may_draw_unseen) allows this.
    DrawnUnseen,
    /// The bus was read. This model does not answer; it returns zeros, like a panel whose MISO is
    /// not wired.
    Read,
}

impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::UnknownCommand(opcode) => write!(f, "unknown command {opcode:02X}h"),
            Self::Locked(opcode) => write!(f, "command {opcode:02X}h without the vendor's key"),
            Self::TooSoon {
                after,
                opcode,
                waited_us,
                needed_us,
            } => write!(
                f,
                "command {opcode:02X}h {waited_us} us after {after:02X}h, which wants {needed_us}"
            ),
            Self::MissingParameters {
                opcode,
                expected,
                got,
            } => write!(f, "{got} parameters of {expected} for {opcode:02X}h"),
            Self::SurplusParameters { opcode, expected } => {
                write!(f, "more than {expected} parameters for {opcode:02X}h")
            }
            Self::PixelsBeforeRamwr => f.write_str("pixels without RAMWR"),
            Self::WrongPixelFormat { colmod } => {
                write!(f, "pixels while the format is {colmod:02X}h")
            }
            Self::HalfPixel => f.write_str("half a pixel"),
            Self::WindowReversed {
                opcode,
                first,
                last,
            } => write!(f, "window from {first} to {last} by {opcode:02X}h"),
            Self::WindowOutsidePanel { column, row } => {
                write!(f, "window up to column {column} and row {row}")
            }
            Self::PixelsBeyondWindow => f.write_str("more pixels than the window holds"),
            Self::DrawnAsleep => f.write_str("pixels while asleep"),
            Self::DrawnUnseen => f.write_str("pixels while the display is off"),
            Self::Read => f.write_str("the bus was read"),
        }
    }
}
