//! A synthetic wearer with a plausible life: sleep, rest, walks, a run, time off the wrist.
//!
//! Every day is determined by the seed and the date alone, so any day can be requested, in any
//! order, and is always the same.

use jiff::{SignedDuration, Timestamp, civil::Date, tz::TimeZone};

use super::{Sample, chance::Chance, day_bounds};

/// A wearer whose days are determined by a seed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Synthetic {
    pub(crate) seed: u64,
    /// How far their heart rate is above the first wearer's, in bpm.
    pub(crate) resting_offset: f64,
}

impl Synthetic {
    /// Returns the samples in the closed-open range, oldest first.
    pub(super) fn samples(&self, from: Timestamp, to: Timestamp, zone: &TimeZone) -> Vec<Sample> {
        let mut samples = Vec::new();
        let mut day = from.to_zoned(zone.clone()).date();
        let last = to.to_zoned(zone.clone()).date();
        while day <= last {
            self.day(day, zone, |sample| {
                if from <= sample.at && sample.at < to {
                    samples.push(sample);
                }
            });
            let Ok(next) = day.tomorrow() else { break };
            day = next;
        }
        samples
    }

    fn day(&self, date: Date, zone: &TimeZone, mut emit: impl FnMut(Sample)) {
        let Some((midnight, end)) = day_bounds(date, zone) else {
            return;
        };
        let day = i64::from(date.year()) * 1000 + i64::from(date.day_of_year());
        let mut chance = Chance::new(self.seed, day);
        let plan = Plan::new(date, self.resting_offset, &mut chance);
        let mut level = plan.asleep_bpm;
        let mut drift = 0.0;
        let mut second = 0;
        let length = end.duration_since(midnight).as_secs();
        let mut minute_of_level = i64::MIN;
        let mut doing = Doing::Asleep;
        while second < length {
            let at = midnight + SignedDuration::from_secs(second);
            if second / 60 != minute_of_level {
                minute_of_level = second / 60;
                let time = at.to_zoned(zone.clone()).time();
                doing = plan.doing(i32::from(time.hour()) * 60 + i32::from(time.minute()));
                drift = drift * 0.85 + chance.within(-1.0, 1.0);
                let target = plan.target_bpm(doing, minute_of_level) + drift;
                // A heart rate rises faster than it falls.
                level += (target - level) * if target > level { 0.35 } else { 0.16 };
            }
            if doing == Doing::OffWrist {
                second = (minute_of_level + 1) * 60;
                continue;
            }
            emit(Sample {
                at,
                bpm: whole_bpm(level + chance.within(-1.8, 1.8)),
            });
            second += match doing {
                Doing::Run => 5,
                Doing::Walk => 5 * chance.whole(1, 2),
                _ => 5 * chance.whole(1, 3),
            };
        }
    }
}

/// What the wearer does in a minute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Doing {
    Asleep,
    Rest,
    Desk,
    Chores,
    Walk,
    Run,
    OffWrist,
}

/// A day's plan, in minutes of civil time since midnight.
struct Plan {
    asleep_bpm: f64,
    wake: i32,
    bed: i32,
    works: bool,
    spans: Vec<(i32, i32, Doing)>,
}

impl Plan {
    fn new(date: Date, resting_offset: f64, chance: &mut Chance) -> Self {
        let works = date.weekday().to_monday_one_offset() <= 5;
        let wake = if works {
            chance.minute(395, 435)
        } else {
            chance.minute(450, 540)
        };
        let bed = chance.minute(1345, 1425);
        let mut spans = Vec::new();
        // The first span that covers a minute counts, so the most important ones come first.
        let mut span = |start: i32, length: i32, doing| spans.push((start, start + length, doing));
        let shower = wake + chance.minute(18, 35);
        span(shower, chance.minute(9, 19), Doing::OffWrist);
        if chance.one_in(2) {
            span(
                chance.minute(1215, 1275),
                chance.minute(28, 52),
                Doing::OffWrist,
            );
        }
        if chance.one_in(2) {
            span(chance.minute(1075, 1115), chance.minute(26, 48), Doing::Run);
        }
        if works {
            span(
                wake + chance.minute(62, 80),
                chance.minute(14, 24),
                Doing::Walk,
            );
            span(
                chance.minute(1035, 1055),
                chance.minute(14, 24),
                Doing::Walk,
            );
        } else {
            span(chance.minute(640, 700), chance.minute(40, 90), Doing::Walk);
        }
        span(chance.minute(735, 770), chance.minute(12, 26), Doing::Walk);
        for _ in 0..5 {
            span(chance.minute(560, 1020), chance.minute(2, 5), Doing::Walk);
        }
        span(wake, 75, Doing::Chores);
        span(1120, chance.minute(50, 80), Doing::Chores);
        Self {
            asleep_bpm: chance.within(51.0, 56.0) + resting_offset,
            wake,
            bed,
            works,
            spans,
        }
    }

    fn doing(&self, minute: i32) -> Doing {
        if minute < self.wake || minute >= self.bed {
            return Doing::Asleep;
        }
        let planned = self
            .spans
            .iter()
            .find(|(start, end, _)| (*start..*end).contains(&minute));
        match planned {
            Some(&(_, _, doing)) => doing,
            None if self.works && minute < 1040 => Doing::Desk,
            None => Doing::Rest,
        }
    }

    fn target_bpm(&self, doing: Doing, minute: i64) -> f64 {
        let phase = f64::from(i32::try_from(minute).unwrap_or(0));
        match doing {
            // Sleep goes through cycles of about 90 minutes.
            Doing::Asleep => self.asleep_bpm + 3.0 * (phase / 90.0 * std::f64::consts::TAU).sin(),
            Doing::Rest | Doing::OffWrist => self.asleep_bpm + 10.0,
            Doing::Desk => self.asleep_bpm + 16.0 + 3.0 * (phase / 37.0).sin(),
            Doing::Chores => self.asleep_bpm + 30.0 + 5.0 * (phase / 7.0).sin(),
            Doing::Walk => self.asleep_bpm + 50.0,
            Doing::Run => self.asleep_bpm + 98.0 + 8.0 * (phase / 5.0).sin(),
        }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to 35..=205"
)]
fn whole_bpm(level: f64) -> u16 {
    level.round().clamp(35.0, 205.0) as u16
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::wearer::{MINUTE, Wearer, buckets};

    fn life(seed: u64) -> Synthetic {
        Wearer::FIRST.life(seed)
    }

    fn day(seed: u64, date: Date, zone: &TimeZone) -> Vec<Sample> {
        let (from, to) = day_bounds(date, zone).unwrap();
        life(seed).samples(from, to, zone)
    }

    fn berlin() -> TimeZone {
        TimeZone::get("Europe/Berlin").unwrap()
    }

    #[test]
    fn a_day_is_the_same_whenever_it_is_asked_for() {
        let zone = berlin();
        let whole = day(7, date(2026, 11, 20), &zone);
        let (from, to) = day_bounds(date(2026, 11, 20), &zone).unwrap();
        let noon = from + SignedDuration::from_hours(12);
        let mut halves = life(7).samples(from, noon, &zone);
        halves.extend(life(7).samples(noon, to, &zone));
        assert_eq!(whole, halves);
        assert_ne!(whole, day(8, date(2026, 11, 20), &zone));
        assert_ne!(whole.len(), day(7, date(2026, 11, 21), &zone).len());
    }

    #[test]
    fn days_look_like_a_person() {
        let zone = berlin();
        let mut runs = 0;
        for offset in 0..28 {
            let date = date(2026, 2, 1) + jiff::Span::new().days(offset);
            let samples = day(1, date, &zone);
            assert!(
                (5_000..12_000).contains(&samples.len()),
                "{date}: {} samples",
                samples.len()
            );
            let spacing = samples
                .windows(2)
                .map(|pair| pair[1].at.duration_since(pair[0].at).as_secs());
            let (mut gaps, mut longest) = (0, 0);
            for seconds in spacing {
                assert!(seconds >= 5, "{date}: samples {seconds} s apart");
                gaps += u32::from(seconds > 60);
                longest = longest.max(seconds);
            }
            assert!(
                (1..=3).contains(&gaps) && longest < 3600,
                "{date}: {gaps} gaps, {longest} s"
            );
            let (from, _) = day_bounds(date, &zone).unwrap();
            let minutes = buckets(&samples, from, MINUTE);
            let night = minutes
                .iter()
                .filter(|m| m.index < 360)
                .map(|m| m.rounded())
                .max()
                .unwrap();
            let most = minutes.iter().map(|m| m.rounded()).max().unwrap();
            assert!(night < 70, "{date}: {night} bpm at night");
            assert!((90..185).contains(&most), "{date}: {most} bpm at most");
            runs += u32::from(most > 130);
        }
        assert!((5..24).contains(&runs), "{runs} runs in four weeks");
    }

    #[test]
    fn a_day_of_25_hours_is_worn_for_all_of_them() {
        let samples = day(1, date(2026, 10, 25), &berlin());
        let length = samples
            .last()
            .unwrap()
            .at
            .duration_since(samples[0].at)
            .as_secs();
        assert!((89_900..90_000).contains(&length), "{length} s");
    }
}
