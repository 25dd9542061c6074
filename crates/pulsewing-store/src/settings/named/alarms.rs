//! The settings of alarms. A limit that contradicts another one is refused.

use core::fmt;

use jiff::SignedDuration;
use pulsewing_core::{
    Bpm,
    alarm::Limits,
    look::{Night, NotANight},
};

use super::{Reset, Setting, SettingError, Settings, is_yes, number, optional, yes_or_no};

/// What switches an alarm off that is on by default.
const OFF: &str = "off";

pub(super) const HIGH: Setting = rate::<0>("alarms.high");
pub(super) const HIGH_URGENT: Setting = rate::<1>("alarms.high_urgent");
pub(super) const LOW: Setting = rate::<2>("alarms.low");
pub(super) const LOW_URGENT: Setting = rate::<3>("alarms.low_urgent");

pub(super) const STALE: Setting = Setting {
    name: "alarms.stale",
    show: |s, f| on_or_off(s.limits.stale.map(|stale| stale.as_secs()), f),
    set: |s, value| {
        let stale = switched(value, |value| seconds(value, 900, 7 * 86_400))?;
        s.limit(|limits| limits.stale = stale)
    },
    reset: Reset::From(|s, default| s.limits.stale = default.limits.stale),
};

pub(super) const BATTERY: Setting = Setting {
    name: "alarms.battery",
    show: |s, f| on_or_off(s.limits.battery, f),
    set: |s, value| {
        let battery = switched(value, |value| number(value, 1, 90))?;
        s.limit(|limits| limits.battery = battery)
    },
    reset: Reset::From(|s, default| s.limits.battery = default.limits.battery),
};

pub(super) const QUIET: Setting = Setting {
    name: "alarms.quiet",
    show: |s, f| optional(s.limits.quiet.as_ref(), f),
    set: |s, value| {
        let quiet: Night = value.parse().map_err(|NotANight| SettingError::Night)?;
        s.limit(|limits| limits.quiet = Some(quiet))
    },
    reset: Reset::From(|s, _| s.limits.quiet = None),
};

pub(super) const REPEAT: Setting = Setting {
    name: "alarms.repeat",
    show: |s, f| write!(f, "{}", s.limits.repeat.as_secs()),
    set: |s, value| {
        let repeat = seconds(value, 60, 3_600)?;
        s.limit(|limits| limits.repeat = repeat)
    },
    reset: Reset::From(|s, default| s.limits.repeat = default.limits.repeat),
};

pub(super) const FRESH: Setting = Setting {
    name: "alarms.fresh",
    show: |s, f| write!(f, "{}", s.limits.fresh.as_secs()),
    set: |s, value| {
        let fresh = seconds(value, 900, 3 * 3_600)?;
        s.limit(|limits| limits.fresh = fresh)
    },
    reset: Reset::From(|s, default| s.limits.fresh = default.limits.fresh),
};

pub(super) const PIEZO: Setting = Setting {
    name: "alarms.piezo",
    show: |s, f| yes_or_no(s.has_piezo, f),
    set: |s, value| {
        s.has_piezo = is_yes(value)?;
        Ok(())
    },
    reset: Reset::From(|s, _| s.has_piezo = false),
};

/// A limit of the heart rate: above, far above, below or far below which there is an alarm.
const fn rate<const INDEX: usize>(name: &'static str) -> Setting {
    Setting {
        name,
        show: |s, f| {
            let mut limits = s.limits;
            optional(rate_of::<INDEX>(&mut limits).map(Bpm::get), f)
        },
        set: |s, value| {
            let bpm = Bpm::new(number(value, 25, 250)?);
            s.limit(|limits| *rate_of::<INDEX>(limits) = bpm)
        },
        reset: Reset::From(|s, _| *rate_of::<INDEX>(&mut s.limits) = None),
    }
}

const fn rate_of<const INDEX: usize>(limits: &mut Limits) -> &mut Option<Bpm> {
    match INDEX {
        0 => &mut limits.high,
        1 => &mut limits.high_urgent,
        2 => &mut limits.low,
        _ => &mut limits.low_urgent,
    }
}

fn on_or_off(value: Option<impl fmt::Display>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match value {
        Some(value) => value.fmt(f),
        None => f.write_str(OFF),
    }
}

fn switched<T>(
    value: &str,
    read: impl FnOnce(&str) -> Result<T, SettingError>,
) -> Result<Option<T>, SettingError> {
    match value {
        OFF => Ok(None),
        value => read(value).map(Some),
    }
}

fn seconds(value: &str, least: u32, most: u32) -> Result<SignedDuration, SettingError> {
    let seconds: u32 = number(value, least, most)?;
    Ok(SignedDuration::from_secs(seconds.into()))
}

impl Settings {
    /// Changes the limits, unless they would contradict each other.
    fn limit(&mut self, how: impl FnOnce(&mut Limits)) -> Result<(), SettingError> {
        let mut limits = self.limits;
        how(&mut limits);
        limits.check()?;
        self.limits = limits;
        Ok(())
    }
}
