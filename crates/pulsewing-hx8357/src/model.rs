//! The panel as a model of the mipidsi crate.

use embedded_graphics_core::pixelcolor::Rgb565;
use embedded_hal::delay::DelayNs;
use mipidsi::{
    ConfigurationError,
    dcs::{InterfaceExt, SetAddressMode, SetInvertMode},
    interface::{Interface, InterfaceKind},
    models::{Model, ModelInitError},
    options::ModelOptions,
};

use crate::command::{self, Command};

/// The HX8357D as a model of the mipidsi crate, over the same table of commands as
/// [`Hx8357`](crate::Hx8357).
///
/// Leave mipidsi's colour order at RGB and its inversion off. Its orientations differ from our
/// [rotations](crate::Rotation): `Deg270` is `Landscape`, `Deg180` is `Portrait`.
///
/// mipidsi 0.10 sends pixels that lie beyond the right or lower edge into the picture when its
/// feature `batch` is on; draw through `clipped()`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Hx8357Rgb565;

impl Model for Hx8357Rgb565 {
    type ColorFormat = Rgb565;

    const FRAMEBUFFER_SIZE: (u16, u16) = (320, 480);

    fn init<DELAY, DI>(
        &mut self,
        di: &mut DI,
        delay: &mut DELAY,
        options: &ModelOptions,
    ) -> Result<SetAddressMode, ModelInitError<DI::Error>>
    where
        DELAY: DelayNs,
        DI: Interface,
    {
        if DI::KIND != InterfaceKind::Serial4Line {
            return Err(ModelInitError::InvalidConfiguration(
                ConfigurationError::UnsupportedInterface,
            ));
        }
        // mipidsi has reset the panel, by pin or by command, but has not waited for it.
        delay.delay_ms(command::SOFT_RESET.wait_ms.into());
        let mut send = |command: &Command<'_>, di: &mut DI| {
            di.write_raw(command.opcode, command.parameters)?;
            delay.delay_ms(command.wait_ms.into());
            Ok::<(), DI::Error>(())
        };
        for command in command::SETUP {
            send(command, di)?;
        }
        let address_mode = SetAddressMode::from(options);
        di.write_command(address_mode)?;
        di.write_command(SetInvertMode::new(options.invert_colors))?;
        send(&command::DISPLAY_ON, di)?;
        Ok(address_mode)
    }
}
