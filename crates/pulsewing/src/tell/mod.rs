//! Talking to people: what went wrong, in words; where it is said; the daemon's log.
//!
//! | module | what |
//! |---|---|
//! | [`problem`] | an error as a person reads it: what happened, why, what to do next |
//! | [`failure_words`], [`banner_words`] | the words for a failed update, in sentences and for a screen |
//! | [`phrases`] | ages, times and dates in words |
//! | [`console`] | stderr, and data on stdout |
//! | [`log`] | the log of a program that runs unattended |

pub(crate) mod banner_words;
pub(crate) mod console;
pub(crate) mod failure_words;
pub(crate) mod log;
pub(crate) mod phrases;
pub(crate) mod problem;
