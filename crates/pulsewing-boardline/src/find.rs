//! Finds the serial ports, and those among them that may be a board's.

use std::path::{Path, PathBuf};

/// A port of this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The path to open.
    pub path: PathBuf,
    /// The system's name for the device, if it has one.
    pub name: Option<String>,
    /// Whether it may be a board: a USB port of the kind that is built into Espressif's chips.
    pub is_plausible: bool,
}

/// The directory in which Linux names USB ports by maker, product and serial number.
const BY_ID: &str = "/dev/serial/by-id";

/// Returns all USB and other attached ports, plausible boards first.
#[must_use]
pub fn ports() -> Vec<Found> {
    let mut found = by_id(Path::new(BY_ID));
    if found.is_empty() {
        found = serial2::SerialPort::available_ports()
            .unwrap_or_default()
            .into_iter()
            .filter_map(by_path)
            .collect();
    }
    found.sort_by(|a, b| (b.is_plausible, &a.path).cmp(&(a.is_plausible, &b.path)));
    found
}

/// Returns the ports that Linux has names for: `usb-Espressif_USB_JTAG_serial_debug_unit_…-if00`.
fn by_id(dir: &Path) -> Vec<Found> {
    let Ok(entries) = std::fs::read_dir(dir) else {
        return Vec::new();
    };
    entries
        .flatten()
        .map(|entry| {
            let name = entry.file_name().to_string_lossy().into_owned();
            Found {
                // This name stays the same when the board is plugged in again.
                path: entry.path(),
                is_plausible: is_espressif(&name),
                name: Some(name),
            }
        })
        .collect()
}

fn is_espressif(name: &str) -> bool {
    // 303a is Espressif's vendor number; it replaces the name if the system's table lacks it.
    name.starts_with("usb-Espressif") || name.starts_with("usb-303a_")
}

/// Describes a port of which only the path is known.
fn by_path(path: PathBuf) -> Option<Found> {
    let name = path.file_name()?.to_string_lossy().into_owned();
    // macOS lists every port twice; opening a tty. port waits for a carrier that never comes.
    if name.starts_with("tty.") {
        return None;
    }
    let is_attached = ["cu.usb", "COM", "ttyACM", "ttyUSB"]
        .iter()
        .any(|known| name.starts_with(known));
    is_attached.then(|| Found {
        is_plausible: name.starts_with("cu.usbmodem") || name.starts_with("ttyACM"),
        path,
        name: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn espressifs_ports_are_plausible_and_others_are_not() {
        let dir = tempfile::tempdir().unwrap();
        let board = "usb-Espressif_USB_JTAG_serial_debug_unit_F4:12:FA:00:11:22-if00";
        for name in [board, "usb-FTDI_FT232R_USB_UART_A5-if00-port0"] {
            std::fs::write(dir.path().join(name), "").unwrap();
        }
        let mut found = by_id(dir.path());
        found.sort_by_key(|port| !port.is_plausible);
        let names: Vec<_> = found
            .iter()
            .map(|port| (port.name.as_deref().unwrap(), port.is_plausible))
            .collect();
        assert_eq!(
            names,
            [
                (board, true),
                ("usb-FTDI_FT232R_USB_UART_A5-if00-port0", false)
            ]
        );
        assert_eq!(by_id(Path::new("/nowhere")), []);
    }

    #[test]
    fn paths_are_judged_by_their_names() {
        let plausible = |path: &str| by_path(path.into()).map(|port| port.is_plausible);
        assert_eq!(plausible("/dev/cu.usbmodem1101"), Some(true));
        assert_eq!(plausible("/dev/tty.usbmodem1101"), None);
        assert_eq!(plausible("/dev/ttyACM0"), Some(true));
        assert_eq!(plausible("COM7"), Some(false));
        assert_eq!(plausible("/dev/ttyS0"), None);
    }
}
