//! A running daemon, and its replies to browsers and programs.

use serde_json::Value;

use crate::harness::{
    hermetic::{Finished, Program, Running},
    loopback_http::{self, Reply},
    signed_in::SignedIn,
};

/// `pulsewing run` with its page at a free port.
pub(crate) struct Daemon {
    pub(crate) running: Running,
    pub(crate) url: String,
}

impl Daemon {
    /// Starts it, and waits until its page is available.
    pub(crate) fn start(signed_in: &SignedIn) -> Self {
        Self::of(signed_in.program(&["run", "--listen", "127.0.0.1:0"]))
    }

    /// Starts it, and waits until its first cycle has succeeded.
    pub(crate) fn updated(signed_in: &SignedIn) -> Self {
        let daemon = Self::start(signed_in);
        daemon.logs("updated bpm=");
        daemon
    }

    /// Starts the given program instead.
    pub(crate) fn of(program: Program) -> Self {
        let running = program.start();
        let line = Self::line_with(&running, "listening page=");
        let (_, url) = line.split_once("page=").unwrap();
        Self {
            url: url.trim_end_matches('/').to_owned(),
            running,
        }
    }

    /// Returns the next line of the log that contains these words.
    pub(crate) fn logs(&self, words: &str) -> String {
        Self::line_with(&self.running, words)
    }

    fn line_with(running: &Running, words: &str) -> String {
        loop {
            let line = running.error_line();
            if line.contains(words) {
                return line;
            }
        }
    }

    pub(crate) fn get(&self, path: &str) -> Reply {
        loopback_http::get(&format!("{}{path}", self.url))
    }

    pub(crate) fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)]) -> Reply {
        loopback_http::exchange(method, &format!("{}{path}", self.url), headers, "")
    }

    /// Posts a form as the page itself does.
    pub(crate) fn post(&self, path: &str, form: &str) -> Reply {
        let headers = [
            ("Content-Type", "application/x-www-form-urlencoded"),
            ("Origin", self.url.as_str()),
        ];
        loopback_http::exchange("POST", &format!("{}{path}", self.url), &headers, form)
    }

    pub(crate) fn json(&self, path: &str) -> Value {
        let reply = self.get(path);
        assert_eq!(reply.status, 200, "{}", reply.body);
        reply.json()
    }

    /// Tells it to stop, and waits for its end.
    pub(crate) fn stop(self) -> Finished {
        self.running.stop()
    }
}
