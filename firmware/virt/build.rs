//! Passes the board's memory layout to the linker, and the build time to the program.

use std::{
    env,
    time::{SystemTime, UNIX_EPOCH},
};

fn main() {
    let dir = env::var("CARGO_MANIFEST_DIR").unwrap_or_default();
    println!("cargo:rustc-link-search={dir}");
    println!("cargo:rustc-link-arg=-Tmemory.x");
    println!("cargo:rustc-link-arg=-Tlink.x");
    println!("cargo:rerun-if-env-changed=SOURCE_DATE_EPOCH");
    // A reproducible build sets the time (reproducible-builds.org, SOURCE_DATE_EPOCH).
    let built_at = env::var("SOURCE_DATE_EPOCH").ok().unwrap_or_else(|| {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        now.unwrap_or_default().as_secs().to_string()
    });
    println!("cargo:rustc-env=PULSEWING_BUILT_AT={built_at}");
    for watched in ["memory.x", "src", "../net/src", "../../crates"] {
        println!("cargo:rerun-if-changed={watched}");
    }
}
