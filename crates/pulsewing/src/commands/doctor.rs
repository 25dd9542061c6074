//! `pulsewing doctor`: checks everything that Pulsewing depends on, and changes nothing.

use super::print;
use crate::{
    cli::{self, Global},
    doctor::{self, Scope},
    tell::{console::Console, problem::Problem},
};

pub(super) async fn run(
    options: &cli::Doctor,
    global: &Global,
    console: Console,
) -> Result<(), Problem> {
    let findings = doctor::examine(
        &Scope {
            config: global.config.as_deref(),
            state_dir: global.state_dir.as_deref(),
            wearers: &global.wearer,
            start: global.now,
            is_offline: options.offline,
            panels: &options.panels.specs,
        },
        console,
    )
    .await?;
    // The findings are the requested data, even if they are failures.
    if options.json {
        let json = doctor::in_json(&findings)
            .map_err(|error| Problem::failed("cannot print the findings").caused_by(&error))?;
        print(&json)?;
    } else {
        print(&doctor::in_words(
            &findings,
            doctor::in_colours(global.color),
        ))?;
    }
    doctor::verdict(&findings).map_or(Ok(()), Err)
}
