//! `pulsewing completions` and `pulsewing man`: generated from the definition of the command line.

use clap::Command;

use super::print;
use crate::{
    cli,
    doctor::MADE,
    tell::problem::{Exit, Problem},
};

/// Prints the completions of a shell.
pub(super) fn completions(options: &cli::Completions) -> Result<(), Problem> {
    let mut script = Vec::new();
    let mut command = cli::command();
    let name = command.get_name().to_owned();
    clap_complete::generate(options.shell, &mut command, name, &mut script);
    print(&String::from_utf8_lossy(&script))
}

/// Prints the manual page of the program, or of one command.
pub(super) fn man(options: &cli::Man) -> Result<(), Problem> {
    let mut command = cli::command();
    // Gives the commands their full names and the global options.
    command.build();
    let mut page = Vec::new();
    clap_mangen::Man::new(find(command, &options.command)?)
        .manual("Pulsewing")
        .source(concat!("pulsewing ", env!("CARGO_PKG_VERSION")))
        .date(MADE.strftime("%F").to_string())
        .render(&mut page)
        .map_err(|error| Problem::failed("cannot generate the manual page").caused_by(&error))?;
    // Formatters warn about breaks around an empty line, because that is already vertical space.
    print(&String::from_utf8_lossy(&page).replace("\n.br\n\n.br\n", "\n.sp\n"))
}

fn find(root: Command, path: &[String]) -> Result<Command, Problem> {
    path.iter().try_fold(root, |command, name| {
        command.find_subcommand(name).cloned().ok_or_else(|| {
            Problem::new(
                Exit::Usage,
                format!("there is no command \"{}\"", path.join(" ")),
            )
            .hint("`pulsewing --help` lists the commands")
        })
    })
}
