//! What systemd hears of `run`: a real datagram socket stands for it.

use std::{os::unix::net::UnixDatagram, path::PathBuf};

use serde_json::json;

use crate::{
    hermetic::{Home, Program},
    patience::SOON,
    signed_in::SignedIn,
};

/// The socket that a service manager listens on.
struct Manager {
    socket: UnixDatagram,
    path: PathBuf,
}

impl Manager {
    fn new(home: &Home) -> Self {
        let path = home.path("tmp/notify");
        let socket = UnixDatagram::bind(&path).unwrap();
        socket.set_read_timeout(Some(SOON)).unwrap();
        Self { socket, path }
    }

    fn over(&self, program: Program) -> Program {
        program.env("NOTIFY_SOCKET", &self.path)
    }

    /// The assignments of the next message.
    fn message(&self) -> Vec<String> {
        let mut buffer = [0; 4_096];
        let length = self.socket.recv(&mut buffer).expect("a message");
        let text = std::str::from_utf8(&buffer[..length]).unwrap();
        text.lines().map(str::to_owned).collect()
    }

    /// Waits for an assignment that begins so.
    fn hear(&self, start: &str) -> String {
        loop {
            let message = self.message();
            if let Some(line) = message.into_iter().find(|line| line.starts_with(start)) {
                return line;
            }
        }
    }
}

#[test]
fn a_start_the_state_and_the_end_are_told() {
    let signed_in = SignedIn::google();
    let manager = Manager::new(&signed_in.home);
    let run = manager
        .over(signed_in.program(&["run", "--no-web"]))
        .start();
    let first = manager.message();
    assert_eq!(first[0], "READY=1");
    assert!(first[1].starts_with("STATUS="), "{first:?}");
    // No watchdog was asked for.
    assert!(!first.contains(&"WATCHDOG=1".to_owned()));
    let status = manager.hear("STATUS=99 bpm");
    assert!(status.contains(" min ago; "), "{status}");
    let next = manager.hear("STATUS=99 bpm, 8 min ago; next update 14:");
    assert!(next.starts_with("STATUS="), "{next}");
    run.signal("TERM");
    manager.hear("STOPPING=1");
    run.finish().exits(0);
}

#[test]
fn the_watchdog_is_fed_while_it_waits_and_while_a_refresh_takes_long() {
    let signed_in = SignedIn::fitbit();
    signed_in
        .sandbox
        .fault("fitbit.token", 1, &json!({ "stall_s": 2 }));
    let manager = Manager::new(&signed_in.home);
    let run = manager
        .over(signed_in.program(&["run", "--no-web"]))
        .env("WATCHDOG_USEC", "200000")
        .start();
    signed_in.sandbox.wait_for("fitbit.token", 1);
    for _ in 0..5 {
        manager.hear("WATCHDOG=1");
    }
    assert_eq!(signed_in.sandbox.routes(), ["fitbit.token"]);
    manager.hear("STATUS=99 bpm");
    for _ in 0..5 {
        manager.hear("WATCHDOG=1");
    }
    run.signal("TERM");
    run.finish().exits(0);
}

#[test]
fn trouble_is_in_the_state_and_the_service_goes_on() {
    let home = Home::new();
    let manager = Manager::new(&home);
    let mut run = manager
        .over(home.program(&["run", "--no-web", "--now", "2026-11-22T14:07:00Z"]))
        .start();
    let status = manager.hear("STATUS=nobody has signed in yet");
    assert!(status.contains("no heart rate yet"), "{status}");
    assert!(run.is_running());
    run.signal("INT");
    run.finish().exits(0);
}

#[test]
fn a_start_that_fails_never_counts_as_one() {
    let home = Home::new();
    home.configure("[screeen]\n");
    let manager = Manager::new(&home);
    manager
        .over(home.program(&["run", "--no-web"]))
        .run()
        .exits(1);
    manager.socket.set_nonblocking(true).unwrap();
    assert!(manager.socket.recv(&mut [0; 64]).is_err());
}
