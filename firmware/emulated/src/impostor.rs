//! Servers that nobody should talk to: each has a flaw in its certificate.

use std::{
    fs,
    io::Read as _,
    net::TcpListener,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use anyhow::{Context as _, Result};
use base64ct::{Base64, Encoding as _};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, PKCS_RSA_SHA256,
    SignatureAlgorithm, date_time_ymd,
};
use rustls::{
    ServerConfig, ServerConnection, StreamOwned, SupportedProtocolVersion,
    pki_types::{CertificateDer, PrivatePkcs8KeyDer, pem::PemObject as _},
    version::TLS12,
};

use crate::clouds::NAME;

/// The flaw in a server's certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// Nothing: the control.
    None,
    /// It is for another name.
    WrongName,
    /// It is signed by an authority that nobody trusts.
    UnknownRoot,
    /// It has expired.
    Expired,
    /// It is not valid yet.
    NotYetValid,
    /// It is signed by another server's certificate, which is no authority.
    LeafAsAuthority,
}

/// The keys of a server and of its authorities. Both kinds are in use at Google's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keys {
    /// Elliptic curves: P-384 for the authority, P-256 for the server; any TLS.
    Curves,
    /// RSA, and TLS 1.2 alone.
    Rsa,
}

const TLS12_ALONE: &[&SupportedProtocolVersion] = &[&TLS12];

impl Keys {
    fn generate(self, curve: &'static SignatureAlgorithm) -> Result<KeyPair> {
        match self {
            Self::Curves => Ok(KeyPair::generate_for(curve)?),
            Self::Rsa => {
                // Made for this test and worthless: ring cannot generate such keys.
                let key = include_bytes!("impostor-rsa.pem");
                let key = PrivatePkcs8KeyDer::from_pem_slice(key)?;
                Ok(KeyPair::from_pkcs8_der_and_sign_algo(
                    &key,
                    &PKCS_RSA_SHA256,
                )?)
            }
        }
    }

    fn versions(self) -> &'static [&'static SupportedProtocolVersion] {
        match self {
            Self::Curves => rustls::DEFAULT_VERSIONS,
            Self::Rsa => TLS12_ALONE,
        }
    }
}

/// An authority of our own, and the servers for which it should not have signed.
pub struct Authority {
    keys: Keys,
    trusted: Issuer,
}

type Issuer = CertifiedIssuer<'static, KeyPair>;

/// A running impostor. It stops with the program.
pub struct Impostor {
    /// The port that it listens on.
    pub port: u16,
    heard: Arc<AtomicUsize>,
    greeted: Arc<AtomicUsize>,
}

impl Authority {
    /// Creates an authority.
    pub fn new(keys: Keys) -> Result<Self> {
        Ok(Self {
            keys,
            trusted: authority("Pulsewing checks CA", keys).context("no certificate")?,
        })
    }

    /// Returns the certificates that the board is to trust: the cloud's, and this authority's.
    pub fn pem_beside(&self, ca_file: &Path) -> Result<String> {
        let clouds =
            fs::read_to_string(ca_file).with_context(|| format!("{}", ca_file.display()))?;
        Ok(clouds + &self.pem())
    }

    /// Returns this authority's certificate.
    pub fn pem(&self) -> String {
        let text = Base64::encode_string(self.trusted.der());
        let lines: Vec<&str> = (0..text.len())
            .step_by(64)
            .map(|at| &text[at..text.len().min(at + 64)])
            .collect();
        format!(
            "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n",
            lines.join("\n")
        )
    }

    /// Starts a server with such a certificate.
    pub fn start(&self, flaw: Flaw) -> Result<Impostor> {
        let config = Arc::new(self.config(flaw).context("no certificate")?);
        let listener = TcpListener::bind(("127.0.0.1", 0)).context("no impostor")?;
        let port = listener.local_addr().context("no impostor")?.port();
        let heard = Arc::new(AtomicUsize::new(0));
        let greeted = Arc::new(AtomicUsize::new(0));
        let (ear, door) = (Arc::clone(&heard), Arc::clone(&greeted));
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                door.fetch_add(1, Ordering::SeqCst);
                let _ = stream.set_read_timeout(Some(Duration::from_secs(5)));
                let Ok(session) = ServerConnection::new(Arc::clone(&config)) else {
                    return;
                };
                let mut stream = StreamOwned::new(session, stream);
                let mut bytes = [0; 1_024];
                // After the first bytes it has heard enough.
                if let Ok(length) = stream.read(&mut bytes) {
                    ear.fetch_add(length, Ordering::SeqCst);
                }
            }
        });
        Ok(Impostor {
            port,
            heard,
            greeted,
        })
    }

    fn config(&self, flaw: Flaw) -> Result<ServerConfig> {
        let key = self.keys.generate(&PKCS_ECDSA_P256_SHA256)?;
        let name = if flaw == Flaw::WrongName {
            "other.test"
        } else {
            NAME
        };
        let mut params = server(name)?;
        match flaw {
            Flaw::Expired => params.not_after = date_time_ymd(2020, 1, 1),
            Flaw::NotYetValid => params.not_before = date_time_ymd(2090, 1, 1),
            _ => {}
        }
        let chain = match flaw {
            Flaw::UnknownRoot => {
                let stranger = authority("Stranger CA", self.keys)?;
                vec![params.signed_by(&key, &stranger)?.der().clone()]
            }
            Flaw::LeafAsAuthority => {
                // A certificate like any server's, which its holder uses to sign another.
                let leaf = server("leaf.test")?;
                let leaf_key = KeyPair::generate()?;
                let certificate = leaf.signed_by(&leaf_key, &self.trusted)?;
                let leaf = rcgen::Issuer::new(leaf, leaf_key);
                let forged = params.signed_by(&key, &leaf)?;
                vec![forged.der().clone(), certificate.der().clone()]
            }
            _ => vec![params.signed_by(&key, &self.trusted)?.der().clone()],
        };
        serving(chain, &key, self.keys)
    }
}

impl Impostor {
    /// Returns the number of bytes that it received after the handshake.
    pub fn heard(&self) -> usize {
        self.heard.load(Ordering::SeqCst)
    }

    /// Returns the number of connections.
    pub fn greeted(&self) -> usize {
        self.greeted.load(Ordering::SeqCst)
    }
}

fn authority(name: &str, keys: Keys) -> Result<Issuer> {
    let mut params = CertificateParams::new(Vec::new())?;
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.not_before = date_time_ymd(2000, 1, 1);
    params.not_after = date_time_ymd(2100, 1, 1);
    let key = keys.generate(&PKCS_ECDSA_P384_SHA384)?;
    Ok(CertifiedIssuer::self_signed(params, key)?)
}

fn server(name: &str) -> Result<CertificateParams, rcgen::Error> {
    let mut params = CertificateParams::new(vec![name.to_owned()])?;
    params.distinguished_name.push(DnType::CommonName, name);
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.not_before = date_time_ymd(2000, 1, 1);
    params.not_after = date_time_ymd(2100, 1, 1);
    Ok(params)
}

fn serving(chain: Vec<CertificateDer<'static>>, key: &KeyPair, keys: Keys) -> Result<ServerConfig> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    Ok(ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(keys.versions())?
        .with_no_client_auth()
        .with_single_cert(chain, PrivatePkcs8KeyDer::from(key.serialize_der()).into())?)
}
