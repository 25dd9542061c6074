//! Several wearers in one state directory, polled by one daemon; and what is the same when they are in a
//! database.

use std::{fs, io::Write, path::Path};

use pulsewing_files::private;
use serde_json::{Value, json};

use crate::harness::{
    household::{Household, Store, approve_as, states},
    loopback_http,
    patience::until,
    picture,
    signed_in::SignedIn,
};

/// Returns every store with every provider.
fn everywhere() -> impl Iterator<Item = (Store, &'static str)> {
    let stores = Store::BOTH.iter().copied();
    stores.flat_map(|store| ["google", "fitbit"].map(|provider| (store, provider)))
}

#[test]
fn a_command_about_one_wearer_says_which_or_lists_them() {
    for store in Store::BOTH {
        let household = Household::signed_in_at(*store, "google", &["anna", "ben"]);
        for command in [
            &["once"][..],
            &["status"],
            &["logout"],
            &["export"],
            &["login"],
        ] {
            household
                .run(command)
                .exits(2)
                .says("there are several wearers")
                .says("--wearer")
                .says("the wearers are anna, ben");
        }
        household
            .run(&["once", "--wearer", "dora"])
            .exits(2)
            .says("there is no wearer \"dora\"")
            .says("the wearers are anna, ben");
        household
            .run(&["once", "--wearer", "Anna"])
            .exits(2)
            .says("lower-case");
        household
            .run(&["once", "--wearer", "anna,ben"])
            .exits(2)
            .says("one wearer");
        household.run(&["once", "--wearer", "anna"]).exits(0);
        // Before the command, and as a variable.
        household.run(&["--wearer", "ben", "once"]).exits(0);
        let of_variable = household
            .program(&["status", "--json"])
            .env("PULSEWING_WEARER", "ben")
            .run();
        let status: Value = serde_json::from_str(&of_variable.exits(0).stdout).unwrap();
        let account = status["chain"]["user_id"].as_str().unwrap();
        assert_eq!(account, "111122223333444456");
        assert_eq!(
            household.asked_about(),
            ["111122223333444455", "111122223333444456"]
        );
    }
}

#[test]
fn wearers_have_nothing_in_common_but_the_configuration() {
    for (store, provider) in everywhere() {
        let household = Household::signed_in_at(store, provider, &["anna", "ben"]);
        let reading = |id: &str| -> Value {
            let once = household.run(&["once", "--json", "--wearer", id]).exits(0);
            serde_json::from_str(&once.stdout).unwrap()
        };
        assert_ne!(reading("anna")["window"], reading("ben")["window"]);
        let export = |id: &str| household.run(&["export", "--wearer", id]).exits(0).stdout;
        assert_ne!(export("anna"), export("ben"));
        household.run(&["logout", "--wearer", "anna"]).exits(0);
        assert_eq!(
            household.states(),
            [
                ("anna".into(), "new".into()),
                ("ben".into(), "signed-in".into())
            ]
        );
        assert!(!household.has_chain("anna"));
        household.run(&["once", "--wearer", "ben"]).exits(0);
        household
            .run(&["once", "--wearer", "anna"])
            .exits(3)
            .says("pulsewing login --wearer anna");
    }
}

#[test]
fn a_person_is_one_wearer_and_a_wearer_is_one_person() {
    for (store, provider) in everywhere() {
        let household = Household::of_at(store, provider, &["anna", "ben"]);
        household.login("anna", 1).exits(0);
        household
            .login("ben", 1)
            .exits(1)
            .says("this person is already")
            .says("wearer")
            .says("\"anna\"")
            .says("nothing was changed");
        assert!(!household.has_chain("ben"));
        household.login("ben", 2).exits(0);
        household.run(&["once", "--wearer", "anna"]).exits(0);
        // Another person in a wearer's place.
        household.login("anna", 3).exits(1).says("another person");
        // Anna is still Anna when she is signed out.
        household.run(&["logout", "--wearer", "anna"]).exits(0);
        household
            .login("ben", 1)
            .exits(1)
            .says("so this sign-in was not kept");
        household.login("anna", 1).exits(0);
    }
}

#[test]
fn somebody_is_added_and_removed_by_command_while_the_daemon_runs() {
    let household = Household::empty("google", 2);
    household.login_with(&[], 1).exits(0);
    let daemon = household.daemon();
    daemon.logs("updated bpm=");
    assert!(daemon.get("/").body.contains("The latest 15 minutes"));

    household
        .run(&["wearer", "add", "ben", "--name", "Ben B."])
        .exits(0)
        .says("pulsewing login --wearer ben")
        .says("/w/ben/sign-in");
    household
        .run(&["wearer", "add", "ben"])
        .exits(1)
        .says("there is already a wearer \"ben\"");
    until("the daemon polls Ben", || {
        let list = daemon.json("/api/v1/wearers");
        (list.as_array().unwrap().len() == 2).then_some(())
    });
    // He signs in on the page.
    let form = daemon.post("/w/ben/sign-in", "provider=google");
    let url = form
        .body
        .split("href=\"")
        .find(|part| part.contains("/o/oauth2/"))
        .unwrap();
    let url = url.split('"').next().unwrap().replace("&amp;", "&");
    let done = loopback_http::get(&approve_as(&url, 2));
    assert_eq!(
        (done.status, done.location()),
        (303, Some("/w/ben/")),
        "{}",
        done.body
    );
    until("Ben's heart rate", || {
        let now = daemon.json("/api/v1/wearers/ben/now");
        now["reading"]["latest"]["bpm"].as_u64()
    });
    assert_eq!(
        states(&daemon.json("/api/v1/wearers")),
        [
            ("default".into(), "signed-in".into()),
            ("ben".into(), "signed-in".into())
        ]
    );
    let family = daemon.get("/").body;
    assert!(
        family.contains("href=\"/w/ben/\"") && family.contains("Ben B."),
        "{family}"
    );

    household
        .run(&["wearer", "remove", "ben"])
        .exits(0)
        .prints("Removed ben: the sign-in was revoked and erased, and 1 day of history deleted.");
    assert!(!household.of_wearer("ben", "").exists());
    assert_eq!(
        household.sandbox.grant_of("google", "111122223333444456")["refresh"][0]["state"],
        "revoked"
    );
    until("the daemon has let Ben go", || {
        let list = daemon.json("/api/v1/wearers");
        (list.as_array().unwrap().len() == 1).then_some(())
    });
    assert!(daemon.get("/").body.contains("The latest 15 minutes"));
    daemon.stop();
}

#[test]
fn a_wearer_whom_the_provider_was_not_told_about_is_removed_only_by_force() {
    for store in Store::BOTH {
        let household = Household::signed_in_at(*store, "google", &["anna", "ben"]);
        household.fault("google.revoke", 1, &json!({ "status": 503 }));
        household
            .run(&["wearer", "remove", "anna"])
            .exits(5)
            .says("nothing was removed")
            .says("--force");
        assert!(household.has_chain("anna"));
        let removed = household
            .run(&["wearer", "remove", "anna", "--force"])
            .exits(0)
            .says("removing the wearer even so")
            .prints("Removed anna");
        match store {
            Store::Files => {
                removed.says("still in the configuration");
                assert!(!household.of_wearer("anna", "").exists());
            }
            Store::Database => {
                assert_eq!(household.states(), [("ben".into(), "signed-in".into())]);
            }
        }
    }
}

#[test]
fn a_wearer_is_added_once_and_listed_and_removed() {
    for store in Store::BOTH {
        let household = Household::of_at(*store, "google", &["anna"]);
        household
            .run(&[
                "wearer",
                "add",
                "ben",
                "--name",
                "Ben B.",
                "--provider",
                "fitbit",
            ])
            .exits(0)
            .says("pulsewing login --wearer ben");
        household
            .run(&["wearer", "add", "ben"])
            .exits(1)
            .says("there is already a wearer \"ben\"");
        household.run(&["wearer", "add", "Ben"]).exits(2);
        household.login("ben", 2).exits(0);
        let list = household.run(&["wearer", "list", "--json"]).exits(0);
        let expected = json!([
            { "id": "anna", "name": null, "provider": "google", "state": "new" },
            { "id": "ben", "name": "Ben B.", "provider": "fitbit", "state": "signed-in" },
        ]);
        assert_eq!(list.json(), expected);
        household
            .run(&["wearer", "list"])
            .exits(0)
            .prints("anna  not signed in (google)\n")
            .prints("ben   signed in (fitbit), Ben B.\n");
        household
            .run(&["wearer", "remove", "ben"])
            .exits(0)
            .prints("Removed ben");
        household
            .run(&["once", "--wearer", "ben"])
            .exits(2)
            .says("there is no wearer \"ben\"");
        household
            .run(&["wearer", "remove", "ben"])
            .exits(2)
            .says("there is no wearer \"ben\"");
        let grant = household.sandbox.grant_of("fitbit", "PW7SB2");
        assert_eq!(grant["refresh"][0]["state"], "revoked");
    }
}

#[test]
fn status_and_export_show_what_the_last_update_brought() {
    for (store, provider) in everywhere() {
        let household = Household::of_at(store, provider, &["anna", "ben"]);
        let status = |code: i32| {
            household
                .run(&["status", "--json", "--wearer", "anna"])
                .exits(code)
        };
        household
            .run(&["status", "--wearer", "anna"])
            .exits(0)
            .prints("no; sign in with `pulsewing login --wearer anna`");
        household.login("anna", 1).exits(0);
        assert_eq!(status(0).json()["chain"]["standing"], "active");
        let once = household
            .run(&["once", "--json", "--wearer", "anna"])
            .exits(0);
        let bpm = &once.json()["latest"]["bpm"];
        let export = household.run(&["export", "--wearer", "anna"]).exits(0);
        assert!(export.stdout.lines().count() > 60, "{}", export.stdout);
        let last = export.stdout.lines().last().unwrap().to_owned();
        assert!(last.contains(&format!(",{bpm}")), "{last}: {bpm}");
        assert_eq!(status(0).json()["chain"]["standing"], "active");
    }
}

#[test]
fn what_is_no_wearers_is_not_removed() {
    let household = Household::signed_in("google", &["anna"]);
    // A directory of somebody's own, whose name could be an id.
    let backup = household.of_wearer("backup", "");
    private::make_dir(&backup).unwrap();
    let write = |path: &Path, text: &str| {
        let mut file = private::options()
            .write(true)
            .create(true)
            .open(path)
            .unwrap();
        file.write_all(text.as_bytes()).unwrap();
    };
    write(&backup.join("letter"), "Dear diary");
    household
        .run(&["wearer", "remove", "backup"])
        .exits(2)
        .says("there is no wearer \"backup\"");
    assert!(backup.join("letter").exists());
    // What an interrupted removal leaves behind can be removed.
    household.run(&["wearer", "add", "ben"]).exits(0);
    household
        .run(&["wearer", "remove", "ben"])
        .exits(0)
        .prints("Removed ben: there was no sign-in, and there was no history.");
    private::make_dir(&household.of_wearer("ben", "")).unwrap();
    write(&household.of_wearer("ben", "state.json"), "{}");
    household.run(&["wearer", "remove", "ben"]).exits(0);
    assert!(!household.of_wearer("ben", "").exists());
    // Nor is whom the configuration would give back to a running daemon at once.
    let daemon = household.daemon();
    daemon.logs("updated bpm=");
    household
        .run(&["wearer", "remove", "anna"])
        .exits(1)
        .says("who is in the configuration")
        .says("nothing was removed");
    assert!(household.of_wearer("anna", "chain").exists());
    daemon.stop();
}

#[test]
fn names_are_ordinary_text() {
    let household = Household::empty("google", 1);
    let long = "x".repeat(65);
    for name in ["a\nb", "\u{1b}[31mred", "", " ", &long] {
        household
            .run(&["wearer", "add", "anna", "--name", name])
            .exits(2)
            .says("a name");
    }
    // A shell's variable is for the next commands.
    household
        .program(&["wearer", "add", "anna", "--name", "Änne <b>&amp; Co"])
        .env("PULSEWING_WEARER", "anna")
        .run()
        .exits(0);
    household.run(&["wearer", "add", "ben"]).exits(0);
    household
        .login("ben", 1)
        .exits(0)
        .says("`pulsewing once --wearer ben`");
    household
        .run(&["status", "--wearer", "anna"])
        .exits(0)
        .prints("pulsewing login --wearer anna");
    let daemon = household.daemon();
    let family = daemon.get("/").body;
    assert!(family.contains("Änne &lt;b&gt;&amp;amp; Co"), "{family}");
    let page = daemon.get("/w/anna/").body;
    let (_, title) = page
        .split_once("<title>Änne &lt;b&gt;&amp;amp; Co: ")
        .unwrap();
    // Perhaps it has found out already that nobody is signed in.
    let title = title.strip_prefix("Sign-in needed. ").unwrap_or(title);
    assert!(title.starts_with("No heart rate yet ·"), "{page}");
    assert!(page.contains("href=\"/\">All</a>"), "{page}");
    assert_eq!(daemon.get("/w/anna").location(), Some("/w/anna/"));
    for path in [
        "/w/dora",
        "/w/%0d%0aX",
        "/w/%2e%2e/",
        "/w/anna%2f..%2fben/",
        "/api/v1/wearers/Anna/now",
    ] {
        assert_eq!(daemon.get(path).status, 404, "{path}");
    }
    let picture = daemon.get("/frame.png");
    assert_eq!(picture.status, 404, "{}", picture.body);
    assert!(
        picture.body.contains("/w/anna/frame.png"),
        "{}",
        picture.body
    );
    daemon.stop();
}

#[test]
fn one_daemon_shows_a_family_of_all_sorts_and_the_worst_news_first() {
    let ids = ["fine", "signed-out", "limited", "off-wrist"];
    let household = Household::signed_in("google", &ids);
    household
        .run(&["logout", "--wearer", "signed-out"])
        .exits(0);
    household.fault(
        "google.rollup",
        3,
        &json!({ "status": 429, "headers": { "Retry-After": "600" } }),
    );
    let long_ago = json!({ "user": 4, "last_sync": "2026-11-22T02:00:00Z" });
    household.sandbox.configure(&long_ago);
    // Each is a moment after the other.
    let daemon = household.daemon();
    until("everybody was asked about", || {
        let updated = ids.iter().all(|id| {
            let now = daemon.json(&format!("/api/v1/wearers/{id}/now"));
            !now["last_update"].is_null()
        });
        updated.then_some(())
    });
    let now = |id: &str| daemon.json(&format!("/api/v1/wearers/{id}/now"));
    assert_eq!(now("fine")["trouble"], Value::Null);
    assert_eq!(now("fine")["reading"]["freshness"], "fresh");
    assert_eq!(now("signed-out")["trouble"]["kind"], "sign-in");
    assert!(
        now("signed-out")["trouble"]["hint"]
            .as_str()
            .unwrap()
            .contains("--wearer signed-out")
    );
    assert_eq!(now("limited")["trouble"]["kind"], "temporary");
    assert_eq!(now("off-wrist")["reading"]["freshness"], "stale");
    assert_eq!(
        states(&daemon.json("/api/v1/wearers")),
        [
            ("fine".into(), "signed-in".into()),
            ("signed-out".into(), "new".into()),
            ("limited".into(), "signed-in".into()),
            ("off-wrist".into(), "signed-in".into()),
        ]
    );

    let family = daemon.get("/").body;
    let at = |id: &str| family.find(&format!("href=\"/w/{id}/\"")).unwrap();
    let mut places = ["signed-out", "limited", "off-wrist", "fine"].map(at);
    assert!(places.is_sorted(), "{places:?}: {family}");
    places.sort_unstable();
    assert!(family.contains("Nobody has signed in yet"), "{family}");

    // Each wearer's pages lead only to their own.
    let page = daemon.get("/w/fine/").body;
    assert!(page.contains("href=\"/w/fine/day/2026-11-22\""), "{page}");
    assert!(
        page.contains("data-events=\"/api/v1/wearers/fine/events\""),
        "{page}"
    );
    for path in [
        "/w/fine/day/2026-11-22",
        "/w/fine/week/2026-11-22",
        "/w/fine/month/2026-11",
        "/w/fine/sign-in",
    ] {
        let reply = daemon.get(path);
        assert_eq!(reply.status, 200, "{path}");
        let elsewhere = reply.body.match_indices("href=\"/").any(|(at, _)| {
            let target = &reply.body[at + 6..];
            ["/day", "/week", "/month", "/sign-in", "/update"]
                .iter()
                .any(|page| target.starts_with(page))
        });
        assert!(!elsewhere, "{path}: {}", reply.body);
    }
    for (path, status) in [
        ("/w/nobody/", 404),
        ("/w/nobody", 404),
        ("/day/2026-11-22", 303),
        ("/api/v1/now", 404),
        ("/api/v1/wearers/nobody/now", 404),
        ("/api/v1/wearers/fine/days", 200),
        ("/api/v1/wearers/fine/days/2026-11-22", 200),
        ("/w/fine/frame.png", 200),
    ] {
        assert_eq!(daemon.get(path).status, status, "{path}");
    }

    let metrics = daemon.get("/metrics").body;
    for line in [
        "pulsewing_up_to_date{wearer=\"fine\"} 1",
        "pulsewing_trouble{wearer=\"fine\",kind=\"sign-in\"} 0",
        "pulsewing_trouble{wearer=\"fine\",kind=\"temporary\"} 0",
        "pulsewing_trouble{wearer=\"signed-out\",kind=\"sign-in\"} 1",
        "pulsewing_trouble{wearer=\"limited\",kind=\"temporary\"} 1",
        "pulsewing_up_to_date{wearer=\"off-wrist\"} 0",
    ] {
        assert!(metrics.lines().any(|it| it == line), "{line}: {metrics}");
    }
    let announced = metrics.matches("# TYPE pulsewing_trouble gauge").count();
    assert_eq!(announced, 1, "{metrics}");
    let unlabelled = metrics
        .lines()
        .find(|line| !line.starts_with('#') && !line.contains("{wearer=\""));
    assert_eq!(unlabelled, None);
    daemon.stop().says("wearer=fine");
}

#[test]
fn a_wearer_whose_provider_is_slow_delays_nobody() {
    let household = Household::signed_in("google", &["slow", "fine"]);
    household.fault("google.rollup", 1, &json!({ "stall_s": 3600 }));
    let daemon = household.daemon();
    let bpm = until("the other wearer's heart rate", || {
        let now = daemon.json("/api/v1/wearers/fine/now");
        now["reading"]["latest"]["bpm"].as_u64()
    });
    assert!(bpm > 0);
    let slow = daemon.json("/api/v1/wearers/slow/now");
    assert_eq!(
        (&slow["activity"], &slow["reading"]),
        (&json!("updating"), &Value::Null)
    );
    daemon.stop();
}

#[test]
fn two_wearers_share_a_picture_and_more_have_to_be_chosen() {
    let household = Household::signed_in("google", &["anna", "ben", "carla"]);
    let png = household.home.work("family.png");
    let run = ["run", "--no-web", "--png", png.to_str().unwrap()];
    household
        .run(&run)
        .exits(2)
        .says("a picture shows one or two wearers, not 3")
        .says("--wearer anna,ben");
    // Nor is a service installed that would not start.
    household
        .home
        .run(&["service", "show", "--png", png.to_str().unwrap()])
        .exits(2)
        .says("a picture shows one or two wearers, not 3");
    let mut pictures = Vec::new();
    for (chosen, is_of_two) in [("anna,carla", true), ("carla,anna", true), ("ben", false)] {
        let _ = fs::remove_file(&png);
        let running = household
            .program(&[&run[..], &["--wearer", chosen]].concat())
            .start();
        // Between two halves there is a line from top to bottom.
        let has_line = || {
            let picture = png
                .exists()
                .then(|| picture::read(&household.home, "family.png"))?;
            let (width, height) = picture.size;
            let column = |row| picture.rgb[usize::try_from(row * width + (width - 1) / 2).unwrap()];
            Some((1..height).all(|row| column(row) == column(0)) && column(0) != picture.rgb[0])
        };
        until("the picture", || {
            has_line().filter(|found| *found == is_of_two)
        });
        let picture = picture::read(&household.home, "family.png");
        let (width, _) = picture.size;
        // The names, at the top.
        let names = usize::try_from(width * 16).unwrap();
        pictures.push(picture.rgb[..names].to_vec());
        running.stop();
    }
    assert_ne!(
        pictures[0], pictures[1],
        "the order is that of the command line"
    );
}

#[test]
fn the_only_wearer_of_old_is_called_default() {
    let signed_in = SignedIn::google_today().after_once();
    signed_in.home.configure_more("[wearer]\nname = \"Anna\"\n");
    let list = signed_in.run(&["wearer", "list", "--json"]).exits(0);
    let list: Value = serde_json::from_str(&list.stdout).unwrap();
    let expected =
        json!([{ "id": "default", "name": "Anna", "provider": "google", "state": "signed-in" }]);
    assert_eq!(list, expected);
    signed_in.run(&["once", "--wearer", "default"]).exits(0);
    // A list of wearers without this one does not make anybody forget the sign-in.
    let config = signed_in.home.path("config/pulsewing/config.toml");
    let text = fs::read_to_string(&config).unwrap();
    fs::write(
        &config,
        text.replace("[wearer]", "[[wearer]]\nid = \"anna\""),
    )
    .unwrap();
    let checkup = signed_in.program(&["doctor", "--offline"]);
    let doctor = checkup.printing_first().run().stdout;
    let words = "there is a sign-in or a history of \"default\", who is not one of the wearers";
    assert!(doctor.contains(words), "{doctor}");
    let running = signed_in.program(&["run", "--no-web"]).start();
    running.error_line_with("there is a sign-in or a history of \"default\"");
    running.stop();
}

#[test]
fn a_checkup_is_about_every_wearer() {
    let household = Household::of("google", &["anna", "ben"]);
    household.login("anna", 1).exits(0);
    let checkup = household.program(&["doctor", "--offline", "--json"]);
    let doctor = checkup.printing_first().run();
    assert_eq!(doctor.code, Some(3));
    let findings: Vec<Value> = serde_json::from_str(&doctor.stdout).unwrap();
    let status = |wearer: &str| {
        let mut findings = findings.iter();
        let found = findings.find(|it| it["id"] == "chain.present" && it["wearer"] == wearer);
        found.unwrap()["status"].as_str().unwrap().to_owned()
    };
    assert_eq!(
        (status("anna").as_str(), status("ben").as_str()),
        ("ok", "fail")
    );
    let of_ben = findings
        .iter()
        .find(|it| it["id"] == "chain.present" && it["wearer"] == "ben");
    let advice = of_ben.unwrap()["advice"].as_str().unwrap();
    assert!(advice.contains("pulsewing login --wearer ben"), "{advice}");
    let clock = findings.iter().filter(|it| it["id"] == "clock.sane");
    let of_clock: Vec<&Value> = clock.map(|it| &it["wearer"]).collect();
    assert_eq!(of_clock, [&Value::Null]);
    household
        .run(&["doctor", "--offline", "--wearer", "anna"])
        .exits(0);
}
