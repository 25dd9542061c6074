//! Circumstances other than heart rates: why there are none, or no newer ones, and what to do.

use core::fmt::{self, Write as _};

use jiff::civil::Time;
use pulsewing_core::{
    alarm::{Kind, Level},
    reading::{Absence, Freshness},
};

use crate::{Ink, icon::Icon};

/// A circumstance that the viewer should know about.
///
/// It fills the screen until a reading was shown; later it is a banner on the last picture. A
/// reading that is stale, silent or from memory needs no state: [`Freshness`] covers that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State<'s> {
    /// Just switched on; nothing was requested yet.
    FirstStart,
    /// No network is known: the device has not been set up.
    SetUpNeeded {
        /// The exact command to type on the computer.
        command: &'s str,
    },
    /// The wireless network has not been joined yet.
    JoiningWifi {
        /// Its name.
        network: &'s str,
    },
    /// The time is not known yet; without it no certificate can be checked.
    WaitingForClock,
    /// There is no sign-in, or the cloud refuses it.
    SignInNeeded {
        /// The exact command to type on the computer.
        command: &'s str,
        /// The address to sign in with a phone instead, if there is one and it can be reached.
        address: Option<&'s str>,
    },
    /// The cloud has no heart rates of the last 24 hours.
    NoValuesYet,
    /// The cloud cannot be reached.
    Offline,
    /// The cloud asked us to send no requests for a while.
    RateLimited {
        /// The end of that time, on the wearer's clock.
        until: Time,
    },
    /// The provider has shut down this service.
    ServiceGone {
        /// The exact command to type on the computer to move to another provider.
        command: &'s str,
    },
    /// A problem that time does not fix.
    Fault {
        /// The problem, in a sentence.
        what: &'s str,
        /// The advice, in a sentence.
        advice: &'s str,
    },
    /// New tokens are waiting to be stored; they would be lost if the power failed.
    TokensNotStored,
    /// An alarm, or what is over but nobody has seen.
    Alarm {
        /// Its kind.
        kind: Kind,
        /// Its level.
        level: Level,
        /// What it is, in a few words.
        heading: &'s str,
        /// What happened, in a sentence.
        sentence: &'s str,
        /// How to silence it, in a sentence.
        advice: &'s str,
    },
    /// A user holds the button for a factory reset.
    Erasing {
        /// The seconds until everything is erased.
        seconds: u64,
    },
}

impl<'s> State<'s> {
    /// Returns the title, the reason and the advice; empty where a part of it has to be composed.
    const fn words(self) -> [&'s str; 3] {
        match self {
            Self::FirstStart => [
                "Starting",
                "Pulsewing was just switched on.",
                "Nothing to do: the first heart rate comes within a minute.",
            ],
            Self::SetUpNeeded { .. } => [
                "Set-up needed",
                "No Wi-Fi network is known here yet.",
                "Type on the computer that it is plugged into:",
            ],
            Self::JoiningWifi { .. } => [
                "Joining Wi-Fi",
                "",
                "If this lasts, check router and password.",
            ],
            Self::WaitingForClock => [
                "Waiting for the time",
                "No time server has answered yet.",
                "If this lasts, the router may block NTP.",
            ],
            Self::SignInNeeded { .. } => [
                "Sign-in needed",
                "The cloud knows no sign-in from here, or refuses it.",
                "Type on the computer:",
            ],
            Self::NoValuesYet => [
                "No values yet",
                "There is no heart rate of the last 24 hours.",
                "Wear the tracker, and sync it.",
            ],
            Self::Offline => [
                "Offline",
                "The cloud cannot be reached.",
                "Trying again by itself. Is the internet working?",
            ],
            Self::RateLimited { .. } => [
                "",
                "The cloud asked for fewer requests.",
                "Nothing to do: it goes on by itself.",
            ],
            Self::ServiceGone { .. } => [
                "Service ended",
                "The provider says that this service is gone for good.",
                "To move to another one, type on the computer:",
            ],
            Self::Fault { what, advice } => ["Fault", what, advice],
            Self::TokensNotStored => [
                "Do not switch off",
                "The renewed sign-in could not be saved yet.",
                "Without power it is lost.",
            ],
            Self::Alarm {
                heading,
                sentence,
                advice,
                ..
            } => [heading, sentence, advice],
            Self::Erasing { .. } => [
                "",
                "Sign-in, settings and networks are about to go.",
                "Let go of the button to keep them.",
            ],
        }
    }

    const fn icon(self) -> Icon {
        match self {
            Self::FirstStart => Icon::Power,
            Self::SetUpNeeded { .. } => Icon::Sliders,
            Self::JoiningWifi { .. } => Icon::Wifi,
            Self::WaitingForClock => Icon::Clock,
            Self::SignInNeeded { .. } => Icon::Key,
            Self::NoValuesYet => Icon::Pulse,
            Self::Offline => Icon::CloudOff,
            Self::RateLimited { .. } => Icon::Pause,
            Self::ServiceGone { .. } => Icon::Ended,
            Self::Fault { .. } => Icon::Triangle,
            Self::TokensNotStored => Icon::Save,
            Self::Alarm { kind, .. } => match kind {
                Kind::High | Kind::Low | Kind::Stale => Icon::Pulse,
                Kind::Battery => Icon::Battery,
                Kind::Sync => Icon::Sync,
                Kind::SignIn => Icon::Key,
                Kind::Own => Icon::Triangle,
            },
            Self::Erasing { .. } => Icon::Bin,
        }
    }

    /// Returns whether this prevents updates.
    pub(crate) const fn stops_updates(&self) -> bool {
        matches!(
            self,
            Self::SignInNeeded { .. }
                | Self::Offline
                | Self::RateLimited { .. }
                | Self::ServiceGone { .. }
        )
    }
}

/// Text that is composed here; longer text is cut at its end, and a character that no font has
/// becomes a question mark.
type Sentence = heapless::String<192>;

/// The texts about a circumstance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Notice<'s> {
    pub(crate) title: heapless::String<32>,
    pub(crate) why: Sentence,
    pub(crate) advice: Sentence,
    /// The command to type, set apart from the rest.
    pub(crate) command: Option<&'s str>,
    /// The address of a QR code, if there is room for one.
    pub(crate) address: Option<&'s str>,
    pub(crate) icon: Icon,
    pub(crate) ink: Ink,
}

impl<'s> Notice<'s> {
    fn new(icon: Icon, title: &str, why: &str, advice: &str) -> Self {
        Self {
            title: written(format_args!("{title}")),
            why: written(format_args!("{why}")),
            advice: written(format_args!("{advice}")),
            command: None,
            address: None,
            icon,
            ink: Ink::Warning,
        }
    }

    /// Marks a circumstance that passes by itself.
    fn calm(self) -> Self {
        Self {
            ink: Ink::Text,
            ..self
        }
    }

    /// Returns the texts about a state. A command is typed on the computer.
    pub(crate) fn from_state(state: State<'s>) -> Self {
        let [title, why, advice] = state.words();
        let notice = Self::new(state.icon(), title, why, advice);
        match state {
            State::FirstStart | State::WaitingForClock | State::NoValuesYet => notice.calm(),
            State::SetUpNeeded { command } => Self {
                command: Some(command),
                ..notice.calm()
            },
            State::JoiningWifi { network } => Self {
                why: written(format_args!("Looking for the network \"{network}\".")),
                ..notice.calm()
            },
            State::SignInNeeded { command, address } => Self {
                command: Some(command),
                address,
                ..notice
            },
            State::RateLimited { until } => Self {
                title: written(format_args!(
                    "Paused until {:02}:{:02}",
                    until.hour(),
                    until.minute()
                )),
                ..notice
            },
            State::ServiceGone { command } => Self {
                command: Some(command),
                ..notice
            },
            State::Erasing { seconds } => Self {
                title: written(format_args!("Erased in {seconds} s")),
                ..notice
            },
            State::Alarm {
                level: Level::Urgent,
                ..
            } => Self {
                ink: Ink::Red,
                ..notice
            },
            State::Offline | State::Fault { .. } | State::TokensNotStored | State::Alarm { .. } => {
                notice
            }
        }
    }

    /// Returns the same notice for a place where its QR code is visible.
    pub(crate) fn beside_its_code(self) -> Self {
        Self {
            advice: written(format_args!("Scan the code, or type on the computer:")),
            ..self
        }
    }

    /// Returns the same notice for a place without one: the address is in letters.
    pub(crate) fn without_a_code(self) -> Self {
        let Some(address) = self.address else {
            return self;
        };
        Self {
            advice: written(format_args!("Open {address}, or type on the computer:")),
            ..self
        }
    }

    /// Returns the notice for a reading without a heart rate after which updates failed.
    pub(crate) fn from_failure() -> Self {
        Self::new(
            Icon::CloudOff,
            "Update failed",
            "There is no heart rate yet, and the last update failed.",
            "Trying again by itself.",
        )
    }

    /// Returns the notice for a reading that is not current; `None` for one that is.
    pub(crate) fn from_freshness(freshness: Freshness, absence: Absence) -> Option<Self> {
        let notice = match freshness {
            Freshness::Fresh => return None,
            Freshness::Cached => {
                return Some(Self::new(
                    Icon::CloudOff,
                    "Update failed",
                    "These values are from memory.",
                    "Trying again by itself.",
                ));
            }
            Freshness::Stale | Freshness::Silent => Self::of_absence(absence),
        };
        // A guessed zone keeps its own notice, even after a day of silence.
        let is_for_a_day = freshness == Freshness::Silent && absence != Absence::ZoneGuessed;
        Some(match is_for_a_day {
            true => Self {
                title: written(format_args!("No data for a day")),
                ..notice
            },
            false => notice,
        })
    }

    fn of_absence(absence: Absence) -> Self {
        match absence {
            Absence::ZoneGuessed => Self::new(
                Icon::Pin,
                "Zone guessed",
                "No time zone came, so ages may be wrong.",
                "Set it on the computer.",
            ),
            Absence::NotAsked => Self::new(
                Icon::Clock,
                "Not updated",
                "The cloud was not asked for a while.",
                "The next update comes by itself.",
            ),
            Absence::NotWorn => Self::new(
                Icon::Watch,
                "Not worn",
                "It syncs, but measures no heart rate.",
                "Put it on the wrist.",
            ),
            Absence::NotCharged => Self::new(
                Icon::Battery,
                "Not charged",
                "Its battery was low at its last sync.",
                "Charge it, then sync it.",
            ),
            Absence::NotSynced => Self::new(
                Icon::Sync,
                "Not synced",
                "The tracker has not synced for a while.",
                "Open its app close to it.",
            ),
            Absence::NothingRecorded => Self::new(
                Icon::Pulse,
                "No new data",
                "No newer heart rate has come.",
                "Is it worn, charged and synced?",
            ),
        }
    }
}

pub(crate) fn written<const N: usize>(text: fmt::Arguments<'_>) -> heapless::String<N> {
    let mut line = heapless::String::new();
    // A character that does not fit ends the text: a part of it is better than none.
    let _ = Cut(&mut line).write_fmt(text);
    line
}

/// Accepts characters as long as there is room.
struct Cut<'l, const N: usize>(&'l mut heapless::String<N>);

impl<const N: usize> fmt::Write for Cut<'_, N> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let mut known = text.chars().map(|character| match character {
            ' '..='~' => character,
            _ => '?',
        });
        known
            .try_for_each(|character| self.0.push(character))
            .map_err(|_| fmt::Error)
    }
}

/// Returns one of each state.
#[cfg(test)]
pub(crate) fn examples() -> [State<'static>; 12] {
    [
        State::FirstStart,
        State::JoiningWifi {
            network: "Lindenhof 24",
        },
        State::WaitingForClock,
        State::SignInNeeded {
            command: "pulsewing login",
            address: None,
        },
        State::NoValuesYet,
        State::Offline,
        State::RateLimited {
            until: Time::constant(14, 5, 0, 0),
        },
        State::ServiceGone {
            command: "pulsewing login --provider google",
        },
        State::Fault {
            what: "The panel does not answer.",
            advice: "Check its cable.",
        },
        State::TokensNotStored,
        State::Alarm {
            kind: Kind::High,
            level: Level::Urgent,
            heading: "Heart rate very high",
            sentence: "162 bpm at 14:05, above 150 since 13:50.",
            advice: "Silence it on the page.",
        },
        State::Alarm {
            kind: Kind::High,
            level: Level::Warning,
            heading: "Heart rate was high",
            sentence: "Up to 162 bpm, limit 150, 23:20 to 23:50.",
            advice: "Silence it on the page.",
        },
    ]
}

/// Returns every notice about the freshness of a reading.
#[cfg(test)]
pub(crate) fn of_every_freshness() -> impl Iterator<Item = Notice<'static>> {
    let absences = [
        Absence::ZoneGuessed,
        Absence::NotAsked,
        Absence::NotWorn,
        Absence::NotCharged,
        Absence::NotSynced,
        Absence::NothingRecorded,
    ];
    [Freshness::Stale, Freshness::Silent, Freshness::Cached]
        .into_iter()
        .flat_map(move |freshness| absences.map(|absence| (freshness, absence)))
        .filter_map(|(freshness, absence)| Notice::from_freshness(freshness, absence))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_name_is_cut_and_the_rest_is_kept() {
        let network = "x".repeat(400);
        let notice = Notice::from_state(State::JoiningWifi { network: &network });
        assert!(notice.why.starts_with("Looking for the network \"xxx"));
        assert_eq!(notice.why.len(), notice.why.capacity());
    }

    #[test]
    fn letters_that_no_face_has_are_question_marks() {
        let network = "Caf\u{e9} \u{1f493}\n";
        let notice = Notice::from_state(State::JoiningWifi { network });
        assert_eq!(notice.why, "Looking for the network \"Caf? ??\".");
    }

    #[test]
    fn every_circumstance_says_why_and_what_to_do() {
        let notices = examples()
            .map(Notice::from_state)
            .into_iter()
            .chain(of_every_freshness());
        for notice in notices {
            assert!(!notice.title.is_empty(), "{notice:?}");
            assert!(
                notice.why.len() > 10 && notice.why.ends_with('.'),
                "{notice:?}"
            );
            assert!(notice.advice.len() > 10, "{notice:?}");
            assert_eq!(notice.advice.ends_with(':'), notice.command.is_some());
        }
        let fresh = Notice::from_freshness(Freshness::Fresh, Absence::NotSynced);
        assert_eq!(fresh, None);
    }
}
