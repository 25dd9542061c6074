//! The driver, its async twin and the simulated controller, at their wires.
#![allow(clippy::unwrap_used, reason = "a test may fail where it stands")]

mod async_twin;
mod bus_cost;
mod canvas;
mod complaints;
mod drawing;
mod faults;
mod models;
mod other_panels;
mod palette;
mod power;
mod rotations;
mod tape;
mod updates;
