//! The trusted certificates: a few built-in ones, and those that the user adds.

use alloc::{borrow::Cow, vec::Vec};
use core::ffi::CStr;

/// The built-in certificates, PEM; `roots/README.md` documents their origin.
const BUILT_IN: &CStr = match CStr::from_bytes_with_nul(
    concat!(
        include_str!("../roots/gts-root-r1.pem"),
        include_str!("../roots/gts-root-r2.pem"),
        include_str!("../roots/gts-root-r3.pem"),
        include_str!("../roots/gts-root-r4.pem"),
        include_str!("../roots/globalsign-root-ca.pem"),
        include_str!("../roots/globalsign-ecc-r4.pem"),
        include_str!("../roots/digicert-global-g2.pem"),
        include_str!("../roots/digicert-global-g3.pem"),
        "\0"
    )
    .as_bytes(),
) {
    Ok(roots) => roots,
    Err(_) => c"",
};

/// The lines before and after a certificate (RFC 7468, section 5).
const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const END: &str = "-----END CERTIFICATE-----";

/// The maximum number of bytes that the user may add.
pub const MAX_ADDED: usize = 16 * 1_024;

/// The error if the user's text is not a list of certificates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is not a list of PEM certificates of at most 16 KiB")]
pub struct NotPem;

/// All trusted certificates.
#[derive(Clone, Debug, Default)]
pub struct Roots {
    added: Vec<u8>,
}

impl Roots {
    /// Returns the built-in certificates.
    #[must_use]
    pub const fn new() -> Self {
        Self { added: Vec::new() }
    }

    /// Returns the built-in certificates and these: PEM certificates one after the other, of at
    /// most [`MAX_ADDED`] bytes. If nothing is added, only the built-in ones.
    ///
    /// # Errors
    /// [`NotPem`] if it is anything else.
    /// [`Client::trusted`](pulsewing_device::ports::Web::trusted) finds out whether each
    /// certificate can be read.
    pub fn with(added: &[u8]) -> Result<Self, NotPem> {
        let text = core::str::from_utf8(added).map_err(|_| NotPem)?;
        let is_fit = added.len() <= MAX_ADDED
            && !text.contains('\0')
            && (text.trim().is_empty() || text.contains(BEGIN));
        is_fit
            .then(|| Self {
                added: text.trim().as_bytes().to_vec(),
            })
            .ok_or(NotPem)
    }

    /// Returns each certificate separately.
    pub fn each(&self) -> impl Iterator<Item = &str> {
        [BUILT_IN.to_bytes(), &self.added]
            .into_iter()
            .filter_map(|pem| core::str::from_utf8(pem).ok())
            .flat_map(|pem| pem.split_inclusive(END))
            .filter(|pem| pem.contains(BEGIN))
    }

    /// Returns all of them as one list, in the form that `mbedtls_x509_crt_parse` takes.
    #[must_use]
    pub fn pem(&self) -> Cow<'static, CStr> {
        if self.added.is_empty() {
            return Cow::Borrowed(BUILT_IN);
        }
        let mut all = Vec::with_capacity(BUILT_IN.count_bytes() + self.added.len() + 2);
        all.extend_from_slice(BUILT_IN.to_bytes());
        all.extend_from_slice(&self.added);
        all.extend_from_slice(b"\n\0");
        // There is only one NUL: `with` rejects others.
        CStr::from_bytes_with_nul(&all)
            .map_or(Cow::Borrowed(BUILT_IN), |all| Cow::Owned(all.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: &str = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";

    fn count(pem: &CStr) -> usize {
        pem.to_str().unwrap().matches("-----BEGIN CERT").count()
    }

    #[test]
    fn the_built_in_ones_are_eight_whole_certificates() {
        let pem = Roots::new().pem();
        assert_eq!(count(&pem), 8);
        assert_eq!(pem.to_str().unwrap().matches("-----END CERT").count(), 8);
        assert!(
            !pem.to_str().unwrap().contains("----------"),
            "each begins a line"
        );
    }

    #[test]
    fn what_is_added_stands_beside_the_built_in_ones() {
        assert_eq!(count(&Roots::with(OWN.as_bytes()).unwrap().pem()), 9);
        assert_eq!(count(&Roots::with(b" \n").unwrap().pem()), 8);
    }

    #[test]
    fn each_stands_alone() {
        let roots = Roots::with(OWN.repeat(2).as_bytes()).unwrap();
        let each: Vec<&str> = roots.each().collect();
        assert_eq!(each.len(), 10);
        for pem in each {
            assert_eq!(pem.matches(BEGIN).count(), 1, "{pem}");
            assert!(pem.ends_with(END), "{pem}");
        }
        let cut = Roots::with(BEGIN.as_bytes()).unwrap();
        assert_eq!(cut.each().last(), Some(BEGIN));
    }

    #[test]
    fn what_is_no_certificate_is_refused() {
        for bytes in [
            &b"hello"[..],
            b"\x30\x82",
            b"-----BEGIN CERTIFICATE-----\0",
            &[b' '; 20_000],
        ] {
            assert_eq!(Roots::with(bytes).unwrap_err(), NotPem);
        }
    }
}
