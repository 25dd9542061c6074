//! A real datagram socket that stands for systemd.

use std::{io::ErrorKind, os::unix::net::UnixDatagram, path::PathBuf};

use crate::harness::{
    hermetic::{Home, Program},
    patience::{SOON, until},
};

/// Hears the state of a service.
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

    /// The program, as one of its services.
    pub(crate) fn over(&self, program: Program) -> Program {
        program.env("NOTIFY_SOCKET", &self.path)
    }

    /// The assignments of the next message.
    pub(crate) fn message(&self) -> Vec<String> {
        let mut buffer = [0; 4_096];
        let length = loop {
            match self.socket.recv(&mut buffer) {
                // A machine that was suspended, or a process that was paused, ends a wait that has a limit
                // (signal(7)): nothing was heard yet.
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                heard => break heard.expect("a message"),
            }
        };
        let text = std::str::from_utf8(&buffer[..length]).unwrap();
        text.lines().map(str::to_owned).collect()
    }

    /// Waits for an assignment that begins so, among whatever else is told meanwhile.
    pub(crate) fn hear(&self, start: &str) -> String {
        until(start, || {
            let message = self.message();
            message.into_iter().find(|line| line.starts_with(start))
        })
    }

    /// Whether no message waits to be read.
    pub(crate) fn has_heard_nothing(&self) -> bool {
        self.socket.set_nonblocking(true).unwrap();
        let heard = self.socket.recv(&mut [0; 64]);
        self.socket.set_nonblocking(false).unwrap();
        matches!(heard, Err(error) if error.kind() == ErrorKind::WouldBlock)
    }
}
