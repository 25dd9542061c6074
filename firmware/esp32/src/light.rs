//! The panel's light: pulses on the position A0, which a wire connects to the Wing's pad LITE.
//!
//! Without that wire nobody sees the pulses. The pin is left alone until something less than full
//! brightness is wished for: the Wing's own pull-up then makes the light as bright as it can be.

use esp_hal::{
    gpio::{AnyPin, DriveMode},
    ledc::{
        Ledc, LowSpeed,
        channel::{self, Channel, ChannelIFace as _},
        timer::{self, Timer, TimerIFace as _},
    },
    time::Rate,
};
use pulsewing_device::ports::{Backlight, Brightness};
use static_cell::StaticCell;

/// The frequency of the pulses, between the wishes of the two chips that drive the light of these
/// Wings. The FAN5333 of the older ones wants no more: at higher frequencies its lower half is dark
/// (CircuitPython's issue 6236, measured on the Wing 3651). The data sheet of the TPS61169 of the
/// newer ones recommends 5 to 100 kHz; chips of its family take only a pause of 2.5 ms for "off".
/// People see no flicker.
const FREQUENCY: Rate = Rate::from_khz(1);

/// The steps of the pulses' width: 1,024, ten for each percent.
const STEPS: timer::config::Duty = timer::config::Duty::Duty10Bit;

static TIMER: StaticCell<Timer<'static, LowSpeed>> = StaticCell::new();

/// The port.
pub(crate) enum Lite {
    /// Nothing less than full brightness was wished for yet.
    Untouched(&'static Ledc<'static>, AnyPin<'static>),
    /// There are pulses.
    Pulsed(Channel<'static, LowSpeed>),
    /// The chip refused them.
    Refused,
}

impl Lite {
    /// Makes a light that is as bright as it can be.
    pub(crate) const fn new(ledc: &'static Ledc<'static>, pin: AnyPin<'static>) -> Self {
        Self::Untouched(ledc, pin)
    }
}

impl Backlight for Lite {
    fn set(&mut self, brightness: Brightness) {
        let percent = brightness.percent();
        *self = match core::mem::replace(self, Self::Refused) {
            Self::Untouched(ledc, pin) => match start(ledc, pin, percent) {
                Some(channel) => Self::Pulsed(channel),
                None => Self::Refused,
            },
            Self::Pulsed(channel) => {
                // Refused only above 100 percent.
                let _ = channel.set_duty(percent);
                Self::Pulsed(channel)
            }
            Self::Refused => Self::Refused,
        };
    }
}

/// Starts the pulses. To be called once; `None` if the chip cannot make them.
fn start(
    ledc: &Ledc<'static>,
    pin: AnyPin<'static>,
    percent: u8,
) -> Option<Channel<'static, LowSpeed>> {
    let timer = TIMER.init(ledc.timer(timer::Number::Timer0));
    timer
        .configure(timer::config::Config {
            duty: STEPS,
            clock_source: timer::LSClockSource::APBClk,
            frequency: FREQUENCY,
        })
        .ok()?;
    let mut channel = ledc.channel(channel::Number::Channel0, pin);
    channel
        .configure(channel::config::Config {
            timer,
            duty_pct: percent,
            drive_mode: DriveMode::PushPull,
        })
        .ok()?;
    Some(channel)
}
