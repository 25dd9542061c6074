//! The commands that the model knows.

/// The effect of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    Reset,
    EnterSleep,
    LeaveSleep,
    /// Switches the display on or off.
    Display(bool),
    /// Switches the inversion on or off.
    Inversion(bool),
    Columns,
    Rows,
    Pixels,
    AddressMode,
    PixelFormat,
    Unlock,
    Panel,
    /// Accepted, without effect on the picture.
    None,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Instruction {
    pub(super) opcode: u8,
    /// The number of parameter bytes; pixels take any number.
    pub(super) parameters: usize,
    pub(super) effect: Effect,
    /// The wait before the next command, in milliseconds.
    pub(super) wait_ms: u64,
}

impl Instruction {
    /// Returns the command of a byte; `None` if the model does not know it.
    pub(super) const fn from_opcode(opcode: u8) -> Option<Self> {
        let (parameters, effect) = match opcode {
            0x00 => (0, Effect::None),
            0x01 => (0, Effect::Reset),
            0x10 => (0, Effect::EnterSleep),
            0x11 => (0, Effect::LeaveSleep),
            0x20 => (0, Effect::Inversion(false)),
            0x21 => (0, Effect::Inversion(true)),
            0x28 => (0, Effect::Display(false)),
            0x29 => (0, Effect::Display(true)),
            0x2a => (4, Effect::Columns),
            0x2b => (4, Effect::Rows),
            0x2c => (usize::MAX, Effect::Pixels),
            0x34 => (0, Effect::None),
            0x35 => (1, Effect::None),
            0x36 => (1, Effect::AddressMode),
            0x3a => (1, Effect::PixelFormat),
            0x44 => (2, Effect::None),
            0xb0 | 0xb6 => (1, Effect::None),
            0xb1 | 0xc0 => (6, Effect::None),
            0xb3 => (4, Effect::None),
            0xb4 => (7, Effect::None),
            0xb9 => (3, Effect::Unlock),
            0xcc => (1, Effect::Panel),
            0xe0 => (34, Effect::None),
            _ => return None,
        };
        // The shortest waits that drivers in use are known to keep. We do not know whether the
        // controller needs less.
        let wait_ms = match opcode {
            0x01 => 100,
            0x10 | 0x11 => 120,
            0xb9 => 150,
            _ => 0,
        };
        Some(Self {
            opcode,
            parameters,
            effect,
            wait_ms,
        })
    }

    /// Returns whether the command needs the vendor's key first.
    pub(super) const fn is_locked_at_first(self) -> bool {
        self.opcode >= 0xb0 && !matches!(self.effect, Effect::Unlock)
    }
}
