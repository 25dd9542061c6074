//! The sandbox as a separate process, over TLS, and requests to its control interface.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Arc,
    time::Duration,
};

use anyhow::{Context as _, Result, bail};
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned,
    pki_types::{CertificateDer, ServerName, pem::PemObject as _},
};
use serde_json::{Value, json};

/// The name in the certificate, which is also the name of the clouds for every client.
pub const NAME: &str = "localhost";

/// A running sandbox. Dropping it ends it.
pub struct Clouds {
    process: Child,
    /// The port that it listens on.
    pub port: u16,
    /// The ready line: addresses and OAuth clients.
    pub ready: Value,
    /// The certificate to trust.
    pub ca_file: PathBuf,
    tls: Arc<ClientConfig>,
}

impl Clouds {
    /// Starts a sandbox with its files in a directory.
    pub fn start(program: &Path, dir: &Path, options: &[&str]) -> Result<Self> {
        let tls_dir = dir.join("tls");
        fs::create_dir_all(&tls_dir).context("the sandbox")?;
        fs::write(tls_dir.join("names"), format!("{NAME}\n")).context("the sandbox")?;
        let mut process = Command::new(program)
            .args(["sandbox", "--listen", "127.0.0.1:0", "--tls"])
            .arg(&tls_dir)
            .args(options)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .context("the sandbox")?;
        let mut line = String::new();
        if let Some(stdout) = process.stdout.take() {
            BufReader::new(stdout)
                .read_line(&mut line)
                .context("the sandbox")?;
        }
        let ready: Value = serde_json::from_str(&line).unwrap_or_default();
        let port = ready["url"]
            .as_str()
            .and_then(|url| url.rsplit(':').next()?.parse().ok());
        let Some(port) = port else {
            let _ = process.kill();
            let _ = process.wait();
            bail!("the sandbox says {line:?}");
        };
        let ca_file = tls_dir.join("ca.pem");
        let tls = trusting(&ca_file).with_context(|| ca_file.display().to_string())?;
        Ok(Self {
            process,
            port,
            ready,
            ca_file,
            tls,
        })
    }

    /// Returns the address of the clouds, for every client that can reach this machine by its name.
    pub fn url(&self) -> String {
        format!("https://{NAME}:{}", self.port)
    }

    /// Returns all requests so far.
    pub fn requests(&self) -> Result<Vec<Value>> {
        let requests = self.control("GET", "requests", &Value::Null)?;
        Ok(requests.as_array().cloned().unwrap_or_default())
    }

    /// Returns the number of requests to a route.
    pub fn count(&self, route: &str) -> Result<usize> {
        let requests = self.requests()?;
        Ok(requests
            .iter()
            .filter(|request| request["route"] == route)
            .count())
    }

    /// Returns the tokens of one provider.
    pub fn tokens(&self, provider: &str) -> Result<Value> {
        let tokens = self.control("GET", "tokens", &Value::Null)?;
        let mut all = tokens.as_array().cloned().unwrap_or_default().into_iter();
        all.find(|chain| chain["provider"] == provider)
            .with_context(|| format!("nobody is signed in with {provider}"))
    }

    /// Replaces the faults.
    pub fn faults(&self, faults: &Value) -> Result<()> {
        self.control("POST", "faults", faults).map(drop)
    }

    /// Makes one kind of request fail `count` times; 0 means for ever.
    pub fn fault(&self, route: &str, count: u32, action: Value) -> Result<()> {
        self.faults(&json!([{ "route": route, "count": count, "do": action }]))
    }

    /// Advances the clock of the clouds.
    pub fn advance(&self, seconds: i64) -> Result<()> {
        self.control("POST", "clock", &json!({ "advance_s": seconds }))
            .map(drop)
    }

    fn control(&self, method: &str, call: &str, body: &Value) -> Result<Value> {
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        let reply = self.exchange(method, &format!("/_sandbox/{call}"), &body)?;
        match (reply.status, serde_json::from_str(&reply.body)) {
            (200, Ok(answer)) => Ok(answer),
            _ => bail!("/_sandbox/{call} answers {}: {}", reply.status, reply.body),
        }
    }

    /// Returns the address to which the consent page redirects a browser that approves at once.
    pub fn approve(&self, url: &str) -> Result<String> {
        let target = url
            .split_once("://")
            .and_then(|(_, rest)| Some(&rest[rest.find('/')?..]))
            .with_context(|| format!("{url} is not an address"))?;
        let reply = self.exchange("GET", &format!("{target}&auto=1"), "")?;
        reply
            .header("location")
            .map(str::to_owned)
            .with_context(|| format!("the consent page answers {}", reply.status))
    }

    fn exchange(&self, method: &str, target: &str, body: &str) -> Result<Reply> {
        let name = ServerName::try_from(NAME)?;
        let session = ClientConnection::new(Arc::clone(&self.tls), name)?;
        let stream =
            TcpStream::connect(("127.0.0.1", self.port)).context("the sandbox does not answer")?;
        stream
            .set_read_timeout(Some(Duration::from_secs(30)))
            .context("the sandbox does not answer")?;
        let mut stream = StreamOwned::new(session, stream);
        write!(
            stream,
            "{method} {target} HTTP/1.1\r\nHost: {NAME}:{}\r\nConnection: close\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            self.port,
            body.len()
        )
        .context("the sandbox does not answer")?;
        let mut text = Vec::new();
        stream
            .read_to_end(&mut text)
            .context("the sandbox does not answer")?;
        Reply::read(&String::from_utf8_lossy(&text)).context("no HTTP reply")
    }
}

impl Drop for Clouds {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A complete reply, on a connection of its own.
struct Reply {
    status: u16,
    headers: Vec<(String, String)>,
    body: String,
}

impl Reply {
    fn read(text: &str) -> Option<Self> {
        let (head, body) = text.split_once("\r\n\r\n")?;
        let mut lines = head.lines();
        let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
        let headers: Vec<(String, String)> = lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        let mut reply = Self {
            status,
            headers,
            body: body.to_owned(),
        };
        if reply.header("transfer-encoding") == Some("chunked") {
            reply.body = unchunked(body)?;
        }
        Some(reply)
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }
}

fn unchunked(mut body: &str) -> Option<String> {
    let mut whole = String::new();
    loop {
        let (size, rest) = body.split_once("\r\n")?;
        let size = usize::from_str_radix(size, 16).ok()?;
        if size == 0 {
            return Some(whole);
        }
        whole.push_str(rest.get(..size)?);
        body = rest.get(size + 2..)?;
    }
}

fn trusting(ca_file: &Path) -> Result<Arc<ClientConfig>> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(ca_file)? {
        roots.add(certificate?)?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_is_read_in_chunks_and_without() {
        let plain = Reply::read("HTTP/1.1 302 Found\r\nLocation: http://x/?a=1\r\n\r\n").unwrap();
        assert_eq!(plain.status, 302);
        assert_eq!(plain.header("location"), Some("http://x/?a=1"));
        let chunked =
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\n[1\r\n1\r\n]\r\n0\r\n\r\n";
        assert_eq!(Reply::read(chunked).unwrap().body, "[1]");
    }
}
