//! Collectors that share a database, and the judge of what they did: the sandbox's token table and its
//! log of requests.

use std::{
    collections::{BTreeMap, HashMap},
    time::{Duration, Instant},
};

use jiff::Timestamp;
use pulsewing_core::{
    Provider, RefreshToken,
    chain::{Client, ClientId, Issuer, Record, Unstored, UserId, codec::MAX_RECORD},
    oauth::{Grant, Scopes},
};
use pulsewing_fleet::{Database, Due, Keys, NewWearer, Options};
use serde_json::{Value, json};

use crate::harness::{
    database_relay::DatabaseRelay, hermetic::Running, household::Household, postgres::Postgres,
};

/// A home whose wearers have Fitbit chains in a database.
pub(crate) struct Fleet {
    pub(crate) household: Household,
    url: String,
    wearers: usize,
}

/// What the judge found.
#[derive(Debug, Default)]
pub(crate) struct Verdict {
    /// Wearers whose stored refresh token is good: the cloud's active one, or one that it still answers.
    pub(crate) alive: usize,
    /// Those whose stored token is good for nothing any more.
    pub(crate) lost: Vec<String>,
    /// The replies to refreshes by status; 0 is a connection that was dropped.
    pub(crate) refreshes: BTreeMap<u64, usize>,
    /// The number of successful requests for a heart rate.
    pub(crate) updates: usize,
    /// The longest time between two of one wearer, and whose.
    pub(crate) longest: (Duration, String),
    /// The requests of that wearer, and of those of whom a refresh was refused.
    pub(crate) evidence: Vec<String>,
}

impl Verdict {
    /// Returns the number of refreshes with a token that the cloud did not take any more.
    pub(crate) fn refused(&self) -> usize {
        let refused = self.refreshes.range(400..=403);
        refused.map(|(_, count)| count).sum()
    }

    /// Asserts that no chain was lost, and that nobody waited longer than this.
    #[track_caller]
    pub(crate) fn assert_nothing_lost(&self, longest: Duration) {
        assert!(self.lost.is_empty(), "{self:#?}");
        assert_eq!(self.refused(), 0, "{self:#?}");
        assert!(self.longest.0 <= longest, "{self:#?}");
    }
}

impl Fleet {
    /// Returns a fleet of so many wearers `w1`, `w2`, ..., whose chains begin with tokens that the
    /// sandbox knows. An access token lives for so many seconds: if that is half an interval between
    /// polls, every cycle renews it.
    pub(crate) fn planted(server: &Postgres, wearers: usize, life_s: u64, config: &str) -> Self {
        let life = life_s.to_string();
        let life = ["--token-life", &life];
        let household = Household::on_database(server, "fitbit", wearers, &life);
        let home = &household.home;
        household.sandbox.configure(&json!({ "quotas": false }));
        // The table of the database is the last one.
        home.configure_more(config);
        let url = server.url(household.database.as_ref().unwrap());
        let fleet = Self {
            household,
            url,
            wearers,
        };
        fleet.plant();
        fleet
    }

    /// Returns the same fleet after its database was put back from a dump.
    pub(crate) fn restored_from(mut self, server: &Postgres, dump: &str) -> Self {
        let old = self.household.database.take().unwrap();
        let new = server.restore(dump);
        let path = self.household.home.path("config/pulsewing/config.toml");
        let config = std::fs::read_to_string(&path).unwrap();
        let config = config.replace(&server.url(&old), &server.url(&new));
        std::fs::write(&path, config).unwrap();
        self.url = server.url(&new);
        self.household.database = Some(new);
        self
    }

    fn plant(&self) {
        let sandbox = &self.household.sandbox;
        let issuer = Issuer::try_from(sandbox.url.as_str()).unwrap();
        let app = sandbox.ready["fitbit"]["client_id"].as_str().unwrap();
        let now: Timestamp = sandbox.now().parse().unwrap();
        self.with_database(async |database, keys| {
            for number in 1..=self.wearers {
                let token = format!("{number:064x}");
                sandbox.seed_of(number, &token);
                let user_id = UserId::try_from(format!("PW7SB{number}").as_str()).unwrap();
                let grant = Grant {
                    refresh: Some(RefreshToken::new(&token).unwrap()),
                    user_id: Some(user_id.clone()),
                    ..Grant::default()
                };
                let client = Client {
                    id: ClientId::try_from(app).unwrap(),
                    secret: None,
                };
                let chain = Unstored::signed_in(
                    Provider::Fitbit,
                    issuer.clone(),
                    client,
                    grant,
                    Scopes::ALL,
                    None,
                    now,
                );
                let chain = chain.unwrap();
                let new = NewWearer {
                    id: id(number).parse().unwrap(),
                    name: String::new(),
                    provider: "fitbit".to_owned(),
                    settings: "{}".to_owned(),
                };
                let wearer = database.add_wearer(&new).await.unwrap();
                let mut lease = database.take(&wearer.id, Duration::ZERO).await.unwrap();
                let claimed = database.claim_person(&lease, "fitbit", user_id.as_str());
                claimed.await.unwrap();
                let mut buffer = [0; MAX_RECORD];
                let record = chain.encode(&mut buffer).unwrap();
                let stored =
                    database.replace_chain(&mut lease, keys, chain.generation(), record, true);
                stored.await.unwrap();
                let due = Due::After(Duration::ZERO);
                database.release(lease, due).await.unwrap();
            }
        });
    }

    /// Calls the store's own library.
    pub(crate) fn with_database<T>(&self, work: impl AsyncFnOnce(&Database, &Keys) -> T) -> T {
        let keys = std::fs::read_to_string(self.household.home.work("pulsewing.keys")).unwrap();
        let keys = Keys::parse(&keys).unwrap();
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        runtime.enable_all().build().unwrap().block_on(async {
            let options = Options::default();
            let database = Database::connect(&self.url, trusting_nobody(), options).await;
            work(&database.unwrap(), &keys).await
        })
    }

    /// Starts a collector whose clock is so many seconds ahead, behind a relay.
    pub(crate) fn collector(&self, relay: &DatabaseRelay, ahead: i64) -> Running {
        let household = &self.household;
        let now: Timestamp = household.sandbox.now().parse().unwrap();
        let now = now + jiff::SignedDuration::from_secs(ahead);
        let url = relay.url(household.database.as_ref().unwrap());
        let now = now.to_string();
        let args = ["run", "--no-web", "--store", &url, "--now", &now];
        household.home.program(&args).start()
    }

    /// Returns the number of successful requests for a heart rate so far.
    pub(crate) fn updates(&self) -> usize {
        let requests = self.household.sandbox.requests();
        requests.iter().filter(|request| is_update(request)).count()
    }

    /// Judges what has happened since `start`, on the sandbox's clock.
    pub(crate) fn judge(&self, start: Timestamp) -> Verdict {
        let sandbox = &self.household.sandbox;
        let tokens = sandbox.tokens();
        let states: HashMap<(&str, &str), &str> = tokens
            .iter()
            .flat_map(|grant| {
                let user = grant["user_id"].as_str().unwrap();
                let refresh = grant["refresh"].as_array().unwrap().iter();
                refresh.map(move |token| {
                    let text = |name: &str| token[name].as_str().unwrap();
                    ((user, text("fp")), text("state"))
                })
            })
            .collect();
        let mut verdict = Verdict::default();
        for (number, token) in self.stored_tokens() {
            let user = user(number);
            match states.get(&(user.as_str(), token.as_str())) {
                Some(&("active" | "replayable")) => verdict.alive += 1,
                _ => verdict.lost.push(id(number)),
            }
        }
        let end: Timestamp = sandbox.now().parse().unwrap();
        let mut latest: HashMap<String, Timestamp> = (1..=self.wearers)
            .map(|number| (user(number), start))
            .collect();
        let mut gap = |whose: &str, until: Timestamp, since: Timestamp| {
            let gap = Duration::try_from(until.duration_since(since)).unwrap_or_default();
            if gap > verdict.longest.0 {
                verdict.longest = (gap, whose.to_owned());
            }
        };
        for request in sandbox.requests() {
            if request["route"] == "fitbit.token" {
                let status = request["status"].as_u64().unwrap_or(0);
                *verdict.refreshes.entry(status).or_default() += 1;
            }
            if is_update(&request) {
                verdict.updates += 1;
                let whose = request["user_id"].as_str().unwrap();
                let at: Timestamp = request["at"].as_str().unwrap().parse().unwrap();
                let since = latest.get_mut(whose).unwrap();
                gap(whose, at, *since);
                *since = at;
            }
        }
        for (whose, since) in &latest {
            gap(whose, end, *since);
        }
        verdict.evidence = self.evidence(&verdict.longest.1);
        verdict
    }

    /// Returns the requests of this wearer, and of those of whom a refresh was refused.
    fn evidence(&self, longest: &str) -> Vec<String> {
        let requests = self.household.sandbox.requests();
        let text = |request: &Value, name: &str| request[name].as_str().unwrap_or("-").to_owned();
        let is_refused = |request: &&Value| {
            let status = request["status"].as_u64().unwrap_or(0);
            request["route"] == "fitbit.token" && (400..=403).contains(&status)
        };
        let refused = requests.iter().filter(is_refused);
        let tokens: Vec<String> = refused.map(|it| text(it, "refresh_fp")).collect();
        let of_tokens = requests
            .iter()
            .filter(|it| tokens.contains(&text(it, "refresh_fp")));
        let users: Vec<String> = of_tokens
            .map(|it| text(it, "user_id"))
            .chain([longest.to_owned()])
            .collect();
        let told = requests.iter().filter(|it| {
            users.contains(&text(it, "user_id")) || tokens.contains(&text(it, "refresh_fp"))
        });
        told.map(|it| {
            let (at, user, route) = (text(it, "at"), text(it, "user_id"), text(it, "route"));
            let (refresh, access) = (text(it, "refresh_fp"), text(it, "access_fp"));
            format!(
                "{at} {user} {route} {} refresh {refresh} access {access}",
                it["status"]
            )
        })
        .collect()
    }

    /// Returns the fingerprints of the stored refresh tokens, by the wearers' numbers.
    pub(crate) fn stored_tokens(&self) -> Vec<(usize, String)> {
        self.with_database(async |database, keys| {
            let mut tokens = Vec::new();
            for number in 1..=self.wearers {
                let wearer = database.wearer(&id(number).parse().unwrap()).await;
                let chain = database.peek_chain(&wearer.unwrap(), keys).await;
                let record = Record::decode(&chain.unwrap().unwrap().record).unwrap();
                let token = record.chain.refresh_token().fingerprint();
                tokens.push((number, token.to_string()));
            }
            tokens
        })
    }
}

/// Returns the id of a wearer.
pub(crate) fn id(number: usize) -> String {
    format!("w{number}")
}

/// Returns the provider's id of a wearer.
fn user(number: usize) -> String {
    format!("PW7SB{number}")
}

fn is_update(request: &Value) -> bool {
    request["route"] == "fitbit.heart" && request["status"] == 200
}

/// Returns a configuration that trusts nobody.
pub(crate) fn trusting_nobody() -> rustls::ClientConfig {
    rustls::ClientConfig::builder_with_provider(rustls::crypto::ring::default_provider().into())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth()
}

/// Looks four times a second until there is something, or the time is over.
pub(crate) fn look<T>(limit: Duration, mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let since = Instant::now();
    while since.elapsed() < limit {
        if let Some(found) = look() {
            return Some(found);
        }
        std::thread::park_timeout(Duration::from_millis(250));
    }
    None
}
