//! Texts about the daemon that the page and the terminal share.

use jiff::Timestamp;
use pulsewing_core::{
    cycle::{Consent, Failure},
    heart_zone::HeartZone,
};

use crate::{daemon::Snapshot, engine::Activity, tell::phrases::why};

/// Describes how well the reading represents the present; `None` without a reading.
pub(crate) fn freshness(snapshot: &Snapshot, now: Timestamp) -> Option<&'static str> {
    let reading = snapshot.reading.as_deref()?;
    if snapshot.live(now).is_some() {
        return Some("Live");
    }
    Some(why(snapshot.freshness(now)?, reading.absence()))
}

/// Describes the program's activity.
pub(crate) fn activity(snapshot: &Snapshot) -> Option<String> {
    if let Some(repair) = snapshot.repair {
        return Some(format!(
            "Fetching missing days: {} of {}",
            repair.done + 1,
            repair.total
        ));
    }
    match snapshot.activity {
        Activity::Waiting => None,
        Activity::Updating => Some("Updating".to_owned()),
        Activity::TokensNotStored => Some(
            "The renewed sign-in could not be saved yet: do not switch this machine off".to_owned(),
        ),
    }
}

/// Describes why no update follows automatically after a failure, as the middle of a sentence.
pub(crate) const fn no_update(failure: Failure) -> &'static str {
    match failure {
        Failure::NoChain => "nobody is signed in",
        Failure::ChainMoved => "the sign-in was moved to a board",
        Failure::ConsentNeeded(Consent::Refused) => "the provider refused the sign-in",
        Failure::Gone => "the service has ended",
        _ => "see above",
    }
}

/// Returns the name of a zone's class in the style sheet.
pub(crate) const fn class_of(zone: HeartZone) -> &'static str {
    match zone {
        HeartZone::VeryLow => "very-low",
        HeartZone::Easy => "easy",
        HeartZone::Light => "light",
        HeartZone::Moderate => "moderate",
        HeartZone::Vigorous => "vigorous",
        HeartZone::Peak => "peak",
    }
}
