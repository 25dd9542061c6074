//! The controller behind the bus.

use std::vec::Vec;

use embedded_graphics_core::pixelcolor::{Rgb565, RgbColor, raw::RawU16};

use super::{
    Complaint, Picture, Settings,
    instruction::{Effect, Instruction},
    memory::{AddressMode, Memory},
};
use crate::Rotation;

/// Complaints beyond this number are not kept: a driver that is out of step causes new ones with
/// every byte.
const MOST_COMPLAINTS: usize = 1_000;

/// The most parameters of any command: SETGAMMA's.
const MOST_PARAMETERS: usize = 34;

#[derive(Debug)]
pub(super) struct Controller {
    settings: Settings,
    memory: Memory,
    registers: Registers,
    open: Open,
    complaints: Vec<Complaint>,
    /// The virtual time.
    pub(super) now_ns: u64,
    /// The last command that requires a wait, and when it came.
    busy: Option<(Instruction, u64)>,
    /// The level of the backlight's pin; `None` while it is not driven, which leaves the light on.
    pub(super) backlight: Option<bool>,
}

/// The registers that a reset sets to their defaults.
#[derive(Clone, Copy, Debug)]
struct Registers {
    is_asleep: bool,
    is_on: bool,
    is_inverted: bool,
    is_unlocked: bool,
    /// Whether SETPANEL has declared the glass as blue-green-red, which it is.
    knows_glass: bool,
    mode: AddressMode,
    colmod: u8,
    /// The first and last column.
    columns: (u16, u16),
    rows: (u16, u16),
}

impl Registers {
    const AFTER_RESET: Self = Self {
        is_asleep: true,
        is_on: false,
        is_inverted: false,
        is_unlocked: false,
        knows_glass: false,
        mode: AddressMode(0),
        colmod: 0x77,
        columns: (0, 319),
        rows: (0, 479),
    };

    const fn bytes_per_pixel(&self) -> usize {
        if self.is_rgb565() { 2 } else { 3 }
    }

    const fn is_rgb565(&self) -> bool {
        self.colmod & 0x07 == 5
    }
}

/// The command that expects data.
#[derive(Clone, Copy, Debug)]
enum Open {
    /// No command takes data.
    Nothing,
    /// A command that was refused: its data is discarded.
    Ignored,
    Parameters(Instruction, Parameters),
    Pixels(Cursor),
}

#[derive(Clone, Copy, Debug)]
struct Parameters {
    bytes: [u8; MOST_PARAMETERS],
    got: usize,
    has_surplus: bool,
}

/// The position of the next pixel in the window.
#[derive(Clone, Copy, Debug)]
struct Cursor {
    column: u16,
    row: u16,
    /// The bytes of a pixel that is not complete yet, in the lower part.
    partial: u32,
    partial_bytes: usize,
    /// Whether the window has been filled once.
    is_full: bool,
    has_surplus: bool,
}

impl Controller {
    pub(super) fn new(settings: Settings) -> Self {
        Self {
            settings,
            memory: Memory::new(),
            registers: Registers::AFTER_RESET,
            open: Open::Nothing,
            complaints: Vec::new(),
            now_ns: 0,
            busy: None,
            backlight: None,
        }
    }

    pub(super) fn complaints(&self) -> &[Complaint] {
        &self.complaints
    }

    pub(super) fn take_complaints(&mut self) -> Vec<Complaint> {
        core::mem::take(&mut self.complaints)
    }

    pub(super) fn complain(&mut self, complaint: Complaint) {
        if self.complaints.len() < MOST_COMPLAINTS {
            self.complaints.push(complaint);
        }
    }

    pub(super) fn memory_as_seen(&self, rotation: Rotation) -> Picture {
        self.memory.seen(rotation, |colour| self.shown(colour))
    }

    pub(super) fn is_showing(&self) -> bool {
        self.registers.is_on && !self.registers.is_asleep && self.backlight != Some(false)
    }

    /// Handles a byte that came while D/C was low.
    pub(super) fn command(&mut self, opcode: u8) {
        self.close();
        let Some(instruction) = Instruction::from_opcode(opcode) else {
            self.complain(Complaint::UnknownCommand(opcode));
            self.open = Open::Ignored;
            return;
        };
        self.check_wait(instruction);
        if instruction.is_locked_at_first() && !self.registers.is_unlocked {
            self.complain(Complaint::Locked(opcode));
            self.open = Open::Ignored;
            return;
        }
        if instruction.wait_ms > 0 {
            self.busy = Some((instruction, self.now_ns));
        }
        if instruction.effect == Effect::Pixels {
            self.begin_pixels();
            return;
        }
        if instruction.parameters == 0 {
            self.apply(instruction, &[0; MOST_PARAMETERS]);
        }
        self.open = Open::Parameters(
            instruction,
            Parameters {
                bytes: [0; MOST_PARAMETERS],
                got: 0,
                has_surplus: false,
            },
        );
    }

    /// Handles bytes that came while D/C was high.
    pub(super) fn data(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.datum(*byte);
        }
    }

    /// Checks the wait. A reset may come at any time, because a board can restart in the middle of
    /// a wait; any other command has to keep it.
    fn check_wait(&mut self, instruction: Instruction) {
        let Some((after, since_ns)) = self.busy else {
            return;
        };
        let waited_us = (self.now_ns - since_ns) / 1_000;
        let needed_us = after.wait_ms * 1_000;
        if waited_us >= needed_us {
            self.busy = None;
        } else if instruction.effect != Effect::Reset {
            self.complain(Complaint::TooSoon {
                after: after.opcode,
                opcode: instruction.opcode,
                waited_us,
                needed_us,
            });
        }
    }

    fn begin_pixels(&mut self) {
        let Registers { columns, rows, .. } = self.registers;
        let (most_columns, most_rows) = self.registers.mode.extent();
        if columns.1 >= most_columns || rows.1 >= most_rows {
            self.complain(Complaint::WindowOutsidePanel {
                column: columns.1,
                row: rows.1,
            });
        }
        if !self.registers.is_rgb565() {
            self.complain(Complaint::WrongPixelFormat {
                colmod: self.registers.colmod,
            });
        }
        if self.registers.is_asleep {
            self.complain(Complaint::DrawnAsleep);
        } else if !self.registers.is_on && !self.settings.may_draw_unseen {
            self.complain(Complaint::DrawnUnseen);
        }
        self.open = Open::Pixels(Cursor {
            column: columns.0,
            row: rows.0,
            partial: 0,
            partial_bytes: 0,
            is_full: false,
            has_surplus: false,
        });
    }

    fn datum(&mut self, byte: u8) {
        match self.open {
            Open::Nothing => {
                self.complain(Complaint::PixelsBeforeRamwr);
                self.open = Open::Ignored;
            }
            Open::Ignored => {}
            Open::Parameters(instruction, parameters) => {
                let parameters = self.parameter(instruction, parameters, byte);
                self.open = Open::Parameters(instruction, parameters);
            }
            Open::Pixels(cursor) => self.open = Open::Pixels(self.pixel_byte(cursor, byte)),
        }
    }

    fn parameter(
        &mut self,
        instruction: Instruction,
        mut parameters: Parameters,
        byte: u8,
    ) -> Parameters {
        if parameters.got < instruction.parameters {
            if let Some(place) = parameters.bytes.get_mut(parameters.got) {
                *place = byte;
            }
            parameters.got += 1;
            if parameters.got == instruction.parameters {
                self.apply(instruction, &parameters.bytes);
            }
        } else if !parameters.has_surplus {
            parameters.has_surplus = true;
            self.complain(match instruction.effect {
                Effect::Columns | Effect::Rows => Complaint::PixelsBeforeRamwr,
                _ => Complaint::SurplusParameters {
                    opcode: instruction.opcode,
                    expected: instruction.parameters,
                },
            });
        }
        parameters
    }

    fn pixel_byte(&mut self, mut cursor: Cursor, byte: u8) -> Cursor {
        cursor.partial = cursor.partial << 8 | u32::from(byte);
        cursor.partial_bytes += 1;
        if cursor.partial_bytes < self.registers.bytes_per_pixel() {
            return cursor;
        }
        let [_, red, green, blue] = cursor.partial.to_be_bytes();
        let colour = if self.registers.is_rgb565() {
            RawU16::new(u16::from_be_bytes([green, blue])).into()
        } else {
            Rgb565::new(red >> 3, green >> 2, blue >> 3)
        };
        cursor.partial = 0;
        cursor.partial_bytes = 0;
        if cursor.is_full && !cursor.has_surplus {
            cursor.has_surplus = true;
            self.complain(Complaint::PixelsBeyondWindow);
        }
        let Registers {
            mode,
            columns,
            rows,
            ..
        } = self.registers;
        self.memory.store(mode, cursor.column, cursor.row, colour);
        if cursor.column < columns.1 {
            cursor.column += 1;
        } else {
            cursor.column = columns.0;
            if cursor.row < rows.1 {
                cursor.row += 1;
            } else {
                cursor.row = rows.0;
                cursor.is_full = true;
            }
        }
        cursor
    }

    /// Ends the current command, complete or not, because the next one begins.
    fn close(&mut self) {
        match self.open {
            Open::Parameters(instruction, Parameters { got, .. })
                if got < instruction.parameters =>
            {
                self.complain(Complaint::MissingParameters {
                    opcode: instruction.opcode,
                    expected: instruction.parameters,
                    got,
                });
            }
            Open::Pixels(cursor) if cursor.partial_bytes > 0 => {
                self.complain(Complaint::HalfPixel);
            }
            Open::Nothing | Open::Ignored | Open::Parameters(..) | Open::Pixels(_) => {}
        }
        self.open = Open::Nothing;
    }

    /// Executes a command, once its parameters are complete.
    fn apply(&mut self, instruction: Instruction, parameters: &[u8; MOST_PARAMETERS]) {
        let [a, b, c, d, ..] = *parameters;
        let registers = &mut self.registers;
        match instruction.effect {
            Effect::Reset => *registers = Registers::AFTER_RESET,
            Effect::EnterSleep => registers.is_asleep = true,
            Effect::LeaveSleep => registers.is_asleep = false,
            Effect::Display(is_on) => registers.is_on = is_on,
            Effect::Inversion(is_inverted) => registers.is_inverted = is_inverted,
            Effect::AddressMode => registers.mode = AddressMode(a),
            Effect::PixelFormat => registers.colmod = a,
            Effect::Unlock => registers.is_unlocked = [a, b, c] == [0xff, 0x83, 0x57],
            Effect::Panel => registers.knows_glass = a == 0x05,
            Effect::Columns | Effect::Rows => {
                let first = u16::from_be_bytes([a, b]);
                let last = u16::from_be_bytes([c, d]);
                if first > last {
                    self.complain(Complaint::WindowReversed {
                        opcode: instruction.opcode,
                        first,
                        last,
                    });
                } else if instruction.effect == Effect::Columns {
                    registers.columns = (first, last);
                } else {
                    registers.rows = (first, last);
                }
            }
            Effect::Pixels | Effect::None => {}
        }
    }

    /// Returns a colour as the glass shows it; the glass's own order is blue, green, red.
    fn shown(&self, colour: Rgb565) -> Rgb565 {
        // The order set twice, in SETPANEL and in MADCTL, is as wrong as not set at all.
        let colour = if self.registers.knows_glass == self.registers.mode.is_bgr() {
            Rgb565::new(colour.b(), colour.g(), colour.r())
        } else {
            colour
        };
        if self.registers.is_inverted {
            Rgb565::new(31 - colour.r(), 63 - colour.g(), 31 - colour.b())
        } else {
            colour
        }
    }
}
