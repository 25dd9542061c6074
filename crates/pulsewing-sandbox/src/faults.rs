//! Faults: which requests fail, when, and how.

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{message::with, misread, wearer::Wearer};

/// One entry of the fault list, in the form of `POST /_sandbox/faults` and `--script`:
/// `{"route":"fitbit.token","skip":0,"count":1,"do":{"drop":"after"}}`.
///
/// For every request the list is searched from the top. The first fault of its route that has
/// nothing left to skip is applied, and the faults below it do not count the request. The route `*`
/// matches every provider route; `skip` defaults to 0 and `count` to 1; a `count` of 0 means
/// forever. With `"user":2` it concerns only requests of the second wearer.
///
/// | `do` | effect |
/// |---|---|
/// | `{"status":503,"body":"json","headers":{}}` | another reply and no effect; the body is the provider's error (`json`), a proxy's page (`html`) or nothing (`empty`) |
/// | `{"drop":"before"}` | the connection closes without a reply, and the request has had no effect |
/// | `{"drop":"after"}` | the connection closes without a reply, and the request has had its effect |
/// | `{"truncate":100}` | the reply announces its full length and ends after 100 bytes of its body |
/// | `{"truncate":100,"stall_s":20}` | the same, but the connection stays open for 20 seconds (real time) before it ends |
/// | `{"stall_s":20}` | the request has its effect, and the reply is sent 20 seconds (real time) later |
/// | `{"omit":"scope"}` | the reply lacks a key, at its top level or else at any depth |
/// | `{"reason":"ACCOUNT_NOT_LINKED"}` | the provider's own error with this reason or type, and no effect |
/// | `{"empty_page":true}` | a page without items that announces more; an empty day from Fitbit |
/// | `{"notify":"duplicate"}` | on `google.notify` only, and the only one there: something is wrong with a notification |
///
/// A notification can be `duplicate`, `out-of-order` (after the next one), `lost`, `tampered` (its
/// body is changed after signing), for an `unknown-user`, or have a `wrong-secret`, a
/// `wrong-signature` (of another body) or a `wrong-key` (one that is not published). `*` does not
/// include `google.notify`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(try_from = "Written")]
pub struct Fault {
    route: String,
    /// The only wearer whose requests it concerns.
    user: Option<Wearer>,
    skip: u32,
    /// How often it still applies; `None` means forever.
    left: Option<u32>,
    action: Action,
}

impl Fault {
    /// Parses a script: one fault per line as JSON; empty lines are skipped.
    ///
    /// # Errors
    /// Returns the number of the first line that is not a fault, and what is wrong with it.
    pub fn parse_script(text: &str) -> Result<Vec<Self>, ScriptError> {
        let lines = text
            .lines()
            .zip(1..)
            .filter(|(line, _)| !line.trim().is_empty());
        lines
            .map(|(line, number)| {
                serde_json::from_str(line).map_err(|error| ScriptError {
                    line: number,
                    problem: misread::in_words(&error),
                })
            })
            .collect()
    }
}

impl Fault {
    pub(crate) const fn user(&self) -> Option<Wearer> {
        self.user
    }

    /// Returns whether it is about requests like this one.
    fn concerns(&self, route: &str, wearer: Option<Wearer>) -> bool {
        (self.route == route || self.route == "*") && (self.user.is_none() || self.user == wearer)
    }

    /// Counts a request of those that it is about. Returns its effect, if it has one on this request.
    fn count(&mut self) -> Option<Action> {
        if self.skip > 0 {
            self.skip -= 1;
            return None;
        }
        match &mut self.left {
            Some(0) => return None,
            Some(left) => *left -= 1,
            None => {}
        }
        Some(self.action.clone())
    }

    fn describe(&self) -> Value {
        let fault = json!({
            "route": self.route,
            "skip": self.skip,
            "count": self.left.unwrap_or(0),
            "do": self.action.describe(),
        });
        match self.user {
            Some(wearer) => with(fault, "user", wearer.number()),
            None => fault,
        }
    }
}

impl Action {
    fn describe(&self) -> Value {
        match self {
            Self::Status {
                status,
                body,
                headers,
            } => json!({ "status": status, "body": body, "headers": headers }),
            Self::DropBefore => json!({ "drop": "before" }),
            Self::DropAfter => json!({ "drop": "after" }),
            Self::Truncate(cut) if cut.hold.is_zero() => json!({ "truncate": cut.length }),
            Self::Truncate(cut) => {
                json!({ "truncate": cut.length, "stall_s": cut.hold.as_secs_f64() })
            }
            Self::Stall(hold) => json!({ "stall_s": hold.as_secs_f64() }),
            Self::Omit(key) => json!({ "omit": key }),
            Self::Reason(reason) => json!({ "reason": reason }),
            Self::EmptyPage => json!({ "empty_page": true }),
            Self::Notify(mishap) => json!({ "notify": mishap }),
        }
    }
}

/// The error for a line of a script that is not a fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {problem}")]
pub struct ScriptError {
    /// The line's number, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub problem: String,
}

/// The effect of a fault.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Action {
    /// Another reply, and no effect.
    Status {
        status: u16,
        body: BodyKind,
        headers: BTreeMap<String, String>,
    },
    /// The connection closes without a reply; the request has had no effect.
    DropBefore,
    /// The connection closes without a reply; the request has had its effect.
    DropAfter,
    /// The reply announces its full length and breaks off.
    Truncate(Cut),
    /// The request has its effect, then the reply is held for this long (real time).
    Stall(Duration),
    /// The reply lacks a key.
    Omit(String),
    /// The provider's own error with this reason, and no effect.
    Reason(String),
    /// A page without items that announces more.
    EmptyPage,
    /// Something is wrong with a notification.
    Notify(Mishap),
}

/// What is wrong with a notification.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Mishap {
    /// It is sent twice.
    Duplicate,
    /// It is sent after the next one.
    OutOfOrder,
    /// It never arrives, which is a failed attempt.
    Lost,
    /// Its `Authorization` is another.
    WrongSecret,
    /// Its signature is of another body.
    WrongSignature,
    /// Its signature is by a key that is not published.
    WrongKey,
    /// Its body is changed after it was signed.
    Tampered,
    /// It is about somebody who is no wearer.
    UnknownUser,
}

/// Where a reply breaks off, and how long the connection then stays open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cut {
    /// After this many bytes of the body.
    pub(crate) length: usize,
    /// The connection stays open for this long.
    pub(crate) hold: Duration,
}

/// The body of a [`Action::Status`] reply.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum BodyKind {
    /// An error body as the provider sends it.
    #[default]
    Json,
    /// A page as a proxy sends it.
    Html,
    Empty,
}

/// The fault list.
#[derive(Debug, Default)]
pub(crate) struct Faults(Vec<Fault>);

impl Faults {
    pub(crate) fn replace(&mut self, faults: Vec<Fault>) {
        self.0 = faults;
    }

    pub(crate) fn add(&mut self, fault: Fault) {
        self.0.push(fault);
    }

    /// Returns the faults that can still apply, as they would be written now.
    pub(crate) fn describe(&self) -> Value {
        let ready = self.0.iter().filter(|fault| fault.left != Some(0));
        ready.map(Fault::describe).collect()
    }

    /// Returns the fault that applies to a request, known to be of this wearer, that has just
    /// arrived.
    pub(crate) fn strike(&mut self, route: &str, wearer: Option<Wearer>) -> Option<Action> {
        let mut faults = self.0.iter_mut();
        faults.find_map(|fault| fault.concerns(route, wearer).then(|| fault.count())?)
    }

    /// Returns what is wrong with a request with notifications of these wearers.
    pub(crate) fn strike_notification(
        &mut self,
        wearers: impl Iterator<Item = Wearer> + Clone,
    ) -> Option<Mishap> {
        let mut faults = self.0.iter_mut().filter(|fault| {
            let mut wearers = wearers.clone();
            fault.route == NOTIFY
                && fault
                    .user
                    .is_none_or(|user| wearers.any(|wearer| wearer == user))
        });
        match faults.find_map(Fault::count)? {
            Action::Notify(mishap) => Some(mishap),
            _ => None,
        }
    }
}

/// A fault in its JSON form.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    route: String,
    user: Option<Wearer>,
    #[serde(default)]
    skip: u32,
    #[serde(default = "once")]
    count: u32,
    #[serde(rename = "do")]
    action: WrittenAction,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenAction {
    status: Option<u16>,
    body: Option<BodyKind>,
    headers: Option<BTreeMap<String, String>>,
    drop: Option<When>,
    truncate: Option<usize>,
    stall_s: Option<f64>,
    omit: Option<String>,
    reason: Option<String>,
    empty_page: Option<bool>,
    notify: Option<Mishap>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum When {
    Before,
    After,
}

const fn once() -> u32 {
    1
}

impl TryFrom<Written> for Fault {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        if !ROUTES.contains(&written.route.as_str()) {
            return Err(format!(
                "there is no route `{}`; the routes are: {}",
                written.route,
                ROUTES.join(" ")
            ));
        }
        let action: Action = written.action.try_into()?;
        if matches!(action, Action::Notify(_)) != (written.route == NOTIFY) {
            return Err(format!(
                "`notify` goes with the route `{NOTIFY}`, and nothing else does"
            ));
        }
        Ok(Self {
            route: written.route,
            user: written.user,
            skip: written.skip,
            left: (written.count > 0).then_some(written.count),
            action,
        })
    }
}

impl TryFrom<WrittenAction> for Action {
    type Error = String;

    fn try_from(written: WrittenAction) -> Result<Self, String> {
        let WrittenAction {
            status,
            body,
            headers,
            drop,
            truncate,
            stall_s,
            omit,
            reason,
            empty_page,
            notify,
        } = written;
        if status.is_none() && (body.is_some() || headers.is_some()) {
            return Err("`body` and `headers` are only allowed with `status`".to_owned());
        }
        let status = match status {
            Some(status @ 200..=599) => Some(Self::Status {
                status,
                body: body.unwrap_or_default(),
                headers: checked(headers.unwrap_or_default())?,
            }),
            Some(status) => return Err(format!("`status` must be 200 to 599, not {status}")),
            None => None,
        };
        let stall = match stall_s.map(Duration::try_from_secs_f64) {
            Some(Ok(stall)) if stall <= MAX_STALL => Some(stall),
            Some(_) => {
                return Err(format!(
                    "`stall_s` must be 0 to {} seconds",
                    MAX_STALL.as_secs()
                ));
            }
            None => None,
        };
        // Together they are one fault: a reply that stalls in the middle.
        let late = match (truncate, stall) {
            (Some(length), hold) => Some(Self::Truncate(Cut {
                length,
                hold: hold.unwrap_or_default(),
            })),
            (None, Some(hold)) => Some(Self::Stall(hold)),
            (None, None) => None,
        };
        let found = [
            status,
            drop.map(|when| match when {
                When::Before => Self::DropBefore,
                When::After => Self::DropAfter,
            }),
            late,
            omit.map(Self::Omit),
            reason.map(Self::Reason),
            empty_page.filter(|wanted| *wanted).map(|_| Self::EmptyPage),
            notify.map(Self::Notify),
        ];
        let mut found = found.into_iter().flatten();
        match (found.next(), found.next()) {
            (Some(action), None) => Ok(action),
            _ => Err("`do` must have exactly one of status, drop, truncate (with or without stall_s), stall_s, omit, reason, empty_page, notify".to_owned()),
        }
    }
}

fn checked(headers: BTreeMap<String, String>) -> Result<BTreeMap<String, String>, String> {
    for (name, value) in &headers {
        let name_is_good = hyper::header::HeaderName::from_bytes(name.as_bytes()).is_ok();
        if !name_is_good || hyper::header::HeaderValue::from_str(value).is_err() {
            return Err(format!("`{name}` is not a valid header"));
        }
    }
    Ok(headers)
}

/// Every route that a fault can name; the request log uses the same names.
pub(crate) const ROUTES: &[&str] = &[
    "*",
    "fitbit.authorize",
    "fitbit.token",
    "fitbit.revoke",
    "fitbit.introspect",
    "fitbit.heart",
    "fitbit.devices",
    "fitbit.profile",
    "fitbit.other",
    "fitbit.unknown",
    "google.authorize",
    "google.userinfo",
    "google.token",
    "google.revoke",
    "google.rollup",
    "google.daily_rollup",
    "google.list",
    "google.reconcile",
    "google.resting",
    "google.devices",
    "google.settings",
    "google.identity",
    "google.profile",
    "google.zones",
    "google.subscribers",
    "google.keyset",
    NOTIFY,
    "google.unknown",
];

/// The route of notifications: requests that the sandbox sends, rather than answers.
pub(crate) const NOTIFY: &str = "google.notify";

/// A reply is held for at most an hour.
const MAX_STALL: Duration = Duration::from_secs(3600);

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(script: &str) -> Faults {
        let mut faults = Faults::default();
        faults.replace(Fault::parse_script(script).unwrap());
        faults
    }

    #[test]
    fn a_fault_skips_then_acts_then_is_over() {
        let mut faults =
            faults(r#"{"route":"fitbit.token","skip":1,"count":2,"do":{"drop":"after"}}"#);
        let struck: Vec<bool> = (0..5)
            .map(|_| faults.strike("fitbit.token", None).is_some())
            .collect();
        assert_eq!(struck, [false, true, true, false, false]);
        assert_eq!(faults.strike("fitbit.heart", None), None);
    }

    #[test]
    fn faults_of_one_route_act_one_after_the_other() {
        let mut faults = faults(
            "{\"route\":\"google.token\",\"do\":{\"drop\":\"before\"}}\n\n\
             {\"route\":\"*\",\"count\":0,\"do\":{\"truncate\":3}}",
        );
        assert_eq!(
            faults.strike("google.token", None),
            Some(Action::DropBefore)
        );
        for route in ["google.token", "fitbit.heart", "google.token"] {
            let cut = Cut {
                length: 3,
                hold: Duration::ZERO,
            };
            assert_eq!(faults.strike(route, None), Some(Action::Truncate(cut)));
        }
    }

    #[test]
    fn a_notification_has_faults_of_its_own_and_perhaps_of_one_of_its_wearers() {
        let second = Wearer::try_from(2).unwrap();
        let mut faults = faults(
            "{\"route\":\"*\",\"count\":0,\"do\":{\"drop\":\"before\"}}\n\
             {\"route\":\"google.notify\",\"user\":2,\"skip\":1,\"do\":{\"notify\":\"lost\"}}",
        );
        let mut strike = |wearers: &[Wearer]| faults.strike_notification(wearers.iter().copied());
        assert_eq!(strike(&[Wearer::FIRST]), None);
        assert_eq!(strike(&[Wearer::FIRST, second]), None);
        assert_eq!(strike(&[Wearer::FIRST]), None);
        assert_eq!(strike(&[Wearer::FIRST, second]), Some(Mishap::Lost));
        assert_eq!(strike(&[Wearer::FIRST, second]), None);
    }

    #[test]
    fn faults_are_told_as_they_are_written_without_those_that_are_over() {
        let script = r#"{"route":"*","do":{"drop":"before"}}
            {"route":"google.list","skip":2,"count":0,"do":{"status":429,"headers":{"Retry-After":"9"}}}
            {"route":"google.list","do":{"stall_s":1.5}}
            {"route":"google.list","do":{"omit":"scope"}}
            {"route":"google.list","do":{"reason":"R"}}
            {"route":"google.list","do":{"truncate":7}}
            {"route":"google.list","do":{"truncate":7,"stall_s":2.5}}
            {"route":"google.notify","user":2,"do":{"notify":"wrong-key"}}
            {"route":"google.list","user":2,"do":{"empty_page":true}}"#;
        let mut faults = faults(script);
        faults.strike("google.list", None);
        let told = faults.describe();
        assert_eq!(told.as_array().unwrap().len(), 8);
        let again: Vec<Fault> = serde_json::from_value(told.clone()).unwrap();
        let mut other = Faults::default();
        other.replace(again);
        assert_eq!(other.describe(), told);
        assert_eq!(told[0]["do"]["body"], "json");
    }

    #[test]
    fn a_script_error_names_its_line_and_its_problem() {
        let error = |script: &str| Fault::parse_script(script).unwrap_err();
        let misspelt = error("\n{\"route\":\"fitbit.hart\",\"do\":{\"drop\":\"after\"}}");
        assert_eq!(misspelt.line, 2);
        assert!(
            misspelt
                .problem
                .starts_with("there is no route `fitbit.hart`")
        );
        for wrong in [
            r#"{"route":"*","do":{}}"#,
            r#"{"route":"*","do":{"drop":"later"}}"#,
            r#"{"route":"*","do":{"drop":"after","omit":"scope"}}"#,
            r#"{"route":"*","do":{"body":"html"}}"#,
            r#"{"route":"*","do":{"status":99}}"#,
            r#"{"route":"*","do":{"status":500,"headers":{"a b":"c"}}}"#,
            r#"{"route":"*","do":{"stall_s":-1}}"#,
            r#"{"route":"*","do":{"stall":1}}"#,
            r#"{"route":"*","do":{"truncate":1,"stall_s":1,"omit":"scope"}}"#,
            r#"{"route":"*"}"#,
            r#"{"route":"*","user":0,"do":{"drop":"after"}}"#,
            r#"{"route":"*","do":{"notify":"duplicate"}}"#,
            r#"{"route":"google.notify","do":{"drop":"after"}}"#,
            r#"{"route":"google.notify","do":{"notify":"thrice"}}"#,
        ] {
            assert_eq!(error(wrong).line, 1, "{wrong}");
        }
    }
}
