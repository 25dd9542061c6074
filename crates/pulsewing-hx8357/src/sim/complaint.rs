//! What the simulated controller finds wrong with what it is sent.

use core::fmt;

/// Something that a real panel would not have put up with, or that nobody would have seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Complaint {
    /// A command that the model does not know. It is ignored, with its parameters.
    UnknownCommand(u8),
    /// A command to a vendor's register, without the key (SETEXTC, B9h) before it. It is ignored.
    Locked(u8),
    /// A command before the wait was over that the one before it asks for.
    TooSoon {
        /// The command that asks for the wait.
        after: u8,
        /// The one that came too soon.
        opcode: u8,
        /// Microseconds since then.
        waited_us: u64,
        /// Microseconds that there should have been.
        needed_us: u64,
    },
    /// A command was followed by the next one before its parameters were complete. It is ignored.
    MissingParameters {
        /// The command.
        opcode: u8,
        /// How many bytes it takes.
        expected: usize,
        /// How many came.
        got: usize,
    },
    /// More bytes than a command takes; they are ignored.
    SurplusParameters {
        /// The command.
        opcode: u8,
        /// How many bytes it takes.
        expected: usize,
    },
    /// Data that no command has asked for, or beyond the four bytes of CASET or PASET: pixels
    /// without RAMWR before them. They are ignored.
    PixelsBeforeRamwr,
    /// Pixels in another format than the 16 bits of RGB565 that this model is for; they are taken
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
    /// RAMWR while the window reaches beyond the panel, as it is turned now. What lies beyond is
    /// lost.
    WindowOutsidePanel {
        /// The last column of the window.
        column: u16,
        /// The last row of the window.
        row: u16,
    },
    /// More pixels than the window holds; they start again at its top left.
    PixelsBeyondWindow,
    /// Pixels while the controller sleeps.
    DrawnAsleep,
    /// Pixels while the display is off, unless
    /// [`may_draw_unseen`](super::Settings::may_draw_unseen) says that this is meant.
    DrawnUnseen,
    /// The bus was read. This model does not answer; zeros are what a panel whose MISO is not
    /// wired answers.
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
