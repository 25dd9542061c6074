//! The console of a stand-in for a board: an independent implementation of the protocol, so that the
//! program's mistakes are not mirrored here.

use std::{collections::BTreeMap, time::Instant};

use base64ct::{Base64, Encoding};
use pulsewing_core::{
    RefreshToken,
    chain::{Record, Standing, Unstored, codec::MAX_RECORD},
    oauth::Grant,
};
use sha2::{Digest, Sha256};

/// Maximum length of a line that a board accepts.
const MAX_LINE: usize = 512;

/// Maximum number of bytes in a piece.
const MAX_PIECE: usize = 384;

/// A board's stored data, and its transfers in progress.
pub(crate) struct Console {
    pub(crate) serial: String,
    pub(crate) started: Instant,
    /// The stored record of the chain.
    pub(crate) chain: Option<Vec<u8>>,
    pub(crate) settings: BTreeMap<String, String>,
    pub(crate) networks: Vec<(String, String)>,
    pub(crate) roots: Vec<u8>,
    pub(crate) wallpaper: Vec<u8>,
    pub(crate) log: Vec<String>,
    upload: Option<Upload>,
    /// The number of chain uploads during which the board renews its own chain.
    pub(crate) renewals: u32,
    /// The error with which the flash refuses a write.
    pub(crate) flash_fault: Option<&'static str>,
    /// Whether the flash takes a chain but cannot confirm it: only a restart shows it.
    pub(crate) is_unconfirmed: bool,
    unseen: Option<Vec<u8>>,
    /// A fingerprint that the board reports instead of the true one.
    pub(crate) claims: Option<&'static str>,
}

struct Upload {
    what: String,
    length: usize,
    checksum: String,
    bytes: Vec<u8>,
}

/// The result of a line.
pub(crate) struct Outcome {
    pub(crate) reply: Result<Vec<String>, String>,
    pub(crate) restarts: bool,
}

impl Console {
    pub(crate) fn new(serial: &str) -> Self {
        let settings = [
            ("provider", "google"),
            ("endpoint.auth", ""),
            ("endpoint.token", ""),
            ("endpoint.api", ""),
            ("endpoint.plain_http", "no"),
            ("poll.every", "900"),
            ("poll.hourly_cap", "60"),
            ("poll.hold_off", "60"),
            ("screen.theme", "desk"),
            ("screen.palette", "auto"),
            ("wearer.name", ""),
            ("wearer.zones", ""),
            ("wearer.born", ""),
            ("wearer.time_zone", ""),
            ("wearer.zone_rule", ""),
        ];
        Self {
            serial: serial.to_owned(),
            started: Instant::now(),
            chain: None,
            settings: settings.map(|(n, v)| (n.to_owned(), v.to_owned())).into(),
            networks: Vec::new(),
            roots: Vec::new(),
            wallpaper: Vec::new(),
            log: Vec::new(),
            upload: None,
            renewals: 0,
            flash_fault: None,
            is_unconfirmed: false,
            unseen: None,
            claims: None,
        }
    }

    /// Resets everything that does not survive a power cut or a restart.
    pub(crate) fn restart(&mut self) {
        self.upload = None;
        self.started = Instant::now();
        self.chain = self.unseen.take().or_else(|| self.chain.take());
    }

    pub(crate) fn record(&self) -> Option<Record> {
        self.chain
            .as_ref()
            .map(|bytes| Record::decode(bytes).unwrap())
    }

    /// Obeys a line.
    pub(crate) fn line(&mut self, line: &str) -> Outcome {
        if line.len() > MAX_LINE {
            return refuse("the line is too long");
        }
        let Some(words) = words(line) else {
            return refuse("a quotation mark is missing");
        };
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let restarts = self.upload.is_none()
            && matches!(words.as_slice(), ["reset"] | ["reset", "factory", "yes"]);
        let is_part = matches!(
            words.as_slice(),
            ["data", _] | ["commit"] | ["abort"] | ["put", ..]
        );
        let reply = match words.as_slice() {
            // No other command is answered during an upload.
            _ if self.upload.is_some() && !is_part => Err("an upload is under way".to_owned()),
            ["help"] => Ok(vec!["help status log set unset wifi put reset".to_owned()]),
            ["status"] => Ok(self.status()),
            ["log"] => Ok(self.log.clone()),
            ["set"] => Ok(self
                .settings
                .iter()
                .map(|(name, value)| format!("{name} {value}"))
                .collect()),
            ["set", name, value] => self.set(name, value),
            ["unset", name] => self.set(name, ""),
            ["wifi"] => Ok(self.networks.iter().map(|(ssid, _)| ssid.clone()).collect()),
            ["wifi", "add", ssid, password] => {
                self.networks.retain(|(known, _)| known != ssid);
                self.networks
                    .push(((*ssid).to_owned(), (*password).to_owned()));
                Ok(vec![])
            }
            ["put", what, length, checksum] => self.put(what, length, checksum),
            ["data", text] => self.data(text),
            ["commit"] => self.commit(),
            ["abort"] => match self.upload.take() {
                Some(_) => Err("the upload was aborted".to_owned()),
                None => Ok(vec![]),
            },
            ["shot"] => Ok(shot()),
            ["reset"] => Ok(vec![]),
            ["reset", "factory", "yes"] => {
                let serial = std::mem::take(&mut self.serial);
                *self = Self::new(&serial);
                Ok(vec![])
            }
            _ => Err("unknown command; \"help\" lists all commands".to_owned()),
        };
        Outcome { reply, restarts }
    }

    fn status(&self) -> Vec<String> {
        let up = self.started.elapsed().as_secs();
        let address = if self.networks.is_empty() {
            "none"
        } else {
            "192.0.2.7"
        };
        let provider = self.settings.get("provider").map_or("", String::as_str);
        let network = self.networks.last().map_or("none", |(ssid, _)| ssid);
        vec![
            "board: stand-in".to_owned(),
            format!("serial: {}", self.serial),
            "firmware: 0.1.0".to_owned(),
            format!("uptime: {up} s"),
            format!("network: {network}"),
            format!("address: {address}"),
            "time: 2026-11-22T14:07:00Z".to_owned(),
            format!("provider: {provider}"),
            format!("chain: {}", self.chain_in_words(true)),
            "last success: never".to_owned(),
            "heap: 1 2 3".to_owned(),
        ]
    }

    fn chain_in_words(&self, with_standing: bool) -> String {
        let Some(record) = self.record() else {
            return "none".to_owned();
        };
        let chain = record.chain;
        let fingerprint = chain.refresh_token().fingerprint().to_string();
        format!(
            "{} generation {}{} fingerprint {}",
            chain.provider().name(),
            chain.generation(),
            if with_standing { " active" } else { "" },
            self.claims.unwrap_or(&fingerprint)
        )
    }

    fn set(&mut self, name: &str, value: &str) -> Result<Vec<String>, String> {
        let slot = self
            .settings
            .get_mut(name)
            .ok_or_else(|| format!("there is no setting {name}"))?;
        value.clone_into(slot);
        Ok(vec![])
    }

    fn put(&mut self, what: &str, length: &str, checksum: &str) -> Result<Vec<String>, String> {
        let most = match what {
            "chain" => MAX_RECORD,
            "roots" => 8 * 1_024,
            "wallpaper" => 128 * 1_024,
            _ => return Err("chain, roots or wallpaper".to_owned()),
        };
        let length: usize = length.parse().map_err(|_| "no length".to_owned())?;
        if length > most || checksum.len() != 12 {
            return Err(format!("at most {most} bytes"));
        }
        if what == "chain" && self.renewals > 0 {
            self.renewals -= 1;
            self.renew();
        }
        self.upload = Some(Upload {
            what: what.to_owned(),
            length,
            checksum: checksum.to_owned(),
            bytes: Vec::new(),
        });
        Ok(vec![])
    }

    /// Renews its own sign-in, as a board does on its own.
    fn renew(&mut self) {
        let Some(old) = self.record().map(|record| record.chain) else {
            return;
        };
        let token = format!("{:064x}", old.generation());
        let grant = Grant {
            refresh: Some(RefreshToken::new(&token).unwrap()),
            ..Grant::default()
        };
        let new = Unstored::signed_in(
            old.provider(),
            old.issuer().try_into().unwrap(),
            old.client().clone(),
            grant,
            old.scopes(),
            Some(old.generation()),
            old.obtained_at(),
        );
        let mut buffer = [0; MAX_RECORD];
        self.chain = new.unwrap().encode(&mut buffer).map(<[u8]>::to_vec);
    }

    fn data(&mut self, text: &str) -> Result<Vec<String>, String> {
        let upload = self.upload.as_mut().ok_or("no upload has begun")?;
        let piece = Base64::decode_vec(text).map_err(|_| "that is no base64".to_owned())?;
        if piece.len() > MAX_PIECE || upload.bytes.len() + piece.len() > upload.length {
            return Err("that is more than was announced".to_owned());
        }
        upload.bytes.extend(piece);
        Ok(vec![])
    }

    fn commit(&mut self) -> Result<Vec<String>, String> {
        let upload = self.upload.take().ok_or("no upload has begun")?;
        let checksum: String = Sha256::digest(&upload.bytes)[..6]
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        if upload.bytes.len() != upload.length || checksum != upload.checksum {
            return Err("what arrived is not what was announced".to_owned());
        }
        if let Some(fault) = self.flash_fault {
            return Err(fault.to_owned());
        }
        match upload.what.as_str() {
            "roots" => self.roots = upload.bytes,
            "wallpaper" => self.wallpaper = upload.bytes,
            _ => return self.adopt(upload.bytes),
        }
        Ok(vec![])
    }

    fn adopt(&mut self, bytes: Vec<u8>) -> Result<Vec<String>, String> {
        let new = Record::decode(&bytes).map_err(|error| error.to_string())?;
        if new.chain.standing() != Standing::Active {
            return Err("that chain may not be used".to_owned());
        }
        if let Some(stored) = self.record()
            && stored.chain.generation() >= new.chain.generation()
        {
            return Err("the stored sign-in is of a later generation".to_owned());
        }
        if self.is_unconfirmed {
            self.unseen = Some(bytes);
            return Err("it could not be written to the flash".to_owned());
        }
        self.chain = Some(bytes);
        Ok(vec![format!("chain: {}", self.chain_in_words(false))])
    }
}

fn refuse(sentence: &str) -> Outcome {
    Outcome {
        reply: Err(sentence.to_owned()),
        restarts: false,
    }
}

/// Splits a line into words at blanks; words in double quotes may contain blanks.
fn words(line: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut chars = line.chars().peekable();
    loop {
        while chars.next_if_eq(&' ').is_some() {}
        let Some(first) = chars.next() else {
            return Some(words);
        };
        let mut word = String::new();
        if first == '"' {
            loop {
                match chars.next()? {
                    '"' => break,
                    '\\' => word.push(chars.next()?),
                    c => word.push(c),
                }
            }
        } else {
            word.push(first);
            while let Some(c) = chars.next_if(|c| *c != ' ') {
                word.push(c);
            }
        }
        words.push(word);
    }
}

/// Returns four rows of nineteen pixels, one of each kind.
fn shot() -> Vec<String> {
    let mut lines = vec!["frame 19 4".to_owned()];
    let colours: Vec<String> = (0_u8..16).map(|ink| format!("{ink:02x}80ff")).collect();
    lines.push(format!("palette {}", colours.join(" ")));
    let packed = [
        0, 0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef, 0x01, 0x20,
    ];
    for row in [&[1, 0x0f, 3][..], &[2], &[1, 0x31, 0x02, 0], &packed] {
        lines.push(format!("row {}", Base64::encode_string(row)));
    }
    lines
}

#[test]
fn words_may_be_quoted() {
    assert_eq!(
        words(r#"wifi add "Blue \"Bird\"" "a\\b" "" end"#).unwrap(),
        ["wifi", "add", "Blue \"Bird\"", "a\\b", "", "end"]
    );
    assert_eq!(words("set \"open"), None);
}
