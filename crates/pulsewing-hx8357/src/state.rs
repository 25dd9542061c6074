//! The known state of the panel, and the commands that change it.
//!
//! Nothing here touches a pin: both drivers get the commands from here, send them, and store the
//! resulting state here.

use embedded_graphics_core::primitives::Rectangle;

use crate::{
    Refusal, Rotation,
    command::{self, Command},
    window::Window,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct State {
    pub(crate) rotation: Rotation,
    power: Power,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Power {
    /// Before the first initialisation, and after a sequence that was cut short.
    Unknown,
    Awake {
        is_on: bool,
    },
    /// `is_on` is the state of the display after waking.
    Asleep {
        is_on: bool,
    },
}

/// A requested change of the panel's state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// Awake and set up, the display off.
    Init,
    Sleep,
    Wake,
    DisplayOn,
    DisplayOff,
    Turn(Rotation),
}

/// The commands of a change.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sequence {
    commands: [&'static [Command<'static>]; 3],
    /// The state after all of it was sent; the driver stores it then.
    pub(crate) after: State,
}

impl Sequence {
    pub(crate) fn commands(&self) -> impl Iterator<Item = &'static Command<'static>> + use<> {
        self.commands.into_iter().flatten()
    }
}

impl State {
    pub(crate) const fn new(rotation: Rotation) -> Self {
        Self {
            rotation,
            power: Power::Unknown,
        }
    }

    /// Returns whether there is something to see, so that the backlight should be on.
    pub(crate) const fn is_lit(self) -> bool {
        matches!(self.power, Power::Awake { is_on: true })
    }

    /// Returns the commands for a change. Until [`Sequence::after`] is stored the state is unknown,
    /// whatever interrupts the driver.
    pub(crate) fn begin(&mut self, change: Change) -> Result<Sequence, Refusal> {
        let sequence = self.sequence(change)?;
        self.power = Power::Unknown;
        Ok(sequence)
    }

    fn sequence(self, change: Change) -> Result<Sequence, Refusal> {
        let to = |power, first: &'static [Command<'static>]| Sequence {
            commands: [first, &[], &[]],
            after: Self { power, ..self },
        };
        match (change, self.power) {
            (Change::Init, _) => Ok(Sequence {
                commands: command::init_parts(self.rotation),
                after: Self {
                    power: Power::Awake { is_on: false },
                    ..self
                },
            }),
            (_, Power::Unknown) => Err(Refusal::NotReady),
            (Change::Sleep, Power::Awake { is_on }) => {
                Ok(to(Power::Asleep { is_on }, &[command::ENTER_SLEEP]))
            }
            (Change::Wake, Power::Asleep { is_on }) => {
                Ok(to(Power::Awake { is_on }, &[command::LEAVE_SLEEP]))
            }
            (Change::Sleep, Power::Asleep { .. }) | (Change::Wake, Power::Awake { .. }) => {
                Ok(to(self.power, &[]))
            }
            (_, Power::Asleep { .. }) => Err(Refusal::Asleep),
            (Change::DisplayOn, Power::Awake { .. }) => {
                Ok(to(Power::Awake { is_on: true }, &[command::DISPLAY_ON]))
            }
            (Change::DisplayOff, Power::Awake { .. }) => {
                Ok(to(Power::Awake { is_on: false }, &[command::DISPLAY_OFF]))
            }
            (Change::Turn(rotation), Power::Awake { .. }) => Ok(Sequence {
                commands: [core::slice::from_ref(command::turn(rotation)), &[], &[]],
                after: Self { rotation, ..self },
            }),
        }
    }

    /// Returns the window to draw a rectangle through; `None` if the rectangle has no pixel.
    pub(crate) fn window(self, area: &Rectangle) -> Result<Option<Window>, Refusal> {
        match self.power {
            Power::Unknown => Err(Refusal::NotReady),
            Power::Asleep { .. } => Err(Refusal::Asleep),
            Power::Awake { .. } => Window::new(area, self.rotation.size()),
        }
    }
}
