//! The wearer's heart-rate zones: where they come from, and when the provider is asked for them.

use std::time::Duration;

use pulsewing_core::{
    Bpm,
    heart_zone::{BirthYear, HeartZones},
};
use serde_json::json;

use crate::{
    cloud::{Fault, Route},
    world::{Setup, World},
};

const PLAIN: [u16; 4] = [90, 110, 135, 160];

/// Those of the modelled Google for the 22nd, whose resting heart rate is 59.
const OF_THE_22ND: [u16; 4] = [84, 109, 133, 163];

fn hours(hours: u64) -> Duration {
    Duration::from_secs(hours * 3_600)
}

fn limits(world: &World) -> [u16; 4] {
    let reading = world.cycle.reading().unwrap();
    reading.heart_zones.limits().map(Bpm::get)
}

/// Runs until this much time has passed, and returns how often the zones were asked for.
fn asked_within(world: &mut World, time: Duration) -> usize {
    let end = world.real + time;
    world.story.clear();
    while world.real < end {
        assert_eq!(world.cycle_once(), Ok(()));
    }
    let calls = world.story.iter().filter(|word| word.starts_with("limits"));
    calls.count()
}

#[test]
fn googles_zones_are_asked_for_once_a_day_and_when_a_day_begins() {
    let mut world = World::google();
    // It is 13:07, so midnight is within each 24 hours.
    assert_eq!(asked_within(&mut world, hours(10)), 1);
    assert_eq!(limits(&world), OF_THE_22ND);
    assert_eq!(asked_within(&mut world, hours(1)), 1, "the 23rd began");
    assert_eq!(limits(&world), OF_THE_22ND, "the day before's hold");
    assert_eq!(asked_within(&mut world, hours(24)), 1);
    // There are none for the days since, but limits do not go away because nothing was synced.
    assert_eq!(asked_within(&mut world, hours(24)), 1);
    assert_eq!(limits(&world), OF_THE_22ND);
}

#[test]
fn the_absence_of_zones_is_an_answer() {
    for body in [
        json!({}),
        json!({ "dataPoints": [] }),
        json!({ "dataPoints": [{ "dailyHeartRateZones": { "date": { "year": 2026 } } }] }),
    ] {
        let mut world = World::google();
        world.always(Route::HeartZones, Fault::Body(200, body.to_string()));
        assert_eq!(asked_within(&mut world, hours(10)), 1, "{body}");
        assert_eq!(limits(&world), PLAIN, "{body}");
    }
}

#[test]
fn a_refusal_is_an_answer_for_the_day_and_leaves_the_known_zones() {
    for fault in [Fault::status(400), Fault::status(403), Fault::status(404)] {
        let mut world = World::google();
        assert_eq!(world.cycle_once(), Ok(()));
        world.always(Route::HeartZones, fault.clone());
        assert_eq!(asked_within(&mut world, hours(20)), 1, "{fault:?}");
        assert_eq!(limits(&world), OF_THE_22ND, "{fault:?}");
    }
}

#[test]
fn a_call_without_an_answer_is_made_again_in_the_next_cycle() {
    for fault in [
        Fault::status(503),
        Fault::html(200),
        Fault::NeverLeft,
        Fault::Truncate(40),
    ] {
        let mut world = World::google();
        world.will(Route::HeartZones, [fault.clone(), fault.clone(), fault]);
        assert_eq!(world.cycle_once(), Ok(()));
        assert_eq!(limits(&world), PLAIN);
        assert_eq!(world.cycle_once(), Ok(()));
        assert_eq!(limits(&world), OF_THE_22ND);
    }
}

#[test]
fn zones_are_remembered_across_a_restart() {
    let mut world = World::google();
    assert_eq!(world.cycle_once(), Ok(()));
    world.die();
    assert_eq!(asked_within(&mut world, hours(1)), 0);
    assert_eq!(limits(&world), OF_THE_22ND);
}

#[test]
fn a_clock_that_was_set_back_does_not_put_the_question_off() {
    let mut world = World::google();
    world.set_clock(3 * 3_600);
    assert_eq!(world.cycle_once(), Ok(()));
    world.set_clock(-3 * 3_600);
    assert_eq!(asked_within(&mut world, hours(2)), 1);
}

#[test]
fn the_wearers_own_zones_come_first_and_the_provider_is_not_asked() {
    let own = HeartZones::new([50, 60, 70, 80].map(|bpm| Bpm::new(bpm).unwrap())).unwrap();
    for setup in [Setup::google(), Setup::fitbit()] {
        let mut world = World::new(setup);
        world.settings.heart_zones = Some(own);
        world.settings.born = BirthYear::new(1980);
        world.die();
        assert_eq!(asked_within(&mut world, hours(25)), 0);
        assert_eq!(world.cycle.reading().unwrap().heart_zones, own);
    }
}

#[test]
fn an_age_counts_only_without_zones_of_the_provider() {
    let mut world = World::google();
    world.settings.born = BirthYear::new(1966);
    world.die();
    assert_eq!(world.cycle_once(), Ok(()));
    assert_eq!(limits(&world), OF_THE_22ND);

    // Of the 166 - 59 = 107 above the resting heart rate: 42.8, 64.2, 90.95.
    let mut world = World::google();
    world.always(Route::HeartZones, Fault::status(404));
    world.settings.born = BirthYear::new(1966);
    world.die();
    assert_eq!(world.cycle_once(), Ok(()));
    assert_eq!(limits(&world), [80, 102, 123, 150]);

    // The modelled Fitbit reports none, and a resting heart rate of 61.
    let mut world = World::fitbit();
    world.settings.born = BirthYear::new(1966);
    world.die();
    assert_eq!(world.cycle_once(), Ok(()));
    assert_eq!(limits(&world), [82, 103, 124, 150]);

    // Not born yet.
    world.settings.born = BirthYear::new(2027);
    world.die();
    assert_eq!(world.cycle_once(), Ok(()));
    assert_eq!(limits(&world), PLAIN);
}

#[test]
fn the_same_zones_split_alike_in_both_dialects() {
    let rates = |min: [u16; 3]| min.map(|bpm| bpm.to_string());
    for (limits_of_both, resting) in [([109, 133, 163], 59), ([120, 140, 170], 47)] {
        let [moderate, vigorous, peak] = rates(limits_of_both);
        let zone =
            |name: &str, min: &str| json!({"heartRateZoneType": name, "minBeatsPerMinute": min});
        let date = json!({"year": 2026, "month": 11, "day": 22});
        let zones = json!({"dataPoints": [{"dailyHeartRateZones": {"date": date, "heartRateZones": [
            zone("LIGHT", "30"), zone("MODERATE", &moderate), zone("VIGOROUS", &vigorous), zone("PEAK", &peak)
        ]}}]});
        let at_rest = json!({"dataPoints": [{"dailyRestingHeartRate": {
            "date": date, "beatsPerMinute": resting.to_string()
        }}]});
        let mut google = World::google();
        google.always(Route::HeartZones, Fault::Body(200, zones.to_string()));
        google.always(Route::Resting, Fault::Body(200, at_rest.to_string()));
        assert_eq!(google.cycle_once(), Ok(()));

        let [moderate, vigorous, peak] = limits_of_both;
        let zone = |name: &str, min: u16, max: u16| json!({"name": name, "min": min, "max": max});
        let body = json!({
            "activities-heart": [{"dateTime": "2026-11-22", "value": {"restingHeartRate": resting, "heartRateZones": [
                zone("Out of Range", 30, moderate), zone("Fat Burn", moderate, vigorous),
                zone("Cardio", vigorous, peak), zone("Peak", peak, 220)
            ]}}],
            "activities-heart-intraday": {"dataset": [{"time": "12:00:00", "value": 70}], "datasetInterval": 1}
        });
        let mut fitbit = World::fitbit();
        fitbit.always(Route::Heart, Fault::Body(200, body.to_string()));
        assert_eq!(fitbit.cycle_once(), Ok(()));
        assert_eq!(limits(&fitbit), limits(&google));
        assert_eq!(limits(&google)[0], (resting + moderate) / 2);
    }
}
