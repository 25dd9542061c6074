//! The `pulsewing` program: reads the command line, runs the command, and turns what went wrong
//! into words and an exit code.
#![forbid(unsafe_code)]

use std::process::ExitCode;

use pulsewing::{cli::Cli, commands, console::Console};

fn main() -> ExitCode {
    let cli = Cli::read();
    let console = Console::new(cli.global.verbose, cli.global.color);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let result = match runtime {
        Ok(runtime) => runtime.block_on(commands::run(cli, console)),
        Err(error) => {
            Err(pulsewing::problem::Problem::failed("the program cannot start").caused_by(&error))
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            console.problem(&problem);
            problem.exit().code().into()
        }
    }
}
