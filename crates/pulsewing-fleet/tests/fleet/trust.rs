//! Encrypted connections: on which terms, and to whom.

use std::time::Instant;

use base64ct::{Base64, Encoding};
use pulsewing_fleet::{Database, Error, Options};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::{ClientConfig, RootCertStore};

use crate::{
    PATIENCE,
    server::{self, Server},
};

/// A server with a certificate for `localhost`, and a configuration that trusts its issuer.
fn server_and_trust() -> (Server, u16, ClientConfig) {
    let issuer_key = KeyPair::generate().unwrap();
    let mut issuer = CertificateParams::new(Vec::new()).unwrap();
    issuer.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let root = issuer.self_signed(&issuer_key).unwrap();
    let issuer = Issuer::new(issuer, issuer_key);
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let certificate = params.signed_by(&key, &issuer).unwrap();

    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    let settings = format!(
        "-c listen_addresses=127.0.0.1 -p {port} \
        -c ssl=on -c ssl_cert_file=../certificate -c ssl_key_file=../key"
    );
    let files = [
        ("certificate", pem("CERTIFICATE", certificate.der())),
        ("key", pem("PRIVATE KEY", &key.serialize_der())),
    ];
    let files = files.each_ref().map(|(name, text)| (*name, text.as_str()));
    let server = Server::start_with(&settings, &files);

    let mut roots = RootCertStore::empty();
    roots.add(root.der().clone()).unwrap();
    let provider = rustls::crypto::ring::default_provider();
    let trust = ClientConfig::builder_with_provider(provider.into())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    (server, port, trust)
}

/// Writes bytes as the server reads them.
fn pem(what: &str, bytes: &[u8]) -> String {
    let digits = Base64::encode_string(bytes);
    let lines = digits.as_bytes().chunks(64);
    let lines = lines.map(|line| format!("{}\n", std::str::from_utf8(line).unwrap()));
    let lines: String = lines.collect();
    format!("-----BEGIN {what}-----\n{lines}-----END {what}-----\n")
}

#[tokio::test]
async fn an_encrypted_connection_is_to_the_server_that_the_url_names() {
    let (server, port, trust) = server_and_trust();
    let connect = async |host: &str, parameters: &str, tls: ClientConfig| {
        let url = format!("postgres://postgres@{host}:{port}/postgres{parameters}");
        Database::connect(&url, tls, Options::default()).await
    };
    let encrypted = || {
        let sql = "select coalesce(bool_and(s.ssl)::text, 'none') \
            from pg_stat_ssl s join pg_stat_activity a using (pid) \
            where a.application_name = 'pulsewing'";
        server.sql_at(port, sql)
    };
    let modes = [
        "",
        "?sslmode=prefer",
        "?sslmode=require",
        "?sslmode=verify-ca",
        "?sslmode=verify-full",
    ];
    for mode in modes {
        let database = connect("localhost", mode, trust.clone()).await.unwrap();
        assert_eq!(encrypted().trim(), "true", "{mode}");
        drop(database);
        // Another name, or an issuer whom nobody trusts, is another server; there is no plain way round.
        for (host, tls) in [("127.0.0.1", trust.clone()), ("localhost", server::tls())] {
            let error = connect(host, mode, tls).await.map(drop).unwrap_err();
            assert!(
                matches!(error, Error::Untrusted(_)),
                "{host}{mode}: {error:?}"
            );
            assert!(!error.is_temporary());
        }
        let since = Instant::now();
        while encrypted().trim() != "none" {
            assert!(since.elapsed() < PATIENCE, "a connection stays open");
        }
    }
    let plain = connect("localhost", "?sslmode=disable", server::tls())
        .await
        .unwrap();
    assert_eq!(encrypted().trim(), "false");
    drop(plain);
}
