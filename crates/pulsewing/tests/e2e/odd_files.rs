//! Special files in place of regular ones, and oversized files: the program refuses them with an
//! explanation, and never waits for them.

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use rustix::fs::{CWD, Mode, mkfifoat};

use crate::harness::{hermetic::Home, signed_in::SignedIn};

/// Puts a pipe in place of a file, or where it would be.
fn pipe_at(path: &Path) {
    let _ = fs::remove_file(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    mkfifoat(CWD, path, Mode::from(0o600)).unwrap();
}

/// Creates a sparse file of many bytes.
fn huge_at(path: &Path) {
    fs::File::create(path).unwrap().set_len(1 << 40).unwrap();
}

#[test]
fn a_pipe_in_place_of_the_sign_in_ends_every_command_that_needs_it() {
    let signed_in = SignedIn::google();
    pipe_at(&signed_in.home.state("chain"));
    let requests = signed_in.sandbox.requests().len();
    for command in [&["once"][..], &["status"], &["logout"]] {
        let refused = signed_in
            .run(command)
            .exits(1)
            .says("chain is a pipe, not a file")
            .says_nothing_of("pulsewing status");
        let away = format!(
            "move {} out of the way",
            signed_in.home.state("chain").display()
        );
        refused.says(&away);
    }
    signed_in
        .program(&["doctor", "--offline"])
        .printing_first()
        .run()
        .exits(1);
    assert_eq!(signed_in.sandbox.requests().len(), requests);
    // A damaged record makes the program use the previous generation.
    let chain = signed_in.home.state("chain");
    fs::remove_file(&chain).unwrap();
    fs::write(&chain, "damaged").unwrap();
    fs::set_permissions(&chain, fs::Permissions::from_mode(0o600)).unwrap();
    pipe_at(&signed_in.home.state("chain.prev"));
    signed_in
        .run(&["once"])
        .exits(1)
        .says("chain.prev is a pipe, not a file");
}

#[test]
fn a_pipe_where_the_next_tokens_would_go_means_that_nothing_is_sent() {
    for name in ["chain.new", "chain.reserve", "chain.lock"] {
        let signed_in = SignedIn::fitbit();
        pipe_at(&signed_in.home.state(name));
        signed_in
            .once()
            .exits(1)
            .says(&format!("{name} is a pipe, not a file"));
        assert_eq!(signed_in.token_requests(), 0, "{name}");
    }
}

#[test]
fn what_is_only_remembered_may_be_a_pipe_and_the_reading_comes_all_the_same() {
    let signed_in = SignedIn::google();
    for name in ["history.db", "history.db-wal"] {
        pipe_at(&signed_in.home.state(name));
        let words = format!("{name} is a pipe, not a file");
        signed_in.once().exits(0).says(&words);
        let status = signed_in.run(&["status"]).exits(0).stdout;
        assert!(status.contains(&words), "{status}");
        assert!(status.contains("Heart rate:     99 bpm"), "{status}");
        signed_in.run(&["export"]).exits(1).says(&words);
        fs::remove_file(signed_in.home.state(name)).unwrap();
    }
    pipe_at(&signed_in.home.state("state.json"));
    let doctor = || signed_in.program(&["doctor", "--offline"]).printing_first();
    doctor()
        .run()
        .exits(0)
        .prints("state.json is a pipe, not a file");
    let lock = signed_in.home.state("chain.lock");
    fs::remove_file(&lock).unwrap();
    pipe_at(&lock);
    doctor()
        .run()
        .exits(1)
        .prints("chain.lock is a pipe, not a file");
    fs::remove_file(&lock).unwrap();
    let status = signed_in.run(&["status"]).exits(0).stdout;
    assert!(status.contains("Last success:   unknown\n"), "{status}");
    assert!(
        status.contains("state.json is a pipe, not a file; the next update writes a new file"),
        "{status}"
    );
    signed_in
        .once()
        .exits(0)
        .says("state.json is a pipe, not a file");
    // After the next run there is a regular file again.
    signed_in.once().exits(0).says_nothing_of("pipe");
    pipe_at(&signed_in.home.state("state.json.new"));
    signed_in
        .once()
        .exits(0)
        .says("state.json.new is a pipe, not a file");
    pipe_at(&signed_in.home.state("run.lock"));
    signed_in
        .program(&["run", "--no-web"])
        .run()
        .exits(5)
        .says("run.lock is a pipe, not a file");
}

#[test]
fn what_is_given_has_to_be_a_file() {
    let home = Home::new();
    let pipe = home.work("pipe.csv");
    pipe_at(&pipe);
    for (odd, what) in [
        (pipe.to_str().unwrap(), "is a pipe, not a file"),
        ("/dev/zero", "is a device, not a file"),
    ] {
        home.configure(&format!(
            "[endpoints]\nbase_url = \"https://127.0.0.1:9\"\nca_file = \"{odd}\"\n"
        ));
        for command in [
            &["once"][..],
            &["once", "--config", odd],
            &["login", "--client-json", odd],
            &["adopt", odd],
            &["import", odd],
            &["sandbox", "--data", odd],
            &["sandbox", "--script", odd],
            &["render", "--provider=google", "--png=p.png", "--heart", odd],
        ] {
            home.run(command).exits(1).says(what);
        }
    }
}

#[test]
fn a_file_that_is_larger_than_any_is_not_read() {
    let home = Home::new();
    let huge = home.work("huge.csv");
    huge_at(&huge);
    let huge = huge.to_str().unwrap();
    for (command, most) in [
        (&["once", "--config", huge][..], "256 KiB"),
        (&["adopt", huge], "64 KiB"),
        (&["sandbox", "--data", huge], "256 MiB"),
    ] {
        home.run(command)
            .exits(1)
            .says(&format!("larger than {most}, the limit for such a file"));
    }
    home.run(&["login", "--client-json", huge])
        .exits(1)
        .says("is too large to be an OAuth client");
}

#[test]
fn a_wallpaper_that_is_no_file_is_left_out() {
    let signed_in = SignedIn::google();
    pipe_at(&signed_in.home.work("wall.png"));
    signed_in.home.configure_more(&format!(
        "[screen]\nwallpaper = {:?}\n",
        signed_in.home.work("wall.png")
    ));
    signed_in
        .run(&["once", "--png", "p.png"])
        .exits(0)
        .says("wall.png is a pipe, not a file");
}
