//! Libraries that are preloaded into the program: a power cut at a chosen call, a full or read-only
//! disk, a clock that a test sets; and devices that this machine does not have.

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

use crate::harness::hermetic::{Home, Program};

/// Kills the program before its `call`-th step; `torn` lets a write get half-way.
pub(crate) fn killing(program: Program, home: &Home, call: u32, torn: bool) -> Program {
    let program = program
        .env("LD_PRELOAD", library())
        .env("PULSEWING_WATCH", home.path("state"))
        .env("PULSEWING_KILL_AT", call.to_string());
    if torn {
        program.env("PULSEWING_TORN", "1")
    } else {
        program
    }
}

/// Makes the program's disk full as long as a file of this name exists.
pub(crate) fn with_full_disk(program: Program, flag: &Path) -> Program {
    program.preload(library()).env("PULSEWING_FULL", flag)
}

/// Makes everything below this directory look like a read-only file system.
pub(crate) fn with_read_only(program: Program, dir: &Path) -> Program {
    program.preload(library()).env("PULSEWING_READ_ONLY", dir)
}

/// Sets the machine's clock ahead by the number of seconds in this file.
pub(crate) fn with_clock(program: Program, file: &Path) -> Program {
    static LIBRARY: Library = OnceLock::new();
    program
        .preload(compiled(&LIBRARY, "clock"))
        .env("PULSEWING_CLOCK", file)
}

/// Gives the program a framebuffer over this file, in a mode in the format of shim/devices.c.
#[cfg(target_os = "linux")]
pub(crate) fn with_framebuffer(program: Program, file: &Path, mode: &str) -> Program {
    program
        .env("LD_PRELOAD", devices())
        .env("PULSEWING_FB", file)
        .env("PULSEWING_FB_MODE", mode)
}

/// Gives the program an SPI device and a GPIO chip over these files; the signals on their wires are
/// recorded in a third.
#[cfg(target_os = "linux")]
pub(crate) fn with_wires(program: Program, spidev: &Path, chip: &Path, wires: &Path) -> Program {
    program
        .env("LD_PRELOAD", devices())
        .env("PULSEWING_SPIDEV", spidev)
        .env("PULSEWING_GPIOCHIP", chip)
        .env("PULSEWING_WIRES", wires)
}

type Library = OnceLock<(tempfile::TempDir, PathBuf)>;

fn library() -> &'static PathBuf {
    static LIBRARY: Library = OnceLock::new();
    compiled(&LIBRARY, "kill_at")
}

#[cfg(target_os = "linux")]
fn devices() -> &'static PathBuf {
    static LIBRARY: Library = OnceLock::new();
    compiled(&LIBRARY, "devices")
}

/// Compiles a library, once.
fn compiled(library: &'static Library, name: &str) -> &'static PathBuf {
    let (_, path) = library.get_or_init(|| {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(name).with_extension("so");
        let source = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/e2e/harness/shim")
            .join(name)
            .with_extension("c");
        let compiled = Command::new("cc")
            .args(["-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o"])
            .arg(&path)
            .arg(source)
            .arg("-ldl")
            .output()
            .unwrap();
        let words = String::from_utf8_lossy(&compiled.stderr);
        assert!(compiled.status.success(), "{words}");
        (dir, path)
    });
    path
}
