//! The radio: joining a Wi-Fi network, and the port [`Link`].

use core::time::Duration;

use embassy_net::Stack;
use embassy_time::{Instant, with_deadline, with_timeout};
use esp_radio::wifi::{
    AuthenticationMethodConfig, Config, ConnectionError, ControllerConfig, DisconnectReason,
    WifiController, WifiError,
    sta::{ScanMethod, StationConfig},
};
use pulsewing_device::ports::{Credentials, JoinError, Joined, Link};

/// How long leaving a network may take.
const LEAVE_FOR: embassy_time::Duration = embassy_time::Duration::from_secs(2);

/// The port.
pub(crate) struct Radio {
    controller: WifiController<'static>,
    stack: Stack<'static>,
}

impl Radio {
    pub(crate) const fn new(controller: WifiController<'static>, stack: Stack<'static>) -> Self {
        Self { controller, stack }
    }

    /// Leaves the network that is joined or being joined, if any, and forgets its address.
    async fn leave(&mut self) {
        let _ = with_timeout(LEAVE_FOR, self.controller.disconnect_async()).await;
        let _ = with_timeout(LEAVE_FOR, self.stack.wait_config_down()).await;
    }
}

impl Link for Radio {
    async fn join(
        &mut self,
        network: Option<Credentials<'_>>,
        timeout: Duration,
    ) -> Result<Joined, JoinError> {
        let micros = u64::try_from(timeout.as_micros()).unwrap_or(u64::MAX);
        let until = Instant::now().saturating_add(embassy_time::Duration::from_micros(micros));
        let network = network.ok_or(JoinError::NotFound)?;
        self.leave().await;
        let station = station(&network).map_err(refused_or_broken)?;
        self.controller
            .set_config(&Config::Station(station))
            .map_err(refused_or_broken)?;
        match with_deadline(until, self.controller.connect_async()).await {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => return Err(reason(error)),
            Err(_) => {
                self.leave().await;
                return Err(JoinError::NotFound);
            }
        }
        let _ = with_deadline(until, self.stack.wait_config_up()).await;
        if let Some(joined) = self.joined() {
            return Ok(joined);
        }
        self.leave().await;
        Err(JoinError::NoAddress)
    }

    fn joined(&self) -> Option<Joined> {
        pulsewing_net::joined(self.stack)
    }

    fn is_wired(&self) -> bool {
        false
    }
}

/// Limits the memory that the radio's library takes for packets of 1.6 KB each: a board fetches a
/// few kilobytes every few minutes, and has time for it.
pub(crate) fn frugal() -> ControllerConfig {
    ControllerConfig::default()
        .with_static_rx_buf_num(6)
        .with_dynamic_rx_buf_num(12)
        .with_dynamic_tx_buf_num(8)
        .with_rx_ba_win(4)
}

/// Returns the settings for joining a network: with WPA2 or WPA3 if there is a password.
fn station(network: &Credentials<'_>) -> Result<StationConfig, WifiError> {
    let authentication = if network.password.is_empty() {
        AuthenticationMethodConfig::Open
    } else {
        AuthenticationMethodConfig::Wpa2Personal(network.password.try_into()?)
    };
    Ok(StationConfig::default()
        .with_ssid(network.ssid.try_into()?)
        .with_authentication(authentication)
        // Of several access points with one name, the strongest, not the first one that answers.
        .with_scan_method(ScanMethod::AllChannels))
}

const fn refused_or_broken(error: WifiError) -> JoinError {
    match error {
        WifiError::InvalidPassword => JoinError::Refused,
        WifiError::InvalidSsid => JoinError::NotFound,
        _ => JoinError::Radio,
    }
}

/// Translates the error of a failed join. Routers seldom report a wrong password: most let the
/// handshake time out.
fn reason(error: ConnectionError) -> JoinError {
    use DisconnectReason as Reason;

    let ConnectionError::Failed(failure) = error else {
        return JoinError::Radio;
    };
    match failure.reason {
        Reason::AuthenticationExpired
        | Reason::AuthenticationFailed
        | Reason::AssociationNotAuthenticated
        | Reason::FourWayHandshakeTimeout
        | Reason::HandshakeTimeout
        | Reason::GroupKeyUpdateTimeout
        | Reason::MicFailure
        | Reason::_802_1xAuthenticationFailed
        | Reason::AkmpInvalid
        | Reason::BadCipherOrAkm
        | Reason::CipherSuiteRejected
        // The network is there, but requires a password that we do not have, or better protection.
        | Reason::NoAccessPointFoundWithCompatibleSecurity
        | Reason::NoAccessPointFoundInAuthmodeThreshold => JoinError::Refused,
        _ => JoinError::NotFound,
    }
}
