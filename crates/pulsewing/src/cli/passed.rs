//! The options of `run` as they were given, to be written into a command line.
//!
//! Which options there are is asked of clap: one that `run` gains is passed on without a change here.

use std::{any::TypeId, ffi::OsString, path::PathBuf};

use clap::{Arg, ArgMatches, Args, Command, Error, FromArgMatches, parser::ValueSource};

use super::Run;

/// The options of `run`, checked, and in words.
#[derive(Debug)]
pub(crate) struct Passed {
    /// What they mean.
    pub run: Run,
    /// The words that mean it, such as `--png=/tmp/a.png`. Files have their whole paths.
    pub words: Vec<OsString>,
}

impl FromArgMatches for Passed {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        Self::from_arg_matches_mut(&mut matches.clone())
    }

    fn from_arg_matches_mut(matches: &mut ArgMatches) -> Result<Self, Error> {
        // Before the values are taken out.
        let words = options()
            .flat_map(|option| words_of(&option, matches))
            .collect();
        let run = Run::from_arg_matches_mut(matches)?;
        Ok(Self { run, words })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Args for Passed {
    fn augment_args(command: Command) -> Command {
        Run::augment_args(command)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Run::augment_args_for_update(command)
    }
}

fn options() -> impl Iterator<Item = Arg> {
    let run = Run::augment_args(Command::new("run"));
    run.get_arguments().cloned().collect::<Vec<_>>().into_iter()
}

/// The words of one option, unless nobody gave it: what is as usual may be otherwise in a later version.
fn words_of(option: &Arg, matches: &ArgMatches) -> Vec<OsString> {
    let id = option.get_id().as_str();
    let Some(name) = option.get_long() else {
        return Vec::new();
    };
    match matches.value_source(id) {
        Some(ValueSource::CommandLine | ValueSource::EnvVariable) => {}
        _ => return Vec::new(),
    }
    if !option.get_action().takes_values() {
        let is_set = matches.try_get_one::<bool>(id).ok().flatten();
        return match is_set {
            Some(true) => vec![format!("--{name}").into()],
            _ => Vec::new(),
        };
    }
    let is_path = option.get_value_parser().type_id() == TypeId::of::<PathBuf>();
    let values = matches.get_raw(id).into_iter().flatten();
    values
        .map(|value| {
            let mut word = OsString::from(format!("--{name}="));
            // A service starts in another directory.
            match std::path::absolute(value) {
                Ok(path) if is_path => word.push(path),
                _ => word.push(value),
            }
            word
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use clap::{ArgAction, Parser};

    use super::*;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        passed: Passed,
    }

    fn words(line: &[&str]) -> Vec<String> {
        let line = Line::try_parse_from([&["x"], line].concat()).unwrap();
        let words = line.passed.words.into_iter();
        words.map(|word| word.into_string().unwrap()).collect()
    }

    #[test]
    fn what_was_given_is_passed_on_and_what_was_not_is_not() {
        assert_eq!(words(&[]), [""; 0]);
        let given = [
            "--theme",
            "classic",
            "--size=320x240",
            "--png",
            "/a/b c.png",
            "--panel",
            "fb:/dev/fb1,rotate=90",
            "--panel",
            "fb:/dev/fb0;fb:/dev/fb2",
        ];
        let mut passed = words(&given);
        passed.sort();
        assert_eq!(
            passed,
            [
                "--panel=fb:/dev/fb0",
                "--panel=fb:/dev/fb1,rotate=90",
                "--panel=fb:/dev/fb2",
                "--png=/a/b c.png",
                "--size=320x240",
                "--theme=classic",
            ]
        );
    }

    #[test]
    fn a_file_gets_its_whole_path() {
        let here = std::env::current_dir().unwrap();
        let expected = format!("--png={}", here.join("a.png").display());
        assert_eq!(words(&["--png", "a.png"]), [expected]);
    }

    #[test]
    fn the_words_mean_the_same_again() {
        let given = ["--png=/a.png", "--palette=night", "--panel=fb:/dev/fb1"];
        let once = words(&given);
        let again: Vec<&str> = once.iter().map(String::as_str).collect();
        assert_eq!(words(&again), once);
    }

    #[test]
    fn every_option_of_run_can_be_put_into_words() {
        for option in options() {
            assert!(option.get_long().is_some(), "{}", option.get_id());
            assert!(
                matches!(
                    option.get_action(),
                    ArgAction::Set | ArgAction::Append | ArgAction::SetTrue
                ),
                "{} is neither a value nor a switch",
                option.get_id()
            );
        }
    }
}
