//! Uploads: data sent in lines of base64, verified as a whole before it is used.
//!
//! An upload holds the chain's lock and the store from `put` to `commit`, so no refresh can run
//! meanwhile. It is therefore aborted when its sender falls silent or is too slow. Roots and
//! wallpaper are written to the flash as they arrive; without `commit` they are never used. A chain
//! is collected in memory.

use core::time::Duration;

use base64ct::{Base64, Encoding as _};
use embassy_futures::select::{Either, select};
use embedded_io_async::Read;
use embedded_storage_async::nor_flash::NorFlash;
use pulsewing_core::chain::{
    Record, Standing,
    codec::{MAX_RECORD, RecordError},
};
use pulsewing_store::{BlobWriter, Store, StoreError};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::{
    Answer, Console,
    input::Event,
    typing::Typing,
    words::{Words, WordsError},
};
use crate::{
    improv,
    ports::{Board, Clock},
    serial_queue::NobodyListens,
    shared::ChainFacts,
};

/// How long we wait for the chain's lock.
const LOCK_FOR: Duration = Duration::from_secs(30);

/// An upload is aborted after this much silence from its sender.
const SILENCE: Duration = Duration::from_secs(10);

/// An upload that takes longer is aborted: the app loop waits for the store meanwhile.
const DONE_WITHIN: Duration = Duration::from_secs(80);

/// The maximum number of bytes in a `data` line.
const PIECE: usize = 384;

/// What can be uploaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    Chain,
    Roots,
    Wallpaper,
}

/// An upload that was announced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Announced {
    what: What,
    length: u32,
    /// The first six bytes of the SHA-256 of the whole upload.
    digest: [u8; 6],
}

impl Announced {
    /// Parses the arguments of `put`.
    pub(super) fn parse(what: &str, length: &str, digest: &str) -> Result<Self, &'static str> {
        let what = match what {
            "chain" => What::Chain,
            "roots" => What::Roots,
            "wallpaper" => What::Wallpaper,
            _ => return Err("must be one of: chain, roots, wallpaper"),
        };
        let length = length
            .parse()
            .ok()
            .filter(|length| *length > 0)
            .ok_or("the length must be a number of bytes")?;
        let digest = hex(digest).ok_or("must be the first 12 hexadecimal digits of the SHA-256")?;
        Ok(Self {
            what,
            length,
            digest,
        })
    }
}

fn hex(text: &str) -> Option<[u8; 6]> {
    let digits = text.as_bytes();
    if digits.len() != 12 {
        return None;
    }
    let mut bytes = [0; 6];
    for (byte, pair) in bytes.iter_mut().zip(digits.as_chunks::<2>().0) {
        for digit in pair {
            let value = char::from(*digit).to_digit(16)?;
            *byte = *byte << 4 | u8::try_from(value).ok()?;
        }
    }
    Some(bytes)
}

/// Why an upload failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
enum UploadError {
    #[error("{0}")]
    Words(#[from] WordsError),
    #[error("a line can have at most {max} bytes", max = super::words::MAX_LINE)]
    LineTooLong,
    #[error("this is not base64 of at most {PIECE} bytes")]
    Base64,
    #[error("received more bytes than announced")]
    TooMuch,
    #[error("received fewer bytes than announced")]
    TooLittle,
    #[error("the received bytes do not have the announced SHA-256")]
    Digest,
    #[error("there is no room for it")]
    NoRoom,
    #[error("it is not a sign-in, or it is damaged")]
    NoRecord,
    #[error("it is from a newer pulsewing (format {0})")]
    NewerRecord(u8),
    #[error("this sign-in is no longer in use")]
    NotActive,
    #[error("generation {stored} is stored; this one is not newer")]
    NotNewer { stored: u32 },
    #[error("it could not be written to the flash")]
    Flash,
    #[error("the stored one is from a newer firmware and was left unchanged")]
    NewerStored,
    #[error("a refresh is under way; try again in two minutes")]
    Refreshing,
}

/// Why an upload ended without its `commit`.
enum End {
    /// It was rejected; the sender gets the error.
    Failed(UploadError),
    /// The sender aborted it.
    Aborted,
    /// The sender starts over.
    Again(Announced),
    /// The sender fell silent.
    Silent,
    /// Nobody reads the answers.
    Deaf,
}

impl<E: Into<UploadError>> From<E> for End {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

impl<E> From<StoreError<E>> for UploadError {
    fn from(error: StoreError<E>) -> Self {
        match error {
            StoreError::Unfit => Self::NoRoom,
            StoreError::Older { stored } => Self::NotNewer { stored },
            StoreError::Newer(_) => Self::NewerStored,
            _ => Self::Flash,
        }
    }
}

impl From<RecordError> for UploadError {
    fn from(error: RecordError) -> Self {
        match error {
            RecordError::Newer(version) => Self::NewerRecord(version),
            RecordError::Damaged => Self::NoRecord,
        }
    }
}

/// The destination of the bytes.
#[expect(
    clippy::large_enum_variant,
    reason = "there is one at a time, and no heap to put it on"
)]
enum Sink<'f, F> {
    Memory(&'f mut Bytes),
    Flash(BlobWriter<'f, F>),
}

/// A record as it arrives: it contains tokens.
type Bytes = heapless::Vec<u8, MAX_RECORD>;

impl<'f, F: NorFlash> Sink<'f, F> {
    async fn open(
        store: &'f mut Store<F>,
        memory: &'f mut Bytes,
        announced: &Announced,
    ) -> Result<Self, UploadError> {
        Ok(match announced.what {
            What::Chain => {
                let fits =
                    usize::try_from(announced.length).is_ok_and(|length| length <= MAX_RECORD);
                if !fits {
                    return Err(UploadError::NoRecord);
                }
                Self::Memory(memory)
            }
            What::Roots => Self::Flash(store.write_roots(announced.length).await?),
            What::Wallpaper => Self::Flash(store.write_wallpaper(announced.length).await?),
        })
    }

    async fn write(&mut self, piece: &[u8]) -> Result<(), UploadError> {
        match self {
            Self::Memory(bytes) => bytes
                .extend_from_slice(piece)
                .map_err(|_| UploadError::TooMuch),
            Self::Flash(writer) => Ok(writer.write(piece).await?),
        }
    }
}

/// The sender's next message.
#[expect(
    clippy::large_enum_variant,
    reason = "there is one at a time, and no heap to put it on"
)]
enum Said {
    Data(heapless::Vec<u8, PIECE>),
    Commit,
    Abort,
    Put(Result<Announced, &'static str>),
    Status,
    Other,
    Packet,
}

impl<B: Board> Console<'_, '_, B> {
    /// Receives an announced upload, up to its `commit`, and applies it.
    pub(super) async fn receive(
        &self,
        mut announced: Announced,
        typing: &mut Typing,
        from: &mut impl Read,
    ) -> Answer {
        loop {
            match self.take(announced, typing, from).await {
                Ok(()) => return self.put_to_use(announced.what).await,
                Err(End::Failed(error)) => return self.error(format_args!("{error}")).await,
                Err(End::Aborted) => return self.ok().await,
                Err(End::Again(next)) => announced = next,
                Err(End::Silent) => {
                    let what = format_args!("gave up on an upload that took too long");
                    self.shared.serial_queue.log(what);
                    return Ok(());
                }
                Err(End::Deaf) => return Err(NobodyListens),
            }
        }
    }

    async fn put_to_use(&self, what: What) -> Answer {
        match what {
            What::Chain => {
                self.chain().await?;
                self.shared.requests.poll.set(true);
                self.shared.requests.any.signal(());
                self.ok().await
            }
            What::Wallpaper => {
                self.shared.has_new_wallpaper.set(true);
                self.shared.redraw.signal(());
                self.ok().await
            }
            What::Roots => {
                self.say(format_args!("restarting to apply this")).await?;
                self.reset().await
            }
        }
    }

    /// Holds the locks from the announcement to the commit.
    async fn take(
        &self,
        announced: Announced,
        typing: &mut Typing,
        from: &mut impl Read,
    ) -> Result<(), End> {
        let shared = self.shared;
        let give_up = shared.clock.sleep_until(shared.after(LOCK_FOR));
        let Either::First(_chain) = select(shared.chain_lock.lock(), give_up).await else {
            return Err(UploadError::Refreshing.into());
        };
        let mut store = shared.store.lock().await;
        let mut bytes = Zeroizing::new(Bytes::new());
        let sink = Sink::open(&mut store, &mut bytes, &announced).await?;
        self.collect(announced, sink, typing, from).await?;
        match announced.what {
            What::Chain => Ok(self.adopt(&mut store, &bytes).await?),
            What::Roots | What::Wallpaper => Ok(()),
        }
    }

    /// Reads the lines of an upload.
    async fn collect<F: NorFlash>(
        &self,
        announced: Announced,
        mut sink: Sink<'_, F>,
        typing: &mut Typing,
        from: &mut impl Read,
    ) -> Result<(), End> {
        let shared = self.shared;
        let deaf = |NobodyListens| End::Deaf;
        let late_at = shared.after(DONE_WITHIN);
        let mut digest = Sha256::new();
        let mut left = announced.length;
        self.ok().await.map_err(deaf)?;
        loop {
            let silent_at = shared.after(SILENCE).min(late_at);
            let said = {
                let next = typing.next(from, &shared.clock);
                match select(next, shared.clock.sleep_until(silent_at)).await {
                    Either::First(event) => said(&event)?,
                    Either::Second(()) => return Err(End::Silent),
                }
            };
            match said {
                Said::Data(piece) => {
                    let length = u32::try_from(piece.len()).unwrap_or(u32::MAX);
                    left = left.checked_sub(length).ok_or(UploadError::TooMuch)?;
                    digest.update(&piece);
                    sink.write(&piece).await?;
                    self.ok().await.map_err(deaf)?;
                }
                Said::Commit if left > 0 => return Err(UploadError::TooLittle.into()),
                Said::Commit if !digest.clone().finalize().starts_with(&announced.digest) => {
                    return Err(UploadError::Digest.into());
                }
                Said::Commit => {
                    if let Sink::Flash(writer) = sink {
                        writer.finish().await?;
                    }
                    return Ok(());
                }
                Said::Abort => return Err(End::Aborted),
                Said::Put(Ok(announced)) => return Err(End::Again(announced)),
                Said::Put(Err(why)) => self.error(format_args!("{why}")).await.map_err(deaf)?,
                // It needs none of the locks that are held here.
                Said::Status => self.status().await.map_err(deaf)?,
                Said::Other => {
                    let what = "an upload is under way; \"commit\" or \"abort\" it first";
                    self.error(format_args!("{what}")).await.map_err(deaf)?;
                }
                Said::Packet => {
                    let busy = improv::error(improv::Error::Unknown);
                    self.packet(&busy).await.map_err(deaf)?;
                }
            }
        }
    }

    /// Stores an uploaded chain if it is newer than the stored one, and reads it back to verify it.
    async fn adopt(&self, store: &mut Store<B::Flash>, bytes: &[u8]) -> Result<(), UploadError> {
        let new = {
            let record = Record::decode(bytes)?;
            ChainFacts::from_chain(&record.chain)
        };
        if new.standing != Standing::Active {
            return Err(UploadError::NotActive);
        }
        let mut buffer = Zeroizing::new([0; MAX_RECORD]);
        match load(store, &mut buffer[..]).await {
            Ok(Some(stored)) if new.generation <= stored.generation => {
                let stored = stored.generation;
                return Err(UploadError::NotNewer { stored });
            }
            // A chain that cannot be read can only be replaced.
            Ok(_) | Err(StoreError::Damaged) => {}
            Err(error) => return Err(error.into()),
        }
        store.adopt_chain(bytes).await?;
        if load(store, &mut buffer[..]).await? != Some(new) {
            return Err(UploadError::Flash);
        }
        let mut facts = self.shared.facts.borrow_mut();
        facts.chain = Some(new);
        facts.chain_trouble = None;
        Ok(())
    }
}

async fn load<F: NorFlash>(
    store: &mut Store<F>,
    buffer: &mut [u8],
) -> Result<Option<ChainFacts>, StoreError<F::Error>> {
    let loaded = store.load_chain(buffer).await?;
    Ok(loaded.map(|loaded| ChainFacts::from_chain(&loaded.record.chain)))
}

/// Interprets a line while an upload is under way.
fn said(event: &Event<'_>) -> Result<Said, UploadError> {
    let line = match event {
        Event::Line(line) => line,
        Event::TooLong => return Err(UploadError::LineTooLong),
        Event::Packet(_) | Event::BadPacket => return Ok(Said::Packet),
    };
    let words = Words::from_line(line)?;
    Ok(match words.list()[..] {
        ["data", base64] => {
            let mut buffer = [0; PIECE];
            let piece = Base64::decode(base64, &mut buffer).map_err(|_| UploadError::Base64)?;
            // The piece comes from a buffer of that size.
            Said::Data(heapless::Vec::from_slice(piece).unwrap_or_default())
        }
        ["commit"] => Said::Commit,
        ["abort"] => Said::Abort,
        ["put", what, length, digest] => Said::Put(Announced::parse(what, length, digest)),
        ["status"] => Said::Status,
        _ => Said::Other,
    })
}
