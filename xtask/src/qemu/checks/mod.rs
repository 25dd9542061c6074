//! The checks, a file a group.

mod figures;
mod first_start;
mod network;
mod rotation;
mod trust;

use super::Rig;

/// Something that must hold.
pub(crate) struct Check {
    /// A sentence.
    pub(crate) name: &'static str,
    /// Says what does not hold.
    pub(crate) run: fn(&Rig<'_>) -> Result<(), String>,
}

/// The groups in the order in which they run.
pub(crate) const GROUPS: &[(&str, &[Check])] = &[
    ("first start", first_start::CHECKS),
    ("rotation", rotation::CHECKS),
    ("trust", trust::CHECKS),
    ("network", network::CHECKS),
    ("figures", figures::CHECKS),
];

/// Fails with a sentence unless something holds.
fn ensure(holds: bool, otherwise: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(otherwise()) }
}
