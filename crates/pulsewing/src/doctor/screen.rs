//! What the picture needs: `wallpaper.readable`, and `panel.PATH` for each panel.

use std::path::Path;

use embedded_graphics::geometry::Size;

use super::{Finding, unconfigured};
use crate::{
    app::App,
    panel::{Panel, PanelSpec},
    wallpaper,
};

/// The size that the wallpaper is tried in: the one that pictures have unless told otherwise.
const TRIED: Size = Size::new(480, 320);

pub(super) fn check_wallpaper(app: &App, is_configured: bool, findings: &mut Vec<Finding>) {
    const ID: &str = "wallpaper.readable";
    findings.push(if is_configured {
        match &app.config.screen.wallpaper {
            None => Finding::ok(
                ID,
                "the usual wallpaper is shown while there are no values yet",
            ),
            Some(path) => wallpaper_at(ID, path),
        }
    } else {
        unconfigured(ID)
    });
}

fn wallpaper_at(id: &str, path: &Path) -> Finding {
    const NAME: &str = "name a PNG or BMP file as [screen] wallpaper, or leave that out";
    let shown = path.display();
    if is_pipe(path) {
        return Finding::warn(
            id,
            format!("the wallpaper {shown} is a pipe, which may never end"),
            NAME,
        );
    }
    match wallpaper::convert(path, TRIED) {
        Ok(_) => Finding::ok(id, format!("the wallpaper {shown} can be shown")),
        Err(why) => Finding::warn(
            id,
            format!("the wallpaper {shown} cannot be shown, and the usual one is: {why}"),
            NAME,
        ),
    }
}

/// Whether opening it would wait for somebody at the other end.
#[cfg(unix)]
fn is_pipe(path: &Path) -> bool {
    use std::os::unix::fs::FileTypeExt;
    std::fs::metadata(path).is_ok_and(|it| it.file_type().is_fifo())
}

#[cfg(not(unix))]
fn is_pipe(_: &Path) -> bool {
    false
}

/// Looks at a panel without showing anything on it.
pub(super) fn check_panel(spec: &PanelSpec) -> Finding {
    match spec {
        PanelSpec::Framebuffer(framebuffer) => {
            let id = format!("panel.{}", framebuffer.device.display());
            if is_pipe(&framebuffer.device) {
                let found = format!("{spec} is a pipe and no framebuffer");
                return Finding::fail(id, found, "see docs/panels.md");
            }
            match Panel::open(spec) {
                Ok(_) => Finding::ok(id, format!("{spec} can be drawn to")),
                Err(problem) => Finding::problem(id, &problem, "see docs/panels.md"),
            }
        }
        PanelSpec::Spi(spi) => {
            let id = format!("panel.{}", spi.device.display());
            #[cfg(target_os = "linux")]
            let finding = spi::check(id, spi);
            #[cfg(not(target_os = "linux"))]
            let finding = match Panel::open(spec) {
                Ok(_) => Finding::ok(id, format!("{spec} can be drawn to")),
                Err(problem) => Finding::problem(id, &problem, "see docs/panels.md"),
            };
            finding
        }
    }
}

/// An SPI panel is not opened: that would drive its pins, and reset it while it shows something.
#[cfg(target_os = "linux")]
mod spi {
    use std::{fs::OpenOptions, path::Path};

    use linux_embedded_hal::gpio_cdev::{self, Chip, LineInfo};

    use super::Finding;
    use crate::panel::{PinSpec, SpiSpec};

    pub(super) fn check(id: String, spec: &SpiSpec) -> Finding {
        let device = spec.device.display();
        if let Err(error) = OpenOptions::new().read(true).write(true).open(&spec.device) {
            return Finding::fail(
                id,
                format!("the SPI device {device} could not be opened: {error}"),
                "turn SPI on, and join its group: `sudo raspi-config nonint do_spi 0`, `sudo usermod -aG spi,gpio $USER`, then restart (docs/panels.md)",
            );
        }
        let mut in_use = Vec::new();
        for pin in [Some(&spec.dc), spec.reset.as_ref(), spec.backlight.as_ref()]
            .into_iter()
            .flatten()
        {
            match user_of(pin) {
                Ok(None) => {}
                // It is this program's own, in another process.
                Ok(Some(user)) if user == "pulsewing" => in_use.push(pin.to_string()),
                Ok(Some(user)) => {
                    return Finding::fail(
                        id,
                        format!("the pin {pin} is in use by {user}"),
                        "free it, or wire the panel to another: `gpioinfo` shows which are unused",
                    );
                }
                Err(error) => {
                    return Finding::fail(
                        id,
                        format!("the pin {pin} could not be asked for: {error}"),
                        advice_for(&pin.chip),
                    );
                }
            }
        }
        if in_use.is_empty() {
            return Finding::ok(
                id,
                format!("the SPI device {device} and its pins can be had"),
            );
        }
        Finding::warn(
            id,
            format!(
                "another pulsewing shows its picture there and holds {}",
                in_use.join(", ")
            ),
            "nothing to do while that one runs; two cannot share a panel",
        )
    }

    /// Who drives a pin.
    fn user_of(pin: &PinSpec) -> Result<Option<String>, gpio_cdev::Error> {
        let info = Chip::new(&pin.chip)?.get_line(pin.line)?.info()?;
        let name = |info: &LineInfo| info.consumer().unwrap_or("the kernel").to_owned();
        Ok(info.is_used().then(|| name(&info)))
    }

    fn advice_for(chip: &Path) -> String {
        format!(
            "`gpiodetect` lists the chips of this machine, and {} belongs to the group gpio: `sudo usermod -aG spi,gpio $USER`",
            chip.display()
        )
    }
}
