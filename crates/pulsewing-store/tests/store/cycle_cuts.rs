//! The real cycle refreshes a rotating chain on this store, against a model of a token endpoint,
//! and the power is cut at every step of the flash.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp, tz::Offset};
use pulsewing_core::{
    Provider,
    civil::Offsets,
    cycle::{Action, Cycle, Memory, Now, Pacing, Settings, StoreWhat},
    oauth::NoAnswer,
    reading::{TimeZone, ZoneName, ZoneSource},
    request::{Endpoint, REQUEST_BUFFER, ReplyHead},
};
use pulsewing_store::{
    StoreError,
    mock::{MockError, Tear},
};

use crate::board::{Board, ESP32, USUAL, at_generation, chain, refresh_token};

/// A token endpoint that rotates: a repeat within two minutes, before the new access token was
/// used, gets the same pair; a later one fails because its token is spent (Fitbit Web API, Refresh
/// Token).
#[derive(Clone)]
struct Cloud {
    generation: u32,
    rotated_at: Timestamp,
    is_used: bool,
}

impl Cloud {
    fn refresh(&mut self, body: &str, now: Timestamp) -> (u16, String) {
        let sent = |generation| body.contains(&refresh_token(generation));
        let is_replay = sent(self.generation - 1)
            && !self.is_used
            && now.duration_since(self.rotated_at) < SignedDuration::from_secs(120);
        if sent(self.generation) {
            self.generation += 1;
            self.rotated_at = now;
            self.is_used = false;
        } else if !is_replay {
            let body = r#"{"errors":[{"errorType":"invalid_grant"}],"success":false}"#;
            return (400, body.into());
        }
        let refresh = refresh_token(self.generation);
        let access = format!("{:08}", self.generation).repeat(USUAL / 8);
        let body = format!(
            r#"{{"access_token":"{access}","expires_in":28800,"refresh_token":"{refresh}",
            "scope":"heartrate settings profile","token_type":"Bearer","user_id":"4ABCDE"}}"#
        );
        (200, body)
    }
}

/// A board, its cloud, and the true time.
#[derive(Clone)]
struct World {
    board: Board<ESP32>,
    cloud: Cloud,
    utc: Timestamp,
    sent_without_intent: bool,
}

/// The end of a run.
#[derive(Debug, PartialEq, Eq)]
enum End {
    /// The cycle reported that it was finished.
    Finished,
    PowerCut,
}

impl World {
    fn new() -> Self {
        let mut board = Board::new(0, 11);
        board
            .with(async |store| store.adopt_chain(&chain(1, USUAL)).await)
            .unwrap();
        Self {
            board,
            cloud: Cloud {
                generation: 1,
                rotated_at: at_generation(1),
                is_used: true,
            },
            // The first access token has expired.
            utc: at_generation(2) + SignedDuration::from_mins(5),
            sent_without_intent: false,
        }
    }

    /// Runs the board from its start until a cycle is finished or the power is cut.
    fn run(&mut self) -> End {
        let mut cycle = Cycle::new(
            Settings {
                provider: Provider::Fitbit,
                issuer: "https://api.fitbit.com".try_into().unwrap(),
                client_id: None,
                client_secret: None,
                user_id: None,
                every: Duration::from_secs(900),
                hourly_cap: 60,
                heart_zones: None,
                born: None,
                cache_access: false,
                deadline: None,
            },
            Pacing::default(),
            Memory::default(),
            1,
        );
        let mut up = Duration::ZERO;
        let mut buffer = [0; REQUEST_BUFFER];
        let no_power = Err(StoreError::Flash(MockError::NoPower));
        for _ in 0..200 {
            let now = Now { utc: self.utc, up };
            match cycle.poll(now, &mut buffer) {
                Action::OpenChain { .. } => {
                    let loaded = self.board.load();
                    let Ok(Some(loaded)) = loaded else {
                        assert!(!self.board.flash.has_power(), "{loaded:?}");
                        return End::PowerCut;
                    };
                    if loaded.record.intent.is_some() {
                        let room = self.board.with(async |store| store.reserve_answer().await);
                        if room == no_power {
                            return End::PowerCut;
                        }
                        room.unwrap();
                    }
                    cycle.opened(loaded.record, now);
                }
                Action::Store { len, what } => {
                    let record = &buffer[..len];
                    assert_ne!(what, StoreWhat::Refusal, "the chain was lost");
                    let stored = self
                        .board
                        .with(async |store| store.store_chain(record, what).await);
                    if stored == no_power {
                        return End::PowerCut;
                    }
                    cycle.stored(stored.is_ok(), now);
                }
                Action::CloseChain => cycle.closed(now),
                Action::Send { request, .. } => {
                    if request.endpoint == Endpoint::Token {
                        let body = std::str::from_utf8(request.view(&buffer).body).unwrap();
                        let record = self.board.record().unwrap();
                        self.sent_without_intent |= record.intent.is_none();
                        let (status, reply) = self.cloud.refresh(body, self.utc);
                        cycle.reply_head(ReplyHead::new(status));
                        cycle.reply_body(reply.as_bytes());
                        cycle.reply_end(None, now);
                    } else {
                        self.cloud.is_used = true;
                        cycle.reply_end(Some(NoAnswer::Disconnected), now);
                    }
                }
                Action::ResolveZone { .. } => cycle.zone_resolved(utc(), now),
                Action::Wait { until } => {
                    self.utc += SignedDuration::try_from(until.saturating_sub(up)).unwrap();
                    up = until;
                }
                Action::Finished(_) => return End::Finished,
            }
        }
        unreachable!("the cycle does not end");
    }

    /// Restores the power; the board is up again after half a minute.
    fn restart(&mut self) {
        self.board.flash.restore_power();
        self.board.start();
        self.utc += SignedDuration::from_secs(30);
    }

    fn assert_alive(&mut self) {
        let record = self.board.record().unwrap();
        assert_eq!(record.intent, None);
        assert_eq!(
            record.chain.refresh_token().expose(),
            refresh_token(self.cloud.generation)
        );
        assert!(!self.sent_without_intent);
        self.board.assert_clean();
    }
}

fn utc() -> TimeZone {
    TimeZone {
        name: ZoneName::new(),
        source: ZoneSource::Machine,
        offsets: Offsets::fixed(Offset::UTC),
    }
}

#[test]
fn a_power_cut_at_any_step_of_a_refresh_costs_no_chain() {
    let mut world = World::new();
    for _ in 0..6 {
        let steps = {
            let mut whole = world.clone();
            let before = whole.board.flash.steps();
            assert_eq!(whole.run(), End::Finished);
            whole.assert_alive();
            whole.board.flash.steps() - before
        };
        assert!(steps > 200, "{steps}");
        for step in 0..steps {
            let mut cut = world.clone();
            cut.board.flash.reseed(step);
            cut.board.flash.cut(step, Tear::Page);
            assert_eq!(cut.run(), End::PowerCut);
            cut.restart();
            // A second cut, while the refresh is repeated.
            cut.board.flash.cut(step % 41, Tear::Word);
            if cut.run() == End::PowerCut {
                cut.restart();
                assert_eq!(cut.run(), End::Finished);
            }
            cut.board.flash.restore_power();
            cut.assert_alive();
        }
        assert_eq!(world.run(), End::Finished);
        world.utc += SignedDuration::from_hours(8);
    }
    assert_eq!(world.cloud.generation, 7);
}
