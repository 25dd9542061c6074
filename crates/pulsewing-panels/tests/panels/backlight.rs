//! Backlights of the kernel, on ordinary files in the places of its own.

use std::{
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    time::Duration,
};

use pulsewing_core::look::Brightness;
use pulsewing_panels::{Panel, PanelError, Picture, Ready, Surface, backlight::KernelBacklight};
use pulsewing_screen::Palette;
use tempfile::TempDir;

use crate::{pictures::noise, words};

/// A tree of directories such as that below `/sys/class`.
struct Tree(TempDir);

impl Tree {
    fn new(files: &[(&str, &str)]) -> Self {
        let tree = Self(tempfile::tempdir().unwrap());
        tree.add(files);
        tree
    }

    fn add(&self, files: &[(&str, &str)]) {
        for (file, content) in files {
            let path = self.path(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, format!("{content}\n")).unwrap();
        }
    }

    fn path(&self, file: &str) -> PathBuf {
        self.0.path().join(file)
    }

    fn read(&self, file: &str) -> String {
        fs::read_to_string(self.path(file)).unwrap().trim().into()
    }

    /// A panel of the kernel's own, of 256 steps.
    fn panel(brightness: &str, power: &str) -> Self {
        Self::new(&[
            ("max_brightness", "255"),
            ("brightness", brightness),
            ("bl_power", power),
        ])
    }

    fn open(&self) -> KernelBacklight {
        KernelBacklight::new(self.0.path().to_owned())
    }
}

fn percent(percent: u8) -> Brightness {
    Brightness::new(percent).unwrap()
}

/// When a file was written last, in nanoseconds.
fn written(path: &Path) -> (i64, i64) {
    let found = fs::metadata(path).unwrap();
    (found.mtime(), found.mtime_nsec())
}

#[test]
fn a_backlight_of_the_kernel_has_its_part_of_the_light_and_no_power_when_it_is_off() {
    let tree = Tree::panel("255", "0");
    let state = || (tree.read("brightness"), tree.read("bl_power"));
    let mut backlight = tree.open();
    for (wanted, brightness, power) in [
        (80, "204", "0"),
        (5, "13", "0"),
        (0, "0", "4"),
        (1, "3", "0"),
        (100, "255", "0"),
    ] {
        backlight.set(percent(wanted)).unwrap();
        assert_eq!(state(), (brightness.into(), power.into()), "{wanted}");
    }
    // Many have no `bl_power`.
    let tree = Tree::new(&[("max_brightness", "15"), ("brightness", "15")]);
    let mut backlight = tree.open();
    backlight.set(Brightness::OFF).unwrap();
    assert_eq!(tree.read("brightness"), "0");
    assert!(!tree.path("bl_power").exists());
    backlight.set(percent(1)).unwrap();
    assert_eq!(tree.read("brightness"), "1");
}

#[test]
fn the_light_is_given_back_as_it_was_found_and_never_dark() {
    for (brightness, power, after) in [
        ("120", "0", "120"),
        ("0", "0", "255"),
        // Another program had switched it off.
        ("120", "4", "255"),
    ] {
        let tree = Tree::panel(brightness, power);
        let mut backlight = tree.open();
        backlight.set(Brightness::OFF).unwrap();
        assert_eq!(tree.read("brightness"), "0");
        drop(backlight);
        assert_eq!(tree.read("brightness"), after);
        assert_eq!(tree.read("bl_power"), "0");
    }
    // What was never set is left alone.
    let tree = Tree::panel("0", "4");
    drop(tree.open());
    assert_eq!(tree.read("brightness"), "0");
}

#[test]
fn only_a_change_is_written() {
    let tree = Tree::panel("255", "0");
    let mut backlight = tree.open();
    backlight.set(percent(80)).unwrap();
    // The wearer turns it up by hand: that stays until the next change.
    tree.add(&[("brightness", "250")]);
    let before = written(&tree.path("brightness"));
    for _ in 0..3 {
        backlight.set(percent(80)).unwrap();
    }
    assert_eq!(written(&tree.path("brightness")), before);
    backlight.set(percent(5)).unwrap();
    assert_eq!(tree.read("brightness"), "13");
}

#[test]
fn a_pwm_is_exported_and_has_a_period_of_a_millisecond() {
    let tree = Tree::new(&[("pwmchip0/export", ""), ("pwmchip0/npwm", "4")]);
    let directory = tree.path("pwmchip0/pwm2");
    let mut backlight = KernelBacklight::new(directory);
    // The kernel has not made the directory yet; the next minute it has.
    let told = words(&backlight.set(percent(80)).unwrap_err());
    assert_eq!(tree.read("pwmchip0/export"), "2");
    assert!(told.contains("pwm2/period could not be read"), "{told}");
    assert!(told.contains("tried again"), "{told}");
    tree.add(&[
        ("pwmchip0/pwm2/period", "0"),
        ("pwmchip0/pwm2/duty_cycle", "0"),
        ("pwmchip0/pwm2/enable", "0"),
    ]);
    let state =
        || ["period", "duty_cycle", "enable"].map(|f| tree.read(&format!("pwmchip0/pwm2/{f}")));
    backlight.set(percent(80)).unwrap();
    assert_eq!(state(), ["1000000", "800000", "1"]);
    // A disabled output may float up to the panel's own pull-up: off is a low level.
    backlight.set(Brightness::OFF).unwrap();
    assert_eq!(state(), ["1000000", "0", "1"]);
    drop(backlight);
    assert_eq!(state(), ["1000000", "1000000", "1"]);
}

#[test]
fn a_pwm_that_is_set_up_already_keeps_its_period() {
    let tree = Tree::new(&[
        ("period", "50000"),
        ("duty_cycle", "30000"),
        ("enable", "1"),
    ]);
    let mut backlight = tree.open();
    backlight.set(percent(5)).unwrap();
    assert_eq!(
        (tree.read("period"), tree.read("duty_cycle")),
        ("50000".into(), "2500".into())
    );
    drop(backlight);
    assert_eq!(tree.read("duty_cycle"), "30000");
}

#[test]
fn what_is_wrong_with_a_backlight_is_told_with_what_to_do() {
    let told = |tree: &Tree| {
        let set = words(&tree.open().set(percent(5)).unwrap_err());
        (set, KernelBacklight::check(tree.0.path()))
    };
    let (set, check) = told(&Tree::new(&[("uevent", "")]));
    assert!(set.contains("is not a backlight of the kernel"), "{set}");
    assert!(set.contains("ls /sys/class/backlight"), "{set}");
    assert!(matches!(check, Err(PanelError::NoBacklight { .. })));
    // An output of a chip that is not there.
    let nowhere = KernelBacklight::check(Path::new("/nowhere/pwmchip0/pwm0"));
    assert!(matches!(nowhere, Err(PanelError::NoBacklight { .. })));

    let (set, check) = told(&Tree::new(&[("max_brightness", "255")]));
    assert!(set.contains("brightness could not be read"), "{set}");
    assert!(matches!(check, Err(PanelError::WriteBacklight { .. })));

    let tree = Tree::panel("bright", "0");
    let (set, _) = told(&tree);
    assert!(set.contains("invalid digit"), "{set}");
    assert_eq!(tree.read("brightness"), "bright");

    // A pipe in a file's place is not waited for.
    let tree = Tree::new(&[("max_brightness", "255")]);
    let mode = rustix::fs::Mode::from(0o600);
    rustix::fs::mkfifoat(rustix::fs::CWD, tree.path("brightness"), mode).unwrap();
    let (set, check) = told(&tree);
    assert!(set.contains("a pipe"), "{set}");
    assert!(matches!(check, Err(PanelError::WriteBacklight { .. })));
}

#[test]
fn a_check_changes_nothing() {
    let tree = Tree::panel("120", "0");
    let pwm = Tree::new(&[("pwmchip0/export", "")]);
    let before = written(&tree.path("brightness"));
    KernelBacklight::check(tree.0.path()).unwrap();
    KernelBacklight::check(&pwm.path("pwmchip0/pwm0")).unwrap();
    assert_eq!(written(&tree.path("brightness")), before);
    assert_eq!(tree.read("brightness"), "120");
    assert_eq!(pwm.read("pwmchip0/export"), "");
}

/// A surface that takes every picture.
#[derive(Debug)]
struct Patient;

impl Surface for Patient {
    fn prepare(&mut self) -> Result<Ready, PanelError> {
        let size = embedded_graphics::geometry::Size::new(160, 80);
        Ok(Ready { size, keeps: true })
    }

    fn push(
        &mut self,
        _: &pulsewing_screen::Frame<Vec<u8>>,
        _: &pulsewing_screen::Colours,
        _: &[embedded_graphics::primitives::Rectangle],
    ) -> Result<(), PanelError> {
        Ok(())
    }
}

#[test]
fn a_panel_shows_its_picture_without_its_backlight() {
    let tree = Tree::new(&[]);
    let mut panel = Panel::over("patient", Box::new(Patient)).with_backlight(tree.open());
    let show = |panel: &mut Panel| {
        panel.show(Duration::ZERO, |size| -> Result<Picture, _> {
            Ok(noise(size, 8, Palette::Day))
        })
    };
    assert!(panel.set_brightness(percent(5)).is_err());
    show(&mut panel).unwrap();
    // Its driver has come.
    tree.add(&[("max_brightness", "100"), ("brightness", "100")]);
    panel.set_brightness(percent(5)).unwrap();
    assert_eq!(tree.read("brightness"), "5");
    show(&mut panel).unwrap();
    drop(panel);
    assert_eq!(tree.read("brightness"), "100");
}
