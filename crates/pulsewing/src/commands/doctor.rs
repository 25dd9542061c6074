//! `pulsewing doctor`: everything that Pulsewing stands on, looked at; nothing is changed.

use super::print;
use crate::{
    cli::{self, Global},
    console::Console,
    doctor,
    problem::Problem,
};

pub(super) async fn run(
    options: &cli::Doctor,
    global: &Global,
    console: Console,
) -> Result<(), Problem> {
    let findings = doctor::examine(options, global, console).await?;
    // The findings are the data that was asked for, whatever they say.
    if options.json {
        let json = doctor::in_json(&findings)
            .map_err(|error| Problem::failed("the findings cannot be printed").caused_by(&error))?;
        print(&json)?;
    } else {
        print(&doctor::in_words(
            &findings,
            doctor::in_colours(global.color),
        ))?;
    }
    doctor::verdict(&findings).map_or(Ok(()), Err)
}
