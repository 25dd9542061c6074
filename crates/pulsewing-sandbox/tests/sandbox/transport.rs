//! The layers below the replies: compression, header names, TLS.

use std::{io::Read, sync::Arc};

use flate2::read::GzDecoder;
use pulsewing_sandbox::{FITBIT_APP, Sandbox, SandboxConfig};
use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_rustls::TlsConnector;

use crate::harness::{Response, Running, block_on};

fn head_and_body(bytes: &[u8]) -> (String, &[u8]) {
    let split = bytes
        .windows(4)
        .position(|four| four == b"\r\n\r\n")
        .unwrap();
    (
        String::from_utf8(bytes[..split].to_vec()).unwrap(),
        &bytes[split + 4..],
    )
}

#[test]
fn replies_are_compressed_for_those_who_ask() {
    let sandbox = Running::start();
    let authorization = format!("Bearer {}", sandbox.google_login().access);
    let target = "/v4/users/me/dataTypes/heart-rate/dataPoints?pageSize=500";
    let plain = sandbox.request("GET", target, &[("Authorization", &authorization)], "");
    assert_eq!(plain.header("content-encoding"), None);
    let headers = [
        ("Authorization", authorization.as_str()),
        ("Accept-Encoding", "gzip, deflate"),
    ];
    let bytes = sandbox.raw("GET", target, &headers, "");
    let (head, body) = head_and_body(&bytes);
    assert!(head.contains("Content-Encoding: gzip"), "{head}");
    assert!(
        head.contains(&format!("Content-Length: {}", body.len())),
        "{head}"
    );
    assert!(body.len() * 5 < plain.body.len());
    let mut text = String::new();
    GzDecoder::new(body).read_to_string(&mut text).unwrap();
    assert_eq!(text, plain.body);
}

#[test]
fn errors_and_pages_are_compressed_too_but_not_what_is_cut() {
    let sandbox = Running::start();
    let gzip = [("Accept-Encoding", "gzip")];
    for target in [
        "/v4/users/me/settings",
        "/v4/nothing",
        "/1/user/-/devices.json",
        "/",
    ] {
        let bytes = sandbox.raw("GET", target, &gzip, "");
        assert!(
            head_and_body(&bytes).0.contains("Content-Encoding: gzip"),
            "{target}"
        );
    }
    sandbox.fault("fitbit.devices", json!({ "truncate": 10 }));
    let bytes = sandbox.raw("GET", "/1/user/-/devices.json", &gzip, "");
    let (head, body) = head_and_body(&bytes);
    assert!(!head.contains("Content-Encoding") && body == b"{\"errors\":");
}

#[test]
fn header_names_are_written_in_either_case() {
    let sandbox = Running::start();
    let authorization = format!("Bearer {}", sandbox.fitbit_login().access);
    let head = || {
        let headers = [("Authorization", authorization.as_str())];
        let bytes = sandbox.raw("GET", "/1/user/-/devices.json", &headers, "");
        head_and_body(&bytes).0
    };
    assert!(head().contains("Fitbit-Rate-Limit-Remaining: 149"));
    sandbox.control("config", &json!({ "header_case": "lower" }));
    assert!(head().contains("fitbit-rate-limit-remaining: 148"));
}

#[test]
fn replies_are_dated_by_the_sandboxs_clock() {
    let sandbox = Running::start();
    let date = |target: &str| sandbox.get(target).header("date").unwrap().to_owned();
    for target in ["/v4/nothing", "/1/nothing", "/_sandbox/clock", "/"] {
        assert_eq!(date(target), "Sun, 22 Nov 2026 14:07:00 GMT", "{target}");
    }
    sandbox.advance(10 * 86_400);
    assert_eq!(date("/token"), "Wed, 02 Dec 2026 14:07:00 GMT");
}

/// Asks a TLS sandbox for its clock by `name`, trusting only `ca`.
async fn ask(sandbox: &Sandbox, ca: &str, name: &str) -> std::io::Result<Response> {
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_slice(ca.as_bytes()).unwrap())
        .unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let host = name.to_str().into_owned();
    let stream = TcpStream::connect(sandbox.address()).await?;
    let mut stream = TlsConnector::from(Arc::new(config))
        .connect(name, stream)
        .await?;
    let request =
        format!("GET /_sandbox/clock HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes).await;
    Ok(Response::parse(&bytes).unwrap())
}

#[test]
fn https_is_served_for_the_names_and_no_other() {
    block_on(async {
        let names = |names: &[&str]| SandboxConfig {
            tls_names: names.iter().map(|name| (*name).to_owned()).collect(),
            ..SandboxConfig::default()
        };
        let sandbox = Sandbox::start(names(&["pulse.example", "127.0.0.1"]))
            .await
            .unwrap();
        let port = sandbox.address().port();
        assert_eq!(sandbox.url(), format!("https://pulse.example:{port}"));
        assert_eq!(sandbox.ready_line()["url"], sandbox.url());
        let ca = sandbox.ca_pem().unwrap().to_owned();
        assert!(!ca.contains("PRIVATE"));
        for name in ["pulse.example", "127.0.0.1"] {
            assert_eq!(
                ask(&sandbox, &ca, name).await.unwrap().status,
                200,
                "{name}"
            );
        }
        assert!(ask(&sandbox, &ca, "localhost").await.is_err());
        let other = Sandbox::start(names(&["localhost"])).await.unwrap();
        assert_eq!(
            other.url(),
            format!("https://localhost:{}", other.address().port())
        );
        // Every start creates an authority of its own.
        assert!(ask(&other, &ca, "localhost").await.is_err());
        assert_eq!(
            ask(&other, other.ca_pem().unwrap(), "localhost")
                .await
                .unwrap()
                .status,
            200
        );
        let plain = Sandbox::start(SandboxConfig::default()).await.unwrap();
        assert_eq!(plain.ca_pem(), None);
    });
}

#[test]
fn a_post_that_does_not_tell_its_length_is_refused_before_anything_else() {
    let sandbox = Running::start();
    let refresh = sandbox.fitbit_login().refresh;
    let ask = |target: &str, headers: &str, body: &str| sandbox.post_as_told(target, headers, body);
    let refreshing = format!(
        "/oauth2/token?grant_type=refresh_token&client_id={}&refresh_token={refresh}",
        FITBIT_APP.client_id
    );
    let refused = ask(&refreshing, "", "");
    refused.fitbit_refuses(411, "request");
    assert_eq!(sandbox.fitbit_chain().1, 1, "nothing has happened");
    for target in [
        "/token",
        "/v4/users/me/dataTypes/heart-rate/dataPoints:rollUp",
        "/v4/nothing",
    ] {
        let refused = ask(target, "", "");
        assert_eq!(refused.status, 411, "{target}");
        assert!(
            refused
                .header("content-type")
                .unwrap()
                .starts_with("text/html")
        );
    }
    // An empty body with a declared length is fine, and so is a chunked one.
    assert_eq!(ask(&refreshing, "Content-Length: 0\r\n", "").status, 200);
    let body = "grant_type=nonsense";
    let chunk = format!("{:x}\r\n{body}\r\n0\r\n\r\n", body.len());
    assert_eq!(
        ask("/token", "Transfer-Encoding: chunked\r\n", &chunk).status,
        400
    );
    let statuses = sandbox.control("requests", &serde_json::Value::Null);
    assert_eq!(statuses[2]["status"], 411);
}
