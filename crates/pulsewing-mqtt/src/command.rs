//! What comes back over MQTT.

use serde_json::Value;

use crate::{AlarmKind, WearerId, discovery::PRESS, topics::Verb};

/// The most bytes of heart rates in one message: ten thousand minutes have room.
pub const MAX_SAMPLES: usize = 512 * 1_024;

/// The most bytes of another command.
const MAX_COMMAND: usize = 1_024;

/// The time for which the button silences alarms, in minutes.
const SNOOZE: u16 = 30;

/// The longest time for which alarms can be silenced, in minutes: half a day.
const LONGEST_SNOOZE: u16 = 12 * 60;

/// What somebody asks for. The wearer is one of those that are shown at the moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// An update, now.
    Update {
        /// The wearer.
        wearer: WearerId,
    },
    /// Silence.
    Snooze {
        /// The wearer.
        wearer: WearerId,
        /// The kind of alarm; of all that are active if there is none.
        kind: Option<AlarmKind>,
        /// The time, 1 to 720 minutes.
        minutes: u16,
    },
    /// Somebody has seen it.
    Acknowledge {
        /// The wearer.
        wearer: WearerId,
        /// The kind of alarm; all that are active if there is none.
        kind: Option<AlarmKind>,
    },
    /// Heart rates from another source, as they came: not even their form was looked at.
    Samples {
        /// The wearer.
        wearer: WearerId,
        /// The message, at most [`MAX_SAMPLES`] bytes.
        bytes: Vec<u8>,
    },
}

/// Why a message is not a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CommandError {
    #[error("it has more than {0} bytes")]
    TooLong(usize),
    #[error("it is neither {PRESS} nor an object such as {{\"kind\":\"high\",\"minutes\":60}}")]
    Form,
    #[error("there is no such kind of alarm")]
    Kind,
    #[error("minutes must be a whole number from 1 to {LONGEST_SNOOZE}")]
    Minutes,
}

impl Command {
    /// Reads a message.
    pub(crate) fn read(wearer: WearerId, verb: Verb, message: &[u8]) -> Result<Self, CommandError> {
        if message.len() > MAX_COMMAND {
            return Err(CommandError::TooLong(MAX_COMMAND));
        }
        let wishes = match message {
            b"" => Value::Null,
            _ if message == PRESS.as_bytes() => Value::Null,
            _ => serde_json::from_slice(message)
                .ok()
                .filter(Value::is_object)
                .ok_or(CommandError::Form)?,
        };
        let kind = match wishes.get("kind") {
            None | Some(Value::Null) => None,
            Some(name) => {
                let kind = name.as_str().and_then(AlarmKind::named);
                Some(kind.ok_or(CommandError::Kind)?)
            }
        };
        Ok(match verb {
            Verb::Update => Self::Update { wearer },
            Verb::Acknowledge => Self::Acknowledge { wearer, kind },
            Verb::Snooze => {
                let minutes = match wishes.get("minutes") {
                    None | Some(Value::Null) => SNOOZE,
                    Some(minutes) => minutes
                        .as_u64()
                        .and_then(|minutes| u16::try_from(minutes).ok())
                        .filter(|minutes| (1..=LONGEST_SNOOZE).contains(minutes))
                        .ok_or(CommandError::Minutes)?,
                };
                Self::Snooze {
                    wearer,
                    kind,
                    minutes,
                }
            }
        })
    }

    /// Takes heart rates as they came.
    pub(crate) fn samples(wearer: WearerId, message: &[u8]) -> Result<Self, CommandError> {
        if message.len() > MAX_SAMPLES {
            return Err(CommandError::TooLong(MAX_SAMPLES));
        }
        Ok(Self::Samples {
            wearer,
            bytes: message.to_vec(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(verb: Verb, message: &str) -> Result<Command, CommandError> {
        Command::read("anna".parse().unwrap(), verb, message.as_bytes())
    }

    #[test]
    fn a_button_means_all_that_is_active_and_an_object_says_which() {
        let wearer: WearerId = "anna".parse().unwrap();
        for message in ["PRESS", "", "{}"] {
            assert_eq!(
                read(Verb::Snooze, message),
                Ok(Command::Snooze {
                    wearer: wearer.clone(),
                    kind: None,
                    minutes: 30
                })
            );
        }
        assert_eq!(
            read(Verb::Snooze, r#"{"kind":"sign-in","minutes":720}"#),
            Ok(Command::Snooze {
                wearer: wearer.clone(),
                kind: Some(AlarmKind::SignIn),
                minutes: 720
            })
        );
        assert_eq!(
            read(Verb::Acknowledge, r#"{"kind":"high"}"#),
            Ok(Command::Acknowledge {
                wearer: wearer.clone(),
                kind: Some(AlarmKind::High)
            })
        );
        assert_eq!(read(Verb::Update, "PRESS"), Ok(Command::Update { wearer }));
    }

    #[test]
    fn what_is_no_command_is_refused() {
        for (message, why) in [
            ("press", CommandError::Form),
            ("[]", CommandError::Form),
            ("30", CommandError::Form),
            (r#"{"kind":"loud"}"#, CommandError::Kind),
            (r#"{"kind":1}"#, CommandError::Kind),
            (r#"{"minutes":0}"#, CommandError::Minutes),
            (r#"{"minutes":721}"#, CommandError::Minutes),
            (r#"{"minutes":1.5}"#, CommandError::Minutes),
            (r#"{"minutes":-1}"#, CommandError::Minutes),
            (&" ".repeat(1_025), CommandError::TooLong(1_024)),
        ] {
            assert_eq!(read(Verb::Snooze, message), Err(why), "{message}");
        }
        let wearer: WearerId = "anna".parse().unwrap();
        assert!(Command::samples(wearer.clone(), &vec![0; MAX_SAMPLES]).is_ok());
        assert!(Command::samples(wearer, &vec![0; MAX_SAMPLES + 1]).is_err());
    }
}
