//! Has programs that others wrote judge what a daemon tells other programs: its metrics, the rules and the
//! dashboard for them, the API's description, and the line protocol.

use crate::{
    process,
    python::Environment,
    test_programs,
    tools::prometheus::{self, Programs},
    workspace::Workspace,
};

/// The judges in Python.
pub(crate) const ENVIRONMENT: Environment = Environment {
    name: "numbers",
    driver: "crates/pulsewing/tests/numbers",
    list: "requirements.txt",
    alone: None,
};

/// Runs the driver with the program, `times` times.
///
/// # Errors
///
/// If a judge finds something.
pub(crate) fn run(workspace: &Workspace, times: u32) -> Result<(), String> {
    let Programs {
        prometheus,
        promtool,
    } = prometheus::find(workspace)?.ok_or("Prometheus is missing")?;
    let mut driver = ENVIRONMENT.driver(workspace);
    driver
        .arg("--program")
        .arg(test_programs::pulsewing(workspace))
        .arg("--prometheus")
        .arg(prometheus)
        .arg("--promtool")
        .arg(promtool);
    let failed = (0..times)
        .filter(|_| process::run(&mut driver).is_err())
        .count();
    match failed {
        0 => Ok(()),
        _ => Err(format!("failed {failed} of {times} times")),
    }
}
