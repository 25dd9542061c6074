//! OAuth: the two registered apps, consent, codes and the token table.
//!
//! This module contains what both providers share; their token endpoints, with their own parameters
//! and error bodies, are in their fronts.

mod account;
mod code;
mod consent;
mod mint;
mod owner;
mod tokens;

use serde::Serialize;

use crate::wearer::Wearer;

pub(crate) use self::code::{Codes, Exchange};
pub(crate) use self::consent::{
    AuthorizeError, Consent, Page, chosen_wearer, document, is_loopback,
};
pub(crate) use self::mint::{Mints, fingerprint};
pub(crate) use self::tokens::{Access, FitbitRefresh, GoogleRefresh, Granted, Issue, Tokens};

/// One of the two clouds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Provider {
    Fitbit,
    Google,
}

impl Provider {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Fitbit => "fitbit",
            Self::Google => "google",
        }
    }

    /// Returns the app that is registered with this provider.
    pub(crate) const fn app(self) -> App {
        match self {
            Self::Fitbit => FITBIT_APP,
            Self::Google => GOOGLE_APP,
        }
    }

    /// Returns a wearer's id with this provider.
    pub(crate) fn user_id(self, wearer: Wearer) -> String {
        match self {
            Self::Fitbit => wearer.fitbit_id(),
            Self::Google => wearer.google_id(),
        }
    }
}

/// An app as it is registered with a provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct App {
    /// The client id.
    pub client_id: &'static str,
    /// The client secret. It protects nothing: it is the same in every sandbox.
    pub client_secret: &'static str,
}

/// The app registered with the Fitbit stand-in, of type Personal.
pub const FITBIT_APP: App = App {
    client_id: "23PWSB",
    client_secret: "5a4d0b0c5e1f4b7e9c3a2d1f0e8b7a69",
};

/// The app registered with the Google stand-in, of type Desktop.
pub const GOOGLE_APP: App = App {
    client_id: "100200300400-pulsewingsandbox.apps.googleusercontent.com",
    client_secret: "GOCSPX-pulsewing-sandbox-0000",
};

/// The first wearer's user id with the Fitbit stand-in.
pub const FITBIT_USER_ID: &str = "PW7SB1";

/// The first wearer's health user id with the Google stand-in.
pub const GOOGLE_USER_ID: &str = "111122223333444455";

/// The scopes of a seeded Fitbit chain.
pub(crate) const SEEDED_SCOPES: [&str; 3] = ["heartrate", "profile", "settings"];
