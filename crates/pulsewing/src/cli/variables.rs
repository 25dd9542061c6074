//! The environment variable of each option: `PULSEWING_` and its name, so `--state-dir` is also
//! `PULSEWING_STATE_DIR`.

use std::{env, ffi::OsStr};

use clap::{
    Arg, ArgAction, Command,
    builder::{FalseyValueParser, Resettable},
};

/// Gives every option a variable. A switch's variable may also say no: `0`, `false`, `no`, `off`.
pub(super) fn for_every_option(command: Command) -> Command {
    command
        .mut_args(|arg| match variable_of(&arg) {
            None => arg,
            Some(name) => match arg.get_action() {
                ArgAction::SetTrue => arg.env(name).value_parser(FalseyValueParser::new()),
                _ => arg.env(name),
            },
        })
        .mut_subcommands(for_every_option)
}

fn variable_of(arg: &Arg) -> Option<String> {
    let name = arg.get_long()?;
    Some(format!(
        "PULSEWING_{}",
        name.replace('-', "_").to_uppercase()
    ))
}

/// Lets a variable that is set to nothing count as unset: scripts and units write `PULSEWING_NOW=` for that.
pub(super) fn without_empty(command: Command) -> Command {
    let is_empty = |name: &OsStr| env::var_os(name).is_some_and(|value| value.is_empty());
    command
        .mut_args(|arg| {
            if arg.get_env().is_some_and(is_empty) {
                arg.env(Resettable::Reset)
            } else {
                arg
            }
        })
        .mut_subcommands(without_empty)
}

#[cfg(test)]
mod tests {
    use crate::cli::command;

    #[test]
    fn an_option_of_any_command_has_its_variable() {
        let command = command();
        let board = command.find_subcommand("board").unwrap();
        let provision = board.find_subcommand("provision").unwrap();
        for (command, option, variable) in [
            (&command, "state_dir", "PULSEWING_STATE_DIR"),
            (board, "port", "PULSEWING_PORT"),
            (provision, "move_chain", "PULSEWING_MOVE_CHAIN"),
        ] {
            let mut options = command.get_arguments();
            let option = options.find(|arg| arg.get_id() == option).unwrap();
            assert_eq!(option.get_env().unwrap(), variable);
        }
    }
}
