//! Reasons why a cycle failed, in terms that the user can act on.

use jiff::Timestamp;

use crate::oauth::{NoAnswer, OAuthError};

/// The reason why a cycle yielded no reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// Nobody has signed in.
    #[error("nobody has signed in yet")]
    NoChain,
    /// The stored chain belongs to another provider, origin or client than the configured one. Its
    /// tokens are not sent there.
    #[error(
        "the stored sign-in belongs to a different provider, address or client than the configured one"
    )]
    ForeignChain,
    /// The chain is on its way to a board, or has arrived: the board owns it.
    #[error("the sign-in was moved to a board")]
    ChainMoved,
    /// The stored chain cannot be read.
    #[error("{0}")]
    Store(StoreTrouble),
    /// The intent to refresh could not be written, so the refresh was not sent.
    #[error("the state directory could not be written, so the refresh token was not sent")]
    IntentNotStored,
    /// A refresh brought new tokens, but they could not be stored. They are held in memory, unused;
    /// the old refresh token is probably spent.
    #[error("new tokens arrived but could not be written")]
    TokensNotStored,
    /// A new sign-in is needed.
    #[error("{0}")]
    ConsentNeeded(Consent),
    /// The token endpoint refused, for a reason other than the end of the sign-in.
    #[error("the provider did not renew the access token ({0})")]
    OAuth(OAuthError),
    /// The provider has switched this service off (410).
    #[error("the service has been switched off (410 Gone)")]
    Gone,
    /// Nothing may be sent before this time.
    #[error("rate-limited until {until:.0}")]
    RateLimited {
        /// The time from which sending is allowed again.
        until: Timestamp,
    },
    /// The provider does not accept an access token that it has just issued.
    #[error("the provider does not accept the access token that it issued (401)")]
    Unauthorized,
    /// There was no answer to a call.
    #[error("{call}: {cause}")]
    NoAnswer {
        /// The call.
        call: CallName,
        /// The reason.
        cause: NoAnswer,
    },
    /// The provider refused a call for good.
    #[error("{call}: {}", reason.sentence(*status))]
    Rejected {
        /// The call.
        call: CallName,
        /// The HTTP status.
        status: u16,
        /// The reason in the error body.
        reason: Reason,
    },
    /// The time for this run was used up before the data calls.
    #[error("this run ran out of time before the heart rate could be fetched")]
    OutOfTime,
}

/// The remedy for a failure. The program's exit codes follow from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureKind {
    /// Fix the configuration, the machine or the program.
    Failed,
    /// Sign in.
    ConsentNeeded,
    /// Move to another provider.
    Gone,
    /// Wait: Pulsewing tries again.
    Temporary,
}

impl FailureKind {
    /// All of them.
    pub const ALL: [Self; 4] = [
        Self::Failed,
        Self::ConsentNeeded,
        Self::Gone,
        Self::Temporary,
    ];

    /// Returns the word for machine-readable output: failed, sign-in, gone or temporary.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::ConsentNeeded => "sign-in",
            Self::Gone => "gone",
            Self::Temporary => "temporary",
        }
    }

    /// Returns the remedy with this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

impl Failure {
    /// Returns the remedy.
    #[must_use]
    pub const fn kind(self) -> FailureKind {
        match self {
            Self::NoChain | Self::ForeignChain | Self::ChainMoved | Self::ConsentNeeded(_) => {
                FailureKind::ConsentNeeded
            }
            Self::OAuth(error) if error.is_about_account() => FailureKind::ConsentNeeded,
            Self::NoAnswer { cause, .. } if cause.has_moved() => FailureKind::Failed,
            Self::Store(StoreTrouble::Busy)
            | Self::RateLimited { .. }
            | Self::Unauthorized
            | Self::NoAnswer { .. }
            | Self::OutOfTime => FailureKind::Temporary,
            Self::Gone => FailureKind::Gone,
            Self::Store(_)
            | Self::IntentNotStored
            | Self::TokensNotStored
            | Self::OAuth(_)
            | Self::Rejected { .. } => FailureKind::Failed,
        }
    }
}

impl Failure {
    /// Returns whether there is no point in asking the provider until a person has done something.
    pub(super) const fn waits_for_somebody(self) -> bool {
        matches!(
            self,
            Self::NoChain
                | Self::ForeignChain
                | Self::ChainMoved
                | Self::Store(StoreTrouble::Newer(_) | StoreTrouble::Damaged)
                | Self::ConsentNeeded(Consent::Refused)
                | Self::Gone
        )
    }

    /// Returns whether the old access token, while it lives, may still be used after this failed
    /// renewal.
    pub(super) const fn leaves_access(self) -> bool {
        matches!(self, Self::NoAnswer { .. } | Self::IntentNotStored)
    }
}

/// The reason why a new sign-in is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Consent {
    /// The provider itself refused the refresh token (`invalid_grant`).
    #[error("the provider no longer accepts this sign-in (invalid_grant)")]
    Refused,
    /// The Google account has no Google Health profile (`ACCOUNT_NOT_LINKED`).
    #[error("this Google account is not linked to Google Health (ACCOUNT_NOT_LINKED)")]
    AccountNotLinked,
    /// The grant has gone stale (`RESOURCE_PERMISSION_DENIED`).
    #[error("the provider has withdrawn access to the data (RESOURCE_PERMISSION_DENIED)")]
    ResourcePermissionDenied,
    /// Heart rate was not allowed on the consent page.
    #[error("access to heart rate was not given on the consent page")]
    HeartRateScopeMissing,
}

/// The reason why the store did not yield a chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreTrouble {
    /// Another process held the chain's lock for longer than we wait.
    #[error("another pulsewing process is using the sign-in")]
    Busy,
    /// A newer program wrote it.
    #[error("the stored sign-in was written by a newer pulsewing (format {0})")]
    Newer(u8),
    /// Neither the chain nor its previous generation can be read.
    #[error("the stored sign-in is damaged")]
    Damaged,
    /// The store itself failed.
    #[error("the stored sign-in could not be read")]
    Io,
}

/// The name of a call, for messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallName {
    /// The token endpoint.
    Token,
    /// The heart rate.
    Heart,
    /// The tracker's battery and last sync.
    Devices,
    /// The time zone.
    Zone,
    /// The resting heart rate.
    Resting,
    /// The heart-rate zones.
    HeartZones,
}

impl core::fmt::Display for CallName {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Token => "refreshing the access token",
            Self::Heart => "fetching the heart rate",
            Self::Devices => "fetching the tracker's battery",
            Self::Zone => "fetching the time zone",
            Self::Resting => "fetching the resting heart rate",
            Self::HeartZones => "fetching the heart-rate zones",
        })
    }
}

/// The reasons that need different remedies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The API is not enabled in the client's Google Cloud project.
    ServiceDisabled,
    /// The app's type does not allow minute-by-minute data (Fitbit).
    IntradayNotAllowed,
    /// The client's Google Cloud project was deleted, or is suspended.
    ProjectGone,
    /// The provider lets this account or this app read nothing (Google, without details).
    PermissionDenied,
    /// Anything else.
    Other,
}

impl Reason {
    fn sentence(self, status: u16) -> impl core::fmt::Display {
        let after = match self {
            Self::ServiceDisabled => " (SERVICE_DISABLED)",
            Self::ProjectGone => " (the app's Google Cloud project is gone)",
            Self::IntradayNotAllowed => " (no permission for intraday data)",
            Self::PermissionDenied => " (PERMISSION_DENIED)",
            Self::Other => "",
        };
        core::fmt::from_fn(move |f| match status {
            // Fitbit's answer lacks the minutes.
            200..300 => write!(f, "the answer has no minutes{after}"),
            _ => write!(f, "the provider refused with status {status}{after}"),
        })
    }
}
