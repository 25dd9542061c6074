//! A home with several wearers, each with an account of their own at one sandbox; in files, or in a
//! database.

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::harness::{
    daemon::Daemon,
    hermetic::{Finished, Home, Program},
    loopback_http,
    postgres::Postgres,
    sandbox_process::Sandbox,
    signed_in::configuration,
};

/// The time on the sandbox's clock at the start.
const START: &str = "2026-11-22T14:07:00Z";

/// Where the wearers and their sign-ins are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Store {
    Files,
    Database,
}

impl Store {
    /// Those that the program knows.
    pub(crate) const BOTH: &[Self] = match cfg!(feature = "fleet") {
        true => &[Self::Files, Self::Database],
        false => &[Self::Files],
    };
}

/// A home with several wearers.
pub(crate) struct Household {
    pub(crate) home: Home,
    pub(crate) sandbox: Sandbox,
    /// The name of the database, if they are in one.
    pub(crate) database: Option<String>,
}

impl Household {
    /// Returns a home whose configuration has these wearers; nobody has signed in yet.
    pub(crate) fn of(provider: &str, ids: &[&str]) -> Self {
        let household = Self::empty(provider, ids.len() + 1);
        for id in ids {
            household
                .home
                .configure_more(&format!("[[wearer]]\nid = \"{id}\"\n"));
        }
        household
    }

    /// Returns a home with these wearers in this store; nobody has signed in yet.
    pub(crate) fn of_at(store: Store, provider: &str, ids: &[&str]) -> Self {
        if store == Store::Files {
            return Self::of(provider, ids);
        }
        let household = Self::on_database(Postgres::shared(), provider, ids.len() + 1, &[]);
        for id in ids {
            household.run(&["wearer", "add", id]).exits(0);
        }
        household
    }

    /// Returns a home whose configuration has no wearers; the sandbox has accounts for this many.
    pub(crate) fn empty(provider: &str, accounts: usize) -> Self {
        Self::empty_with(provider, accounts, &[])
    }

    fn empty_with(provider: &str, accounts: usize, options: &[&str]) -> Self {
        let home = Home::new();
        let accounts = accounts.to_string();
        let usual = ["--wearers", &accounts, "--zone", "UTC", "--now", START];
        let sandbox = Sandbox::start(&home, &[&usual[..], options].concat());
        home.configure(&configuration(&sandbox, provider));
        home.configure_more("[history]\nkeep = \"1 day\"\n");
        Self {
            home,
            sandbox,
            database: None,
        }
    }

    /// Returns a home whose wearers are in a new database of this server, where there are none yet.
    /// `options` are the sandbox's.
    pub(crate) fn on_database(
        server: &Postgres,
        provider: &str,
        accounts: usize,
        options: &[&str],
    ) -> Self {
        let household = Self::empty_with(provider, accounts, options);
        let home = &household.home;
        let key = home.program(&["fleet", "key"]).showing_secrets().run();
        let key_file = home.write("pulsewing.keys", &key.exits(0).stdout);
        let database = server.new_database();
        home.configure_more(&format!(
            "[store]\nurl = \"{}\"\nkey_file = \"{key_file}\"\n",
            server.url(&database)
        ));
        Self {
            database: Some(database),
            ..household
        }
    }

    /// Returns a home in which the wearers are signed in, in their order from account 1 on.
    pub(crate) fn signed_in(provider: &str, ids: &[&str]) -> Self {
        Self::signed_in_at(Store::Files, provider, ids)
    }

    /// Returns the same with this store.
    pub(crate) fn signed_in_at(store: Store, provider: &str, ids: &[&str]) -> Self {
        let household = Self::of_at(store, provider, ids);
        for (account, id) in (1..).zip(ids) {
            household.login(id, account).exits(0);
        }
        household
    }

    /// Signs a wearer in with an account of the sandbox.
    pub(crate) fn login(&self, id: &str, account: usize) -> Finished {
        self.login_with(&["--wearer", id], account)
    }

    /// Signs in with an account of the sandbox.
    pub(crate) fn login_with(&self, options: &[&str], account: usize) -> Finished {
        let args = [&["login", "--paste"], options].concat();
        let mut login = self.program(&args).printing_first().start();
        let address = approve_as(&login.line(), account);
        login.say(&address);
        login.finish()
    }

    /// Returns a program that runs at the sandbox's time.
    pub(crate) fn program(&self, args: &[&str]) -> Program {
        let now = self.sandbox.now();
        self.home.program(&[args, &["--now", &now]].concat())
    }

    /// Runs the program at the sandbox's time.
    pub(crate) fn run(&self, args: &[&str]) -> Finished {
        self.program(args).run()
    }

    /// Starts a daemon with its page.
    pub(crate) fn daemon(&self) -> Daemon {
        Daemon::of(self.program(&["run", "--listen", "127.0.0.1:0"]))
    }

    /// Returns a path in a wearer's directory.
    pub(crate) fn of_wearer(&self, id: &str, name: &str) -> PathBuf {
        self.home.path("state/pulsewing").join(id).join(name)
    }

    /// Returns whether a wearer has a chain, in either store.
    pub(crate) fn has_chain(&self, id: &str) -> bool {
        match &self.database {
            None => self.of_wearer(id, "chain").exists(),
            Some(_) => {
                let states = self.states();
                states.iter().any(|(it, state)| it == id && state != "new")
            }
        }
    }

    /// Returns the states of all wearers, as `wearer list --json` prints them.
    pub(crate) fn states(&self) -> Vec<(String, String)> {
        let list = self.run(&["wearer", "list", "--json"]).exits(0);
        states(&serde_json::from_str(&list.stdout).unwrap())
    }

    /// Makes a kind of request of an account fail for ever.
    pub(crate) fn fault(&self, route: &str, account: usize, action: &Value) {
        self.sandbox
            .faults(&json!([{ "route": route, "user": account, "count": 0, "do": action }]));
    }

    /// Returns the accounts whose heart rate was asked for, in order.
    pub(crate) fn asked_about(&self) -> Vec<String> {
        let requests = self.sandbox.requests();
        let heart = requests.iter().filter(|request| {
            let route = request["route"].as_str().unwrap();
            route == "google.rollup" || route == "fitbit.heart"
        });
        heart
            .map(|request| request["user_id"].as_str().unwrap().to_owned())
            .collect()
    }
}

/// Returns the ids and states in a list of wearers.
pub(crate) fn states(list: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let wearers = list.as_array().unwrap().iter();
    wearers
        .map(|wearer| (text(&wearer["id"]), text(&wearer["state"])))
        .collect()
}

/// Allows everything on the consent page as this account, and returns the address to which the page
/// redirects.
pub(crate) fn approve_as(url: &str, account: usize) -> String {
    let page = loopback_http::get(&format!("{url}&auto=1&user={account}"));
    assert_eq!(page.status, 302, "{}", page.body);
    page.location().unwrap().to_owned()
}
