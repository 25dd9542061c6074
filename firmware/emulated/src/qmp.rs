//! QEMU's control connection: pictures of the screen, the cable, keys, the end (QEMU Machine Protocol).

use std::{
    io::{BufRead as _, BufReader, Write as _},
    os::unix::net::UnixStream,
    time::Duration,
};

use serde_json::{Value, json};

/// A connection to a running QEMU.
pub struct Qmp {
    stream: BufReader<UnixStream>,
}

impl Qmp {
    /// Greets QEMU: before that it answers nothing else.
    pub fn over(stream: UnixStream) -> Result<Self, String> {
        stream
            .set_read_timeout(Some(Duration::from_secs(20)))
            .map_err(|error| failed(&error))?;
        let mut qmp = Self {
            stream: BufReader::new(stream),
        };
        qmp.line()?;
        qmp.call("qmp_capabilities", &json!({}))?;
        Ok(qmp)
    }

    /// Sends a command and returns its answer.
    pub fn call(&mut self, command: &str, arguments: &Value) -> Result<Value, String> {
        let text = json!({ "execute": command, "arguments": arguments });
        writeln!(self.stream.get_mut(), "{text}").map_err(|error| failed(&error))?;
        loop {
            let mut answer = self.line()?;
            if let Some(error) = answer.get("error") {
                return Err(format!("QEMU refuses {command}: {error}"));
            }
            // Events may arrive before the answer.
            if answer.get("return").is_some() {
                return Ok(answer["return"].take());
            }
        }
    }

    /// Plugs in or pulls the cable.
    pub fn set_cable(&mut self, is_in: bool) -> Result<(), String> {
        self.call("set_link", &json!({ "name": "n0", "up": is_in }))
            .map(drop)
    }

    /// Holds a key for a while.
    pub fn press(&mut self, key: &str, hold: Duration) -> Result<(), String> {
        let arguments = json!({
            "keys": [{ "type": "qcode", "data": key }],
            "hold-time": u64::try_from(hold.as_millis()).unwrap_or(u64::MAX),
        });
        self.call("send-key", &arguments).map(drop)
    }

    fn line(&mut self) -> Result<Value, String> {
        let mut line = String::new();
        match self.stream.read_line(&mut line) {
            Ok(0) => Err("QEMU has hung up".to_owned()),
            Ok(_) => {
                serde_json::from_str(&line).map_err(|error| format!("QEMU says {line}: {error}"))
            }
            Err(error) => Err(failed(&error)),
        }
    }
}

fn failed(error: &std::io::Error) -> String {
    format!("QEMU's control socket: {error}")
}
