//! Sealing: AES-256-GCM under keys that the database never sees.
//!
//! A sealed record is 12 random bytes, the encrypted record, and a 16-byte tag. The tag also covers what
//! the row says of the record (see [`Place`]): a record that was moved to another wearer's row, or whose
//! row was given another generation, revision or key, does not unseal.
//!
//! The key file is text: a line for each key, its id (1 to 65,535) and 64 hex digits; `#` begins a comment.
//! The key with the greatest id seals; all of them unseal. With random nonces a key is good for 2^32
//! sealings, which for 100,000 wearers are twenty years.

use std::fmt;

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use zeroize::Zeroizing;

use crate::{Error, hex, random};

/// The keys of a key file. `Debug` shows their ids only.
pub struct Keys {
    /// Sorted by their ids.
    keys: Vec<Key>,
}

struct Key {
    id: u16,
    secret: Zeroizing<[u8; hex::LENGTH]>,
}

/// The row that a record is sealed for.
pub(crate) struct Place<'a> {
    pub(crate) number: i64,
    pub(crate) wearer: &'a str,
    pub(crate) generation: u32,
    pub(crate) revision: i64,
}

/// The reason why a record does not unseal.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Unsealable {
    MissingKey,
    Damaged,
}

impl Keys {
    /// Reads the text of a key file.
    ///
    /// # Errors
    /// [`Error::Keys`], with the line; it quotes nothing.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let mut keys: Vec<Key> = Vec::new();
        for (line, text) in (1..).zip(text.lines()) {
            let text = text.split('#').next().unwrap_or_default();
            let mut words = text.split_ascii_whitespace();
            let Some(id) = words.next() else { continue };
            let fault = |why| Error::Keys { line, why };
            let id: u16 = id.parse().map_err(|_| fault("a key's id is 1 to 65535"))?;
            let secret = match (words.next(), words.next()) {
                (Some(digits), None) => hex::secret_of(digits),
                _ => None,
            };
            let secret = secret.ok_or_else(|| fault("after the id come 64 hex digits"))?;
            if id == 0 {
                return Err(fault("a key's id is 1 to 65535"));
            }
            match keys.binary_search_by_key(&id, |key| key.id) {
                Ok(_) => return Err(fault("this id is there twice")),
                Err(place) => keys.insert(place, Key { id, secret }),
            }
        }
        match keys.is_empty() {
            true => Err(Error::Keys {
                line: 0,
                why: "there is no key in it",
            }),
            false => Ok(Self { keys }),
        }
    }

    /// Makes a new key, and returns the line of the key file for it: the first one, or one that is newer
    /// than all of `older`.
    ///
    /// # Errors
    /// [`Error::Keys`] if no id is left, [`Error::Option`] if the system gives no random numbers.
    pub fn generate(older: Option<&Self>) -> Result<Zeroizing<String>, Error> {
        let newest = older.map_or(0, Self::newest_id);
        let id = newest.checked_add(1).ok_or(Error::Keys {
            line: 0,
            why: "no id is left",
        })?;
        let mut secret = Zeroizing::new([0; hex::LENGTH]);
        random::fill(&mut *secret)?;
        // It never grows, which would leave a copy behind.
        let mut line = Zeroizing::new(String::with_capacity(2 * hex::LENGTH + 8));
        line.push_str(&id.to_string());
        line.push(' ');
        line.push_str(&hex::digits_of(&secret));
        line.push('\n');
        Ok(line)
    }

    /// Returns the ids of all keys.
    pub(crate) fn ids(&self) -> impl Iterator<Item = u16> + '_ {
        self.keys.iter().map(|key| key.id)
    }

    /// Returns the id of the key that seals.
    #[must_use]
    pub fn newest_id(&self) -> u16 {
        self.keys.last().map_or(0, |key| key.id)
    }

    /// Seals a record with the newest key, and returns that key's id too.
    pub(crate) fn seal(&self, record: &[u8], place: &Place<'_>) -> Result<(u16, Vec<u8>), Error> {
        let unusable = || Error::Keys {
            line: 0,
            why: "the newest key cannot seal",
        };
        let key = self.keys.last().ok_or_else(unusable)?;
        let mut nonce = [0; NONCE_LEN];
        random::fill(&mut nonce)?;
        // It never grows: what is encrypted in place leaves no copy of the record behind.
        let length = NONCE_LEN + record.len() + AES_256_GCM.tag_len();
        let mut sealed = Zeroizing::new(Vec::with_capacity(length));
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(record);
        let cipher = key.cipher().ok_or_else(unusable)?;
        let open = sealed.get_mut(NONCE_LEN..).ok_or_else(unusable)?;
        let nonce = Nonce::assume_unique_for_key(nonce);
        let tag = cipher
            .seal_in_place_separate_tag(nonce, place.covered(key.id), open)
            .map_err(|_| unusable())?;
        sealed.extend_from_slice(tag.as_ref());
        Ok((key.id, std::mem::take(&mut *sealed)))
    }

    /// Unseals a record.
    pub(crate) fn unseal(
        &self,
        key: u16,
        sealed: &[u8],
        place: &Place<'_>,
    ) -> Result<Zeroizing<Vec<u8>>, Unsealable> {
        let found = self.keys.binary_search_by_key(&key, |key| key.id).ok();
        let key = found
            .and_then(|at| self.keys.get(at))
            .ok_or(Unsealable::MissingKey)?;
        let (nonce, body) = sealed
            .split_at_checked(NONCE_LEN)
            .ok_or(Unsealable::Damaged)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| Unsealable::Damaged)?;
        let mut record = Zeroizing::new(body.to_vec());
        let cipher = key.cipher().ok_or(Unsealable::Damaged)?;
        let length = cipher
            .open_in_place(nonce, place.covered(key.id), &mut record)
            .map_err(|_| Unsealable::Damaged)?
            .len();
        record.truncate(length);
        Ok(record)
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.keys.iter().map(|key| key.id))
            .finish()
    }
}

impl Key {
    fn cipher(&self) -> Option<LessSafeKey> {
        let key = UnboundKey::new(&AES_256_GCM, &*self.secret).ok()?;
        Some(LessSafeKey::new(key))
    }
}

impl Place<'_> {
    /// Returns what the tag covers besides the record: every field of a fixed length, the id last.
    fn covered(&self, key: u16) -> Aad<Vec<u8>> {
        let mut bytes = b"pulsewing chain 1\0".to_vec();
        bytes.extend_from_slice(&self.number.to_be_bytes());
        bytes.extend_from_slice(&self.generation.to_be_bytes());
        bytes.extend_from_slice(&self.revision.to_be_bytes());
        bytes.extend_from_slice(&key.to_be_bytes());
        bytes.extend_from_slice(self.wearer.as_bytes());
        Aad::from(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACE: Place<'_> = Place {
        number: 7,
        wearer: "anna",
        generation: 3,
        revision: 9,
    };

    fn keys(ids: &[u16]) -> Keys {
        let lines = ids
            .iter()
            .map(|id| format!("{id} {}\n", format!("{id:02x}").repeat(32)));
        Keys::parse(&lines.collect::<String>()).unwrap()
    }

    #[test]
    fn a_record_unseals_in_its_own_place_only() {
        let keys = keys(&[1, 2]);
        let (id, sealed) = keys.seal(b"a chain", &PLACE).unwrap();
        assert_eq!(id, 2);
        assert!(!sealed.windows(7).any(|part| part == b"a chain"));
        assert_eq!(
            keys.unseal(2, &sealed, &PLACE).unwrap().as_slice(),
            b"a chain"
        );
        for other in [
            Place { number: 8, ..PLACE },
            Place {
                wearer: "anne",
                ..PLACE
            },
            Place {
                generation: 2,
                ..PLACE
            },
            Place {
                revision: 8,
                ..PLACE
            },
        ] {
            assert_eq!(
                keys.unseal(2, &sealed, &other).unwrap_err(),
                Unsealable::Damaged
            );
        }
        assert_eq!(
            keys.unseal(1, &sealed, &PLACE).unwrap_err(),
            Unsealable::Damaged
        );
        assert_eq!(
            keys.unseal(3, &sealed, &PLACE).unwrap_err(),
            Unsealable::MissingKey
        );
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(keys.unseal(2, &changed, &PLACE).is_err(), "byte {at}");
            assert!(keys.unseal(2, &sealed[..at], &PLACE).is_err(), "{at} bytes");
        }
        // Twice the same record does not look the same.
        assert_ne!(keys.seal(b"a chain", &PLACE).unwrap().1, sealed);
    }

    #[test]
    fn generated_lines_make_a_key_file() {
        let first = Keys::generate(None).unwrap();
        let keys = Keys::parse(&first).unwrap();
        assert_eq!(keys.newest_id(), 1);
        let second = Keys::generate(Some(&keys)).unwrap();
        let text = format!(
            "# keys\n\n{}{}",
            &*second,
            first.replace('\n', " # the old one\n")
        );
        let both = Keys::parse(&text).unwrap();
        assert_eq!(format!("{both:?}"), "[1, 2]");
        let (_, sealed) = keys.seal(b"x", &PLACE).unwrap();
        assert!(both.unseal(1, &sealed, &PLACE).is_ok());
    }

    #[test]
    fn a_bad_key_file_is_refused_by_line_and_not_quoted() {
        let good = "a1".repeat(32);
        for (text, bad) in [
            (String::new(), 0),
            ("# nothing\n".to_owned(), 0),
            (format!("1 {good}\n1 {good}"), 2),
            (format!("0 {good}"), 1),
            (format!("70000 {good}"), 1),
            (format!("{good} 1"), 1),
            (format!("1 {good}a1"), 1),
            (format!("1 {}", &good[1..]), 1),
            (format!("\n1 {good} a"), 2),
            ("1 ".to_owned() + &"g1".repeat(32), 1),
            ("1 ".to_owned() + &"é".repeat(32), 1),
        ] {
            let error = Keys::parse(&text).unwrap_err();
            assert!(
                matches!(error, Error::Keys { line, .. } if line == bad),
                "{text}: {error:?}"
            );
            assert!(!format!("{error} {error:?}").contains("a1a1"), "{error}");
        }
    }
}
