//! An emulated board: its flash and card, and QEMU while the board is switched on.

use std::{
    fs::{self, File},
    io::Read as _,
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    slice, thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, anyhow, bail};
use pulsewing_boardline::{
    Command as BoardCommand, Session, SessionError, Status, session::PATIENCE, upload::What,
};
use serde_json::json;

use crate::{
    expected::Sight,
    images::{self, Card},
    lines::{self, Lines, Socket},
    picture::Picture,
    qmp::Qmp,
    wire::Wire,
};

/// Maximum time for a board to answer a command. It may be in the middle of a handshake.
const ANSWER_WITHIN: Duration = Duration::from_secs(20);

/// Maximum time for a board to start, on a busy machine.
const BOOT_WITHIN: Duration = Duration::from_secs(60);

/// Eight sectors of 256 KiB, as in `docs/flash-format.md`.
const CHAIN_SECTORS: usize = 8 << 18;

/// A board on the bench: the state that survives a power cut.
pub struct Bench {
    dir: PathBuf,
    /// The card in its slot.
    pub card: Card,
    qemu: PathBuf,
    elf: PathBuf,
}

/// Options for switching the board on.
#[derive(Clone, Copy, Debug, Default)]
pub struct Power {
    /// Connects the serial line to a pseudo-terminal for another program instead of to us.
    pub pty: bool,
    /// Makes every instruction take eight nanoseconds, so that instructions can be counted.
    pub count: bool,
    /// Routes the network through the [`Wire`] that was laid on this bench.
    pub wire: bool,
}

impl Bench {
    /// Creates a board with an erased flash and an empty card.
    pub fn new(dir: &Path, elf: &Path, qemu: &Path, mtools: &Path) -> Result<Self> {
        fs::create_dir_all(dir).with_context(|| format!("{}", dir.display()))?;
        images::erased_flash(&dir.join("flash.img"))?;
        Ok(Self {
            card: Card::formatted(dir.join("card.img"), mtools)?,
            dir: dir.to_owned(),
            qemu: qemu.to_owned(),
            elf: elf.to_owned(),
        })
    }

    /// Lays a wire for [`Power::wire`].
    pub fn lay_wire(&self) -> Result<Wire> {
        Wire::lay(&self.dir)
    }

    /// Reads the beginning of the flash, where the chain is, even while the board writes it.
    pub fn chain_sectors(&self) -> Result<Vec<u8>> {
        let mut bytes = vec![0; CHAIN_SECTORS];
        File::open(self.dir.join("flash.img"))
            .and_then(|mut flash| flash.read_exact(&mut bytes))
            .context("the flash")?;
        Ok(bytes)
    }

    /// Switches the board on.
    pub fn start(&self) -> Result<Running<'_>> {
        self.start_with(Power::default())
    }

    /// Switches the board on with options.
    pub fn start_with(&self, power: Power) -> Result<Running<'_>> {
        for socket in ["serial.sock", "qmp.sock"] {
            let _ = fs::remove_file(self.dir.join(socket));
        }
        let qemu = self
            .command(power)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(self.log()?)
            .spawn()
            .context("QEMU does not start")?;
        let mut qemu = Ending(qemu);
        let line = if power.pty {
            None
        } else {
            let path = self.dir.join("serial.sock");
            let stream = connect(&path, &mut qemu.0)?;
            Some(lines::listen(stream, &path)?)
        };
        drop(connect(&self.dir.join("qmp.sock"), &mut qemu.0)?);
        let qmp = Qmp::over(connect(&self.dir.join("qmp.sock"), &mut qemu.0)?)?;
        let console = line.map(|(lines, socket)| Console::begin(lines, socket));
        Ok(Running {
            bench: self,
            console: console.transpose()?,
            qmp,
            qemu,
        })
    }

    /// Opens the file for QEMU's own messages.
    fn log(&self) -> Result<File> {
        let path = self.dir.join("qemu.log");
        File::options()
            .create(true)
            .append(true)
            .open(&path)
            .with_context(|| format!("{}", path.display()))
    }

    fn command(&self, power: Power) -> Command {
        let mut qemu = Command::new(&self.qemu);
        qemu.current_dir(&self.dir)
            .args(["-M", "virt", "-smp", "1", "-m", "16M", "-bios", "none"])
            // Without this, QEMU would look for a sound device, which a board does not have, among the
            // modules of any other QEMU that is installed here, and a module of another build ends the
            // program.
            .arg("-nodefaults")
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
                // The board sends nothing before we are connected.
                "socket,id=serial,path=serial.sock,server=on,wait=on"
            });
        if power.count {
            qemu.args(["-icount", "shift=3"]);
        }
        qemu
    }
}

/// A board that is switched on. Dropping it cuts the power.
pub struct Running<'b> {
    bench: &'b Bench,
    /// None while another program has the serial line.
    console: Option<Console>,
    /// QEMU, beside the board itself.
    pub qmp: Qmp,
    qemu: Ending,
}

/// The board's serial line: its log, and the conversation with it.
struct Console {
    lines: Lines,
    session: Session<Socket>,
}

impl Console {
    /// Waits until the board has started, and synchronises with it.
    fn begin(lines: Lines, socket: Socket) -> Result<Self> {
        lines
            .wait(0, BOOT_WITHIN, is_greeting)
            .with_context(|| format!("the board does not start{}", end_of(&lines)))?;
        match Session::begin(socket, PATIENCE, |_| {}) {
            Ok((session, _)) => Ok(Self { lines, session }),
            Err(trouble) => bail!("{trouble}{}", end_of(&lines)),
        }
    }
}

/// Returns whether a line is the first that a board prints.
fn is_greeting(line: &str) -> bool {
    line.starts_with("# pulsewing ")
}

/// Returns the end of the board's output, for an error message.
fn end_of(lines: &Lines) -> String {
    let said = lines.since(0);
    let last = &said[said.len().saturating_sub(25)..];
    format!("; the board's last words:\n  {}", last.join("\n  "))
}

/// A child process that is ended when this value is dropped.
struct Ending(Child);

impl Drop for Ending {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Running<'_> {
    /// Cuts the power: the board stops in the middle of anything it does.
    pub fn cut_power(mut self) -> Result<()> {
        let killed = self.qemu.0.kill().and_then(|()| self.qemu.0.wait());
        killed.map(drop).context("QEMU cannot be ended")
    }

    /// Returns the path of the pseudo-terminal that is the board's serial line.
    pub fn pty(&mut self) -> Result<PathBuf> {
        let devices = self.qmp.call("query-chardev", &json!({}))?;
        let devices = devices.as_array().cloned().unwrap_or_default();
        devices
            .iter()
            .filter_map(|device| device["filename"].as_str()?.strip_prefix("pty:"))
            .map(PathBuf::from)
            .next()
            .context("QEMU made no pseudo-terminal")
    }

    /// Returns what the board has printed.
    ///
    /// # Panics
    /// If another program has the serial line.
    #[must_use]
    pub fn lines(&self) -> &Lines {
        let console = self.console.as_ref();
        &console.expect("the harness has the serial line").lines
    }

    fn session(&mut self) -> &mut Session<Socket> {
        let console = self.console.as_mut();
        &mut console.expect("the harness has the serial line").session
    }

    /// Sends a command on the console; returns the lines of the answer, without their marks.
    pub fn ask(&mut self, command: &str) -> Result<Vec<String>> {
        let line = BoardCommand::new(command);
        let answer = self.session().ask_once_within(&line, ANSWER_WITHIN);
        answer.map_err(|trouble| match trouble {
            SessionError::Refused(complaint) => anyhow!("`{command}`: {complaint}"),
            trouble => anyhow!("`{command}`: {trouble}{}", self.last_words()),
        })
    }

    /// Uploads certificates to trust in addition to the board's own.
    pub fn upload_roots(&mut self, pem: &[u8]) -> Result<()> {
        let uploaded = self.session().upload(What::Roots, pem, |_| {}, |_| false);
        uploaded
            .map(drop)
            .map_err(|trouble| anyhow!("{trouble}{}", self.last_words()))
    }

    /// Waits, from the given line on, for a restart that was requested.
    pub fn restarted(&mut self, start: usize) -> Result<()> {
        self.wait_for_line(start, BOOT_WITHIN, is_greeting)?;
        let answer = self.session().resync(PATIENCE);
        answer
            .map(drop)
            .map_err(|trouble| anyhow!("{trouble}{}", self.last_words()))
    }

    /// Returns the whole `status`.
    pub fn whole_status(&mut self) -> Result<Status> {
        Ok(Status::parse(&self.ask("status")?)?)
    }

    /// Returns a field of `status`.
    pub fn status(&mut self, key: &str) -> Result<Option<String>> {
        Ok(self.whole_status()?.get(key).map(str::to_owned))
    }

    /// Waits until a field of `status` has an accepted value, and returns it.
    pub fn wait_for_status(
        &mut self,
        key: &str,
        limit: Duration,
        fits: impl Fn(&str) -> bool,
    ) -> Result<String> {
        let ends = Instant::now() + limit;
        loop {
            let value = self.status(key)?.unwrap_or_default();
            if fits(&value) {
                return Ok(value);
            }
            if Instant::now() > ends {
                let status = self.ask("status")?.join("\n  ");
                bail!(
                    "`{key}` stays \"{value}\":\n  {status}{}",
                    self.last_words()
                );
            }
            thread::sleep(Duration::from_millis(100));
        }
    }

    /// Waits for the first successful update since the start.
    pub fn wait_for_update(&mut self, limit: Duration) -> Result<()> {
        // The last success may be from before the start.
        self.wait_for_status("next update", limit, |value| value != "none")?;
        match self.status("failure")? {
            None => Ok(()),
            Some(failure) => bail!("the update failed: {failure}{}", self.last_words()),
        }
    }

    /// Waits for a line from the given one on; returns the number after it and the line.
    pub fn wait_for_line(
        &self,
        start: usize,
        limit: Duration,
        fits: impl Fn(&str) -> bool,
    ) -> Result<(usize, String)> {
        self.lines()
            .wait(start, limit, fits)
            .with_context(|| format!("an expected line did not come{}", self.last_words()))
    }

    /// Returns the picture on the screen.
    pub fn screen(&mut self) -> Result<Picture> {
        let file = self.bench.dir.join("screen.ppm");
        self.qmp.call("screendump", &json!({ "filename": file }))?;
        let bytes = fs::read(&file).context("the screen")?;
        Picture::from_ppm(&bytes).context("QEMU's picture cannot be read")
    }

    /// Waits until the screen shows a sight.
    pub fn wait_for_sight(&mut self, sight: &Sight, limit: Duration) -> Result<()> {
        self.wait_for_one_of(slice::from_ref(sight), limit)
    }

    /// Waits until the screen shows one of several sights.
    pub fn wait_for_one_of(&mut self, sights: &[Sight], limit: Duration) -> Result<()> {
        let ends = Instant::now() + limit;
        loop {
            let shown = self.screen()?;
            let mut differences = Vec::new();
            for sight in sights {
                match sight.check(&shown) {
                    Ok(()) => return Ok(()),
                    Err(difference) => differences.push(difference.to_string()),
                }
            }
            if Instant::now() > ends {
                if let Some(sight) = sights.first() {
                    sight.write(&self.bench.dir.join("expected.ppm"))?;
                }
                let (differences, words) = (differences.join("; "), self.last_words());
                bail!("the screen shows something else: {differences}{words}");
            }
            thread::sleep(Duration::from_millis(200));
        }
    }

    /// Returns the end of the board's output, for an error message.
    pub fn last_words(&self) -> String {
        let console = self.console.as_ref();
        console.map_or_else(String::new, |console| end_of(&console.lines))
    }
}

/// Connects to a socket that QEMU is about to create.
fn connect(socket: &Path, qemu: &mut Child) -> Result<UnixStream> {
    let ends = Instant::now() + Duration::from_secs(20);
    loop {
        if let Ok(stream) = UnixStream::connect(socket) {
            return Ok(stream);
        }
        if let Ok(Some(status)) = qemu.try_wait() {
            bail!("QEMU ended with {status}; qemu.log says why");
        }
        if Instant::now() > ends {
            bail!("QEMU makes no {}", socket.display());
        }
        thread::sleep(Duration::from_millis(10));
    }
}
