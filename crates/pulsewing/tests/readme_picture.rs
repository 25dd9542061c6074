//! Checks that the README's picture is the one that the demo draws.
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on says so by panicking"
)]

use std::{fs::File, io::BufReader, path::Path, process::Command};

const ACCEPT: &str = "PULSEWING_ACCEPT_FRAMES";

#[test]
fn the_readmes_picture_is_what_the_demo_draws() {
    let dir = tempfile::tempdir().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_pulsewing"))
        .args(["demo", "--once", "--now", "2026-11-22T14:07:00Z"])
        .env_clear()
        .env("TZ", "UTC")
        .current_dir(dir.path())
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let drawn = dir.path().join("pulsewing-demo.png");
    let shown = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/demo.png");
    if std::env::var_os(ACCEPT).is_some() {
        std::fs::copy(&drawn, &shown).unwrap();
    }
    assert!(
        pixels(&drawn) == pixels(&shown),
        "docs/demo.png is not what the demo draws; look at {} and accept it with {ACCEPT}=1 cargo test -p pulsewing --test readme_picture",
        shown.display()
    );
}

fn pixels(path: &Path) -> (png::OutputInfo, Vec<u8>) {
    let mut decoder = png::Decoder::new(BufReader::new(File::open(path).unwrap()));
    decoder.set_transformations(png::Transformations::EXPAND);
    let mut reader = decoder.read_info().unwrap();
    let mut bytes = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut bytes).unwrap();
    (info, bytes)
}
