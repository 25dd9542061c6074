//! A disk that is full when a token has to be written.

use std::{
    fs::{self, File, TryLockError},
    io::Write,
    path::PathBuf,
    process::Command,
};

use serde_json::json;

use crate::harness::{
    hermetic::{Home, Program},
    patience::until,
    recording,
    sandbox_process::Sandbox,
    shim,
    signed_in::{SEED, SignedIn, configuration},
};

/// Size of the disk, in bytes: room for the chain's files and little more.
const SIZE: usize = 64 * 1_024;

/// The allocation unit of the file system.
const PAGE: usize = 4_096;

/// The disk with the state, which a test fills up.
///
/// It is a small file system of its own. If none can be mounted, because the tests do not run as root,
/// the preloaded library simulates a full disk.
struct Disk {
    dir: PathBuf,
    filler: PathBuf,
    is_mounted: bool,
}

impl Disk {
    /// Mounts a disk at a home's state directory.
    fn under(home: &Home) -> Self {
        let dir = home.path("state");
        let mount = Command::new("mount")
            .args([
                "-t",
                "tmpfs",
                "-o",
                &format!("size={SIZE},mode=0700"),
                "tmpfs",
            ])
            .arg(&dir)
            .output();
        let is_mounted = mount.is_ok_and(|mount| mount.status.success());
        Self {
            filler: if is_mounted {
                dir.join("filler")
            } else {
                home.path("disk-is-full")
            },
            dir,
            is_mounted,
        }
    }

    /// Fills the disk except for a number of pages.
    fn fill(&self, leaving: usize) {
        let mut filler = File::create(&self.filler).unwrap();
        if !self.is_mounted {
            // The library only knows full and not full.
            if leaving > 0 {
                fs::remove_file(&self.filler).unwrap();
            }
            return;
        }
        let mut pages = 0;
        while filler.write_all(&[1; PAGE]).is_ok() {
            pages += 1;
            assert!(pages <= SIZE / PAGE);
        }
        let kept = pages.saturating_sub(leaving) * PAGE;
        filler.set_len(kept.try_into().unwrap()).unwrap();
    }

    fn make_room(&self) {
        // There may be no such file.
        let _ = fs::remove_file(&self.filler);
    }

    /// Returns a program that uses this disk.
    fn program(&self, program: Program) -> Program {
        if self.is_mounted {
            program
        } else {
            shim::with_full_disk(program, &self.filler)
        }
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        if self.is_mounted {
            let _ = Command::new("umount").arg("-l").arg(&self.dir).status();
        }
    }
}

/// A home that is signed in, with its state on a small disk.
struct Cramped {
    // The disk is dropped before the home that it is mounted in.
    disk: Disk,
    signed_in: SignedIn,
}

fn cramped() -> Cramped {
    let mut disk = None;
    let signed_in = SignedIn::fitbit_with(|home| {
        disk = Some(Disk::under(home));
        Sandbox::with_recording(home, &recording::until_two(), "UTC")
    });
    Cramped {
        disk: disk.unwrap(),
        signed_in,
    }
}

impl Cramped {
    fn once(&self) -> Program {
        self.disk.program(self.signed_in.program(&["once"]))
    }
}

#[test]
fn without_room_for_the_intent_nothing_is_sent() {
    let cramped = cramped();
    let signed_in = &cramped.signed_in;
    let before = fs::read(signed_in.home.state("chain")).unwrap();
    cramped.disk.fill(0);
    cramped
        .once()
        .run()
        .exits(1)
        .says("the refresh token was not sent")
        .says("No space left on device")
        .says("free up disk space")
        .says("the sign-in is safe");
    assert_eq!(signed_in.sandbox.routes(), [""; 0]);
    assert_eq!(fs::read(signed_in.home.state("chain")).unwrap(), before);
    cramped.disk.make_room();
    cramped.once().run().exits(0);
    signed_in.assert_chain_goes_on();
}

#[test]
fn with_a_little_room_it_is_all_or_nothing() {
    for leaving in 1..7 {
        let cramped = cramped();
        let signed_in = &cramped.signed_in;
        cramped.disk.fill(leaving);
        let once = cramped.once().run();
        match once.code {
            Some(0) => signed_in.assert_chain_goes_on(),
            _ => {
                once.exits(1).says("the refresh token was not sent");
                assert_eq!(signed_in.sandbox.routes(), [""; 0], "{leaving} pages");
            }
        }
        cramped.disk.make_room();
        cramped.once().run().exits(0);
        signed_in.assert_chain_goes_on();
    }
}

#[test]
fn a_disk_that_fills_up_while_the_reply_is_under_way_costs_no_token() {
    let cramped = cramped();
    let signed_in = &cramped.signed_in;
    signed_in.fault("fitbit.token", 1, &json!({ "stall_s": 2 }));
    let once = cramped.once().start();
    signed_in.sandbox.wait_for("fitbit.token", 1);
    cramped.disk.fill(0);
    once.finish()
        .exits(0)
        .prints("\nNext token written to disk Successfully!\n");
    signed_in.assert_chain_goes_on_as(2);
    cramped.disk.make_room();
    cramped.once().run().exits(0);
}

/// If even the reserve is gone, the tokens are kept in memory until there is room. This takes half a
/// minute, so it runs with the other long waits.
pub(crate) fn tokens_without_room_are_kept_until_there_is_some() {
    let cramped = cramped();
    let signed_in = &cramped.signed_in;
    let waiting = hold_tokens_without_room(&cramped);
    assert_eq!(signed_in.sandbox.routes(), ["fitbit.token"]);
    let lock = File::open(signed_in.home.state("chain.lock")).unwrap();
    assert!(matches!(lock.try_lock(), Err(TryLockError::WouldBlock)));
    // The stored state is the old token and the intent.
    let stored = signed_in.record();
    assert_eq!(stored.chain.refresh_token().expose(), SEED);
    assert!(stored.intent.is_some());
    cramped.disk.make_room();
    waiting.finish().exits(0);
    assert_eq!(signed_in.sandbox.requests_of("fitbit.token").len(), 1);
    signed_in.assert_chain_goes_on_as(2);
}

/// If no room appears, the run ends with 1 within its 130 seconds, and the next one replays. This takes
/// two minutes, so it runs with the other long waits.
pub(crate) fn tokens_that_never_find_room_are_asked_for_again_by_the_next_run() {
    let cramped = cramped();
    let signed_in = &cramped.signed_in;
    let replay = json!({ "replay": "until-used" });
    signed_in.sandbox.configure(&replay);
    let waiting = hold_tokens_without_room(&cramped);
    let limit = std::time::Duration::from_secs(130);
    waiting
        .finish_within(limit)
        .exits(1)
        .says("new tokens arrived but could not be written")
        .says("run pulsewing again right away");
    assert_eq!(signed_in.sandbox.routes(), ["fitbit.token"]);
    assert!(signed_in.record().intent.is_some());
    cramped.disk.make_room();
    cramped.once().run().exits(0);
    signed_in.assert_chain_goes_on();
}

/// Starts a run, fills up the disk and removes the reserve while the reply is on its way.
fn hold_tokens_without_room(cramped: &Cramped) -> crate::harness::hermetic::Running {
    let signed_in = &cramped.signed_in;
    signed_in.fault("fitbit.token", 1, &json!({ "stall_s": 2 }));
    let once = cramped.once().start();
    signed_in.sandbox.wait_for("fitbit.token", 1);
    fs::remove_file(signed_in.home.state("chain.reserve")).unwrap();
    cramped.disk.fill(0);
    until("the words that the tokens cannot be written", || {
        once.error_line()
            .contains("cannot be written")
            .then_some(())
    });
    once
}

#[test]
fn a_sign_in_that_cannot_be_written_is_said_and_the_old_one_kept() {
    let cramped = cramped();
    let signed_in = &cramped.signed_in;
    signed_in
        .home
        .configure(&configuration(&signed_in.sandbox, "google"));
    let before = signed_in.record();
    let login = signed_in.program(&["login", "--paste"]).printing_first();
    let mut login = cramped.disk.program(login).start();
    let back = crate::harness::browser::approve(&login.line());
    cramped.disk.fill(0);
    login.say(&back);
    login
        .finish()
        .exits(1)
        .says("the sign-in could not be written")
        .says("No space left on device");
    cramped.disk.make_room();
    assert_eq!(signed_in.record(), before);
}
