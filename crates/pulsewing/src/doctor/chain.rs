//! The sign-in: `chain.present`, `chain.readable`, `chain.standing`, `chain.matches-config`,
//! `chain.expiry`, `chain.scopes`.
//!
//! We read the chain without its lock: a record is replaced by a rename, so we always read a whole
//! one.

use jiff::{SignedDuration, Timestamp};
use pulsewing_core::{
    Provider,
    chain::{Intent, Record, Standing, Stored},
    cycle::{Consent, Failure, StoreTrouble},
    oauth::OAuthError,
};

use super::{Finding, Known, unconfigured};
use crate::{
    config::{Config, endpoints::Endpoints},
    custody::{Loaded, Unavailable},
    tell::problem::Problem,
};

/// A refresh token that expires within this time does so because Google's app is in testing, where
/// tokens last seven days (Google Identity, "Refresh token expiration"). One day is added for the
/// wearer to notice.
const SOON: SignedDuration = SignedDuration::from_hours(8 * 24);

const OTHERS: [&str; 4] = [
    "chain.standing",
    "chain.matches-config",
    "chain.expiry",
    "chain.scopes",
];

/// Checks the contents of the chain's files.
pub(super) fn check(
    known: &Known,
    loaded: Result<Loaded, Unavailable>,
    findings: &mut Vec<Finding>,
) {
    let unread =
        |why: &'static str, what: &'static str| OTHERS.map(|id| Finding::skipped(id, why, what));
    match loaded {
        Err(unavailable) => {
            findings.extend(unavailable_chain(unavailable, known.provider));
            findings.extend(unread(
                "the sign-in cannot be read",
                "fix chain.readable first",
            ));
        }
        Ok(Loaded { record: None, .. }) => {
            let problem = Problem::from_failure(Failure::NoChain, known.provider);
            findings.push(Finding::problem("chain.present", &problem, ""));
            let absent = "there is no sign-in";
            findings.push(Finding::skipped("chain.readable", absent, "sign in first"));
            findings.extend(unread(absent, "sign in first"));
        }
        Ok(Loaded {
            record: Some(record),
            is_previous,
        }) => {
            let chain = &record.chain;
            let provider = chain.provider();
            findings.push(Finding::ok(
                "chain.present",
                format!("signed in with {}", provider.name()),
            ));
            findings.push(readable(chain, is_previous));
            findings.push(standing(&record, known));
            findings.push(match &known.config {
                Some(config) => matches_config(config, known.provider, chain),
                None => unconfigured("chain.matches-config"),
            });
            findings.push(expiry(provider, chain.refresh_expires_at(), known.now()));
            findings.push(scopes(chain));
        }
    }
}

/// Returns the findings for a chain that cannot be read.
fn unavailable_chain(unavailable: Unavailable, provider: Provider) -> [Finding; 2] {
    let is_there = !matches!(unavailable.trouble, StoreTrouble::Io);
    let present = if is_there {
        Finding::ok("chain.present", "signed in")
    } else {
        Finding::skipped(
            "chain.present",
            "cannot tell whether anybody is signed in",
            "fix chain.readable first",
        )
    };
    // The cycle's problem gives the advice, and the file system's error is the cause.
    let failure = Failure::Store(unavailable.trouble);
    let problem = Problem::from_failure(failure, provider);
    let problem = match unavailable.cause {
        Some(cause) => problem.caused_by_file(&cause),
        None => problem,
    };
    [present, Finding::problem("chain.readable", &problem, "")]
}

fn readable(chain: &Stored, is_previous: bool) -> Finding {
    const ID: &str = "chain.readable";
    let generation = chain.generation();
    if is_previous {
        return Finding::warn(
            ID,
            format!("the newest copy is damaged, so the copy of generation {generation} is used"),
            "run `pulsewing once` to see whether that one still works; if not, sign in again",
        );
    }
    let at = chain.obtained_at();
    Finding::ok(
        ID,
        format!("the stored sign-in is intact: generation {generation}, obtained at {at:.0}"),
    )
}

fn standing(record: &Record, known: &Known) -> Finding {
    const ID: &str = "chain.standing";
    let failure = match record.chain.standing() {
        Standing::Refused => Failure::ConsentNeeded(Consent::Refused),
        Standing::Moving => Failure::ChainMoved,
        Standing::Active => {
            // The token endpoint's last answer holds until there is another one.
            let error = known.state.oauth_error.as_deref();
            if let Some(error) = error.and_then(OAuthError::named) {
                let problem = Problem::from_failure(Failure::OAuth(error), record.chain.provider());
                return Finding::problem(ID, &problem, "");
            }
            // An intent of another generation is ignored.
            let is_own = |it: &Intent| it.generation == record.chain.generation();
            return match record.intent.filter(is_own) {
                None => Finding::ok(ID, "the sign-in is in use"),
                Some(intent) => Finding::warn(
                    ID,
                    format!(
                        "a refresh has been under way since {:.0}, {} s ago",
                        intent.first_sent_at,
                        known.now().duration_since(intent.first_sent_at).as_secs()
                    ),
                    "if no other pulsewing is running, run `pulsewing once` now: it repeats the refresh",
                ),
            };
        }
    };
    let problem = Problem::from_failure(failure, record.chain.provider());
    Finding::problem(ID, &problem, "")
}

/// Checks this in the same way as the cycle, which decides whether it may send a chain's tokens.
fn matches_config(config: &Config, provider: Provider, chain: &Stored) -> Finding {
    const ID: &str = "chain.matches-config";
    let wanted = Endpoints::new(provider, &config.endpoints).and_then(|endpoints| {
        let client = config.client(provider).to_client(provider)?;
        Ok((endpoints.issuer(), client))
    });
    let (issuer, client) = match wanted {
        Ok(wanted) => wanted,
        Err(problem) => return Finding::problem(ID, &problem, "fix the configuration"),
    };
    let differs = if provider != chain.provider() {
        Some(format!(
            "is from {}, but the configuration names {}",
            chain.provider().name(),
            provider.name()
        ))
    } else if issuer.as_str() != chain.issuer() {
        Some(format!(
            "was issued by {}, but the configuration names {issuer}",
            chain.issuer()
        ))
    } else {
        client
            .filter(|client| client.id != chain.client().id)
            .map(|client| {
                format!(
                    "belongs to the client {}, but the configuration names {}",
                    chain.client().id,
                    client.id
                )
            })
    };
    match differs {
        None => Finding::ok(
            ID,
            "the sign-in matches the configured provider, address and client",
        ),
        Some(how) => {
            let problem = Problem::from_failure(Failure::ForeignChain, provider);
            let mut finding = Finding::problem(ID, &problem, "");
            finding.found = format!("the sign-in {how}");
            finding
        }
    }
}

fn expiry(provider: Provider, ends_at: Option<Timestamp>, now: Timestamp) -> Finding {
    const ID: &str = "chain.expiry";
    let Some(at) = ends_at else {
        return Finding::ok(ID, "the sign-in has no known end date");
    };
    let left = at.duration_since(now);
    let login = format!("pulsewing login --provider {}", provider.name());
    if left <= SignedDuration::ZERO {
        let failure = Failure::ConsentNeeded(Consent::Refused);
        let mut finding = Finding::problem(ID, &Problem::from_failure(failure, provider), "");
        finding.found = format!("the sign-in ended at {at:.0}");
        return finding;
    }
    let found = format!("the sign-in ends at {at:.0}, in {}", distance(left));
    if left > SOON {
        return Finding::ok(ID, found);
    }
    let advice = match provider {
        Provider::Google => format!(
            "while your app is in testing in Google's console, its sign-ins end after seven days: publish it (docs/accounts.md), then sign in again with `{login}`"
        ),
        Provider::Fitbit => format!("sign in again with `{login}` before that"),
    };
    Finding::warn(ID, found, advice)
}

fn distance(left: SignedDuration) -> String {
    match left.as_hours() {
        ..1 => format!("{} min", left.as_mins()),
        1..48 => format!("{} h", left.as_hours()),
        hours => format!("{} days", hours / 24),
    }
}

fn scopes(chain: &Stored) -> Finding {
    const ID: &str = "chain.scopes";
    let (scopes, provider) = (chain.scopes(), chain.provider());
    if !scopes.has_heart_rate() {
        let failure = Failure::ConsentNeeded(Consent::HeartRateScopeMissing);
        return Finding::problem(ID, &Problem::from_failure(failure, provider), "");
    }
    let missing: Vec<&str> = [
        (scopes.has_settings(), "tracker battery and last sync"),
        (scopes.has_time_zone(provider), "time zone"),
    ]
    .into_iter()
    .filter_map(|(is_allowed, name)| (!is_allowed).then_some(name))
    .collect();
    if missing.is_empty() {
        return Finding::ok(ID, "everything that Pulsewing asks for was allowed");
    }
    Finding::warn(
        ID,
        format!("heart rate was allowed, but not: {}", missing.join(", ")),
        format!(
            "to see that too, sign in again with `pulsewing login --provider {}` and keep all boxes ticked",
            provider.name()
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_that_is_near_is_told_before_it_comes() {
        let now: Timestamp = "2026-11-22T12:00:00Z".parse().unwrap();
        for (hours, word, words) in [
            (-1, "fail", "ended at"),
            (0, "fail", "ended at"),
            (1, "warn", "in 1 h"),
            (7 * 24, "warn", "in 7 days"),
            (30 * 24, "ok", "in 30 days"),
        ] {
            let ends_at = now + SignedDuration::from_hours(hours);
            let finding = expiry(Provider::Google, Some(ends_at), now);
            assert_eq!(finding.status.word(), word, "{finding:?}");
            assert!(finding.found.contains(words), "{finding:?}");
        }
        assert_eq!(expiry(Provider::Fitbit, None, now).status.word(), "ok");
    }
}
