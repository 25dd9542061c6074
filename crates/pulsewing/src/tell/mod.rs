//! Messages to people: errors in plain words, the console, the daemon's log.
//!
//! | module | contents |
//! |---|---|
//! | [`problem`] | an error for a person: what happened, why, and what to do next |
//! | [`failure_words`], [`banner_words`] | the texts for a failed update, in sentences and for a screen |
//! | [`phrases`] | ages, times and dates in words |
//! | [`console`] | stderr, and data on stdout |
//! | [`log`] | the log of a program that runs unattended |

pub(crate) mod banner_words;
pub(crate) mod console;
pub(crate) mod failure_words;
pub(crate) mod log;
pub(crate) mod phrases;
pub(crate) mod problem;
