//! QEMU's control connection: pictures of the screen, the cable, keys, the end (QEMU Machine Protocol).

use std::{
    io::{BufRead as _, BufReader, Write as _},
    os::unix::net::UnixStream,
    time::Duration,
};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::{Value, json};

/// A connection to a running QEMU.
pub struct Qmp {
    stream: BufReader<UnixStream>,
}

impl Qmp {
    /// Greets QEMU: before that it answers nothing else.
    pub fn over(stream: UnixStream) -> Result<Self> {
        stream
            .set_read_timeout(Some(Duration::from_secs(20)))
            .context(SOCKET)?;
        let mut qmp = Self {
            stream: BufReader::new(stream),
        };
        qmp.line()?;
        qmp.call("qmp_capabilities", &json!({}))?;
        Ok(qmp)
    }

    /// Sends a command and returns its answer.
    pub fn call(&mut self, command: &str, arguments: &Value) -> Result<Value> {
        let text = json!({ "execute": command, "arguments": arguments });
        writeln!(self.stream.get_mut(), "{text}").context(SOCKET)?;
        loop {
            let mut answer = self.line()?;
            if let Some(error) = answer.get("error") {
                bail!("QEMU refuses {command}: {error}");
            }
            // Events may arrive before the answer.
            if answer.get("return").is_some() {
                return Ok(answer["return"].take());
            }
        }
    }

    /// Plugs in or pulls the cable.
    pub fn set_cable(&mut self, is_in: bool) -> Result<()> {
        self.call("set_link", &json!({ "name": "n0", "up": is_in }))
            .map(drop)
    }

    /// Holds a key for a while.
    pub fn press(&mut self, key: &str, hold: Duration) -> Result<()> {
        let arguments = json!({
            "keys": [{ "type": "qcode", "data": key }],
            "hold-time": u64::try_from(hold.as_millis()).unwrap_or(u64::MAX),
        });
        self.call("send-key", &arguments).map(drop)
    }

    fn line(&mut self) -> Result<Value> {
        let mut line = String::new();
        let length = self.stream.read_line(&mut line).context(SOCKET)?;
        ensure!(length > 0, "QEMU has hung up");
        serde_json::from_str(&line).with_context(|| format!("QEMU says {line}"))
    }
}

/// What an error of the connection is about.
const SOCKET: &str = "QEMU's control socket";
