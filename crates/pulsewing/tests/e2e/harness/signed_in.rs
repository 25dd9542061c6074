//! A home with a sandbox and a sign-in.

use std::fs::File;

use pulsewing_core::chain::Record;
use serde_json::{Value, json};

use crate::harness::{
    browser,
    hermetic::{Finished, Home, Program, Running},
    import_files::without_resting,
    recording,
    sandbox_process::Sandbox,
};

/// A refresh token such as the original's owner would have.
pub(crate) const SEED: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

/// Another one.
pub(crate) const OTHER_SEED: &str =
    "ffeeddccbbaa99887766554433221100ffeeddccbbaa99887766554433221100";

/// Lifetime of Fitbit's access tokens, in seconds.
pub(crate) const FITBIT_LIFE: i64 = 28_800;

/// Adds a scale, a phone and an old tracker, among which the program has to find the worn one.
fn has_odd_devices(sandbox: &Sandbox) {
    sandbox.configure(&json!({ "devices": "odd" }));
}

/// A home whose wearer is signed in at a sandbox.
pub(crate) struct SignedIn {
    pub(crate) home: Home,
    pub(crate) sandbox: Sandbox,
    provider: &'static str,
}

impl SignedIn {
    /// Returns a home for Fitbit's dialect, with every minute of the day until two o'clock, and no
    /// access token yet.
    pub(crate) fn fitbit() -> Self {
        Self::fitbit_with(|home| Sandbox::with_recording(home, &recording::until_two(), "UTC"))
    }

    /// Returns a home for Fitbit's dialect with the given sandbox.
    pub(crate) fn fitbit_with(sandbox: impl FnOnce(&Home) -> Sandbox) -> Self {
        let home = Home::new();
        let sandbox = sandbox(&home);
        has_odd_devices(&sandbox);
        sandbox.seed(SEED);
        home.configure(&configuration(&sandbox, "fitbit"));
        adopt(&home, &sandbox, SEED);
        Self {
            home,
            sandbox,
            provider: "fitbit",
        }
    }

    /// Returns a home for Google's dialect, with every minute of the day until two o'clock, and an
    /// access token.
    pub(crate) fn google() -> Self {
        Self::google_with(|home| Sandbox::with_recording(home, &recording::until_two(), "UTC"))
    }

    /// Returns a home for Google's dialect with the given sandbox.
    pub(crate) fn google_with(sandbox: impl FnOnce(&Home) -> Sandbox) -> Self {
        let home = Home::new();
        let sandbox = sandbox(&home);
        has_odd_devices(&sandbox);
        home.configure(&configuration(&sandbox, "google"));
        let signed_in = Self {
            home,
            sandbox,
            provider: "google",
        };
        signed_in.login();
        signed_in
    }

    /// Returns a home for either dialect, with every minute of the day until two o'clock.
    pub(crate) fn either(provider: &str) -> Self {
        match provider {
            "fitbit" => Self::fitbit(),
            _ => Self::google(),
        }
    }

    /// Returns a home for either dialect with the given sandbox.
    pub(crate) fn either_with(provider: &str, sandbox: impl FnOnce(&Home) -> Sandbox) -> Self {
        match provider {
            "fitbit" => Self::fitbit_with(sandbox),
            _ => Self::google_with(sandbox),
        }
    }

    /// Returns a home for Google's dialect that fetches no past days.
    pub(crate) fn google_today() -> Self {
        let signed_in = Self::google();
        signed_in.today_alone();
        signed_in
    }

    /// Returns the same home after a cycle.
    pub(crate) fn after_once(self) -> Self {
        self.once().exits(0);
        self
    }

    /// Turns off the fetching of past days.
    pub(crate) fn today_alone(&self) {
        self.home.configure_more("[history]\nkeep = \"1 day\"\n");
    }

    /// Signs in by pasting the address, as a user who allows everything.
    pub(crate) fn login(&self) {
        browser::paste(self.start_login(&[])).exits(0);
    }

    /// Starts a sign-in that prints the address to open, and takes the one to which that leads.
    pub(crate) fn start_login(&self, options: &[&str]) -> Running {
        let login = self.program(&[&["login", "--paste"], options].concat());
        login.printing_first().start()
    }

    /// Takes the chain's lock, as another process would.
    pub(crate) fn locked(&self) -> File {
        let path = self.home.state("chain.lock");
        let lock = File::options().append(true).open(path).unwrap();
        lock.lock().unwrap();
        lock
    }

    /// Returns a program that runs at the sandbox's time.
    pub(crate) fn program(&self, args: &[&str]) -> Program {
        self.home
            .program(&[args, &["--now", &self.sandbox.now()]].concat())
    }

    /// Runs the program at the sandbox's time.
    pub(crate) fn run(&self, args: &[&str]) -> Finished {
        self.program(args).run()
    }

    /// Runs one cycle.
    pub(crate) fn once(&self) -> Finished {
        self.run(&["once"])
    }

    /// Starts a cycle, and returns when its refresh is at Fitbit, which answers in so many seconds.
    pub(crate) fn once_in_mid_refresh(&self, seconds: u32) -> Running {
        self.fault("fitbit.token", 1, &json!({ "stall_s": seconds }));
        let once = self.program(&["once"]).start();
        self.sandbox.wait_for("fitbit.token", 1);
        once
    }

    /// Makes one kind of request fail `count` times; 0 means for ever.
    pub(crate) fn fault(&self, route: &str, count: u32, action: &Value) {
        self.sandbox.fault(route, count, action);
    }

    /// Asserts that the history has these minutes and no others, whatever the resting heart rates.
    #[track_caller]
    pub(crate) fn assert_history(&self, minutes: &str) {
        let history = self.home.run(&["export"]).exits(0).stdout;
        assert_eq!(without_resting(&history), minutes);
    }

    /// Returns the output of `status --json`.
    pub(crate) fn status(&self) -> Value {
        self.run(&["status", "--json"]).exits(0).json()
    }

    /// Returns the chain from the output of `status --json`.
    pub(crate) fn chain(&self) -> Value {
        self.status()["chain"].clone()
    }

    /// Returns the stored record.
    pub(crate) fn record(&self) -> Record {
        record(&self.home, "chain")
    }

    /// Returns the stored access token.
    pub(crate) fn access_token(&self) -> String {
        let record = self.record();
        record.chain.access().unwrap().token.expose().to_owned()
    }

    /// Returns the tracker's battery, as the cloud reports it.
    pub(crate) fn battery(&self) -> u64 {
        let target = match self.provider {
            "fitbit" => "/1/user/-/devices.json",
            _ => "/v4/users/me/pairedDevices",
        };
        let devices = self.sandbox.get_as(&self.access_token(), target).json();
        let devices = devices.get("pairedDevices").unwrap_or(&devices);
        let mut devices = devices.as_array().unwrap().iter();
        let tracker = devices.find(|device| device["deviceVersion"] == "Charge 6");
        tracker.unwrap()["batteryLevel"].as_u64().unwrap()
    }

    /// Returns the token endpoint's route.
    pub(crate) fn token_route(&self) -> String {
        format!("{}.token", self.provider)
    }

    /// Returns the heart rate's route.
    pub(crate) fn heart_route(&self) -> &'static str {
        match self.provider {
            "fitbit" => "fitbit.heart",
            _ => "google.rollup",
        }
    }

    /// Returns the number of requests to the token endpoint.
    pub(crate) fn token_requests(&self) -> usize {
        self.sandbox.requests_of(&self.token_route()).len()
    }

    /// Asserts that the stored chain is the provider's active one, and that no refresh is under way.
    #[track_caller]
    pub(crate) fn assert_chain_goes_on(&self) {
        let chain = self.chain();
        assert_eq!(
            self.sandbox.active_refresh_tokens(self.provider),
            [chain["refresh_token_fingerprint"].as_str().unwrap()],
        );
        assert_eq!(chain["standing"], "active");
        assert_eq!(chain["refresh_under_way_since"], Value::Null);
    }

    /// Asserts the same, and the chain's generation.
    #[track_caller]
    pub(crate) fn assert_chain_goes_on_as(&self, generation: u32) {
        self.assert_chain_goes_on();
        assert_eq!(self.chain()["generation"], generation);
    }

    /// Ends all faults, and asserts that a cycle succeeds and the chain goes on.
    #[track_caller]
    pub(crate) fn assert_chain_goes_on_without_faults(&self) {
        self.sandbox.faults(&json!([]));
        self.once().exits(0);
        self.assert_chain_goes_on();
    }
}

/// Adopts a chain that begins with this token.
pub(crate) fn adopt(home: &Home, sandbox: &Sandbox, token: &str) {
    let settings = home.write(
        "settings.toml",
        &format!(
            "Fitbit_ClientID = \"{}\"\nFitbit_UserID = \"{}\"\n",
            sandbox.ready["fitbit"]["client_id"].as_str().unwrap(),
            sandbox.ready["fitbit"]["user_id"].as_str().unwrap(),
        ),
    );
    home.program(&["adopt", &settings, "--nvm", "--now", &sandbox.now()])
        .stdin(&format!("{token}\n"))
        .run()
        .exits(0);
}

/// Returns a configuration for a sandbox.
pub(crate) fn configuration(sandbox: &Sandbox, provider: &str) -> String {
    let client = |provider: &str| {
        format!(
            "[{provider}]\nclient_id = {}\nclient_secret = {}\n",
            sandbox.ready[provider]["client_id"], sandbox.ready[provider]["client_secret"]
        )
    };
    format!(
        "provider = \"{provider}\"\n[endpoints]\nbase_url = \"{}\"\n{}{}",
        sandbox.url,
        client("google"),
        client("fitbit")
    )
}

/// Reads a stored record of a home.
pub(crate) fn record(home: &Home, file: &str) -> Record {
    Record::decode(&std::fs::read(home.state(file)).unwrap()).unwrap()
}
