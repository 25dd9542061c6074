//! The meaning of Mbed TLS's rejection of a certificate.

use pulsewing_device::ports::ConnectError;

/// `MBEDTLS_ERR_X509_CERT_VERIFY_FAILED`: the handshake ended because of the certificate.
pub const VERIFY_FAILED: i32 = -0x2700;

/// The flags of `mbedtls_ssl_get_verify_result` that are distinguished here.
mod flag {
    /// `MBEDTLS_X509_BADCERT_EXPIRED`
    pub(super) const EXPIRED: u32 = 0x01;
    /// `MBEDTLS_X509_BADCERT_CN_MISMATCH`
    pub(super) const WRONG_NAME: u32 = 0x04;
    /// `MBEDTLS_X509_BADCERT_NOT_TRUSTED`
    pub(super) const NOT_TRUSTED: u32 = 0x08;
    /// `MBEDTLS_X509_BADCERT_FUTURE`
    pub(super) const FUTURE: u32 = 0x200;
    /// The result before any certificate was checked.
    pub(super) const NOT_AVAILABLE: u32 = u32::MAX;
}

/// Returns the error for a handshake that failed with this code, after which the result of the
/// verification was `flags`.
///
/// A certificate from an unknown issuer may claim anything, so that comes first. Mbed TLS reports
/// both expired and not yet valid when there is no time at all.
#[must_use]
pub const fn connect_error(code: i32, flags: u32) -> ConnectError {
    if code != VERIFY_FAILED || flags == flag::NOT_AVAILABLE {
        ConnectError::Tls(code)
    } else if flags & flag::NOT_TRUSTED != 0 {
        ConnectError::UnknownIssuer
    } else if flags & flag::WRONG_NAME != 0 {
        ConnectError::WrongName
    } else if flags & flag::FUTURE != 0 {
        ConnectError::NotYetValid
    } else if flags & flag::EXPIRED != 0 {
        ConnectError::Expired
    } else {
        ConnectError::Tls(code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_refusal_has_its_word() {
        for (flags, expected) in [
            (0x4, ConnectError::WrongName),
            (0x8, ConnectError::UnknownIssuer),
            (0x1, ConnectError::Expired),
            (0x200, ConnectError::NotYetValid),
            (0x8 | 0x4 | 0x1, ConnectError::UnknownIssuer),
            (0x4 | 0x1, ConnectError::WrongName),
            (0x1 | 0x200, ConnectError::NotYetValid),
            (0x800, ConnectError::Tls(VERIFY_FAILED)),
            (0, ConnectError::Tls(VERIFY_FAILED)),
        ] {
            assert_eq!(connect_error(VERIFY_FAILED, flags), expected, "{flags:#x}");
        }
    }

    #[test]
    fn another_failure_than_the_certificates_keeps_its_number() {
        assert_eq!(connect_error(-0x7280, u32::MAX), ConnectError::Tls(-0x7280));
        assert_eq!(connect_error(-0x7780, 0x8), ConnectError::Tls(-0x7780));
        assert_eq!(
            connect_error(VERIFY_FAILED, u32::MAX),
            ConnectError::Tls(VERIFY_FAILED)
        );
    }
}
