//! A conversation with a board: a command, its reply, and resynchronising.
//!
//! Replies carry no number, so the two sides have to be in step: one command, one reply. They get
//! out of step when a reply is late, damaged by noise, or never comes because the board restarted.
//! Then we ask for `status`: its reply begins like no other, so we can tell it from the rest of
//! earlier replies. If we had to ask more than once, because the board is slow or was starting, we
//! then send an unknown command: only that one has its error as a reply, which comes after all
//! others.

use std::{
    collections::VecDeque,
    path::Path,
    time::{Duration, Instant},
};

use crate::{
    Command, Port, SessionError, Status,
    line::{Line, Lines},
};

/// How long the next line of a reply may take. If a board is busy for longer, we resynchronise.
const LINE_WITHIN: Duration = Duration::from_secs(5);

/// How long it may take to find a board again, including its restart.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// How long we ask a port that may not be a board's.
pub const GLANCE: Duration = Duration::from_secs(3);

/// The interval at which we ask for `status` until it comes.
const ASK_EVERY: Duration = Duration::from_secs(2);

/// A command that no board knows, and the beginning of the error that only this command causes.
const NO_COMMAND: &str = "sync";
const UNKNOWN: &str = "unknown command";

/// The interval at which we look for a lost port.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// The maximum number of lines in a reply: more than the rows of the highest screen.
const MAX_LINES: usize = 2_048;

/// Receives progress messages, for users who asked for details. They contain no secrets.
type Detail = Box<dyn Fn(&str) + Send>;

/// An open session.
pub struct Session<P> {
    port: P,
    lines: Lines,
    arrived: VecDeque<u8>,
    detail: Detail,
    is_in_step: bool,
}

impl<P: Port> Session<P> {
    /// Begins a session over an open port: asks the board there for its status, for at most
    /// `patience`. `detail` receives progress messages, without any secret.
    ///
    /// # Errors
    /// [`SessionError`]; [`SessionError::Silent`] if no Pulsewing board answers in time.
    pub fn begin(
        port: P,
        patience: Duration,
        detail: impl Fn(&str) + Send + 'static,
    ) -> Result<(Self, Status), SessionError> {
        let mut session = Self {
            port,
            lines: Lines::default(),
            arrived: VecDeque::new(),
            detail: Box::new(detail),
            is_in_step: false,
        };
        let status = session.resync(patience)?;
        Ok((session, status))
    }

    /// Returns the port's path.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.port.path()
    }

    /// Sends a command and returns the lines of its reply. If contact is lost meanwhile, finds the
    /// board again and repeats the command, once: only for commands that may be repeated.
    ///
    /// # Errors
    /// [`SessionError`].
    pub fn ask(&mut self, command: &Command) -> Result<Vec<String>, SessionError> {
        if !self.is_in_step {
            self.resync(PATIENCE)?;
        }
        match self.ask_once(command) {
            Err(trouble) if trouble.is_about_contact() => {
                (self.detail)(&format!("{trouble}; asking again"));
                self.resync(PATIENCE)?;
                self.ask_once(command)
            }
            result => result,
        }
    }

    /// Sends a command and returns the lines of its reply.
    ///
    /// # Errors
    /// [`SessionError`].
    pub fn ask_once(&mut self, command: &Command) -> Result<Vec<String>, SessionError> {
        self.ask_once_within(command, LINE_WITHIN)
    }

    /// Works like [`ask_once`](Self::ask_once), for a command whose reply takes longer than others.
    ///
    /// # Errors
    /// [`SessionError`].
    pub fn ask_once_within(
        &mut self,
        command: &Command,
        line_within: Duration,
    ) -> Result<Vec<String>, SessionError> {
        if !self.is_in_step {
            self.resync(PATIENCE)?;
        }
        self.say(command)?;
        let reply = self.reply(line_within);
        if let Err(trouble) = &reply {
            self.is_in_step &= !trouble.is_about_contact();
        }
        reply
    }

    /// Asks for the board's status.
    ///
    /// # Errors
    /// [`SessionError`].
    pub fn status(&mut self) -> Result<Status, SessionError> {
        Status::parse(&self.ask(&Command::new("status"))?)
    }

    /// Sends a command that restarts the board, and finds it again.
    ///
    /// # Errors
    /// [`SessionError`]; [`SessionError::Nonsense`] if the board continues without a restart.
    pub fn restart(&mut self, command: &Command) -> Result<Status, SessionError> {
        let before = self.status()?.uptime();
        match self.ask_once(command) {
            // The board may be gone before its last reply is sent.
            Err(trouble) if !trouble.is_about_contact() => return Err(trouble),
            _ => {}
        }
        let since = Instant::now();
        loop {
            let status = self.resync(PATIENCE)?;
            let is_new = status.uptime().is_none_or(|up| {
                before.is_some_and(|before| up < before) || up <= since.elapsed() + ASK_EVERY
            });
            if is_new {
                return Ok(status);
            }
            if since.elapsed() >= PATIENCE {
                return Err(SessionError::Nonsense(
                    "it was asked to restart, but did not",
                ));
            }
            #[expect(
                clippy::disallowed_methods,
                reason = "a board tells nobody that it restarts: it is asked"
            )]
            std::thread::sleep(LOOK_EVERY);
        }
    }

    /// Sends a command without waiting for its reply.
    ///
    /// # Errors
    /// [`SessionError`].
    pub fn say(&mut self, command: &Command) -> Result<(), SessionError> {
        let line = command.line()?;
        (self.detail)(&format!("to the board: {command}"));
        let mut bytes = zeroize::Zeroizing::new(Vec::with_capacity(line.len() + 1));
        bytes.extend_from_slice(line.as_bytes());
        bytes.push(b'\n');
        self.write(&bytes)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), SessionError> {
        let result = self.port.write(bytes);
        self.is_in_step &= result.is_ok();
        result
    }

    /// Finds the board again and gets into step with it.
    ///
    /// # Errors
    /// [`SessionError`]; [`SessionError::Silent`] if it does not answer in time.
    pub fn resync(&mut self, patience: Duration) -> Result<Status, SessionError> {
        self.is_in_step = false;
        let until = Instant::now() + patience;
        let mut last = SessionError::Silent;
        while Instant::now() < until {
            match self.get_in_step(until) {
                Ok(status) => {
                    self.is_in_step = true;
                    return Ok(status);
                }
                Err(trouble @ SessionError::Lost(_)) => {
                    (self.detail)(&format!("{trouble}; looking for it"));
                    last = trouble;
                    self.reopen(until);
                }
                Err(SessionError::Silent) => {}
                Err(trouble) => return Err(trouble),
            }
        }
        Err(last)
    }

    fn get_in_step(&mut self, until: Instant) -> Result<Status, SessionError> {
        let mut asked = 0_u32;
        loop {
            // The first line ending closes a line that another program left unfinished, and `abort`
            // ends an upload: while one is under way, the board refuses most commands.
            self.write(b"\nabort\nstatus\n")?;
            asked += 1;
            let ask_again = until.min(Instant::now() + ASK_EVERY);
            let mut group: Vec<String> = Vec::new();
            while let Some(line) = self.line(ask_again)? {
                match line {
                    Line::Reply(line) if Status::begins_with(&line) => group = vec![line],
                    Line::Reply(line) if group.len() < MAX_LINES => group.push(line),
                    Line::Ok if group.first().is_some_and(|line| Status::begins_with(line)) => {
                        if asked > 1 {
                            self.drain(until)?;
                        }
                        return Status::parse(&group);
                    }
                    Line::Ok | Line::Error(_) | Line::Reply(_) => group.clear(),
                    Line::Other(_) => {}
                }
            }
            if Instant::now() >= until {
                return Err(SessionError::Silent);
            }
        }
    }

    /// Reads the late replies to earlier commands. A board that restarted meanwhile owes no reply,
    /// and is quiet.
    fn drain(&mut self, until: Instant) -> Result<(), SessionError> {
        self.write(format!("{NO_COMMAND}\n").as_bytes())?;
        let mut quiet_at = Instant::now() + LINE_WITHIN;
        while let Some(line) = self.line(quiet_at.min(until))? {
            match line {
                Line::Error(sentence) if sentence.starts_with(UNKNOWN) => break,
                Line::Other(_) => {}
                Line::Ok | Line::Error(_) | Line::Reply(_) => {
                    quiet_at = Instant::now() + LINE_WITHIN;
                }
            }
        }
        Ok(())
    }

    /// Opens the port again once it is back.
    fn reopen(&mut self, until: Instant) {
        while Instant::now() < until {
            #[expect(
                clippy::disallowed_methods,
                reason = "a port tells nobody that it is back"
            )]
            std::thread::sleep(LOOK_EVERY);
            match self.port.reopen() {
                Ok(()) => {
                    self.lines = Lines::default();
                    self.arrived.clear();
                    return;
                }
                Err(trouble) => (self.detail)(&trouble.to_string()),
            }
        }
    }

    fn reply(&mut self, line_within: Duration) -> Result<Vec<String>, SessionError> {
        let mut lines = Vec::new();
        let mut until = Instant::now() + line_within;
        loop {
            match self.line(until)? {
                None => return Err(SessionError::Silent),
                Some(Line::Other(text)) => {
                    let shown: String = text.chars().filter(|c| !c.is_control()).collect();
                    (self.detail)(&format!("from the board: {shown}"));
                }
                Some(Line::Ok) => return Ok(lines),
                Some(Line::Error(sentence)) => return Err(SessionError::Refused(sentence)),
                // Whatever this is, it is no reply.
                Some(Line::Reply(_)) if lines.len() >= MAX_LINES => {
                    return Err(SessionError::Silent);
                }
                Some(Line::Reply(line)) => {
                    lines.push(line);
                    until = Instant::now() + line_within;
                }
            }
        }
    }

    /// Returns the next line that ends before `until`.
    fn line(&mut self, until: Instant) -> Result<Option<Line>, SessionError> {
        loop {
            while let Some(byte) = self.arrived.pop_front() {
                if let Some(line) = self.lines.push(byte) {
                    return Ok(Some(line));
                }
            }
            let wait = until.saturating_duration_since(Instant::now());
            if wait.is_zero() {
                return Ok(None);
            }
            let mut buffer = [0; 1_024];
            let arrived = self.port.read(&mut buffer, wait)?;
            self.arrived.extend(arrived);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A board that answers one command each time it is read from, but nothing the first time.
    struct Slow {
        is_starting: bool,
        asked: VecDeque<String>,
        bytes: Vec<u8>,
    }

    impl Port for Slow {
        fn path(&self) -> &Path {
            Path::new("slow")
        }

        fn read<'b>(
            &mut self,
            buffer: &'b mut [u8],
            wait: Duration,
        ) -> Result<&'b [u8], SessionError> {
            self.bytes = match self.asked.pop_front().as_deref() {
                _ if self.is_starting => {
                    std::thread::park_timeout(wait);
                    self.is_starting = false;
                    self.asked.push_front("abort".to_owned());
                    Vec::new()
                }
                None => {
                    std::thread::park_timeout(wait);
                    Vec::new()
                }
                Some("status") => {
                    b"> board: slow\r\n> serial: 7\r\n> uptime: 3 s\r\n> ok\r\n".to_vec()
                }
                Some("abort") => b"> ok\r\n".to_vec(),
                Some("wifi") => b"> home\r\n> ok\r\n".to_vec(),
                Some(_) => b"> error: unknown command; \"help\" lists all commands\r\n".to_vec(),
            };
            let filled = buffer.get_mut(..self.bytes.len()).unwrap();
            filled.copy_from_slice(&self.bytes);
            Ok(filled)
        }

        fn write(&mut self, bytes: &[u8]) -> Result<(), SessionError> {
            let lines = bytes.split(|byte| *byte == b'\n');
            let lines = lines.map(|line| String::from_utf8_lossy(line).into_owned());
            self.asked.extend(lines.filter(|line| !line.is_empty()));
            Ok(())
        }

        fn reopen(&mut self) -> Result<(), SessionError> {
            Ok(())
        }
    }

    #[test]
    fn late_replies_of_a_slow_board_are_not_taken_for_those_to_what_is_asked_next() {
        let board = Slow {
            is_starting: true,
            asked: VecDeque::new(),
            bytes: Vec::new(),
        };
        let (mut session, status) = Session::begin(board, PATIENCE, |_| {}).unwrap();
        assert_eq!(status.uptime(), Some(Duration::from_secs(3)));
        let wifi = session.ask_once(&Command::new("wifi")).unwrap();
        assert_eq!(wifi, ["home"]);
        assert!(session.port.asked.is_empty());
    }
}
