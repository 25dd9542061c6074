//! The banner texts on a picture for a failed update. There is room for two lines, of about fifty
//! letters each on small panels; the page and the command line say more.

use pulsewing_core::{
    cycle::{Failure, Reason, StoreTrouble},
    oauth::{NoAnswer, OAuthError},
};

const BY_ITSELF: &str = "Trying again by itself.";
const IF_THIS_LASTS: &str = "Trying again. If this lasts, sign in again.";
const LOOK_AT_THIS: &str = "Ask whoever set it up to look at this.";

/// Returns the problem and the suggested next step, as one short sentence each.
pub(crate) const fn lines(failure: Failure) -> (&'static str, &'static str) {
    match failure {
        Failure::ForeignChain => (
            "The sign-in is for another service.",
            "Sign in again, or check the settings.",
        ),
        Failure::Store(StoreTrouble::Busy) => ("Another program uses the sign-in.", BY_ITSELF),
        Failure::Store(StoreTrouble::Newer(_)) => (
            "The sign-in is from a newer Pulsewing.",
            "Install that version again.",
        ),
        Failure::Store(StoreTrouble::Damaged) => {
            ("The stored sign-in is damaged.", "Sign in again.")
        }
        Failure::Store(StoreTrouble::Io) => ("The sign-in cannot be read.", LOOK_AT_THIS),
        Failure::IntentNotStored => (
            "Nothing can be written to the disk.",
            "The sign-in is safe. Free up disk space.",
        ),
        Failure::OAuth(OAuthError::InvalidClient | OAuthError::UnauthorizedClient) => (
            "The cloud refuses the client id or secret.",
            "Ask whoever set it up to check both.",
        ),
        Failure::OAuth(OAuthError::DeletedClient) => (
            "The app that signs in was deleted.",
            "Ask whoever set it up to make a new one.",
        ),
        Failure::OAuth(OAuthError::DisabledClient) => {
            ("The app that signs in was disabled.", LOOK_AT_THIS)
        }
        Failure::OAuth(error) if error.is_about_account() => (
            "This account may not use the app.",
            "Use another, or ask its administrator.",
        ),
        Failure::OAuth(_) => ("The cloud did not renew the sign-in.", LOOK_AT_THIS),
        Failure::Unauthorized => ("The cloud does not accept the sign-in.", IF_THIS_LASTS),
        Failure::NoAnswer { cause, .. } => of_no_answer(cause),
        Failure::Rejected { reason, .. } => match reason {
            Reason::ServiceDisabled => (
                "The Google Health API is switched off.",
                "Switch it on in Google's Cloud console.",
            ),
            Reason::ProjectGone => (
                "The app's Google Cloud project is gone.",
                "Ask whoever set it up to make a new one.",
            ),
            Reason::IntradayNotAllowed => (
                "The Fitbit app may not read minutes.",
                "Set its type to Personal at Fitbit.",
            ),
            Reason::PermissionDenied => (
                "This account cannot read a heart rate.",
                "Sign in with the wearer's own account.",
            ),
            Reason::Other => ("The cloud refuses to give a heart rate.", LOOK_AT_THIS),
        },
        // These have pictures of their own, or pass by themselves.
        Failure::NoChain
        | Failure::ChainMoved
        | Failure::TokensNotStored
        | Failure::ConsentNeeded(_)
        | Failure::Gone
        | Failure::RateLimited { .. }
        | Failure::OutOfTime => ("The update failed.", BY_ITSELF),
    }
}

const fn of_no_answer(cause: NoAnswer) -> (&'static str, &'static str) {
    match cause {
        _ if cause.is_login_page() => (
            "A network's login page is in the way.",
            "Sign in to that network in a browser.",
        ),
        NoAnswer::Foreign(_) => (
            "Something in between blocks the cloud.",
            "Is it a proxy or a firewall? Trying again.",
        ),
        NoAnswer::Redirected(_) => (
            "The cloud's address redirects elsewhere.",
            "Check the address in the settings.",
        ),
        NoAnswer::Status(500..) => ("The cloud is not working right now.", BY_ITSELF),
        NoAnswer::Named { .. } => ("The cloud does not renew the sign-in.", IF_THIS_LASTS),
        NoAnswer::NoRefreshToken | NoAnswer::UnfitToken => {
            ("The renewed sign-in cannot be used.", LOOK_AT_THIS)
        }
        NoAnswer::TimedOut | NoAnswer::Disconnected | NoAnswer::NeverLeft => {
            ("The cloud cannot be reached.", "Is the internet working?")
        }
        NoAnswer::Status(_) | NoAnswer::Malformed | NoAnswer::Compressed | NoAnswer::TooLong => {
            ("The cloud's answer is not understood.", BY_ITSELF)
        }
    }
}

#[cfg(test)]
mod tests {
    use embedded_graphics::geometry::Size;
    use pulsewing_screen::State;
    use pulsewing_testkit::failures;

    use super::*;

    #[test]
    fn every_failure_is_read_to_its_end_on_every_panel() {
        for failure in failures::all() {
            let (what, advice) = lines(failure);
            let state = State::Fault { what, advice };
            for (width, height) in [(480, 320), (320, 240), (800, 480), (1_024, 600)] {
                let size = Size::new(width, height);
                assert!(state.fits_a_banner(size), "{size}: {what} {advice}");
            }
            assert!(what.ends_with('.') && advice.ends_with(['.', '?']));
        }
    }
}
