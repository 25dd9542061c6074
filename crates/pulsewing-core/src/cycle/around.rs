//! The context that the parts of a cycle get while they take a step.

use super::{
    Now, Settings,
    pacing::{Jitter, Pacing},
};
use crate::chain::Stored;

/// The context of a renewal or a fetch that takes a step.
pub(super) struct Surroundings<'c> {
    pub(super) settings: &'c Settings,
    pub(super) pacing: &'c mut Pacing,
    pub(super) jitter: &'c mut Jitter,
    /// The chain that the previous cycle used.
    pub(super) in_use: Option<&'c Stored>,
    pub(super) now: Now,
}
