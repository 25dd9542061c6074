//! A stand-in for systemd, with a real datagram socket.

use std::{io::ErrorKind, os::unix::net::UnixDatagram, path::PathBuf};

use crate::harness::{
    hermetic::{Home, Program},
    patience::{SOON, until},
};

/// Receives the state of a service.
pub(crate) struct Systemd {
    socket: UnixDatagram,
    path: PathBuf,
}

impl Systemd {
    pub(crate) fn new(home: &Home) -> Self {
        let path = home.path("tmp/notify");
        let socket = UnixDatagram::bind(&path).unwrap();
        socket.set_read_timeout(Some(SOON)).unwrap();
        Self { socket, path }
    }

    /// Sets up a program as one of its services.
    pub(crate) fn over(&self, program: Program) -> Program {
        program.env("NOTIFY_SOCKET", &self.path)
    }

    /// Returns the assignments in the next message.
    pub(crate) fn message(&self) -> Vec<String> {
        let mut buffer = [0; 4_096];
        let length = loop {
            match self.socket.recv(&mut buffer) {
                // A suspended machine or a paused process interrupts a wait with a time limit
                // (signal(7)): nothing has arrived yet.
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                heard => break heard.expect("a message"),
            }
        };
        let text = std::str::from_utf8(&buffer[..length]).unwrap();
        text.lines().map(str::to_owned).collect()
    }

    /// Waits for an assignment with this beginning, and skips others.
    pub(crate) fn hear(&self, start: &str) -> String {
        until(start, || {
            let message = self.message();
            message.into_iter().find(|line| line.starts_with(start))
        })
    }

    /// Returns whether no message is waiting to be read.
    pub(crate) fn has_heard_nothing(&self) -> bool {
        self.socket.set_nonblocking(true).unwrap();
        let heard = self.socket.recv(&mut [0; 64]);
        self.socket.set_nonblocking(false).unwrap();
        matches!(heard, Err(error) if error.kind() == ErrorKind::WouldBlock)
    }
}
