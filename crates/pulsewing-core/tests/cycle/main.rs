//! The cycle in virtual time, against a modelled store and cloud: no network, no disk, no sleep.

mod clocks;
mod cloud;
mod custody;
mod data_calls;
mod deadline;
mod grants;
mod limits;
mod lost_replies;
mod random_walk;
mod rules;
mod store;
mod storing;
mod unauthorized;
mod world;
mod zone;
