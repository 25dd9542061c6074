//! TLS and passwords.

use pulsewing_mqtt::{Login, Settings};
use pulsewing_testkit::mqtt::{Broker, Observer};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};

use crate::running::{AVAILABILITY, Running, settings, settings_at, trusting, wearer};

/// An authority, and a broker's certificate and key from it, in PEM.
struct Trust {
    roots: rustls::RootCertStore,
    certificate: String,
    key: String,
}

impl Trust {
    fn of(authority: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params
            .distinguished_name
            .push(DnType::CommonName, authority);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let authority = params.self_signed(&key).unwrap();
        let mut roots = rustls::RootCertStore::empty();
        roots.add(authority.der().clone()).unwrap();
        let issuer = Issuer::new(params, key);
        let key = KeyPair::generate().unwrap();
        let of_broker = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        let certificate = of_broker.signed_by(&key, &issuer).unwrap();
        Self {
            roots,
            certificate: pem("CERTIFICATE", certificate.der()),
            key: pem("PRIVATE KEY", key.serialized_der()),
        }
    }
}

fn pem(what: &str, der: &[u8]) -> String {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in der.chunks(3) {
        let bits = (0..3).fold(0_usize, |bits, place| {
            bits << 8 | usize::from(chunk.get(place).copied().unwrap_or_default())
        });
        for place in 0..4 {
            let is_there = place <= chunk.len();
            let digit = DIGITS[bits >> (18 - 6 * place) & 63];
            text.push(if is_there { char::from(digit) } else { '=' });
        }
    }
    let lines: Vec<&str> = text
        .as_bytes()
        .chunks(64)
        .map(|line| std::str::from_utf8(line).unwrap())
        .collect();
    format!(
        "-----BEGIN {what}-----\n{}\n-----END {what}-----\n",
        lines.join("\n")
    )
}

fn with_login(settings: Settings, password: &str) -> Settings {
    let login = Login::new("pulse".to_owned(), password.to_owned().into());
    Settings {
        login: Some(login.unwrap()),
        ..settings
    }
}

#[test]
fn with_tls_and_a_password_it_works_and_with_another_authority_or_name_it_does_not() {
    let trust = Trust::of("ours");
    let broker = Broker::with_tls(("pulse", "hush"), &trust.certificate, &trust.key);
    let observer = Observer::of(&broker);
    let at = |host: &str, roots: &rustls::RootCertStore| Settings {
        tls: trusting(roots.clone()),
        ..settings_at(&format!("mqtts://{host}:{}", broker.tls_port()))
    };
    let stranger = Trust::of("a stranger").roots;
    for (settings, complaint) in [
        (at("localhost", &stranger), "alert unknown ca"),
        (at("127.0.0.1", &trust.roots), "alert bad certificate"),
    ] {
        let running = Running::showing(with_login(settings, "hush"), &[wearer("anna")]);
        broker.logs(complaint, 2);
        running.stop();
        observer.catch_up();
        let seen = observer.seen();
        assert!(seen.iter().all(|message| message.topic != AVAILABILITY));
    }
    let trusted = with_login(at("localhost", &trust.roots), "hush");
    let running = Running::showing(trusted, &[wearer("anna")]);
    observer.hears(AVAILABILITY, |message| message.payload == "online");
    running.stop();
}

#[test]
fn a_wrong_password_is_tried_again_and_a_right_one_works() {
    let broker = Broker::with_login("pulse", "hush");
    let observer = Observer::of(&broker);
    let wrong = Running::showing(with_login(settings(&broker), "wrong"), &[wearer("anna")]);
    let nobody = Running::showing(settings(&broker), &[wearer("anna")]);
    broker.logs("not authorised", 3);
    let right = Running::showing(with_login(settings(&broker), "hush"), &[wearer("anna")]);
    observer.hears(AVAILABILITY, |message| message.payload == "online");
    for running in [wrong, nobody, right] {
        running.stop();
    }
    observer.catch_up();
    let said = observer.seen();
    let said = said.iter().filter(|message| message.topic == AVAILABILITY);
    assert_eq!(said.count(), 2);
}
