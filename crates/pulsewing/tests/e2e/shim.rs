//! The library that is preloaded into the program: a power cut at a chosen call, a full disk.

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

use crate::hermetic::{Home, Program};

/// Has the program killed in front of its `call`-th step; `torn` lets a write get half-way.
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

/// Has the program's disk full for as long as there is a file of this name.
pub(crate) fn with_full_disk(program: Program, flag: &Path) -> Program {
    program
        .env("LD_PRELOAD", library())
        .env("PULSEWING_FULL", flag)
}

/// Compiles the library, once.
fn library() -> &'static PathBuf {
    static LIBRARY: OnceLock<(tempfile::TempDir, PathBuf)> = OnceLock::new();
    let (_, path) = LIBRARY.get_or_init(|| {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("kill_at.so");
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/e2e/shim/kill_at.c");
        let compiled = Command::new("cc")
            .args(["-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o"])
            .arg(&path)
            .args([source, "-ldl"])
            .output()
            .unwrap();
        let words = String::from_utf8_lossy(&compiled.stderr);
        assert!(compiled.status.success(), "{words}");
        (dir, path)
    });
    path
}
