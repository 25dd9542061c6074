//! The piezo: pulses on the position D11, for a passive one.
//!
//! A small piezo takes a few milliamperes and may be connected to the pin and to GND; a louder one needs a
//! transistor. Without one nobody hears the pulses. The pin is left alone until the first tone.

use core::num::NonZeroU16;

use esp_hal::{
    gpio::{AnyPin, DriveMode},
    ledc::{
        Ledc, LowSpeed,
        channel::{self, Channel, ChannelIFace as _},
        timer::{self, Timer, TimerIFace as _},
    },
    time::Rate,
};
use pulsewing_device::ports::Sounder;
use static_cell::StaticCell;

/// The steps of the pulses' width. The light has a timer of its own.
const STEPS: timer::config::Duty = timer::config::Duty::Duty10Bit;
const NUMBER: timer::Number = timer::Number::Timer1;

/// A tone is loudest when the pulses are as long as the pauses.
const LOUDEST: u8 = 50;

static TIMER: StaticCell<Timer<'static, LowSpeed>> = StaticCell::new();

/// The port.
pub(crate) struct Piezo {
    ledc: &'static Ledc<'static>,
    /// The pin, until there are pulses.
    pin: Option<AnyPin<'static>>,
    /// The pulses; `None` also if the chip refused them.
    channel: Option<Channel<'static, LowSpeed>>,
}

impl Piezo {
    /// Makes a silent piezo.
    pub(crate) const fn new(ledc: &'static Ledc<'static>, pin: AnyPin<'static>) -> Self {
        Self {
            ledc,
            pin: Some(pin),
            channel: None,
        }
    }

    /// Sets the pulses' frequency. Returns the timer, or `None` if the chip cannot make it.
    fn tune(&self, hertz: NonZeroU16) -> Option<Timer<'static, LowSpeed>> {
        // Another handle of the same timer: the channel keeps the first one.
        let mut timer = self.ledc.timer(NUMBER);
        timer
            .configure(timer::config::Config {
                duty: STEPS,
                clock_source: timer::LSClockSource::APBClk,
                frequency: Rate::from_hz(hertz.get().into()),
            })
            .ok()?;
        Some(timer)
    }

    /// Starts the pulses. To be called once.
    fn start(
        &self,
        timer: Timer<'static, LowSpeed>,
        pin: AnyPin<'static>,
    ) -> Option<Channel<'static, LowSpeed>> {
        let mut channel = self.ledc.channel(channel::Number::Channel1, pin);
        channel
            .configure(channel::config::Config {
                timer: TIMER.init(timer),
                duty_pct: LOUDEST,
                drive_mode: DriveMode::PushPull,
            })
            .ok()?;
        Some(channel)
    }
}

impl Sounder for Piezo {
    fn sound(&mut self, hertz: Option<NonZeroU16>) {
        let timer = match hertz {
            Some(hertz) => self.tune(hertz),
            None => None,
        };
        if let Some(channel) = &self.channel {
            let percent = if timer.is_some() { LOUDEST } else { 0 };
            // Refused only above 100 percent.
            let _ = channel.set_duty(percent);
        } else if let Some(timer) = timer
            && let Some(pin) = self.pin.take()
        {
            self.channel = self.start(timer, pin);
        }
    }
}
