//! The board's settings, derived from this machine's configuration.

use jiff::tz::TimeZone;
use pulsewing_core::{Bpm, Provider, alarm::Limits};
use reqwest::Url;

use crate::{
    app::App, board::zone_rule::zone_rule, cli::Provision, config::endpoints,
    tell::problem::Problem,
};

/// A setting of the board and its target value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Setting {
    pub(super) name: String,
    pub(super) value: String,
}

/// Returns the settings in the order in which to make them: those of the configuration, those of
/// the options, and the time zone, which a board cannot know.
pub(super) fn plan(app: &App, options: &Provision) -> Result<Vec<Setting>, Problem> {
    let mut plan = Plan(Vec::new());
    let config = &app.config;
    let provider = match options.provider.or(app.wearer.provider).or(config.provider) {
        // If the sign-in is handed over as well, it determines the provider.
        None if options.move_chain || options.copy_chain => Some(app.provider(None)),
        named => named,
    };
    if let Some(provider) = provider {
        plan.push("provider", provider.name());
    }
    if config.endpoints.allow_http {
        plan.push("endpoint.plain_http", "yes");
    }
    for endpoint in origins(app, provider.unwrap_or(Provider::Google))? {
        plan.0.push(endpoint);
    }
    if let Some(every) = config.poll.every {
        plan.push("poll.every", &every.0.as_secs().to_string());
    }
    if let Some(cap) = config.poll.hourly_cap {
        plan.push("poll.hourly_cap", &cap.to_string());
    }
    if let Some(hold_off) = config.poll.hold_off {
        plan.push("poll.hold_off", &hold_off.0.as_secs().to_string());
    }
    if let Some(theme) = options.theme.or(app.wearer.theme).or(config.screen.theme) {
        plan.push("screen.theme", theme.name());
    }
    if let Some(palette) = options.palette.or(config.screen.palette) {
        plan.push("screen.palette", palette.name());
    }
    if let Some(night) = config.screen.night {
        plan.push("screen.night", &night.to_string());
    }
    if config.screen.background {
        plan.push("screen.background", "yes");
    }
    let backlight = config.screen.backlight();
    for (name, brightness) in [
        ("screen.backlight", backlight.day),
        ("screen.night_backlight", backlight.night),
    ] {
        if let Some(brightness) = brightness {
            plan.push(name, &brightness.to_string());
        }
    }
    if let Some(name) = &app.wearer.name {
        plan.push("wearer.name", name);
    }
    if let Some(zones) = app.wearer.zones {
        plan.push(
            "wearer.zones",
            &zones.limits().map(|bpm| bpm.get().to_string()).join(","),
        );
    }
    if let Some(born) = app.wearer.born {
        plan.push("wearer.born", &born.get().to_string());
    }
    let limits = config.limits(&app.wearer);
    if limits != Limits::default() {
        for (name, value) in of_limits(&limits) {
            plan.push(name, &value);
        }
    }
    let zone = app.wearer.time_zone.clone();
    if let Some(name) = zone.or_else(machine_zone)
        && let Some(rule) = zone_rule(&name)
    {
        plan.push("wearer.time_zone", &name);
        plan.push("wearer.zone_rule", &rule);
    }
    for (name, value) in &options.set {
        plan.push(name, value);
    }
    Ok(plan.0)
}

/// The limits of the heart rate. A board checks each against the others.
pub(super) const RATES: [&str; 4] = [
    "alarms.high",
    "alarms.high_urgent",
    "alarms.low",
    "alarms.low_urgent",
];

/// Returns the settings of all limits, because they belong together: an empty value is one that is not
/// set, also if another one was before.
fn of_limits(limits: &Limits) -> [(&'static str, String); 9] {
    let rate = |rate: Option<Bpm>| rate.map_or_else(String::new, |rate| rate.get().to_string());
    let off = || "off".to_owned();
    let [high, high_urgent, low, low_urgent] = RATES;
    [
        (high, rate(limits.high)),
        (high_urgent, rate(limits.high_urgent)),
        (low, rate(limits.low)),
        (low_urgent, rate(limits.low_urgent)),
        (
            "alarms.stale",
            limits
                .stale
                .map_or_else(off, |stale| stale.as_secs().to_string()),
        ),
        (
            "alarms.battery",
            limits
                .battery
                .map_or_else(off, |percent| percent.to_string()),
        ),
        (
            "alarms.quiet",
            limits
                .quiet
                .map_or_else(String::new, |quiet| quiet.to_string()),
        ),
        ("alarms.repeat", limits.repeat.as_secs().to_string()),
        ("alarms.fresh", limits.fresh.as_secs().to_string()),
    ]
}

struct Plan(Vec<Setting>);

impl Plan {
    /// Appends a setting; the last value of each counts.
    fn push(&mut self, name: &str, value: &str) {
        self.0.retain(|setting| setting.name != name);
        self.0.push(Setting {
            name: name.to_owned(),
            value: value.to_owned(),
        });
    }
}

fn machine_zone() -> Option<String> {
    TimeZone::system().iana_name().map(str::to_owned)
}

/// Returns the configured addresses. A board takes only origins, because it knows the providers'
/// paths.
fn origins(app: &App, provider: Provider) -> Result<Vec<Setting>, Problem> {
    let config = &app.config.endpoints;
    // This refuses invalid addresses, and http:// beyond this machine.
    endpoints::Endpoints::new(provider, config)?;
    let mut settings = Vec::new();
    let mut of_this_machine = None;
    for (name, key, configured) in [
        ("endpoint.auth", "auth_url", &config.auth_url),
        ("endpoint.token", "token_url", &config.token_url),
        ("endpoint.api", "api_url", &config.api_url),
    ] {
        let (key, text) = match (configured, &config.base_url) {
            (Some(text), _) => (key, text),
            (None, Some(base)) => ("base_url", base),
            (None, None) => continue,
        };
        let url = Url::parse(text).map_err(|error| {
            Problem::failed(format!("[endpoints] {key} is not an address")).caused_by(&error)
        })?;
        if url.path() != "/" && !is_own_path(url.path(), name, provider) {
            return Err(Problem::failed(format!(
                "[endpoints] {key} has a path ({}), but a board only accepts a host and a port",
                url.path()
            ))
            .hint("serve the provider's own paths directly at that host"));
        }
        if endpoints::is_loopback(&url) {
            of_this_machine = Some((key, url.host_str().unwrap_or_default().to_owned()));
        }
        settings.push(Setting {
            name: name.to_owned(),
            value: url.origin().ascii_serialization(),
        });
    }
    if let Some((key, host)) = of_this_machine {
        app.console.warn(&format!(
            "[endpoints] {key} points to {host}, which for a board means the board itself; use a name or an address that reaches this machine over the network"
        ));
    }
    Ok(settings)
}

fn is_own_path(path: &str, name: &str, provider: Provider) -> bool {
    match (name, provider) {
        ("endpoint.auth", Provider::Google) => path == "/o/oauth2/v2/auth",
        ("endpoint.auth", Provider::Fitbit) => path == "/oauth2/authorize",
        ("endpoint.token", provider) => path == pulsewing_core::oauth::token::token_path(provider),
        _ => false,
    }
}

/// Parses the settings that a board lists: `name value`, `name: value` or `name = value`.
pub(super) fn listed(lines: &[String]) -> Vec<Setting> {
    lines
        .iter()
        .filter_map(|line| {
            let end = line.find([' ', ':', '=']).unwrap_or(line.len());
            let (name, rest) = line.split_at_checked(end)?;
            let value = rest.trim_start_matches([' ', ':', '=']).trim_end();
            Some(Setting {
                name: name.to_owned(),
                value: unquoted(value).to_owned(),
            })
        })
        .collect()
}

/// Returns a value without its quotes, if it has any.
pub(super) fn unquoted(text: &str) -> &str {
    let inner = text
        .strip_prefix('"')
        .and_then(|text| text.strip_suffix('"'));
    inner.unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        app::Household,
        config::Config,
        engine::clock::Clock,
        tell::console::{Colour, Console},
    };

    fn planned(config: &str, options: Provision) -> Result<Vec<Setting>, Problem> {
        let config = Config::parse(config).unwrap();
        let console = Console::new(false, Colour::Never);
        let household = Household::of(config, console, Clock::system(), "/nowhere".into());
        let app = household.unwrap().one().unwrap();
        plan(&app, &options)
    }

    fn options() -> Provision {
        Provision {
            wifi: None,
            wifi_password_file: None,
            provider: None,
            theme: None,
            palette: None,
            wallpaper: None,
            set: Vec::new(),
            move_chain: false,
            copy_chain: false,
            replace: false,
        }
    }

    fn value<'s>(settings: &'s [Setting], name: &str) -> Option<&'s str> {
        let found = settings.iter().find(|setting| setting.name == name);
        found.map(|setting| setting.value.as_str())
    }

    #[test]
    fn what_the_configuration_names_is_what_the_board_is_told() {
        let config = r#"
            provider = "fitbit"
            [endpoints]
            base_url = "https://gateway.example:8443/"
            [poll]
            every = "30m"
            hold_off = 0
            [wearer]
            name = "Ada"
            time_zone = "Europe/Berlin"
            zones = [90, 110, 135, 160]
            born = 1988
            [screen]
            theme = "classic"
            night = "22:00-7:00"
            backlight = 80
            night_backlight = 0
            "#;
        let settings = planned(config, options()).unwrap();
        for (name, wanted) in [
            ("provider", "fitbit"),
            ("endpoint.auth", "https://gateway.example:8443"),
            ("endpoint.token", "https://gateway.example:8443"),
            ("endpoint.api", "https://gateway.example:8443"),
            ("poll.every", "1800"),
            ("poll.hold_off", "0"),
            ("wearer.name", "Ada"),
            ("wearer.zones", "90,110,135,160"),
            ("wearer.born", "1988"),
            ("wearer.time_zone", "Europe/Berlin"),
            ("wearer.zone_rule", "CET-1CEST,M3.5.0,M10.5.0/3"),
            ("screen.theme", "classic"),
            ("screen.night", "22:00-07:00"),
            ("screen.backlight", "80"),
            ("screen.night_backlight", "0"),
        ] {
            assert_eq!(value(&settings, name), Some(wanted), "{name}");
        }
        assert_eq!(value(&settings, "endpoint.plain_http"), None);
        assert_eq!(value(&settings, "poll.hourly_cap"), None);
    }

    #[test]
    fn limits_are_sent_together_or_not_at_all() {
        let settings = planned("[wearer]\nname = \"Ada\"", options()).unwrap();
        assert!(settings.iter().all(|it| !it.name.starts_with("alarms.")));
        let config = "[alarms]\nhigh = 120\nstale = \"off\"\nquiet = \"22:00-07:00\"\n[wearer.alarms]\nlow = 45";
        let settings = planned(config, options()).unwrap();
        for (name, wanted) in [
            ("alarms.high", "120"),
            ("alarms.high_urgent", ""),
            ("alarms.low", "45"),
            ("alarms.low_urgent", ""),
            ("alarms.stale", "off"),
            ("alarms.battery", "20"),
            ("alarms.quiet", "22:00-07:00"),
            ("alarms.repeat", "600"),
            ("alarms.fresh", "3600"),
        ] {
            assert_eq!(value(&settings, name), Some(wanted), "{name}");
        }
    }

    #[test]
    fn options_have_the_last_word() {
        let options = Provision {
            provider: Some(Provider::Google),
            set: vec![
                ("wearer.name".into(), "Grace".into()),
                ("sntp.1".into(), String::new()),
            ],
            ..options()
        };
        let settings = planned("provider = \"fitbit\"\n[wearer]\nname = \"Ada\"", options).unwrap();
        assert_eq!(value(&settings, "provider"), Some("google"));
        assert_eq!(value(&settings, "wearer.name"), Some("Grace"));
        assert_eq!(value(&settings, "sntp.1"), Some(""));
        assert_eq!(
            settings.iter().filter(|s| s.name == "wearer.name").count(),
            1
        );
    }

    #[test]
    fn plain_http_is_allowed_before_it_is_used() {
        let config = "[endpoints]\nbase_url = \"http://10.0.2.2:8080\"\nallow_http = true";
        let settings = planned(config, options()).unwrap();
        let place = |name| settings.iter().position(|setting| setting.name == name);
        assert!(place("endpoint.plain_http") < place("endpoint.api"));
        assert!(place("endpoint.plain_http").is_some());
    }

    #[test]
    fn an_address_with_a_path_of_its_own_is_refused() {
        assert!(
            planned(
                "[endpoints]\nbase_url = \"https://gw.example/fitbit\"",
                options()
            )
            .is_err()
        );
        let own = "[endpoints]\ntoken_url = \"https://gw.example/token\"";
        let settings = planned(own, options()).unwrap();
        assert_eq!(
            value(&settings, "endpoint.token"),
            Some("https://gw.example")
        );
    }

    #[test]
    fn a_list_is_read_however_it_is_set_out() {
        for line in [
            "wearer.name Ada L",
            "wearer.name: Ada L",
            "wearer.name = \"Ada L\"",
        ] {
            let settings = listed(&[line.to_owned()]);
            assert_eq!(value(&settings, "wearer.name"), Some("Ada L"), "{line}");
        }
        let rule = "wearer.zone_rule <+01>-1:30";
        assert_eq!(
            value(&listed(&[rule.into()]), "wearer.zone_rule"),
            Some("<+01>-1:30")
        );
    }
}
