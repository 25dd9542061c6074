//! Mosquitto as a broker, and an independent client that sees what it has.
//!
//! Both are looked for where the machine has them, and below the target directory, where `cargo xtask test --setup`
//! puts them. Without them a test fails and says how to get them.

use std::{
    collections::BTreeMap,
    env, fs,
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tempfile::TempDir;

/// The longest time for anything that is expected soon, on a busy machine.
const SOON: Duration = Duration::from_secs(60);

/// The name of the marker's topic: what comes before it was there before.
const MARKER: &str = "observer/marker";

/// Runs the broker, and ends it when there is no more input, so that it never outlives the tests.
const GUARD: &str = r#""$@" </dev/null & pid=$!; cat >/dev/null; kill -KILL "$pid""#;

/// A running Mosquitto that forgets everything when it ends.
#[derive(Debug)]
pub struct Broker {
    dir: TempDir,
    port: u16,
    tls_port: Option<u16>,
    login: Option<(String, String)>,
    guard: Option<Child>,
}

impl Broker {
    /// Starts one that lets everybody in.
    #[must_use]
    pub fn open() -> Self {
        Self::start(None, None)
    }

    /// Starts one that asks for a user name and a password.
    #[must_use]
    pub fn with_login(username: &str, password: &str) -> Self {
        Self::start(Some((username, password)), None)
    }

    /// Starts one that asks for a user name and a password, and that has TLS at a second port, with this
    /// certificate and key in PEM.
    #[must_use]
    pub fn with_tls(login: (&str, &str), certificate: &str, key: &str) -> Self {
        Self::start(Some(login), Some((certificate, key)))
    }

    fn start(login: Option<(&str, &str)>, tls: Option<(&str, &str)>) -> Self {
        let dir = tempfile::Builder::new()
            .prefix("pulsewing-mqtt-")
            .tempdir()
            .unwrap();
        let file = |name: &str| dir.path().join(name);
        let port = free_port();
        let mut config = "persistence false\n".to_owned();
        if is_root() {
            // Otherwise it becomes a user who cannot read our files.
            config.push_str("user root\n");
        }
        match login {
            None => config.push_str("allow_anonymous true\n"),
            Some((username, password)) => {
                let passwords = file("passwords");
                let made = Command::new(program("mosquitto_passwd"))
                    .arg("-b")
                    .arg("-c")
                    .arg(&passwords)
                    .args([username, password])
                    .status();
                assert!(made.unwrap().success(), "mosquitto_passwd failed");
                config.push_str("allow_anonymous false\npassword_file ");
                config.push_str(&format!("{}\n", passwords.display()));
            }
        }
        config.push_str(&format!("listener {port} 127.0.0.1\n"));
        let tls_port = tls.map(|(certificate, key)| {
            let port = free_port();
            fs::write(file("cert.pem"), certificate).unwrap();
            fs::write(file("key.pem"), key).unwrap();
            config.push_str(&format!(
                "listener {port} 127.0.0.1\ncertfile {}\nkeyfile {}\n",
                file("cert.pem").display(),
                file("key.pem").display()
            ));
            port
        });
        fs::write(file("broker.conf"), config).unwrap();
        let owned = |(username, password): (&str, &str)| (username.to_owned(), password.to_owned());
        let mut broker = Self {
            dir,
            port,
            tls_port,
            login: login.map(owned),
            guard: None,
        };
        broker.start_again();
        broker
    }

    /// Starts it again at the same ports, with nothing of what it had.
    pub fn start_again(&mut self) {
        let log = fs::File::options()
            .create(true)
            .append(true)
            .open(self.dir.path().join("log"))
            .unwrap();
        let guard = Command::new("sh")
            .args(["-c", GUARD, "guard"])
            .arg(program("mosquitto"))
            .arg("-c")
            .arg(self.dir.path().join("broker.conf"))
            .stdin(Stdio::piped())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        self.guard = Some(guard);
        let ports = [Some(self.port), self.tls_port];
        for port in ports.into_iter().flatten() {
            until(&format!("Mosquitto at port {port}"), || {
                TcpStream::connect(("127.0.0.1", port)).ok()
            });
        }
    }

    /// Ends it, as a power cut would.
    pub fn stop(&mut self) {
        if let Some(mut guard) = self.guard.take() {
            drop(guard.stdin.take());
            guard.wait().unwrap();
            until("the end of Mosquitto", || {
                TcpListener::bind(("127.0.0.1", self.port)).ok()
            });
        }
    }

    /// Returns its port.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Returns its port with TLS.
    ///
    /// # Panics
    ///
    /// If it has none.
    #[must_use]
    pub fn tls_port(&self) -> u16 {
        self.tls_port.unwrap()
    }

    /// Waits until its log has these words so many times.
    ///
    /// # Panics
    ///
    /// If it does not get them soon.
    pub fn logs(&self, words: &str, count: usize) {
        let read = || fs::read_to_string(self.dir.path().join("log")).unwrap();
        let since = Instant::now();
        while read().matches(words).count() < count {
            assert!(since.elapsed() < SOON, "no {words:?} in {}", read());
            thread::park_timeout(Duration::from_millis(10));
        }
    }

    /// Returns what it keeps, by topic.
    #[must_use]
    pub fn kept(&self) -> BTreeMap<String, String> {
        let observer = Observer::of(self);
        observer.publish(MARKER, "", false);
        let seen = observer.until("the marker", |seen| {
            let marker = seen.iter().position(|message| message.topic == MARKER);
            marker.map(|before| seen.iter().take(before).cloned().collect::<Vec<_>>())
        });
        let kept = seen.into_iter().filter(|message| message.is_kept);
        kept.map(|message| (message.topic, message.payload))
            .collect()
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        if let Some(mut guard) = self.guard.take() {
            drop(guard.stdin.take());
            let _ = guard.wait();
        }
    }
}

/// A message, as the independent client saw it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Its topic.
    pub topic: String,
    /// Its text.
    pub payload: String,
    /// Whether the broker had kept it from before.
    pub is_kept: bool,
}

impl Seen {
    /// Returns the text as JSON.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.payload).unwrap()
    }
}

/// An independent client that sees everything: paho-mqtt, in Python.
#[derive(Debug)]
pub struct Observer {
    process: Child,
    input: ChildStdin,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Observer {
    /// Connects one, and waits until it sees everything.
    #[must_use]
    pub fn of(broker: &Broker) -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/mqtt/observer.py");
        let mut command = Command::new(python());
        command.arg("-B").arg(script).arg(broker.port.to_string());
        if let Some((username, password)) = &broker.login {
            command.args([username, password]);
        }
        let mut process = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let input = process.stdin.take().unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let first = lines.next().expect("the client ended").unwrap();
        assert_eq!(first, r#"{"ready": true}"#);
        let seen = Arc::new(Mutex::new(Vec::new()));
        let all = Arc::clone(&seen);
        thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let line: Value = serde_json::from_str(&line).unwrap();
                // After a broker's restart it says again that it is ready.
                let (Some(topic), Some(payload)) =
                    (line["topic"].as_str(), line["payload"].as_str())
                else {
                    continue;
                };
                all.lock().unwrap().push(Seen {
                    topic: topic.to_owned(),
                    payload: payload.to_owned(),
                    is_kept: line["retain"] == true,
                });
            }
        });
        Self {
            process,
            input,
            seen,
        }
    }

    /// Publishes a message.
    pub fn publish(&self, topic: &str, payload: &str, is_kept: bool) {
        let wish = json!({"topic": topic, "payload": payload, "retain": is_kept});
        (&self.input)
            .write_all(format!("{wish}\n").as_bytes())
            .unwrap();
    }

    /// Returns everything that it saw.
    #[must_use]
    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// Forgets what it saw.
    pub fn forget(&self) {
        self.seen.lock().unwrap().clear();
    }

    /// Waits for something in what it saw.
    pub fn until<T>(&self, what: &str, look: impl Fn(&[Seen]) -> Option<T>) -> T {
        until(what, || look(&self.seen.lock().unwrap()))
    }

    /// Waits for a message on a topic that a condition holds of, and returns it.
    pub fn hears(&self, topic: &str, is_it: impl Fn(&Seen) -> bool) -> Seen {
        self.until(topic, |seen| {
            let mut on_topic = seen.iter().filter(|message| message.topic == topic);
            on_topic.find(|message| is_it(message)).cloned()
        })
    }

    /// Waits until everything that was sent to the broker so far has been seen.
    pub fn catch_up(&self) {
        let marker = format!("{MARKER}/{}", self.seen().len());
        self.publish(&marker, "", false);
        self.hears(&marker, |_| true);
    }
}

impl Drop for Observer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let since = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(since.elapsed() < SOON, "waited {SOON:?} for {what}");
        thread::park_timeout(Duration::from_millis(10));
    }
}

/// Returns a port of this machine that is free at the moment.
fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

/// Returns one of Mosquitto's programs.
fn program(name: &str) -> PathBuf {
    let path = env::var_os("PATH").unwrap_or_default();
    let own = env::split_paths(&path).chain([PathBuf::from("/usr/sbin")]);
    let unpacked = below_target("tools/mosquitto/bin");
    let mut dirs = own.chain(unpacked).map(|dir| dir.join(name));
    dirs.find(|program| program.is_file()).unwrap_or_else(|| {
        panic!("these tests need Mosquitto: install the package mosquitto, or run `cargo xtask test --setup`")
    })
}

/// Returns the Python with the independent client.
fn python() -> PathBuf {
    let found = below_target("foreign-clients/bin/python").find(|python| {
        let mut ask = Command::new(python);
        ask.args(["-c", "import paho.mqtt.client"]);
        ask.status().is_ok_and(|status| status.success())
    });
    found.unwrap_or_else(|| {
        panic!(
            "these tests need paho-mqtt below the target directory: run `cargo xtask test --setup`"
        )
    })
}

/// Returns the paths of this name beside and above the test program.
fn below_target(name: &str) -> impl Iterator<Item = PathBuf> {
    let program = env::current_exe().unwrap();
    let dirs: Vec<PathBuf> = program.ancestors().map(|dir| dir.join(name)).collect();
    dirs.into_iter().filter(|path| path.exists())
}

fn is_root() -> bool {
    let asked = Command::new("id").arg("-u").output();
    asked.is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}
