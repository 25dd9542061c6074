//! Home Assistant, over MQTT.

use std::path::{Path, PathBuf};

use pulsewing_mqtt::{BrokerAddress, Login, NodeId, Prefix};
use serde::{Deserialize, Deserializer, de::Error as _};
use zeroize::Zeroizing;

use super::by_name;
use crate::tell::problem::Problem;

/// The size limit of a password's file, in bytes.
const MAX_PASSWORD: u64 = 4 * 1_024;

/// The broker, and how to speak with it. Without an address nothing is sent anywhere.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct MqttConfig {
    /// Whether wearers are shown. If not, what was announced before is removed.
    pub enabled: bool,
    /// The broker: `mqtt://HOST[:PORT]`, or `mqtts://HOST[:PORT]` with TLS.
    #[serde(deserialize_with = "address")]
    pub url: Option<BrokerAddress>,
    /// The user name.
    pub username: Option<String>,
    /// The file with the password.
    pub password_file: Option<PathBuf>,
    /// The prefix of discovery, as Home Assistant has it.
    #[serde(deserialize_with = "by_name")]
    pub prefix: Option<Prefix>,
    /// The id of this installation, instead of the one that is made and kept.
    #[serde(deserialize_with = "by_name")]
    pub node: Option<NodeId>,
    /// A file of PEM certificates to trust in addition to the machine's.
    pub ca_file: Option<PathBuf>,
    /// Whether `mqtt://` may be used beyond this machine.
    pub allow_plain: bool,
}

impl Default for MqttConfig {
    fn default() -> Self {
        Self {
            enabled: true,
            url: None,
            username: None,
            password_file: None,
            prefix: None,
            node: None,
            ca_file: None,
            allow_plain: false,
        }
    }
}

impl MqttConfig {
    /// Returns the same with paths relative to the directory of the configuration file.
    pub(super) fn beside(self, dir: &Path) -> Self {
        Self {
            // `join` keeps an absolute path as it is.
            password_file: self.password_file.map(|file| dir.join(file)),
            ca_file: self.ca_file.map(|file| dir.join(file)),
            ..self
        }
    }

    /// Checks that the settings make sense together.
    ///
    /// # Errors
    /// A [`Problem`] that says which do not.
    pub(super) fn check(&self) -> Result<(), Problem> {
        let Some(url) = &self.url else {
            let others = [
                ("username", self.username.is_some()),
                ("password_file", self.password_file.is_some()),
                ("prefix", self.prefix.is_some()),
                ("node", self.node.is_some()),
                ("ca_file", self.ca_file.is_some()),
                ("allow_plain", self.allow_plain),
                ("enabled", !self.enabled),
            ];
            let idle = others.into_iter().find(|(_, is_set)| *is_set);
            return match idle {
                None => Ok(()),
                Some((name, _)) => Err(Problem::failed(format!(
                    "[mqtt] {name} has no effect, because there is no broker"
                ))
                .hint("name it, such as with url = \"mqtt://127.0.0.1\" under [mqtt]")),
            };
        };
        if self.password_file.is_some() && self.username.is_none() {
            return Err(Problem::failed(
                "[mqtt] password_file has no effect, because there is no username",
            ));
        }
        if !url.has_tls() && !url.is_loopback() && !self.allow_plain {
            return Err(Problem::failed(
                "[mqtt] url uses mqtt:// to another machine, so anybody on the way can read the heart rates and the password",
            )
            .hint("use mqtts://, or set `allow_plain = true` in [mqtt] if you are sure"));
        }
        Ok(())
    }

    /// Reads the password, if there is one.
    ///
    /// # Errors
    /// A [`Problem`] with its file.
    pub(crate) fn login(&self) -> Result<Option<Login>, Problem> {
        let Some(username) = &self.username else {
            return Ok(None);
        };
        let password = match &self.password_file {
            None => Zeroizing::default(),
            Some(path) => read_password(path)?,
        };
        let login = Login::new(username.clone(), password);
        login
            .map(Some)
            .map_err(|error| Problem::failed("[mqtt] cannot be used").caused_by(&error))
    }

    /// Returns the files that it names.
    pub(crate) fn files(&self) -> impl Iterator<Item = &Path> {
        let files = [&self.password_file, &self.ca_file];
        files.into_iter().flatten().map(PathBuf::as_path)
    }
}

fn read_password(path: &Path) -> Result<Zeroizing<String>, Problem> {
    let refuse = || {
        Problem::failed(format!(
            "[mqtt] password_file {} cannot be used",
            path.display()
        ))
    };
    let text = pulsewing_files::regular_file::read_text(path, MAX_PASSWORD);
    let text = Zeroizing::new(text.map_err(|error| refuse().caused_by(&error))?);
    // An editor ends a file with a line feed.
    let password = text.trim_end_matches(['\r', '\n']);
    match password.is_empty() || password.contains(['\r', '\n']) {
        true => Err(refuse().because("it must have the password in one line, and nothing else")),
        false => Ok(Zeroizing::new(password.to_owned())),
    }
}

fn address<'de, D: Deserializer<'de>>(from: D) -> Result<Option<BrokerAddress>, D::Error> {
    // The error does not repeat the text, which may have a password.
    let text = Zeroizing::new(String::deserialize(from)?);
    let address = text.parse();
    address.map(Some).map_err(|error| {
        D::Error::custom(format_args!("url is not the address of a broker: {error}"))
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::config::Config;

    fn message(text: &str) -> String {
        let parsed = Config::parse(&format!("[mqtt]\n{text}"));
        parsed.unwrap_err().to_string()
    }

    #[test]
    fn a_broker_is_named_with_what_it_needs() {
        let config = Config::parse(
            "[mqtt]\nurl = \"mqtts://broker.example\"\nusername = \"pulse\"\npassword_file = \"mqtt.password\"\n\
             prefix = \"ha\"\nnode = \"ab12\"\nca_file = \"/etc/ca.pem\"",
        )
        .unwrap();
        let mqtt = config.mqtt.beside(Path::new("/home/config"));
        assert_eq!(mqtt.url.as_ref().unwrap().port(), 8_883);
        let files: Vec<&Path> = mqtt.files().collect();
        assert_eq!(
            files,
            ["/home/config/mqtt.password", "/etc/ca.pem"].map(Path::new)
        );
        assert!(mqtt.enabled && !mqtt.allow_plain);
    }

    #[test]
    fn what_has_no_effect_or_would_be_read_on_the_way_is_refused() {
        assert!(message("username = \"pulse\"").contains("there is no broker"));
        assert!(message("enabled = false").contains("there is no broker"));
        let alone = message("url = \"mqtt://127.0.0.1\"\npassword_file = \"x\"");
        assert!(alone.contains("there is no username"), "{alone}");
        let plain = message("url = \"mqtt://192.168.1.2\"");
        assert!(plain.contains("allow_plain = true"), "{plain}");
        let allowed = "[mqtt]\nurl = \"mqtt://192.168.1.2\"\nallow_plain = true";
        assert!(Config::parse(allowed).is_ok());
        assert!(message("url = \"mqtt://a\"\nnode = \"A_B\"").contains("lower-case"));
        assert!(message("url = \"mqtt://a\"\nprefix = \"a/#\"").contains("prefix"));
        assert!(message("ulr = \"mqtt://a\"").contains("mqtt.url"));
        assert!(message("url = \"http://a\"").contains("mqtts://"));
    }

    #[test]
    fn a_password_is_read_from_its_file_and_never_shown() {
        let told = message("url = \"mqtt://pulse:hushhush@a\"");
        assert!(
            !told.contains("hush") && told.contains("password"),
            "{told}"
        );
        let dir = tempfile::tempdir().unwrap();
        let mut config = MqttConfig {
            username: Some("pulse".to_owned()),
            password_file: Some(dir.path().join("password")),
            ..MqttConfig::default()
        };
        let file = dir.path().join("password");
        fs::write(&file, "hushhush\n").unwrap();
        let login = config.login().unwrap().unwrap();
        assert!(!format!("{login:?}").contains("hush"));
        for wrong in ["", "\n", "hush\nhush\n"] {
            fs::write(&file, wrong).unwrap();
            let told = config.login().unwrap_err().to_string();
            assert!(
                told.contains("in one line") && !told.contains("hush"),
                "{told}"
            );
        }
        fs::remove_file(&file).unwrap();
        assert!(
            config
                .login()
                .unwrap_err()
                .to_string()
                .contains("password_file")
        );
        config.username = None;
        assert!(config.login().unwrap().is_none());
    }
}
