use std::collections::HashSet;

use proptest::prelude::*;

use super::*;
use crate::settings::Change;

/// An action of a client, or the passing of time, on a Fitbit chain.
#[derive(Clone, Debug)]
enum Step {
    /// Refreshes with the n-th newest token.
    Refresh(usize),
    /// Calls for data with the n-th newest access token.
    Use(usize),
    Advance(i64),
    Consent,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        5 => (0usize..4).prop_map(Step::Refresh),
        3 => (0usize..4).prop_map(Step::Use),
        3 => prop_oneof![1i64..60, 119i64..123, 1i64..20_000].prop_map(Step::Advance),
        1 => Just(Step::Consent),
    ]
}

fn settings(replay: &str) -> Settings {
    let mut settings = Settings::default();
    let change = format!("{{\"replay\":\"{replay}\"}}");
    let change = serde_json::from_str::<Change>(&change).unwrap();
    settings.apply(change).unwrap();
    settings
}

fn issue<'a>(settings: &'a Settings, mint: &'a mut Mint, now: Timestamp) -> Issue<'a> {
    Issue {
        settings,
        mint,
        now,
    }
}

/// One pair as a client saw it, and its later history.
struct Seen {
    access: String,
    refresh: String,
    /// The pair that it was refreshed to, and when it was first refreshed.
    next: Option<(usize, i64)>,
    /// Whether its access or refresh token was used.
    used: bool,
    revoked: bool,
}

fn run(replay: &str, steps: &[Step]) {
    let settings = settings(replay);
    let (mut tokens, mut mint) = (Tokens::new(None), Mint::new(Wearer::FIRST, 1));
    let mut now = 1_000_000_000_i64;
    let mut seen: Vec<Seen> = Vec::new();
    let mut all = HashSet::new();
    let mut note = |seen: &mut Vec<Seen>, pair: Granted| {
        let refresh = pair.refresh_token.unwrap();
        assert!(
            all.insert(pair.access_token.clone()) && all.insert(refresh.clone()),
            "a token came twice"
        );
        seen.push(Seen {
            access: pair.access_token,
            refresh,
            next: None,
            used: false,
            revoked: false,
        });
    };
    let instant = |second| Timestamp::from_second(second).unwrap();
    for step in std::iter::once(&Step::Consent).chain(steps) {
        let pick = |n: usize| seen.len().checked_sub(1 + n);
        match step {
            Step::Advance(seconds) => now += seconds,
            Step::Consent => {
                seen.iter_mut().for_each(|pair| pair.revoked = true);
                let scopes = vec!["heartrate".to_owned()];
                let pair =
                    tokens.fitbit_consent(scopes, &mut issue(&settings, &mut mint, instant(now)));
                note(&mut seen, pair);
            }
            Step::Use(n) => {
                let Some(index) = pick(*n) else { continue };
                let token = seen[index].access.clone();
                let access = tokens.use_access(Provider::Fitbit, &token, &settings, instant(now));
                seen[index].used |= matches!(access, Access::Valid(_));
            }
            Step::Refresh(n) => {
                let Some(index) = pick(*n) else { continue };
                let token = seen[index].refresh.clone();
                let mut issue = issue(&settings, &mut mint, instant(now));
                let reply = tokens.fitbit_refresh(&token, &mut issue);
                let next = seen[index].next;
                match (reply, next) {
                    (FitbitRefresh::Invalid, None) => assert!(seen[index].revoked),
                    (FitbitRefresh::Invalid, Some((next, first))) => {
                        let late = replay == "120s" && now - first > 120;
                        assert!(
                            seen[index].revoked || seen[next].used || late,
                            "refused too early"
                        );
                    }
                    (FitbitRefresh::Pair(pair, _), None) => {
                        assert!(!seen[index].revoked);
                        note(&mut seen, pair);
                        seen[index].next = Some((seen.len() - 1, now));
                        seen[index].used = true;
                    }
                    (FitbitRefresh::Pair(pair, _), Some((next, first))) => {
                        assert!(!seen[index].revoked && !seen[next].used);
                        assert!(
                            replay == "until-used" || now - first <= 120,
                            "replayed too late"
                        );
                        assert_eq!(pair.access_token, seen[next].access);
                        assert_eq!(pair.refresh_token.as_ref(), Some(&seen[next].refresh));
                    }
                    (FitbitRefresh::Conflict, _) => panic!("nobody else is being answered"),
                }
            }
        }
        let described: Value = tokens.describe(&settings, instant(now)).collect();
        let states = described[0]["refresh"].as_array().unwrap().iter();
        assert_eq!(states.filter(|token| token["state"] == "active").count(), 1);
    }
}

proptest! {
    #[test]
    fn one_refresh_token_is_active_and_only_the_last_pair_is_replayed(
        steps in prop::collection::vec(step(), 0..60),
        until_used in any::<bool>(),
    ) {
        run(if until_used { "until-used" } else { "120s" }, &steps);
    }
}

#[test]
fn an_answer_that_is_not_yet_sent_makes_a_second_one_a_conflict() {
    let settings = Settings::default();
    let (mut tokens, mut mint) = (Tokens::new(None), Mint::new(Wearer::FIRST, 1));
    let now = Timestamp::UNIX_EPOCH;
    let mut issue = issue(&settings, &mut mint, now);
    let pair = tokens.fitbit_consent(vec!["heartrate".to_owned()], &mut issue);
    let token = pair.refresh_token.unwrap();
    let mut refresh = || tokens.fitbit_refresh(&token, &mut issue);
    let FitbitRefresh::Pair(_, answering) = refresh() else {
        panic!("refused")
    };
    assert!(matches!(refresh(), FitbitRefresh::Conflict));
    drop(answering);
    assert!(matches!(refresh(), FitbitRefresh::Pair(..)));
}

#[test]
fn whose_a_token_was_is_forgotten_with_the_token() {
    let settings = Settings::default();
    let wearer = Wearer::try_from(2).unwrap();
    let (mut tokens, mut mint) = (Tokens::new(None), Mint::new(wearer, 1));
    let mut issue = issue(&settings, &mut mint, Timestamp::UNIX_EPOCH);
    let first = tokens.fitbit_consent(vec!["heartrate".to_owned()], &mut issue);
    let (access, refresh) = (first.access_token, first.refresh_token.unwrap());
    let mut newest = refresh.clone();
    for rotation in 1..=1_000 {
        for token in [&access, &refresh, &newest] {
            assert_eq!(tokens.owner(token), Some(wearer), "{rotation}");
        }
        let FitbitRefresh::Pair(next, _) = tokens.fitbit_refresh(&newest, &mut issue) else {
            panic!("refused")
        };
        newest = next.refresh_token.unwrap();
    }
    assert_eq!(tokens.owner(&access), None);
    assert_eq!(tokens.owner(&refresh), None);
    assert_eq!(tokens.owner(&newest), Some(wearer));
}

#[test]
fn no_token_is_in_any_debug_output() {
    let settings = Settings::default();
    let (mut tokens, mut mint) = (Tokens::new(None), Mint::new(Wearer::FIRST, 1));
    let now = Timestamp::UNIX_EPOCH;
    let scopes = vec!["heartrate".to_owned()];
    let mut issue = issue(&settings, &mut mint, now);
    let pair = tokens.fitbit_consent(scopes.clone(), &mut issue);
    let google = tokens.google_consent(scopes, true, &mut issue);
    let text = format!("{tokens:?}");
    for secret in [
        Some(pair.access_token),
        pair.refresh_token,
        Some(google.access_token),
        google.refresh_token,
    ] {
        assert!(!text.contains(&secret.unwrap()));
    }
}
