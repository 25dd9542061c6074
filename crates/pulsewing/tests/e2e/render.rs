//! `render`: saved API replies become the picture that `once` draws.

use serde_json::json;

use crate::{hermetic::Home, picture::Picture, signed_in::SignedIn};

/// Saves what the cloud answers.
fn save(signed_in: &SignedIn, name: &str, target: &str) -> String {
    let reply = signed_in.sandbox.get_as(&signed_in.access_token(), target);
    assert_eq!(reply.status, 200, "{}", reply.body);
    signed_in.home.write(name, &reply.body)
}

fn save_rollup(signed_in: &SignedIn, family: &str) -> String {
    let body = json!({
        "range": { "startTime": "2026-11-22T00:00:00Z", "endTime": "2026-11-22T14:07:00Z" },
        "windowSize": "60s",
        "dataSourceFamily": format!("users/me/dataSourceFamilies/{family}"),
    });
    let target = "/v4/users/me/dataTypes/heart-rate/dataPoints:rollUp";
    let reply = signed_in
        .sandbox
        .post_as(&signed_in.access_token(), target, &body);
    assert_eq!(reply.status, 200, "{}", reply.body);
    signed_in.home.write("rollup.json", &reply.body)
}

#[test]
fn saved_replies_give_the_picture_that_once_drew() {
    for provider in ["fitbit", "google"] {
        let signed_in = SignedIn::either(provider);
        let now = "2026-11-22T14:07:30Z";
        signed_in.sandbox.set_clock(now);
        let home = &signed_in.home;
        home.run(&["once", "--png", "once.png", "--now", now])
            .exits(0);
        let (heart, devices, settings) = match provider {
            "fitbit" => (
                save(
                    &signed_in,
                    "heart.json",
                    "/1/user/-/activities/heart/date/today/1d/1min.json",
                ),
                save(&signed_in, "devices.json", "/1/user/-/devices.json"),
                save(&signed_in, "profile.json", "/1/user/-/profile.json"),
            ),
            _ => (
                save_rollup(&signed_in, "google-wearables"),
                save(&signed_in, "devices.json", "/v4/users/me/pairedDevices"),
                save(&signed_in, "settings.json", "/v4/users/me/settings"),
            ),
        };
        let args = [
            "render",
            "--provider",
            provider,
            "--heart",
            &heart,
            "--devices",
            &devices,
            "--settings",
            &settings,
            "--now",
            now,
            "--png",
            "render.png",
        ];
        let requests = signed_in.sandbox.requests().len();
        let render = home.run(&args).exits(0);
        assert_eq!((render.stdout.as_str(), render.stderr.as_str()), ("", ""));
        assert_eq!(signed_in.sandbox.requests().len(), requests);
        assert_eq!(
            Picture::read(home, "render.png"),
            Picture::read(home, "once.png"),
            "{provider}"
        );
        // Something else than one colour.
        let drawn = Picture::read(home, "render.png");
        assert_eq!(drawn.size, (480, 320));
        assert!(drawn.colours().len() > 1);

        // Without the battery it is another picture, and in another size as well.
        let without = [
            "render",
            "--provider",
            provider,
            "--heart",
            &heart,
            "--settings",
            &settings,
            "--now",
            now,
            "--png",
            "without.png",
        ];
        home.run(&without).exits(0);
        assert_ne!(
            Picture::read(home, "without.png"),
            Picture::read(home, "once.png")
        );
        home.run(&[&without[..], &["--size", "800x480"]].concat())
            .exits(0);
        assert_eq!(Picture::read(home, "without.png").size, (800, 480));
    }
}

#[test]
fn raw_samples_serve_as_well_as_a_rollup() {
    let signed_in = SignedIn::google();
    let raw = save(
        &signed_in,
        "raw.json",
        "/v4/users/me/dataTypes/heart-rate/dataPoints:reconcile?pageSize=5000&dataSourceFamily=users/me/dataSourceFamilies/google-wearables",
    );
    let rollup = save_rollup(&signed_in, "google-wearables");
    for (file, png) in [(&raw, "raw.png"), (&rollup, "rollup.png")] {
        signed_in
            .home
            .run(&[
                "render",
                "--provider",
                "google",
                "--heart",
                file,
                "--png",
                png,
                "--now",
                "2026-11-22T14:07:30Z",
            ])
            .exits(0)
            .says_nothing_of("next page");
    }
    let home = &signed_in.home;
    assert_eq!(
        Picture::read(home, "raw.png"),
        Picture::read(home, "rollup.png")
    );
}

#[test]
fn a_reply_that_goes_on_in_a_next_page_is_drawn_with_a_warning() {
    let signed_in = SignedIn::google();
    let raw = save(
        &signed_in,
        "raw.json",
        "/v4/users/me/dataTypes/heart-rate/dataPoints:reconcile?pageSize=100",
    );
    signed_in
        .home
        .run(&[
            "render",
            "--provider",
            "google",
            "--heart",
            &raw,
            "--png",
            "x.png",
        ])
        .exits(0)
        .says("goes on in a next page");
}

#[test]
fn without_settings_the_offset_of_now_is_the_zone() {
    let signed_in = SignedIn::google();
    let heart = save_rollup(&signed_in, "google-wearables");
    for (now, png) in [
        ("2026-11-22T14:07:30Z", "utc.png"),
        ("2026-11-22T16:07:30+02:00", "two.png"),
        ("2026-11-22T14:07:30+00:00", "again.png"),
    ] {
        signed_in
            .home
            .run(&[
                "render",
                "--provider",
                "google",
                "--heart",
                &heart,
                "--png",
                png,
                "--now",
                now,
            ])
            .exits(0);
    }
    assert_eq!(
        Picture::read(&signed_in.home, "utc.png"),
        Picture::read(&signed_in.home, "again.png")
    );
    assert_ne!(
        Picture::read(&signed_in.home, "utc.png"),
        Picture::read(&signed_in.home, "two.png")
    );
}

#[test]
fn what_is_no_reply_is_told_and_nothing_is_drawn() {
    let home = Home::new();
    let deep = "[".repeat(100_000);
    for provider in ["google", "fitbit"] {
        for body in [
            "",
            "{",
            "null",
            "[]",
            "<html>",
            "7",
            r#"{"error":{"code":401}}"#,
            deep.as_str(),
        ] {
            let file = home.write("body.json", body);
            let render = home.run(&[
                "render",
                "--provider",
                provider,
                "--heart",
                &file,
                "--png",
                "x.png",
            ]);
            render.exits(1).says("body.json cannot be drawn");
        }
        home.run(&[
            "render",
            "--provider",
            provider,
            "--heart",
            "none.json",
            "--png",
            "x.png",
        ])
        .exits(1)
        .says("none.json could not be read");
    }
    assert!(!home.work("x.png").exists());
    home.run(&["render", "--provider", "google", "--png", "x.png"])
        .exits(2);
    // There has to be somewhere to draw to.
    let file = home.write("body.json", "{}");
    home.run(&["render", "--provider", "google", "--heart", &file])
        .exits(2)
        .says("--png <FILE>|--panel <SPEC>");
}
