//! Runs third-party clients against the sandbox: the driver in Python, in a virtual environment with the
//! packages from its two lists.

use crate::{process, python::Environment, test_programs, workspace::Workspace};

/// The clients. The package that verifies signatures asks for a newer Python than its verifier needs, so it is
/// installed without regard to that; what it requires is in the other list.
pub(crate) const ENVIRONMENT: Environment = Environment {
    name: "foreign-clients",
    driver: "crates/pulsewing-sandbox/tests/foreign",
    list: "requirements.txt",
    alone: Some("signatures.txt"),
};

/// Runs the driver with the program.
///
/// # Errors
///
/// If a client and the sandbox disagree.
pub(crate) fn run(workspace: &Workspace) -> Result<(), String> {
    let mut driver = ENVIRONMENT.driver(workspace);
    driver
        .arg("--program")
        .arg(test_programs::pulsewing(workspace));
    process::run(&mut driver)
}
