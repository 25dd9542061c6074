//! Data that outlives a run: the token chains, the state beside them, and the
//! list of wearers.

pub(crate) mod chain_file;
pub(crate) mod roster;
pub(crate) mod standing;
pub(crate) mod state_file;
