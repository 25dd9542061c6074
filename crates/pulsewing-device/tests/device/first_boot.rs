//! From a board out of the box to its first picture.

use pulsewing_core::Provider;
use pulsewing_screen::State;

use crate::{
    cloud::Route,
    rig::{Rig, minutes, record},
};

#[test]
fn an_erased_board_is_set_up_over_the_console_and_shows_a_heart_rate() {
    let mut rig = Rig::erased(Provider::Fitbit);
    rig.start_for(minutes(2));
    assert!(rig.shows_state(State::SetUpNeeded {
        command: "pulsewing board provision --wifi NAME",
    }));
    for setting in [
        "provider fitbit",
        "endpoint.token https://cloud.example",
        "endpoint.api https://cloud.example",
        "wearer.time_zone Europe/Berlin",
        "wearer.zone_rule CET-1CEST,M3.5.0,M10.5.0/3",
    ] {
        rig.tell(&format!("set {setting}"));
    }
    rig.tell("wifi add home \"correct horse\"");
    rig.run_for(minutes(2));
    assert!(rig.shows_state(State::SignInNeeded {
        command: pulsewing_device::LOGIN,
        address: None,
    }));
    let answer = rig.put("chain", &record(Provider::Fitbit, 4));
    let fingerprint = rig.stored().unwrap().chain.refresh_token().fingerprint();
    let expected = format!("chain: fitbit generation 4 active fingerprint {fingerprint}");
    assert_eq!(answer, [expected, "ok".to_owned()]);
    rig.run_to_report(minutes(1));
    assert_eq!(rig.count(Route::Heart), 1);
    let said = rig.said();
    assert!(
        said.contains("Attempting to GET FITBIT Stats!\n==="),
        "{said}"
    );
    assert!(said.contains("Next Update in:  "), "{said}");
}
