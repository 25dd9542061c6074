//! TLS with a certificate authority that lives as long as the sandbox.
//!
//! The authority and the one certificate that it signs are made at the start. Their keys stay in
//! memory; only the authority's certificate leaves it, for clients to trust. Both are valid from
//! 2000 to 2100, because the sandbox's clock and its clients' clocks may be set to any time.

use std::{net::IpAddr, sync::Arc};

use base64ct::{Base64, Encoding};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose, date_time_ymd,
};
use rustls::{ServerConfig, crypto::ring, pki_types::PrivatePkcs8KeyDer};
use tokio_rustls::TlsAcceptor;

/// The server side of TLS for some names.
pub(crate) struct Tls {
    pub(crate) acceptor: TlsAcceptor,
    /// The authority's certificate.
    pub(crate) ca_pem: String,
}

/// Why there is no certificate for some names.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// The names cannot be put into a certificate, most likely because one is not ASCII.
    #[error("cannot create a certificate: {0}")]
    Certificate(#[from] rcgen::Error),
    /// The TLS library refuses the certificate or its key.
    #[error("TLS cannot be set up: {0}")]
    Setup(#[from] rustls::Error),
}

impl Tls {
    /// Makes an authority and a certificate for `names`, which are DNS names and IP addresses.
    pub(crate) fn for_names(names: &[String]) -> Result<Self, TlsError> {
        let mut authority = params("Pulsewing sandbox CA", &[])?;
        authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate()?)?;

        let mut server = params("Pulsewing sandbox", names)?;
        server.use_authority_key_identifier_extension = true;
        server.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let key = KeyPair::generate()?;
        let certificate = server.signed_by(&key, &authority)?;

        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(
                vec![certificate.der().clone()],
                PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
            )?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self {
            acceptor: TlsAcceptor::from(Arc::new(config)),
            ca_pem: pem(authority.der()),
        })
    }
}

/// Returns the origin that a client of a TLS sandbox uses.
pub(crate) fn origin(names: &[String], port: u16) -> String {
    let by_name = names.iter().find(|name| *name == DEFAULT_NAME);
    let name = by_name
        .or_else(|| names.first())
        .map_or(DEFAULT_NAME, |name| name);
    match name.parse() {
        Ok(IpAddr::V6(ip)) => format!("https://[{ip}]:{port}"),
        _ => format!("https://{name}:{port}"),
    }
}

fn params(common_name: &str, names: &[String]) -> Result<CertificateParams, rcgen::Error> {
    let mut params = CertificateParams::new(names)?;
    params.not_before = date_time_ymd(2000, 1, 1);
    params.not_after = date_time_ymd(2100, 1, 1);
    params
        .distinguished_name
        .push(DnType::CommonName, common_name);
    Ok(params)
}

/// Returns a certificate as text (RFC 7468).
fn pem(der: &[u8]) -> String {
    let mut text = "-----BEGIN CERTIFICATE-----\n".to_owned();
    for line in der.chunks(48) {
        text += &Base64::encode_string(line);
        text.push('\n');
    }
    text + "-----END CERTIFICATE-----\n"
}

const DEFAULT_NAME: &str = "localhost";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_origin_is_localhost_if_that_is_among_the_names() {
        let origin = |names: &[&str]| {
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            origin(&names, 8443)
        };
        assert_eq!(
            origin(&["a.example", "localhost"]),
            "https://localhost:8443"
        );
        assert_eq!(
            origin(&["a.example", "b.example"]),
            "https://a.example:8443"
        );
        assert_eq!(origin(&["::1"]), "https://[::1]:8443");
    }

    #[test]
    fn a_name_that_is_not_ascii_is_refused() {
        assert!(matches!(
            Tls::for_names(&["pülse".to_owned()]),
            Err(TlsError::Certificate(_))
        ));
    }
}
