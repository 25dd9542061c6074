//! The bytes of a stored chain.
//!
//! ```text
//! offset  size  what
//! 0       4     "PWCH"
//! 4       1     format version, now 1
//! 5       2     length of the fields in bytes, big-endian
//! 7       n     fields: tag (1), length (2, big-endian), value
//! 7 + n   8     the first eight bytes of the SHA-256 of everything before
//! ```
//!
//! | tag | field | value |
//! |---|---|---|
//! | 1 | provider | 1 Google, 2 Fitbit |
//! | 2 | issuer | text |
//! | 3 | client id | text |
//! | 4 | client secret, if any | text |
//! | 5 | user id, if any | text |
//! | 6 | refresh token | text |
//! | 7 | when the refresh token ends, if it does | seconds since 1970, i64 |
//! | 8 | access token, if any | text |
//! | 9 | when the access token ends | seconds since 1970, i64 |
//! | 10 | the access token's lifetime in seconds | u32 |
//! | 11 | granted scopes | bits, u32 (see [`Scopes::bits`]) |
//! | 12 | when obtained | seconds since 1970, i64 |
//! | 13 | generation | u32 |
//! | 14 | standing | 1 active, 2 refused, 3 moving |
//! | 15 | intent, if any | generation (u32), first sent (i64, milliseconds since 1970) |
//!
//! Numbers are big-endian. A reader refuses a newer version and leaves the record alone; a field
//! that a version does not know is damage, because a writer that adds one raises the version.

use jiff::Timestamp;
use sha2::{Digest, Sha256};

use super::{Access, Chain, Client, Intent, Record, Standing, Stored, Unstored};
use crate::{
    AccessToken, ClientSecret, Provider, RefreshToken,
    oauth::Scopes,
    tlv::{Damaged, Fields, Writer},
};

/// The format version that we write.
pub const VERSION: u8 = 1;

/// The maximum size of a record, in bytes.
pub const MAX_RECORD: usize = 3_840;

const MAGIC: [u8; 4] = *b"PWCH";
const HEAD: usize = 7;
const CHECKSUM: usize = 8;

/// The reason why bytes are not a usable record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// They are not a record, or are damaged.
    #[error("the stored chain is damaged")]
    Damaged,
    /// A newer Pulsewing wrote them. They must be left untouched.
    #[error("the stored chain has format version {0}, which is newer than this program")]
    Newer(u8),
}

impl From<Damaged> for RecordError {
    fn from(Damaged: Damaged) -> Self {
        Self::Damaged
    }
}

impl Record {
    /// Reads a record.
    ///
    /// # Errors
    /// [`RecordError::Newer`] for a later format, [`RecordError::Damaged`] for anything else.
    pub fn decode(bytes: &[u8]) -> Result<Self, RecordError> {
        decode(bytes)
    }

    /// Writes the record to `buffer` and returns the bytes to store, or `None` if the buffer has less
    /// room than [`MAX_RECORD`].
    #[must_use]
    pub fn encode<'b>(&self, buffer: &'b mut [u8]) -> Option<&'b [u8]> {
        encode(&self.chain.0, self.intent.as_ref(), buffer)
    }
}

impl Stored {
    /// Writes the record of this chain, with or without an intent, to `buffer`, and returns the bytes to
    /// store; `None` if the buffer has less room than [`MAX_RECORD`].
    #[must_use]
    pub fn encode<'b>(&self, intent: Option<Intent>, buffer: &'b mut [u8]) -> Option<&'b [u8]> {
        encode(&self.0, intent.as_ref(), buffer)
    }
}

impl Unstored {
    /// Writes the record that makes this chain the stored one, without an intent, to `buffer`, and
    /// returns the bytes to store; `None` if the buffer has less room than [`MAX_RECORD`].
    #[must_use]
    pub fn encode<'b>(&self, buffer: &'b mut [u8]) -> Option<&'b [u8]> {
        encode(&self.0, None, buffer)
    }
}

#[inline(never)]
fn encode<'b>(chain: &Chain, intent: Option<&Intent>, buffer: &'b mut [u8]) -> Option<&'b [u8]> {
    let [m0, m1, m2, m3] = MAGIC;
    // The length of the fields is not known yet.
    let mut out = Writer::new(buffer, &[m0, m1, m2, m3, VERSION, 0, 0])?;
    let provider = match chain.provider {
        Provider::Google => 1,
        Provider::Fitbit => 2,
    };
    out.field(1, &[&[provider]])?;
    out.field(2, &[chain.issuer.as_bytes()])?;
    out.field(3, &[chain.client.id.as_bytes()])?;
    if let Some(secret) = &chain.client.secret {
        out.field(4, &[secret.expose().as_bytes()])?;
    }
    if let Some(user_id) = &chain.user_id {
        out.field(5, &[user_id.as_bytes()])?;
    }
    out.field(6, &[chain.refresh.expose().as_bytes()])?;
    if let Some(at) = chain.refresh_expires_at {
        out.field(7, &[&at.as_second().to_be_bytes()])?;
    }
    if let Some(access) = &chain.access {
        out.field(8, &[access.token.expose().as_bytes()])?;
        out.field(9, &[&access.expires_at.as_second().to_be_bytes()])?;
        out.field(10, &[&access.lifetime_s.to_be_bytes()])?;
    }
    out.field(11, &[&chain.scopes.bits().to_be_bytes()])?;
    out.field(12, &[&chain.obtained_at.as_second().to_be_bytes()])?;
    out.field(13, &[&chain.generation.to_be_bytes()])?;
    let standing = match chain.standing {
        Standing::Active => 1,
        Standing::Refused => 2,
        Standing::Moving => 3,
    };
    out.field(14, &[&[standing]])?;
    if let Some(intent) = intent {
        let sent = intent.first_sent_at.as_millisecond().to_be_bytes();
        out.field(15, &[&intent.generation.to_be_bytes(), &sent])?;
    }
    let len = u16::try_from(out.written().len().checked_sub(HEAD)?).ok()?;
    out.replace(HEAD - 2, &len.to_be_bytes())?;
    let sum = checksum(out.written());
    out.push(&sum)?;
    Some(out.finish())
}

fn checksum(bytes: &[u8]) -> [u8; CHECKSUM] {
    let digest = Sha256::digest(bytes);
    let mut first = [0; CHECKSUM];
    for (to, from) in first.iter_mut().zip(digest.iter()) {
        *to = *from;
    }
    first
}

fn decode(bytes: &[u8]) -> Result<Record, RecordError> {
    let (magic, rest) = bytes.split_first_chunk().ok_or(RecordError::Damaged)?;
    if *magic != MAGIC {
        return Err(RecordError::Damaged);
    }
    let (&[version, hi, lo], rest) = rest.split_first_chunk().ok_or(RecordError::Damaged)?;
    if version > VERSION {
        return Err(RecordError::Newer(version));
    }
    let len = usize::from(u16::from_be_bytes([hi, lo]));
    let (fields, sum) = rest.split_at_checked(len).ok_or(RecordError::Damaged)?;
    let covered = bytes.get(..HEAD + len).ok_or(RecordError::Damaged)?;
    if version == 0 || sum.get(..CHECKSUM) != Some(&checksum(covered)) {
        return Err(RecordError::Damaged);
    }
    // Bytes after the checksum are unused room of a larger file.
    Ok(record(&Fields::read(fields)?)?)
}

/// One more than the highest tag; 0 is not a tag.
const TAGS: usize = 16;

/// Builds the record from these fields.
fn record(fields: &Fields<'_, TAGS>) -> Result<Record, Damaged> {
    if fields.get(0).is_some() {
        return Err(Damaged);
    }
    let seconds = |tag| {
        let seconds = i64::from_be_bytes(fields.array(tag)?);
        Timestamp::from_second(seconds).map_err(|_| Damaged)
    };
    let number = |tag| fields.array(tag).map(u32::from_be_bytes);
    let access = match fields.optional(8, |token| AccessToken::new(token).ok())? {
        Some(token) => Some(Access {
            token,
            expires_at: seconds(9)?,
            lifetime_s: number(10)?,
        }),
        None => None,
    };
    let chain = Chain {
        provider: match fields.array(1)? {
            [1] => Provider::Google,
            [2] => Provider::Fitbit,
            _ => return Err(Damaged),
        },
        issuer: fields.text(2)?.ok_or(Damaged)?,
        client: Client {
            id: fields.text(3)?.ok_or(Damaged)?,
            secret: fields.optional(4, |secret| ClientSecret::new(secret).ok())?,
        },
        user_id: fields.text(5)?,
        refresh: RefreshToken::new(fields.require(6)?).map_err(|_| Damaged)?,
        refresh_expires_at: fields.get(7).map(|_| seconds(7)).transpose()?,
        access,
        scopes: Scopes::from_bits(number(11)?),
        obtained_at: seconds(12)?,
        generation: number(13)?,
        standing: match fields.array(14)? {
            [1] => Standing::Active,
            [2] => Standing::Refused,
            [3] => Standing::Moving,
            _ => return Err(Damaged),
        },
    };
    let intent = fields.optional(15, read_intent)?;
    Ok(Record {
        // An intent of another generation is about a chain that is gone.
        intent: intent.filter(|intent| intent.generation == chain.generation),
        chain: Stored(chain),
    })
}

fn read_intent(bytes: &[u8]) -> Option<Intent> {
    let (generation, sent) = bytes.split_first_chunk()?;
    Some(Intent {
        generation: u32::from_be_bytes(*generation),
        first_sent_at: Timestamp::from_millisecond(i64::from_be_bytes(sent.try_into().ok()?))
            .ok()?,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{
        super::tests::{grant, now, signed_in},
        *,
    };

    fn record() -> Record {
        let chain = signed_in(Provider::Fitbit).confirmed();
        Record {
            intent: Some(Intent {
                generation: chain.generation(),
                first_sent_at: now(),
            }),
            chain,
        }
    }

    #[test]
    fn a_record_comes_back_as_it_was() {
        let record = record();
        let mut buffer = [0; MAX_RECORD];
        let bytes = record.encode(&mut buffer).unwrap();
        assert_eq!(Record::decode(bytes), Ok(record));
    }

    #[test]
    fn storing_a_grant_removes_the_intent_in_the_same_record() {
        let next = record()
            .chain
            .granted(grant(Some("refresh-2"), Some("access-2")), now());
        let mut buffer = [0; MAX_RECORD];
        let decoded = Record::decode(next.encode(&mut buffer).unwrap()).unwrap();
        assert_eq!(decoded.intent, None);
        assert_eq!(decoded.chain, next.confirmed());
    }

    #[test]
    fn the_longest_chain_fits() {
        fn longest<const N: usize>() -> heapless::String<N> {
            let mut text = heapless::String::new();
            while text.push('x').is_ok() {}
            text
        }
        let chain = Unstored::signed_in(
            Provider::Google,
            longest(),
            Client {
                id: longest(),
                secret: Some(ClientSecret::new([b's'; ClientSecret::MAX]).unwrap()),
            },
            crate::oauth::Grant {
                refresh: Some(RefreshToken::new([b'r'; RefreshToken::MAX]).unwrap()),
                access: Some((AccessToken::new([b'a'; AccessToken::MAX]).unwrap(), 3_600)),
                scopes: Some(Scopes::ALL),
                refresh_lifetime_s: Some(604_799),
                user_id: Some(longest()),
            },
            Scopes::ALL,
            Some(u32::MAX),
            now(),
        )
        .unwrap()
        .confirmed();
        let intent = Some(Intent {
            generation: chain.generation(),
            first_sent_at: now(),
        });
        let record = Record { chain, intent };
        let mut buffer = [0; MAX_RECORD];
        assert_eq!(
            Record::decode(record.encode(&mut buffer).unwrap()),
            Ok(record)
        );
    }

    #[test]
    fn an_intent_of_another_generation_is_ignored() {
        let mut record = record();
        record.intent = Some(Intent {
            generation: 7,
            first_sent_at: now(),
        });
        let mut buffer = [0; MAX_RECORD];
        let bytes = record.encode(&mut buffer).unwrap();
        assert_eq!(Record::decode(bytes).unwrap().intent, None);
    }

    #[test]
    fn a_newer_format_is_told_from_damage() {
        let mut buffer = [0; MAX_RECORD];
        let len = record().encode(&mut buffer).unwrap().len();
        buffer[4] = 2;
        assert_eq!(Record::decode(&buffer[..len]), Err(RecordError::Newer(2)));
        buffer[4] = 0;
        assert_eq!(Record::decode(&buffer[..len]), Err(RecordError::Damaged));
    }

    proptest! {
        #[test]
        fn any_flipped_bit_and_any_cut_is_found(place in 0_usize..400, bit in 0_u8..8, cut in 0_usize..400) {
            let mut buffer = [0; MAX_RECORD];
            let len = record().encode(&mut buffer).unwrap().len();
            prop_assert!(Record::decode(&buffer[..cut.min(len - 1)]).is_err());
            buffer[place % len] ^= 1 << bit;
            prop_assert!(Record::decode(&buffer[..len]).is_err());
        }

        #[test]
        fn any_bytes_are_read_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = Record::decode(&bytes);
            let mut framed = [&b"PWCH\x01"[..], &bytes].concat();
            let _ = Record::decode(&framed);
            // Fields of any content with a valid checksum.
            let len = u16::try_from(bytes.len()).unwrap().to_be_bytes();
            framed = [&b"PWCH\x01"[..], &len, &bytes].concat();
            framed.extend(checksum(&framed));
            let _ = Record::decode(&framed);
        }
    }
}
