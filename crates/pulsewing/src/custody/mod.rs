//! Data that outlives a run: the token chain, and the state beside it.

pub(crate) mod chain_file;
pub(crate) mod state_file;
