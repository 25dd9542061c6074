//! A stand-in for the Fitbit Web API and the Google Health API, on one origin.
//!
//! It answers the requests of a heart-rate client of either cloud: consent, tokens that rotate and
//! expire, one-minute heart rate, devices, settings. Its data is a recording or a synthetic wearer,
//! its clock can be moved, and any request can be made to fail. Tests, demos and developers can use
//! it without an account.
//!
//! It is not a mock: as with the real services, every reply depends on state that requests change.
//! It is not complete: a wearer has only heart-rate data; other data can be requested, but is
//! empty. It protects nothing: its secrets are constants, and anyone who can reach its control
//! calls has full control. It shares no code with any client, so that a misreading of the
//! documentation is not mirrored.
//!
//! ```
//! # async fn example() -> Result<(), pulsewing_sandbox::StartError> {
//! use pulsewing_sandbox::{Sandbox, SandboxConfig};
//!
//! let sandbox = Sandbox::start(SandboxConfig::default()).await?;
//! println!("{}", sandbox.ready_line());
//! sandbox.stop().await;
//! # Ok(())
//! # }
//! ```
//!
//! # Where to start reading
//!
//! `cloud` takes one request from its arrival to its reply. `fitbit` and `google` are the two
//! fronts, each with its own routes and error bodies; both know a wearer only as
//! `wearer::Synced`. `oauth::tokens` is the token table, with the states of a refresh token. `webhook`
//! sends notifications when the clock passes a sync. `faults` is the fault list, `control` answers
//! the control calls, `server` is the HTTP layer below.
//!
//! # Routes
//!
//! | path | route |
//! |---|---|
//! | `GET, POST /oauth2/authorize` | `fitbit.authorize` |
//! | `POST /oauth2/token` | `fitbit.token` |
//! | `POST /oauth2/revoke` | `fitbit.revoke` |
//! | `POST /1.1/oauth2/introspect` | `fitbit.introspect` |
//! | `GET /1/user/{user}/activities/heart/date/{date}/1d/{detail}[/time/{from}/{to}].json` | `fitbit.heart` |
//! | `GET /1/user/{user}/activities/heart/date/{start}/{end}/{detail}[/time/{from}/{to}].json` | `fitbit.heart` |
//! | `GET /1/user/{user}/activities/heart/date/{date}/{period or end}.json` | `fitbit.heart` |
//! | `GET /1/user/{user}/devices.json` | `fitbit.devices` |
//! | `GET /1/user/{user}/profile.json` | `fitbit.profile` |
//! | reads of activity, body, food, sleep, `spo2`, `hrv`, `br`, `temp` and the like, all empty | `fitbit.other` |
//! | the same under `/1.1/` and `/1.2/` | the same |
//! | anything else under `/oauth2/ /1/ /1.1/ /1.2/` | `fitbit.unknown` |
//! | `GET, POST /o/oauth2/auth`, `/o/oauth2/v2/auth` | `google.authorize` |
//! | `POST /token`, `/o/oauth2/token`, `/oauth2/v4/token` | `google.token` |
//! | `POST /revoke`, `/o/oauth2/revoke` | `google.revoke` |
//! | `GET /oauth2/v3/userinfo`, `/v1/userinfo`, `/oauth2/v2/userinfo`, `/oauth2/v1/userinfo` | `google.userinfo` |
//! | `POST /v4/users/{user}/dataTypes/{type}/dataPoints:rollUp` | `google.rollup` |
//! | `POST /v4/users/{user}/dataTypes/{type}/dataPoints:dailyRollUp` | `google.daily_rollup` |
//! | `GET /v4/users/{user}/dataTypes/{type}/dataPoints` | `google.list` |
//! | `GET /v4/users/{user}/dataTypes/{type}/dataPoints:reconcile` | `google.reconcile` |
//! | `GET /v4/users/{user}/dataTypes/daily-resting-heart-rate/dataPoints[:reconcile]` | `google.resting` |
//! | any call on `daily-heart-rate-zones` and `time-in-heart-rate-zone` | `google.zones` |
//! | `GET /v4/users/{user}/pairedDevices[/{id}]` | `google.devices` |
//! | `GET /v4/users/{user}/settings` | `google.settings` |
//! | `GET /v4/users/{user}/identity` | `google.identity` |
//! | `GET /v4/users/{user}/profile` | `google.profile` |
//! | `POST, GET /v4/projects/{number}/subscribers` | `google.subscribers` |
//! | `PATCH, DELETE /v4/projects/{number}/subscribers/{id}` | `google.subscribers` |
//! | `GET /googlehealthapi/webhooks/webhooks_public_keyset.json` | `google.keyset` |
//! | notifications, which the sandbox sends to subscribers | `google.notify` |
//! | anything else under `/o/ /v4/ /v4beta/`, other verbs | `google.unknown` |
//!
//! # Control calls
//!
//! Only for programs and people on this computer; all JSON. Errors are `{"error":"..."}` with a
//! status of 400 or more. Every `POST` except `seed` and `rotate-key` has a `GET` that returns the current state.
//! The page at `/` shows the same in a browser.
//!
//! | call | effect |
//! |---|---|
//! | `GET /_sandbox/requests` | returns every provider request, oldest first, with fingerprints of its tokens and its wearer's `user_id`, if known |
//! | `GET /_sandbox/tokens` | returns every grant, its wearer's `user_id`, its generation, the states of its refresh tokens |
//! | `POST /_sandbox/clock` | moves the clock: `{"now":"2026-11-22T09:30:00Z"}` or `{"advance_s":900}` |
//! | `POST /_sandbox/seed` | plants a chain: `{"fitbit_refresh_token":"<64 hex>"}` |
//! | `POST /_sandbox/config` | changes the switches that it names |
//! | `POST /_sandbox/faults` | replaces the fault list, see [`Fault`] |
//! | `GET /_sandbox/service-account` | returns the key file of the project's service account |
//! | `GET /_sandbox/notifications` | returns every delivery of notifications, oldest first, with its attempts |
//! | `POST /_sandbox/rotate-key` | makes a new key that signs notifications; `{"old":"enabled"}`, `disabled` or `gone` |
//! | `POST /_sandbox/subscribers` | changes a subscriber's state: `{"id":"...","state":"INACTIVE"}` |
//!
//! # Wearers
//!
//! There is one wearer, or as many as [`SandboxConfig::wearers`] says. Each has an account in both
//! clouds, with tokens, data, devices and quotas of their own; the token or code of a request tells
//! whose it is. The consent page asks for the wearer, or takes the one of `user` in the query: a
//! number from 1, which is also the default. `{"user":2}` in a seed, a fault or a change of the
//! switches of wearing (`late`, `wearable`, `devices`, `battery`, `time_zone`, `last_sync`) limits
//! it to that wearer; `GET /_sandbox/config?user=2` returns the switches as they are for them.
//!
//! # Switches
//!
//! | switch | default | effect |
//! |---|---|---|
//! | `replay` | `120s` | how long Fitbit still answers a spent refresh token: `120s` or `until-used` |
//! | `gone` | `false` | Fitbit answers 410 everywhere |
//! | `page_sizes` | `observed` | Google's pages: 50 and at most 5000, or `documented`: 1440 and 10000 |
//! | `testing_status` | `false` | Google's grants end after seven days |
//! | `google_rotates` | `false` | each refresh with Google returns a new refresh token and ends the old one |
//! | `refresh_token_length` | `null` | length of the refresh tokens issued from now on, 16 to 4096 characters; `null`: 64 for Fitbit, 90 for Google |
//! | `scopes` | `null` | the scopes that the wearer grants to the apps; `null`: all |
//! | `quotas` | `true` | 150 requests an hour for Fitbit, 300 a minute for Google, by the sandbox's clock |
//! | `late` | `false` | in each sync, three minutes arrive one sync later, and two have wrong values at first |
//! | `wearable` | `true` | the data comes from a tracker; `false`: an app wrote all of it to Health Connect |
//! | `devices` | `plain` | the worn tracker, then a scale; `odd`: others are listed before it; `bare`: only the tracker, without a level; `none` |
//! | `battery` | `null` | the tracker's level in percent; `null`: it falls over time |
//! | `time_zone` | `null` | the zone that the wearer has travelled to; `null`: at home |
//! | `last_sync` | `null` | when the tracker synced last, because its phone is away; `null`: every 15 minutes |
//! | `redirect_uri` | `null` | the redirect registered with the Fitbit app, for sign-ins without one: the last one that was named |
//! | `header_case` | `title` | spelling of header names on new connections: `title` or `lower` |
//!
//! Scopes that are not in `scopes` are not granted at consent, and are refused to tokens granted
//! earlier.
#![forbid(unsafe_code)]
#![deny(missing_docs)]
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing
    )
)]

mod clock;
mod cloud;
mod control;
mod faults;
mod fitbit;
mod google;
mod gzip;
mod message;
mod misread;
mod oauth;
mod page;
mod quota;
mod request_log;
mod sandbox;
mod server;
mod settings;
mod state;
mod tls;
mod visitor;
mod wearer;
mod webhook;

#[cfg(feature = "_fuzzing")]
#[doc(hidden)]
pub use google::rewritten_filter;

pub use clock::Clock;
pub use faults::{Fault, ScriptError};
pub use oauth::{App, FITBIT_APP, FITBIT_USER_ID, GOOGLE_APP, GOOGLE_USER_ID};
pub use sandbox::{Sandbox, StartError};
pub use state::SandboxConfig;
pub use tls::TlsError;
pub use wearer::{MOST_WEARERS, Recording, RecordingError};
