//! The OAuth client file from Google's console.

use std::{io, path::Path};

use pulsewing_files::regular_file;
use serde::Deserialize;

use crate::{commands::byte_order_mark, tell::problem::Problem};

/// The size limit for reading the file, in bytes.
const MAX_BYTES: u64 = 64 * 1_024;

/// The contents of the file.
pub(super) struct ClientFile {
    pub(super) client_id: String,
    pub(super) client_secret: String,
    /// The registered redirect addresses of a "Web application"; a "Desktop app" has none.
    pub(super) registered: Option<Vec<String>>,
}

/// The client's kind is the name of the only member.
#[derive(Deserialize)]
struct Download {
    installed: Option<Client>,
    web: Option<Client>,
}

#[derive(Deserialize)]
struct Client {
    client_id: String,
    client_secret: Option<String>,
    #[serde(default)]
    redirect_uris: Vec<String>,
}

pub(super) fn read(path: &Path) -> Result<ClientFile, Problem> {
    let refuse = |why: &str| {
        Problem::failed(format!("{} {why}", path.display()))
            .hint("download the JSON of an OAuth client of type \"Desktop app\" at https://console.cloud.google.com/auth/clients")
    };
    let text = regular_file::read(path, MAX_BYTES).map_err(|error| match error.kind() {
        io::ErrorKind::FileTooLarge => refuse("is too large to be an OAuth client"),
        _ => Problem::failed(format!("{} could not be read", path.display())).caused_by(&error),
    })?;
    // The error's own text may contain a part of the file, which is a secret.
    let text = byte_order_mark::without(&text);
    let download: Download = serde_json::from_slice(text).map_err(|error| {
        refuse(&format!(
            "is not the JSON of an OAuth client (line {})",
            error.line()
        ))
    })?;
    let (client, is_web) = match (download.installed, download.web) {
        (Some(client), _) => (client, false),
        (None, Some(client)) => (client, true),
        (None, None) => return Err(refuse("is JSON, but not an OAuth client")),
    };
    let has_secret = |secret: &String| !secret.trim().is_empty();
    let client_secret = client.client_secret.filter(has_secret).ok_or_else(|| {
        // Clients of type Android and iOS have no secret and no redirect address.
        if !is_web && client.redirect_uris.is_empty() {
            return refuse("has no client_secret: it is for a client of type Android, iOS or similar, and those do not work here");
        }
        Problem::failed(format!("{} has no client_secret", path.display()))
            .hint("Google shows a client's secret only when the secret is created: open the client at https://console.cloud.google.com/auth/clients, add a secret, and download the JSON right away")
    })?;
    Ok(ClientFile {
        client_id: client.client_id,
        client_secret,
        registered: is_web.then_some(client.redirect_uris),
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn parsed(json: &str) -> Result<ClientFile, Problem> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("client.json");
        fs::write(&path, json).unwrap();
        read(&path)
    }

    #[test]
    fn both_kinds_are_read() {
        let desktop = parsed(r#"{"installed":{"client_id":"i","client_secret":"s","redirect_uris":["http://localhost"]}}"#).unwrap();
        assert_eq!(
            (desktop.client_id.as_str(), desktop.registered),
            ("i", None)
        );
        let marked =
            parsed("\u{feff}{\"installed\":{\"client_id\":\"i\",\"client_secret\":\"s\"}}");
        assert_eq!(marked.unwrap().client_id, "i");
        let web = parsed(r#"{"web":{"client_id":"w","client_secret":"s","redirect_uris":["http://localhost:8080/cb"]}}"#).unwrap();
        assert_eq!(web.registered.unwrap(), ["http://localhost:8080/cb"]);
    }

    #[test]
    fn a_desktop_client_without_its_secret_is_told_from_one_that_has_none() {
        for (json, words, not) in [
            (
                r#"{"installed":{"client_id":"i","redirect_uris":["http://localhost"]}}"#,
                "add a secret",
                "Android",
            ),
            (
                r#"{"installed":{"client_id":"i","client_secret":" ","redirect_uris":["http://localhost"]}}"#,
                "add a secret",
                "Android",
            ),
            (
                r#"{"installed":{"client_id":"i"}}"#,
                "Android",
                "add a secret",
            ),
            (r#"{"web":{"client_id":"w"}}"#, "add a secret", "Android"),
        ] {
            let message = parsed(json).map(|_| ()).unwrap_err().to_string();
            assert!(
                message.contains(words) && !message.contains(not),
                "{message}"
            );
            assert!(message.contains("client_secret"), "{message}");
        }
    }

    #[test]
    fn another_file_is_refused_without_being_shown() {
        for json in [
            "",
            "{}",
            r#"{"type":"service_account","private_key":"hush"}"#,
            r#"{"installed":{"client_id":"hush"}}"#,
            "hush",
        ] {
            let message = parsed(json).map(|_| ()).unwrap_err().to_string();
            assert!(!message.contains("hush"), "{message}");
        }
    }
}
