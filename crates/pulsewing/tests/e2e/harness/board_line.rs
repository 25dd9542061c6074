//! A stand-in for a board, at the other end of a pseudo-terminal.

use std::{
    fs::File,
    io::{Read, Write},
    os::{fd::OwnedFd, unix::fs::symlink},
    path::PathBuf,
    sync::{
        Arc, Mutex, MutexGuard,
        mpsc::{self, Receiver, Sender},
    },
    thread::{self, JoinHandle},
};

use rustix::{
    fs::{Mode, OFlags},
    pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
    termios::{OptionalActions, tcgetattr, tcsetattr},
};

use crate::harness::{board_console::Console, hermetic::Home, patience::SOON};

/// A line that no program sends: it ends the board.
const END: &str = "!end";

/// A fault at a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Noise on the line gets in between.
    Noise,
    /// The line is obeyed, but the reply is lost.
    Unheard,
    /// The power is cut before the line is obeyed.
    RestartBefore,
    /// The power is cut after the line was obeyed, before it is answered.
    RestartAfter,
    /// No answers from here on.
    Hang,
    /// The reply comes after the program has given up waiting and has asked for something else.
    Late,
    /// Pauses before the line is obeyed; it is not obeyed if the board is told to drop it.
    PauseBefore,
    /// Pauses after the line was obeyed, before it is answered.
    PauseAfter,
}

/// A fault at the n-th line that begins with some words.
pub(crate) struct At {
    pub(crate) words: &'static str,
    pub(crate) nth: usize,
    pub(crate) fault: Fault,
}

pub(crate) struct Shared {
    pub(crate) console: Console,
    pub(crate) faults: Vec<At>,
    /// Every line that arrived.
    pub(crate) heard: Vec<String>,
    /// Every byte that was sent.
    pub(crate) said: Vec<u8>,
    is_hung: bool,
    /// A reply that comes late.
    late: String,
}

/// A running board; it ends when this value is dropped.
pub(crate) struct Board {
    /// The path of its port, which stays the same when it is plugged in again.
    pub(crate) port: String,
    shared: Arc<Mutex<Shared>>,
    line: Option<PseudoTerminal>,
    path: PathBuf,
    reached: Receiver<()>,
    reach: Sender<()>,
}

struct PseudoTerminal {
    /// Kept open, so that the board's side lives on while no program has the port open.
    slave: File,
    thread: JoinHandle<()>,
    resume: Sender<bool>,
}

impl Board {
    pub(crate) fn start(home: &Home) -> Self {
        Self::named(home, "b0a2d1")
    }

    /// Starts a board with this serial number.
    pub(crate) fn named(home: &Home, serial: &str) -> Self {
        let path = home.path(serial);
        let (reach, reached) = mpsc::channel();
        let mut board = Self {
            port: path.to_str().unwrap().to_owned(),
            shared: Arc::new(Mutex::new(Shared {
                console: Console::new(serial),
                faults: Vec::new(),
                heard: Vec::new(),
                said: Vec::new(),
                is_hung: false,
                late: String::new(),
            })),
            line: None,
            path,
            reached,
            reach,
        };
        board.plug_in();
        board
    }

    /// Gives it a port.
    pub(crate) fn plug_in(&mut self) {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        // A program that inherited it would keep the port alive.
        rustix::io::fcntl_setfd(&master, rustix::io::FdFlags::CLOEXEC).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let name = ptsname(&master, Vec::new()).unwrap();
        let slave: OwnedFd = rustix::fs::open(
            name.as_c_str(),
            OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC,
            Mode::empty(),
        )
        .unwrap();
        // Without echo, like a USB port: the board's output does not come back to it.
        let mut termios = tcgetattr(&slave).unwrap();
        termios.make_raw();
        tcsetattr(&slave, OptionalActions::Now, &termios).unwrap();
        let _ = std::fs::remove_file(&self.path);
        symlink(name.to_str().unwrap(), &self.path).unwrap();
        let (resume, resumed) = mpsc::channel();
        let (shared, reach) = (Arc::clone(&self.shared), self.reach.clone());
        let thread = thread::spawn(move || {
            run(File::from(master), &shared, &reach, &resumed);
        });
        self.line = Some(PseudoTerminal {
            slave: File::from(slave),
            thread,
            resume,
        });
    }

    /// Takes its port away.
    pub(crate) fn unplug(&mut self) {
        if let Some(mut line) = self.line.take() {
            let _ = line.resume.send(false);
            let _ = writeln!(line.slave, "\n{END}");
            let _ = line.thread.join();
            let _ = std::fs::remove_file(&self.path);
            self.lock().console.restart();
        }
    }

    /// Returns its stored data, and everything it has heard and said.
    pub(crate) fn lock(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap()
    }

    /// Sets a fault at the n-th line, from 0, that begins with these words.
    pub(crate) fn fault(&self, words: &'static str, nth: usize, fault: Fault) {
        self.lock().faults.push(At { words, nth, fault });
    }

    /// Makes it answer again.
    pub(crate) fn wake(&self) {
        self.lock().is_hung = false;
    }

    /// Waits until the board pauses at a line.
    pub(crate) fn wait_for_pause(&self) {
        self.reached.recv_timeout(SOON).unwrap();
    }

    /// Lets the board continue, with or without obeying the line at which it paused.
    pub(crate) fn resume(&self, obey: bool) {
        self.line.as_ref().unwrap().resume.send(obey).unwrap();
    }

    /// Returns the number of lines that begin with these words.
    pub(crate) fn heard(&self, words: &str) -> usize {
        let shared = self.lock();
        shared
            .heard
            .iter()
            .filter(|line| line.starts_with(words))
            .count()
    }

    /// Returns the fingerprint of its refresh token.
    pub(crate) fn fingerprint(&self) -> Option<String> {
        let record = self.lock().console.record()?;
        Some(record.chain.refresh_token().fingerprint().to_string())
    }

    /// Returns everything that it has said.
    pub(crate) fn said(&self) -> String {
        String::from_utf8_lossy(&self.lock().said).into_owned()
    }
}

impl Drop for Board {
    fn drop(&mut self) {
        self.unplug();
    }
}

fn run(mut master: File, shared: &Mutex<Shared>, reach: &Sender<()>, resumed: &Receiver<bool>) {
    let mut line = Vec::new();
    let mut byte = [0];
    while master.read_exact(&mut byte).is_ok() {
        if !matches!(byte, [b'\n' | b'\r']) {
            line.push(byte[0]);
            continue;
        }
        let text = String::from_utf8_lossy(&std::mem::take(&mut line)).into_owned();
        if text == END {
            return;
        }
        if !text.is_empty() {
            obey(&text, &mut master, shared, reach, resumed);
        }
    }
}

fn obey(
    text: &str,
    master: &mut File,
    shared: &Mutex<Shared>,
    reach: &Sender<()>,
    resumed: &Receiver<bool>,
) {
    let fault = {
        let mut shared = shared.lock().unwrap();
        shared.heard.push(text.to_owned());
        if shared.is_hung {
            return;
        }
        let late = std::mem::take(&mut shared.late);
        shared.say(master, &late);
        take_fault(&mut shared.faults, text)
    };
    let restart = |master: &mut File| {
        let mut shared = shared.lock().unwrap();
        shared.console.restart();
        shared.say(
            master,
            "\u{0}\u{1}ESP-ROM:esp32c6-20220919\r\n# restarted\n",
        );
    };
    match fault {
        Some(Fault::Hang) => {
            shared.lock().unwrap().is_hung = true;
            return;
        }
        Some(Fault::RestartBefore) => return restart(master),
        Some(Fault::PauseBefore) => {
            reach.send(()).unwrap();
            if !resumed.recv().unwrap() {
                return;
            }
        }
        Some(Fault::Noise) => {
            let mut shared = shared.lock().unwrap();
            shared.say(master, "# fetched\n\u{7}\u{fffd}> o\u{1b}[2J\nFinished!\n");
        }
        _ => {}
    }
    let outcome = shared.lock().unwrap().console.line(text);
    match fault {
        Some(Fault::Unheard) => return,
        Some(Fault::RestartAfter) => return restart(master),
        Some(Fault::PauseAfter) => {
            reach.send(()).unwrap();
            if !resumed.recv().unwrap() {
                return;
            }
        }
        _ => {}
    }
    let mut reply = String::new();
    match outcome.reply {
        Ok(lines) => {
            for line in lines {
                reply.push_str(&format!("> {line}\n"));
            }
            reply.push_str("> ok\n");
        }
        Err(sentence) => reply.push_str(&format!("> error: {sentence}\n")),
    }
    let mut shared_now = shared.lock().unwrap();
    if fault == Some(Fault::Late) {
        shared_now.late = reply;
        return;
    }
    shared_now.say(master, &reply);
    drop(shared_now);
    if outcome.restarts {
        restart(master);
    }
}

impl Shared {
    fn say(&mut self, master: &mut File, text: &str) {
        self.said.extend(text.as_bytes());
        // There may be no listener.
        let _ = master.write_all(text.as_bytes());
    }
}

fn take_fault(faults: &mut Vec<At>, text: &str) -> Option<Fault> {
    let mut due = None;
    for (index, at) in faults.iter_mut().enumerate() {
        if text.starts_with(at.words) {
            match at.nth.checked_sub(1) {
                Some(left) => at.nth = left,
                None => due = due.or(Some(index)),
            }
        }
    }
    due.map(|index| faults.remove(index).fault)
}
