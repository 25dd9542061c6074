//! The picture's requirements: `wallpaper.readable`, and `panel.PATH` for each panel, with
//! `backlight.PATH` if the kernel is to dim it.

use std::{error::Error as _, path::Path};

use embedded_graphics::geometry::Size;
#[cfg(target_os = "linux")]
use pulsewing_panels::PanelError;
use pulsewing_panels::{
    BacklightSpec, Panel, PanelSpec, SpiSpec, backlight::KernelBacklight, wallpaper,
};

use super::{Finding, Known, unconfigured};

/// The size for the test of the wallpaper: the default size of pictures.
const TRIED: Size = Size::new(480, 320);

pub(super) fn check_wallpaper(known: &Known) -> Finding {
    const ID: &str = "wallpaper.readable";
    match known.config.as_ref().map(|config| &config.screen.wallpaper) {
        None => unconfigured(ID),
        Some(None) => Finding::ok(
            ID,
            "the default wallpaper is shown while there are no values yet",
        ),
        Some(Some(path)) => wallpaper_at(ID, path),
    }
}

fn wallpaper_at(id: &str, path: &Path) -> Finding {
    const NAME: &str = "set [screen] wallpaper to a PNG or BMP file, or remove it";
    let shown = path.display();
    if is_pipe(path) {
        return Finding::warn(
            id,
            format!("the wallpaper {shown} is a pipe, so reading it may never end"),
            NAME,
        );
    }
    match wallpaper::convert(path, TRIED) {
        Ok(_) => Finding::ok(id, format!("the wallpaper {shown} can be shown")),
        Err(why) => Finding::warn(
            id,
            format!("the wallpaper {shown} cannot be shown, so the default one is used: {why}"),
            NAME,
        ),
    }
}

/// Returns whether opening it would block until another process opens the other end.
#[cfg(unix)]
fn is_pipe(path: &Path) -> bool {
    use std::os::unix::fs::FileTypeExt;
    std::fs::metadata(path).is_ok_and(|it| it.file_type().is_fifo())
}

#[cfg(not(unix))]
fn is_pipe(_: &Path) -> bool {
    false
}

/// Checks a panel without showing anything on it.
pub(super) fn check_panel(spec: &PanelSpec) -> Finding {
    match spec {
        PanelSpec::Framebuffer(framebuffer) => {
            let id = format!("panel.{}", framebuffer.device.display());
            if is_pipe(&framebuffer.device) {
                let found = format!("{spec} is a pipe, not a framebuffer");
                return Finding::fail(id, found, "see docs/panels.md");
            }
            opened(id, spec)
        }
        PanelSpec::Spi(spi) => check_spi(format!("panel.{}", spi.device.display()), spi),
    }
}

/// Checks that a panel's backlight could be dimmed, if the kernel is to dim it. A pin is one of the
/// panel's own. The picture is shown without it, so this is no failure.
pub(super) fn check_backlight(spec: &PanelSpec) -> Option<Finding> {
    let directory = match spec {
        PanelSpec::Framebuffer(spec) => spec.backlight.as_ref(),
        PanelSpec::Spi(spec) => match &spec.backlight {
            Some(BacklightSpec::Directory(directory)) => Some(directory),
            Some(BacklightSpec::Pin(_)) | None => None,
        },
    }?;
    let shown = directory.display();
    let id = format!("backlight.{shown}");
    Some(match KernelBacklight::check(directory) {
        Ok(()) => Finding::ok(id, format!("the backlight {shown} can be dimmed")),
        Err(error) => {
            let cause = error.source().map(|cause| format!(": {cause}"));
            Finding::warn(
                id,
                format!(
                    "the picture is shown, but {error}{}",
                    cause.unwrap_or_default()
                ),
                error.advice().unwrap_or("see docs/panels.md"),
            )
        }
    })
}

/// Checks an SPI panel without opening it: opening would drive its pins, and reset it while it
/// shows something.
#[cfg(target_os = "linux")]
fn check_spi(id: String, spec: &SpiSpec) -> Finding {
    let device = spec.device.display();
    let users = match pulsewing_panels::spi::pin_users(spec) {
        Ok(users) => users,
        Err(PanelError::OpenSpi { source, .. }) => {
            return Finding::fail(
                id,
                format!("the SPI device {device} could not be opened: {source}"),
                "turn on SPI and join its group: `sudo raspi-config nonint do_spi 0`, `sudo usermod -aG spi,gpio $USER`, then restart (docs/panels.md)",
            );
        }
        Err(error) => return Finding::problem(id, &error.into(), "see docs/panels.md"),
    };
    let mut own = Vec::new();
    for (pin, user) in users {
        match user {
            Ok(None) => {}
            // A pin with the program's own name is held by this program in another process.
            Ok(Some(user)) if user == "pulsewing" => own.push(pin.to_string()),
            Ok(Some(user)) => {
                return Finding::fail(
                    id,
                    format!("the pin {pin} is in use by {user}"),
                    "free it, or wire the panel to another pin: `gpioinfo` shows which are unused",
                );
            }
            Err(error) => {
                let cause = error
                    .source()
                    .map_or_else(|| error.to_string(), ToString::to_string);
                return Finding::fail(
                    id,
                    format!("cannot request the pin {pin}: {cause}"),
                    format!(
                        "list this machine's chips with `gpiodetect`; {} belongs to the group gpio: `sudo usermod -aG spi,gpio $USER`",
                        pin.chip.display()
                    ),
                );
            }
        }
    }
    if own.is_empty() {
        return Finding::ok(
            id,
            format!("the SPI device {device} and its pins are available"),
        );
    }
    Finding::warn(
        id,
        format!(
            "another pulsewing shows its picture there and holds {}",
            own.join(", ")
        ),
        "nothing to do while that one is running; two cannot share a panel",
    )
}

#[cfg(not(target_os = "linux"))]
fn check_spi(id: String, spec: &SpiSpec) -> Finding {
    opened(id, &PanelSpec::Spi(spec.clone()))
}

fn opened(id: String, spec: &PanelSpec) -> Finding {
    match Panel::open(spec) {
        Ok(_) => Finding::ok(id, format!("{spec} can be drawn to")),
        Err(error) => Finding::problem(id, &error.into(), "see docs/panels.md"),
    }
}
