//! Checks that the README's picture is the one that the demo draws.

use std::process::Command;

use pulsewing_testkit::golden;

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
    let shown = golden::in_workspace("docs/demo.png");
    // The same pixels may be compressed in another way.
    if golden::is_accepting() && golden::read(&drawn) != golden::read(&shown) {
        std::fs::copy(&drawn, &shown).unwrap();
    }
    assert!(
        golden::read(&drawn) == golden::read(&shown),
        "docs/demo.png is not what the demo draws; look at {} and accept it with {}=1 cargo test -p pulsewing --test readme_picture",
        shown.display(),
        golden::ACCEPT
    );
}
