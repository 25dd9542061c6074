//! What it means when Mbed TLS refuses a certificate.

use pulsewing_device::ports::Trouble;

/// `MBEDTLS_ERR_X509_CERT_VERIFY_FAILED`: the handshake ended because of the certificate.
pub const VERIFY_FAILED: i32 = -0x2700;

/// The flags of `mbedtls_ssl_get_verify_result` that have a word of their own here.
mod flag {
    /// `MBEDTLS_X509_BADCERT_EXPIRED`
    pub(super) const EXPIRED: u32 = 0x01;
    /// `MBEDTLS_X509_BADCERT_CN_MISMATCH`
    pub(super) const WRONG_NAME: u32 = 0x04;
    /// `MBEDTLS_X509_BADCERT_NOT_TRUSTED`
    pub(super) const NOT_TRUSTED: u32 = 0x08;
    /// `MBEDTLS_X509_BADCERT_FUTURE`
    pub(super) const FUTURE: u32 = 0x200;
    /// The result before any certificate was looked at.
    pub(super) const NOT_AVAILABLE: u32 = u32::MAX;
}

/// The sentence for a handshake that failed with this code, after which the result of the verification
/// was `flags`.
///
/// A certificate that nobody trusted vouches for may claim anything, so that comes first. Expired and
/// not yet valid at once is what Mbed TLS says when there is no time at all.
#[must_use]
pub const fn trouble(code: i32, flags: u32) -> Trouble {
    if code != VERIFY_FAILED || flags == flag::NOT_AVAILABLE {
        Trouble::Tls(code)
    } else if flags & flag::NOT_TRUSTED != 0 {
        Trouble::UnknownIssuer
    } else if flags & flag::WRONG_NAME != 0 {
        Trouble::WrongName
    } else if flags & flag::FUTURE != 0 {
        Trouble::NotYetValid
    } else if flags & flag::EXPIRED != 0 {
        Trouble::Expired
    } else {
        Trouble::Tls(code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_refusal_has_its_word() {
        for (flags, expected) in [
            (0x4, Trouble::WrongName),
            (0x8, Trouble::UnknownIssuer),
            (0x1, Trouble::Expired),
            (0x200, Trouble::NotYetValid),
            (0x8 | 0x4 | 0x1, Trouble::UnknownIssuer),
            (0x4 | 0x1, Trouble::WrongName),
            (0x1 | 0x200, Trouble::NotYetValid),
            (0x800, Trouble::Tls(VERIFY_FAILED)),
            (0, Trouble::Tls(VERIFY_FAILED)),
        ] {
            assert_eq!(trouble(VERIFY_FAILED, flags), expected, "{flags:#x}");
        }
    }

    #[test]
    fn another_failure_than_the_certificates_keeps_its_number() {
        assert_eq!(trouble(-0x7280, u32::MAX), Trouble::Tls(-0x7280));
        assert_eq!(trouble(-0x7780, 0x8), Trouble::Tls(-0x7780));
        assert_eq!(
            trouble(VERIFY_FAILED, u32::MAX),
            Trouble::Tls(VERIFY_FAILED)
        );
    }
}
