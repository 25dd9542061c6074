//! The bytes of alarms in a store, so that a restart neither repeats nor forgets a signal.
//!
//! ```text
//! offset  size  what
//! 0       4     "PWAL"
//! 4       1     format version, now 1
//! 5       n     fields: tag (1), length (2, big-endian), value
//! 5 + n   8     the first eight bytes of the SHA-256 of everything before
//! ```
//!
//! Fields 1 to 7 are the kinds in the order of [`Kind::ALL`], 8 and 9 the high and low rates, 10 and 11
//! those that nobody has looked at, 12 the newest minutes. Times are seconds since 1970 (i64), numbers
//! big-endian; in front of each value that may be missing is a byte that is 0 or 1.

use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};

use super::{
    Alarms, Cause, Event, Kind, Level, Limits, Mute, Trouble, Unseen,
    rate::Side,
    track::{Held, Pace, Track},
};
use crate::{
    Bpm,
    day::Sample,
    tlv::{Damaged, Fields, Writer},
};

/// The maximum size of a record, in bytes.
pub const MAX_RECORD: usize = 1_024;

const VERSION: u8 = 1;
const MAGIC: [u8; 4] = *b"PWAL";
const HEAD: usize = 5;
const CHECKSUM: usize = 8;

const HIGH: u8 = 8;
const LOW: u8 = 9;
const UNSEEN_HIGH: u8 = 10;
const UNSEEN_LOW: u8 = 11;
const NEWEST: u8 = 12;
const TAGS: usize = 13;

/// The reason why bytes are not a usable record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// They are not a record, or are damaged.
    #[error("the stored alarms are damaged")]
    Damaged,
    /// A newer Pulsewing wrote them.
    #[error("the stored alarms have format version {0}, which is newer than this program")]
    Newer(u8),
}

impl From<Damaged> for RecordError {
    fn from(Damaged: Damaged) -> Self {
        Self::Damaged
    }
}

impl Alarms {
    /// Writes what a restart has to know, without the limits. Returns `None` if there is no room: it needs
    /// [`MAX_RECORD`] bytes.
    pub fn encode<'b>(&self, buffer: &'b mut [u8]) -> Option<&'b [u8]> {
        let mut head = [0; HEAD];
        let (magic, version) = head.split_at_mut(MAGIC.len());
        magic.copy_from_slice(&MAGIC);
        version.copy_from_slice(&[VERSION]);
        let mut out = Writer::new(buffer, &head)?;
        for (tag, track) in (1..).zip(&self.tracks) {
            out.field_of(tag, |out| put_track(out, track))?;
        }
        out.field_of(HIGH, |out| put_side(out, &self.high))?;
        out.field_of(LOW, |out| put_side(out, &self.low))?;
        for (tag, unseen) in [UNSEEN_HIGH, UNSEEN_LOW].into_iter().zip(&self.unseen) {
            if let Some(unseen) = unseen {
                out.field_of(tag, |out| put_unseen(out, unseen))?;
            }
        }
        out.field_of(NEWEST, |out| {
            put_some(out, self.judged_until, put_time)?;
            put_some(out, self.newest, |out, newest| {
                put_time(out, newest.at)?;
                put_bpm(out, newest.bpm)
            })?;
            put_some(out, self.waiting_since, put_time)
        })?;
        let digest = Sha256::digest(out.written());
        out.push(digest.get(..CHECKSUM)?)?;
        Some(out.finish())
    }

    /// Reads what [`encode`](Self::encode) wrote.
    ///
    /// # Errors
    /// A [`RecordError`].
    pub fn decode(limits: Limits, bytes: &[u8]) -> Result<Self, RecordError> {
        let (body, sum) = bytes
            .len()
            .checked_sub(CHECKSUM)
            .and_then(|end| bytes.split_at_checked(end))
            .ok_or(RecordError::Damaged)?;
        let (head, fields) = body.split_at_checked(HEAD).ok_or(RecordError::Damaged)?;
        let Some(&[version]) = head.strip_prefix(&MAGIC) else {
            return Err(RecordError::Damaged);
        };
        if version > VERSION {
            return Err(RecordError::Newer(version));
        }
        if version != VERSION || Sha256::digest(body).get(..CHECKSUM) != Some(sum) {
            return Err(RecordError::Damaged);
        }
        let fields = Fields::<TAGS>::read(fields)?;
        let mut alarms = Self::new(limits);
        for (tag, track) in (1..).zip(&mut alarms.tracks) {
            *track = whole(fields.require(tag)?, |from| take_track(from, track.kind))?;
        }
        alarms.high = whole(fields.require(HIGH)?, |from| take_side(from, Kind::High))?;
        alarms.low = whole(fields.require(LOW)?, |from| take_side(from, Kind::Low))?;
        for (tag, unseen) in [UNSEEN_HIGH, UNSEEN_LOW]
            .into_iter()
            .zip(&mut alarms.unseen)
        {
            let kept = fields.get(tag);
            *unseen = kept.map(|value| whole(value, take_unseen)).transpose()?;
        }
        (alarms.judged_until, alarms.newest, alarms.waiting_since) =
            whole(fields.require(NEWEST)?, |from| {
                let judged = take_some(from, take_time)?;
                let newest = take_some(from, |from| {
                    Some(Sample {
                        at: take_time(from)?,
                        bpm: take_bpm(from)?,
                    })
                })?;
                Some((judged, newest, take_some(from, take_time)?))
            })?;
        Ok(alarms)
    }
}

/// Reads a whole value.
fn whole<T>(
    mut value: &[u8],
    take: impl FnOnce(&mut &[u8]) -> Option<T>,
) -> Result<T, RecordError> {
    let read = take(&mut value).ok_or(RecordError::Damaged)?;
    match value {
        [] => Ok(read),
        _ => Err(RecordError::Damaged),
    }
}

type Out<'a, 'b> = &'a mut Writer<'b>;
type In<'a, 'b> = &'a mut &'b [u8];

fn put_track(out: Out<'_, '_>, track: &Track) -> Option<()> {
    put_some(out, track.level, put_level)?;
    put_level(out, track.worst)?;
    put_cause(out, track.cause)?;
    put_time(out, track.since)?;
    put_some(out, track.told, put_level)?;
    put_some(out, track.heard, put_level)?;
    out.push(&[track.repeats])?;
    put_pace(out, track.pace)?;
    put_pace(out, track.urgent_pace)?;
    put_some(out, track.mute, put_mute)?;
    out.push(&[u8::from(track.has_woken), u8::from(track.is_hidden)])?;
    put_some(out, track.held, put_held)?;
    put_some(out, track.over_at, put_time)
}

fn take_track(from: In<'_, '_>, kind: Kind) -> Option<Track> {
    Some(Track {
        kind,
        level: take_some(from, take_level)?,
        worst: take_level(from)?,
        cause: take_cause(from)?,
        since: take_time(from)?,
        told: take_some(from, take_level)?,
        heard: take_some(from, take_level)?,
        repeats: take_byte(from)?,
        pace: take_pace(from)?,
        urgent_pace: take_pace(from)?,
        mute: take_some(from, take_mute)?,
        has_woken: take_flag(from)?,
        is_hidden: take_flag(from)?,
        held: take_some(from, take_held)?,
        over_at: take_some(from, take_time)?,
    })
}

fn put_pace(out: Out<'_, '_>, pace: Pace) -> Option<()> {
    out.push(&[pace.count])?;
    put_some(out, pace.told_at, put_time)
}

fn take_pace(from: In<'_, '_>) -> Option<Pace> {
    Some(Pace {
        count: take_byte(from)?,
        told_at: take_some(from, take_time)?,
    })
}

fn put_side(out: Out<'_, '_>, side: &Side) -> Option<()> {
    out.push(&[u8::from(side.warning), u8::from(side.urgent)])?;
    put_time(out, side.since)?;
    put_some(out, side.extreme, put_bpm)
}

fn take_side(from: In<'_, '_>, kind: Kind) -> Option<Side> {
    Some(Side {
        warning: take_flag(from)?,
        urgent: take_flag(from)?,
        since: take_time(from)?,
        extreme: take_some(from, take_bpm)?,
        ..Side::new(kind)
    })
}

fn put_unseen(out: Out<'_, '_>, unseen: &Unseen) -> Option<()> {
    put_level(out, unseen.level)?;
    put_bpm(out, unseen.extreme)?;
    put_bpm(out, unseen.limit)?;
    put_time(out, unseen.since)?;
    put_time(out, unseen.until)
}

fn take_unseen(from: In<'_, '_>) -> Option<Unseen> {
    Some(Unseen {
        level: take_level(from)?,
        extreme: take_bpm(from)?,
        limit: take_bpm(from)?,
        since: take_time(from)?,
        until: take_time(from)?,
    })
}

fn put_mute(out: Out<'_, '_>, mute: Mute) -> Option<()> {
    put_level(out, mute.up_to())?;
    put_some(
        out,
        match mute {
            Mute::Acknowledged { .. } => None,
            Mute::Snoozed { until, .. } => Some(until),
        },
        put_time,
    )
}

fn take_mute(from: In<'_, '_>) -> Option<Mute> {
    let up_to = take_level(from)?;
    Some(match take_some(from, take_time)? {
        None => Mute::Acknowledged { up_to },
        Some(until) => Mute::Snoozed { up_to, until },
    })
}

fn put_held(out: Out<'_, '_>, held: Held) -> Option<()> {
    out.push(&[u8::from(held.event == Event::Cleared)])?;
    put_level(out, held.level)?;
    put_cause(out, held.cause)?;
    put_time(out, held.since)?;
    put_time(out, held.until)
}

fn take_held(from: In<'_, '_>) -> Option<Held> {
    Some(Held {
        event: match take_flag(from)? {
            true => Event::Cleared,
            false => Event::Past,
        },
        level: take_level(from)?,
        cause: take_cause(from)?,
        since: take_time(from)?,
        until: take_time(from)?,
    })
}

fn put_cause(out: Out<'_, '_>, cause: Cause) -> Option<()> {
    match cause {
        Cause::Rate { bpm, at, limit } => {
            out.push(&[1])?;
            put_bpm(out, bpm)?;
            put_time(out, at)?;
            put_bpm(out, limit)
        }
        Cause::Silence { newest, limit } => {
            out.push(&[2])?;
            put_some(out, newest, put_time)?;
            out.push(&limit.as_secs().to_be_bytes())
        }
        Cause::Battery { percent, limit } => out.push(&[3, percent, limit]),
        Cause::Sync { at } => {
            out.push(&[4])?;
            put_time(out, at)
        }
        Cause::SignInEnded => out.push(&[5]),
        Cause::SignInEnds { at } => {
            out.push(&[6])?;
            put_time(out, at)
        }
        Cause::Own(Trouble::UpdatesFail { since }) => {
            out.push(&[7])?;
            put_time(out, since)
        }
        Cause::Own(Trouble::TokensNotStored) => out.push(&[8]),
        Cause::Own(Trouble::NothingWritten) => out.push(&[9]),
        Cause::Own(Trouble::ClockSetBack) => out.push(&[10]),
    }
}

fn take_cause(from: In<'_, '_>) -> Option<Cause> {
    Some(match take_byte(from)? {
        1 => Cause::Rate {
            bpm: take_bpm(from)?,
            at: take_time(from)?,
            limit: take_bpm(from)?,
        },
        2 => Cause::Silence {
            newest: take_some(from, take_time)?,
            limit: SignedDuration::from_secs(i64::from_be_bytes(take(from)?)),
        },
        3 => Cause::Battery {
            percent: take_byte(from)?,
            limit: take_byte(from)?,
        },
        4 => Cause::Sync {
            at: take_time(from)?,
        },
        5 => Cause::SignInEnded,
        6 => Cause::SignInEnds {
            at: take_time(from)?,
        },
        7 => Cause::Own(Trouble::UpdatesFail {
            since: take_time(from)?,
        }),
        8 => Cause::Own(Trouble::TokensNotStored),
        9 => Cause::Own(Trouble::NothingWritten),
        10 => Cause::Own(Trouble::ClockSetBack),
        _ => return None,
    })
}

fn put_some<T>(
    out: Out<'_, '_>,
    value: Option<T>,
    put: impl FnOnce(Out<'_, '_>, T) -> Option<()>,
) -> Option<()> {
    out.push(&[u8::from(value.is_some())])?;
    match value {
        Some(value) => put(out, value),
        None => Some(()),
    }
}

fn take_some<T>(from: In<'_, '_>, take: impl FnOnce(In<'_, '_>) -> Option<T>) -> Option<Option<T>> {
    match take_flag(from)? {
        true => Some(Some(take(from)?)),
        false => Some(None),
    }
}

fn put_time(out: Out<'_, '_>, at: Timestamp) -> Option<()> {
    out.push(&at.as_second().to_be_bytes())
}

fn take_time(from: In<'_, '_>) -> Option<Timestamp> {
    Timestamp::from_second(i64::from_be_bytes(take(from)?)).ok()
}

fn put_bpm(out: Out<'_, '_>, bpm: Bpm) -> Option<()> {
    out.push(&bpm.get().to_be_bytes())
}

fn take_bpm(from: In<'_, '_>) -> Option<Bpm> {
    Bpm::new(u16::from_be_bytes(take(from)?))
}

fn put_level(out: Out<'_, '_>, level: Level) -> Option<()> {
    out.push(&[match level {
        Level::Info => 1,
        Level::Warning => 2,
        Level::Urgent => 3,
    }])
}

fn take_level(from: In<'_, '_>) -> Option<Level> {
    Some(match take_byte(from)? {
        1 => Level::Info,
        2 => Level::Warning,
        3 => Level::Urgent,
        _ => return None,
    })
}

fn take_flag(from: In<'_, '_>) -> Option<bool> {
    match take_byte(from)? {
        0 => Some(false),
        1 => Some(true),
        _ => None,
    }
}

fn take_byte(from: In<'_, '_>) -> Option<u8> {
    let [byte] = take(from)?;
    Some(byte)
}

fn take<const N: usize>(from: In<'_, '_>) -> Option<[u8; N]> {
    let (taken, rest) = from.split_first_chunk()?;
    *from = rest;
    Some(*taken)
}
