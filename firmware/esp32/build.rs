//! Passes the chip's memory layout to the linker, and the build time to the program.

use std::{
    env,
    time::{SystemTime, UNIX_EPOCH},
};

fn main() {
    // esp-hal's linker script; it has one for everything that it places.
    println!("cargo:rustc-link-arg-bins=-Tlinkall.x");
    if env::var("CARGO_CFG_TARGET_ARCH").is_ok_and(|it| it == "xtensa") {
        // There the linker is a C compiler, which has a start-up file of its own.
        println!("cargo:rustc-link-arg-bins=-nostartfiles");
    }
    println!("cargo:rerun-if-env-changed=SOURCE_DATE_EPOCH");
    // A reproducible build sets the time (reproducible-builds.org, SOURCE_DATE_EPOCH).
    let built_at = env::var("SOURCE_DATE_EPOCH").ok().unwrap_or_else(|| {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        now.unwrap_or_default().as_secs().to_string()
    });
    println!("cargo:rustc-env=PULSEWING_BUILT_AT={built_at}");
    for watched in ["src", "../net/src", "../../crates"] {
        println!("cargo:rerun-if-changed={watched}");
    }
}
