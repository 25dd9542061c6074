//! Messages about failed updates for people who know nothing about tokens, statuses and OAuth.
//!
//! | place | readers | contents |
//! |---|---|---|
//! | page | a wearer or a carer, perhaps with a phone | [`what`], [`advice`]; and [`Failure`]'s own words under "Details" |
//! | screen | the same people, from further away | [`banner`](crate::tell::banner_words::lines), which has little room |
//! | command line, log, terminal | a user at a keyboard | [`what`], a [`Problem`](crate::tell::problem::Problem)'s hints with their commands, and a line of details |

use pulsewing_core::{
    Provider,
    cycle::{CallName, Consent, Failure, FailureKind, Reason, StoreTrouble},
    oauth::{NoAnswer, OAuthError},
};

/// Describes the failure, as the middle of a sentence.
pub(crate) fn what(failure: Failure, provider: Provider) -> String {
    let cloud = match provider {
        Provider::Google => "Google Health",
        Provider::Fitbit => "Fitbit",
    };
    match failure {
        Failure::NoChain | Failure::ChainMoved | Failure::Store(_) => failure.to_string(),
        Failure::ForeignChain => {
            "the stored sign-in is for a different service than the one that is set up".to_owned()
        }
        Failure::IntentNotStored => {
            "nothing can be written to the disk, so the sign-in was not renewed".to_owned()
        }
        Failure::TokensNotStored => "the renewed sign-in could not be saved".to_owned(),
        Failure::ConsentNeeded(consent) => consent_lost(consent, cloud),
        Failure::OAuth(error) => not_renewed(error, cloud),
        Failure::Gone => format!("this service of {cloud} has been switched off for good"),
        Failure::RateLimited { .. } => {
            format!("{cloud} was asked too often, so Pulsewing is pausing for a while")
        }
        Failure::Unauthorized => format!("{cloud} is not accepting the sign-in right now"),
        Failure::NoAnswer { call, cause } => {
            format!("{} failed: {}", doing(call), no_answer(cause, cloud))
        }
        Failure::Rejected { call, reason, .. } => rejected(call, reason, cloud),
        Failure::OutOfTime => "time ran out before the heart rate could be fetched".to_owned(),
    }
}

fn consent_lost(consent: Consent, cloud: &str) -> String {
    match consent {
        Consent::AccountNotLinked => {
            "this Google account is not linked to Google Health".to_owned()
        }
        Consent::ResourcePermissionDenied => {
            format!("{cloud} no longer lets Pulsewing read the heart rate")
        }
        Consent::HeartRateScopeMissing => {
            "permission to read the heart rate was not given at sign-in".to_owned()
        }
        Consent::Refused => format!("{cloud} no longer accepts this sign-in"),
    }
}

fn not_renewed(error: OAuthError, cloud: &str) -> String {
    match error {
        OAuthError::InvalidClient | OAuthError::UnauthorizedClient => {
            format!(
                "{cloud} does not recognise the app that Pulsewing signs in with, or its secret"
            )
        }
        OAuthError::DeletedClient => {
            format!("the app that Pulsewing uses to sign in to {cloud} was deleted")
        }
        OAuthError::DisabledClient => {
            format!("the app that Pulsewing uses to sign in to {cloud} was disabled")
        }
        error if error.is_about_account() => {
            format!("{cloud} does not let this account use Pulsewing")
        }
        _ => format!("{cloud} did not renew the sign-in"),
    }
}

fn no_answer(cause: NoAnswer, cloud: &str) -> String {
    match cause {
        _ if cause.is_login_page() => {
            format!("a network's login page seems to be answering instead of {cloud}")
        }
        NoAnswer::Foreign(_) => {
            format!("something on the way answered instead of {cloud}")
        }
        NoAnswer::Redirected(_) => format!("the address of {cloud} redirects elsewhere"),
        NoAnswer::TimedOut | NoAnswer::Disconnected | NoAnswer::NeverLeft => {
            format!("{cloud} cannot be reached")
        }
        NoAnswer::Status(500..) => format!("{cloud} is not working right now"),
        _ => format!("{cloud} gave an unexpected answer"),
    }
}

fn rejected(call: CallName, reason: Reason, cloud: &str) -> String {
    match reason {
        Reason::ServiceDisabled => {
            "the Google Health API is not switched on for the app that Pulsewing uses".to_owned()
        }
        Reason::ProjectGone => {
            "the Google Cloud project that Pulsewing uses no longer exists".to_owned()
        }
        Reason::IntradayNotAllowed => {
            format!("{cloud} does not give Pulsewing the heart rate minute by minute")
        }
        Reason::PermissionDenied => {
            format!("{cloud} does not let this account read a heart rate")
        }
        _ => format!("{} was refused by {cloud}", doing(call)),
    }
}

/// Returns the purpose of a call.
fn doing(call: CallName) -> String {
    match call {
        CallName::Token => "renewing the sign-in".to_owned(),
        call => call.to_string(),
    }
}

/// Returns the suggested next step, in whole sentences without a command: not everybody has a
/// keyboard.
pub(crate) const fn advice(failure: Failure) -> &'static str {
    match failure {
        Failure::NoChain => "Sign in to see a heart rate.",
        Failure::ForeignChain => {
            "Sign in again, or ask whoever set up Pulsewing to check its configuration."
        }
        Failure::ChainMoved => {
            "The board uses it from now on. Sign in to use this machine as well."
        }
        Failure::Store(StoreTrouble::Busy) => "Nothing to do: Pulsewing keeps trying.",
        Failure::Store(StoreTrouble::Newer(_)) => {
            "Ask whoever set up Pulsewing to install the newer version again. Nothing was changed."
        }
        Failure::Store(StoreTrouble::Io) | Failure::IntentNotStored => {
            "Ask whoever set up Pulsewing to check its disk. The sign-in is safe."
        }
        Failure::TokensNotStored => {
            "Do not switch this machine off. Ask whoever set up Pulsewing to free up space on its disk."
        }
        Failure::ConsentNeeded(Consent::AccountNotLinked) => {
            "Set up Google Health with this account at https://fitbit.google.com/auth/signup, or sign in with the account that wears the tracker."
        }
        Failure::ConsentNeeded(Consent::ResourcePermissionDenied) => {
            "Remove the app at https://myaccount.google.com/connections, then sign in again."
        }
        Failure::ConsentNeeded(Consent::HeartRateScopeMissing) => {
            "Sign in again, and keep the heart rate box ticked."
        }
        Failure::OAuth(OAuthError::InvalidClient | OAuthError::UnauthorizedClient) => {
            "Ask whoever set up Pulsewing to check the client id and its secret."
        }
        Failure::OAuth(OAuthError::DeletedClient | OAuthError::DisabledClient) => {
            "Ask whoever set up Pulsewing to restore the app, or to create a new one."
        }
        Failure::OAuth(error) if error.is_about_account() => {
            "Sign in with another account, or ask whoever manages this one to allow Pulsewing."
        }
        Failure::Gone => "The same data is in Google Health: sign in there.",
        Failure::RateLimited { .. } => "Nothing to do: updates resume on their own.",
        Failure::Unauthorized => "Pulsewing keeps trying. If this keeps happening, sign in again.",
        Failure::Rejected { reason, .. } => advice_on_rejection(reason),
        Failure::NoAnswer { cause, .. } => advice_on_no_answer(cause),
        _ => match failure.kind() {
            FailureKind::ConsentNeeded => "Sign in again.",
            FailureKind::Temporary => NOTHING_IS_LOST,
            FailureKind::Failed | FailureKind::Gone => LOOK_AT_THIS,
        },
    }
}

const NOTHING_IS_LOST: &str = "Nothing is lost, and Pulsewing keeps trying.";
const LOOK_AT_THIS: &str = "Ask whoever set up Pulsewing to look at this: the details say more.";

const fn advice_on_rejection(reason: Reason) -> &'static str {
    match reason {
        Reason::ServiceDisabled => {
            "Ask whoever set up Pulsewing to switch it on at https://console.cloud.google.com/apis/library/health.googleapis.com."
        }
        Reason::ProjectGone => {
            "Ask whoever set up Pulsewing to restore the project, or to create a new one."
        }
        Reason::IntradayNotAllowed => {
            "Ask whoever set up Pulsewing to change the app's type to Personal at https://dev.fitbit.com/apps."
        }
        Reason::PermissionDenied => {
            "Sign in with the Google account that wears the tracker. An old Fitbit account must first be moved to Google in the Fitbit app."
        }
        Reason::Other => LOOK_AT_THIS,
    }
}

const fn advice_on_no_answer(cause: NoAnswer) -> &'static str {
    match cause {
        NoAnswer::TimedOut | NoAnswer::Disconnected | NoAnswer::NeverLeft => {
            "Pulsewing keeps trying. Is the internet connection working?"
        }
        _ if cause.is_login_page() => {
            "Networks in hotels, cafés and offices often have a login page of their own. Open any web page in a browser on the same network, and sign in there. Nothing is lost, and updates resume on their own."
        }
        NoAnswer::Foreign(_) => {
            "Does this network have a login page of its own? Nothing is lost, and Pulsewing keeps trying."
        }
        NoAnswer::UnfitToken => LOOK_AT_THIS,
        _ if cause.has_moved() => LOOK_AT_THIS,
        _ => NOTHING_IS_LOST,
    }
}

#[cfg(test)]
mod tests {
    use pulsewing_testkit::failures;

    use super::*;

    #[test]
    fn nobody_has_to_know_a_word_of_the_trade() {
        for failure in failures::all() {
            for provider in [Provider::Google, Provider::Fitbit] {
                let what = what(failure, provider);
                let advice = advice(failure);
                for words in [what.as_str(), advice] {
                    for trade in [
                        "status", "token", "scope", "grant", "OAuth", "HTTP", "endpoint", "chain",
                        "invalid_", "_", "400", "401", "403", "404", "410", "429", "503", "`",
                    ] {
                        assert!(!words.contains(trade), "{failure:?}: {words}");
                    }
                }
                assert!(what.len() > 15 && !what.ends_with('.'), "{what}");
                assert!(advice.ends_with(['.', '?']), "{advice}");
            }
        }
    }
}
