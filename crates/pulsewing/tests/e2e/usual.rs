//! What is usual at a time of day, on the page, from the history in files or in a database.

use std::{fmt::Write as _, fs};

use serde_json::json;

use crate::harness::{
    household::{Household, Store},
    import_files,
    patience::until,
};

/// Returns an export of the afternoon from 12:00 to 16:00 on some days of November.
fn afternoons(days: &[u8]) -> String {
    let mut all = format!("{}\n", import_files::HEADER);
    for day in days {
        let start = format!("2026-11-{day:02}T12:00:00Z");
        let minutes = import_files::exported(&start, (0..240).map(|minute| 60 + minute % 5));
        let (_, minutes) = minutes.split_once('\n').unwrap();
        write!(all, "{minutes}").unwrap();
    }
    all
}

#[test]
fn four_days_of_the_fortnight_before_are_enough_to_say_what_is_usual() {
    for store in Store::BOTH {
        let household = Household::signed_in_at(*store, "google", &["anna", "ben"]);
        for id in ["anna", "ben"] {
            household.run(&["once", "--wearer", id]).exits(0);
        }
        // Nothing but the imported days gets into the history.
        household.sandbox.fault("*", 0, &json!({ "status": 503 }));
        let config = household.home.path("config/pulsewing/config.toml");
        let kept = fs::read_to_string(&config).unwrap();
        fs::write(&config, kept.replace("\"1 day\"", "\"400 days\"")).unwrap();
        // A day before the fortnight does not count.
        for (id, days) in [("anna", &[8, 9, 10, 20][..]), ("ben", &[7, 9, 10, 20])] {
            let file = household
                .home
                .write(&format!("{id}.csv"), &afternoons(days));
            household.run(&["import", "--wearer", id, &file]).exits(0);
        }
        let daemon = household.daemon();
        let has_usual = |path: &str| {
            let page = until("a graph", || {
                let page = daemon.get(path).body;
                page.contains("class=\"beat").then_some(page)
            });
            let is_drawn = page.contains("<path class=\"usual\"");
            assert_eq!(page.contains("in the 14 days before"), is_drawn, "{page}");
            is_drawn
        };
        for (id, has) in [("anna", true), ("ben", false)] {
            let days = daemon.json(&format!("/api/v1/wearers/{id}/days"));
            assert_eq!(has_usual(&format!("/w/{id}/")), has, "{id}: {days}");
        }
        // The page of a day has the fortnight before that day.
        assert!(has_usual("/w/anna/day/2026-11-22"));
        assert!(!has_usual("/w/anna/day/2026-11-20"));
        daemon.stop();
    }
}
