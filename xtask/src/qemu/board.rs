//! An emulated board: its flash and card, and QEMU while it is switched on.

use std::fs::{self, File};
use std::io::Read as _;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::slice;
use std::thread;
use std::time::{Duration, Instant};

use base64ct::{Base64, Encoding as _};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::expected::Sight;
use super::images::{self, Card};
use super::lines::Lines;
use super::picture::Picture;
use super::qmp::Qmp;
use super::tools::Program;
use super::wire::Wire;

/// How long a board may take to answer a command. It may be in the middle of a handshake.
const ANSWER_WITHIN: Duration = Duration::from_secs(20);

/// Eight sectors of 256 KiB, as `docs/flash-format.md` says.
const CHAIN_SECTORS: usize = 8 << 18;

/// A board on the bench: what stays when the power is off.
pub(crate) struct Bench {
    dir: PathBuf,
    pub(crate) card: Card,
    qemu: Program,
    elf: PathBuf,
}

/// How the board is switched on.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Power {
    /// The serial line is a pseudo-terminal for another program instead of ours.
    pub(crate) pty: bool,
    /// Every instruction takes eight nanoseconds, so that their count means something.
    pub(crate) count: bool,
    /// The way to the router is a [`Wire`] that was laid on this bench.
    pub(crate) wire: bool,
}

impl Bench {
    /// A new board, with an erased flash and an empty card.
    pub(crate) fn new(
        dir: &Path,
        elf: &Path,
        qemu: &Program,
        mtools: &Program,
    ) -> Result<Self, String> {
        fs::create_dir_all(dir).map_err(|error| format!("{}: {error}", dir.display()))?;
        images::erased_flash(&dir.join("flash.img"))?;
        Ok(Self {
            card: Card::formatted(dir.join("card.img"), mtools)?,
            dir: dir.to_owned(),
            qemu: qemu.clone(),
            elf: elf.to_owned(),
        })
    }

    /// Lays a wire that [`Power::wire`] makes use of.
    pub(crate) fn lay_wire(&self) -> Result<Wire, String> {
        Wire::lay(&self.dir)
    }

    /// The beginning of the flash, where the chain is: as it is now, also while the board writes it.
    pub(crate) fn chain_sectors(&self) -> Result<Vec<u8>, String> {
        let mut bytes = vec![0; CHAIN_SECTORS];
        File::open(self.dir.join("flash.img"))
            .and_then(|mut flash| flash.read_exact(&mut bytes))
            .map_err(|error| format!("the flash: {error}"))?;
        Ok(bytes)
    }

    /// Switches the board on.
    pub(crate) fn start(&self) -> Result<Running<'_>, String> {
        self.start_with(Power::default())
    }

    /// Switches the board on in a special way.
    pub(crate) fn start_with(&self, power: Power) -> Result<Running<'_>, String> {
        for socket in ["serial.sock", "qmp.sock"] {
            let _ = fs::remove_file(self.dir.join(socket));
        }
        let qemu = self
            .command(power)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(self.log()?)
            .spawn()
            .map_err(|error| format!("QEMU does not start: {error}"))?;
        let mut qemu = Ending(qemu);
        let lines = if power.pty {
            None
        } else {
            let line = connect(&self.dir.join("serial.sock"), &mut qemu.0)?;
            Some(Lines::listen(line)?)
        };
        drop(connect(&self.dir.join("qmp.sock"), &mut qemu.0)?);
        let qmp = Qmp::over(connect(&self.dir.join("qmp.sock"), &mut qemu.0)?)?;
        let mut running = Running {
            bench: self,
            lines,
            qmp,
            qemu,
        };
        running.greet()?;
        Ok(running)
    }

    /// Where QEMU's own words go.
    fn log(&self) -> Result<File, String> {
        let path = self.dir.join("qemu.log");
        File::options()
            .create(true)
            .append(true)
            .open(&path)
            .map_err(|error| format!("{}: {error}", path.display()))
    }

    fn command(&self, power: Power) -> Command {
        let mut qemu = self.qemu.command();
        qemu.current_dir(&self.dir)
            .args(["-M", "virt", "-smp", "1", "-m", "16M", "-bios", "none"])
            .arg("-device")
            .arg(format!("loader,file={}", self.elf.display()))
            .args(["-global", "virtio-mmio.force-legacy=false"])
            .args(["-display", "none", "-monitor", "none"])
            .args(["-drive", "if=pflash,unit=1,format=raw,file=flash.img"])
            .args(if power.wire {
                Wire::options()
            } else {
                vec!["-netdev".to_owned(), "user,id=n0".to_owned()]
            })
            .args(["-device", "virtio-net-device,netdev=n0"])
            .args(["-device", "virtio-gpu-device,xres=480,yres=320"])
            .args(["-device", "virtio-rng-device"])
            .args(["-device", "virtio-keyboard-device"])
            .args(["-drive", "if=none,id=card,format=raw,file=card.img"])
            .args(["-device", "virtio-blk-device,drive=card"])
            .args(["-qmp", "unix:qmp.sock,server=on,wait=off"])
            .args(["-serial", "chardev:serial", "-chardev"])
            .arg(if power.pty {
                "pty,id=serial"
            } else {
                // Nothing is said before somebody listens.
                "socket,id=serial,path=serial.sock,server=on,wait=on"
            });
        if power.count {
            qemu.args(["-icount", "shift=3"]);
        }
        qemu
    }
}

/// A board that is switched on. Dropping it cuts the power.
pub(crate) struct Running<'b> {
    bench: &'b Bench,
    lines: Option<Lines>,
    pub(crate) qmp: Qmp,
    qemu: Ending,
}

/// A process that ends with this value.
struct Ending(Child);

impl Drop for Ending {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Running<'_> {
    /// Cuts the power: whatever the board was doing, it does no more.
    pub(crate) fn cut_power(mut self) -> Result<(), String> {
        let killed = self.qemu.0.kill().and_then(|()| self.qemu.0.wait());
        killed
            .map(drop)
            .map_err(|error| format!("QEMU cannot be ended: {error}"))
    }

    /// Waits until the board listens. What is said before is lost, like on any serial line.
    fn greet(&mut self) -> Result<(), String> {
        let Some(lines) = &mut self.lines else {
            return Ok(());
        };
        for _ in 0..60 {
            let start = lines.count();
            // Half a word may have arrived; nothing is being uploaded, so this ends nothing.
            lines.say("\nabort")?;
            let limit = Duration::from_millis(500);
            if lines.wait(start, limit, |line| line == "> ok").is_some() {
                return Ok(());
            }
        }
        Err(format!("the board does not answer{}", self.last_words()))
    }

    /// The pseudo-terminal that is the board's serial line.
    pub(crate) fn pty(&mut self) -> Result<PathBuf, String> {
        let devices = self.qmp.call("query-chardev", &json!({}))?;
        let devices = devices.as_array().cloned().unwrap_or_default();
        devices
            .iter()
            .filter_map(|device| device["filename"].as_str()?.strip_prefix("pty:"))
            .map(PathBuf::from)
            .next()
            .ok_or_else(|| "QEMU made no pseudo-terminal".to_owned())
    }

    pub(crate) fn lines(&self) -> &Lines {
        self.lines
            .as_ref()
            .expect("the harness has the serial line")
    }

    /// Gives a command on the console; returns the lines of its answer, without their marks.
    pub(crate) fn ask(&mut self, command: &str) -> Result<Vec<String>, String> {
        let lines = self
            .lines
            .as_mut()
            .expect("the harness has the serial line");
        let start = lines.count();
        lines.say(command)?;
        let is_last = |line: &str| line == "> ok" || line.starts_with("> error: ");
        let Some((end, last)) = lines.wait(start, ANSWER_WITHIN, is_last) else {
            return Err(format!("no answer to `{command}`{}", self.last_words()));
        };
        if let Some(complaint) = last.strip_prefix("> error: ") {
            return Err(format!("`{command}`: {complaint}"));
        }
        let answer = lines.since(start);
        let answer = answer.get(..end - 1 - start).unwrap_or_default();
        Ok(answer
            .iter()
            .filter_map(|line| line.strip_prefix("> "))
            .map(str::to_owned)
            .collect())
    }

    /// Uploads something, as `pulsewing board` would.
    pub(crate) fn upload(&mut self, what: &str, bytes: &[u8]) -> Result<(), String> {
        let digest = Sha256::digest(bytes);
        let digest: String = digest
            .iter()
            .take(6)
            .map(|byte| format!("{byte:02x}"))
            .collect();
        self.ask(&format!("put {what} {} {digest}", bytes.len()))?;
        for piece in bytes.chunks(384) {
            self.ask(&format!("data {}", Base64::encode_string(piece)))?;
        }
        self.ask("commit").map(drop)
    }

    /// Waits for a restart that the board was asked for, from the given line on.
    pub(crate) fn restarted(&mut self, start: usize) -> Result<(), String> {
        let is_greeting = |line: &str| line.starts_with("# pulsewing ");
        self.wait_for_line(start, ANSWER_WITHIN, is_greeting)?;
        self.greet()
    }

    /// A field of `status`.
    pub(crate) fn status(&mut self, key: &str) -> Result<Option<String>, String> {
        let lines = self.ask("status")?;
        Ok(lines
            .iter()
            .find_map(|line| line.strip_prefix(key)?.strip_prefix(": "))
            .map(str::to_owned))
    }

    /// Waits until a field of `status` is as it should be, and returns it.
    pub(crate) fn wait_for_status(
        &mut self,
        key: &str,
        limit: Duration,
        fits: impl Fn(&str) -> bool,
    ) -> Result<String, String> {
        let ends = Instant::now() + limit;
        loop {
            let value = self.status(key)?.unwrap_or_default();
            if fits(&value) {
                return Ok(value);
            }
            if Instant::now() > ends {
                let status = self.ask("status")?.join("\n  ");
                return Err(format!(
                    "`{key}` stays \"{value}\":\n  {status}{}",
                    self.last_words()
                ));
            }
            thread::sleep(Duration::from_millis(100));
        }
    }

    /// Waits until an update has succeeded since the start.
    pub(crate) fn wait_for_update(&mut self, limit: Duration) -> Result<(), String> {
        // The last success may be from before the start.
        self.wait_for_status("next update", limit, |value| value != "none")?;
        match self.status("failure")? {
            None => Ok(()),
            Some(failure) => Err(format!("the update failed: {failure}{}", self.last_words())),
        }
    }

    /// Waits for a line from the given one on; returns the number behind it and the line.
    pub(crate) fn wait_for_line(
        &self,
        start: usize,
        limit: Duration,
        fits: impl Fn(&str) -> bool,
    ) -> Result<(usize, String), String> {
        self.lines()
            .wait(start, limit, fits)
            .ok_or_else(|| format!("a line did not come{}", self.last_words()))
    }

    /// What the screen shows.
    pub(crate) fn screen(&mut self) -> Result<Picture, String> {
        let file = self.bench.dir.join("screen.ppm");
        self.qmp.call("screendump", &json!({ "filename": file }))?;
        let bytes = fs::read(&file).map_err(|error| format!("the screen: {error}"))?;
        Picture::from_ppm(&bytes).ok_or_else(|| "QEMU's picture cannot be read".to_owned())
    }

    /// Waits until the screen shows something.
    pub(crate) fn wait_for_sight(&mut self, sight: &Sight, limit: Duration) -> Result<(), String> {
        self.wait_for_one_of(slice::from_ref(sight), limit)
    }

    /// Waits until the screen shows one of several things.
    pub(crate) fn wait_for_one_of(
        &mut self,
        sights: &[Sight],
        limit: Duration,
    ) -> Result<(), String> {
        let ends = Instant::now() + limit;
        loop {
            let shown = self.screen()?;
            let mut differences = Vec::new();
            for sight in sights {
                match sight.check(&shown) {
                    Ok(()) => return Ok(()),
                    Err(difference) => differences.push(difference),
                }
            }
            if Instant::now() > ends {
                if let Some(sight) = sights.first() {
                    sight.write(&self.bench.dir.join("expected.ppm"))?;
                }
                let (differences, words) = (differences.join("; "), self.last_words());
                return Err(format!(
                    "the screen shows something else: {differences}{words}"
                ));
            }
            thread::sleep(Duration::from_millis(200));
        }
    }

    /// The end of what the board said, for an error.
    pub(crate) fn last_words(&self) -> String {
        let said = self
            .lines
            .as_ref()
            .map(|lines| lines.since(0))
            .unwrap_or_default();
        let last = &said[said.len().saturating_sub(25)..];
        format!("; the board's last words:\n  {}", last.join("\n  "))
    }
}

/// Connects to a socket that QEMU is about to make.
fn connect(socket: &Path, qemu: &mut Child) -> Result<UnixStream, String> {
    let ends = Instant::now() + Duration::from_secs(20);
    loop {
        if let Ok(stream) = UnixStream::connect(socket) {
            return Ok(stream);
        }
        if let Ok(Some(status)) = qemu.try_wait() {
            return Err(format!("QEMU ended with {status}; qemu.log says why"));
        }
        if Instant::now() > ends {
            return Err(format!("QEMU makes no {}", socket.display()));
        }
        thread::sleep(Duration::from_millis(10));
    }
}
