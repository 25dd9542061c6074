//! The Google Health API v4.

mod date_parts;
mod devices;
mod heart;
mod identity;
mod minute_means;
mod request;
mod resting;
mod settings;
mod source;
mod zones;

pub use devices::{DevicesDecoder, DevicesPage};
pub use heart::{HeartDecoder, HeartPage, HeartPoint};
pub use identity::{Identity, IdentityDecoder};
pub use minute_means::MinuteMeans;
pub use request::{
    RollUp, SourceFamily, identity, paired_devices, resting, roll_up, settings, zones,
};
pub use resting::{RestingDecoder, RestingPage};
pub use settings::SettingsDecoder;
pub use source::Source;
pub use zones::{ZonesDecoder, ZonesPage};
