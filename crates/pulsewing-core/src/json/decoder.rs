//! The grammar of a document, one token at a time.

use core::fmt;

use zeroize::Zeroize;

use super::{
    error::{Error, ErrorKind, Refused},
    event::{Event, Flow, Handler, Text},
    nesting::{Container, Nesting},
    number::{Number, NumberReader},
    scan,
    string::StringReader,
};

/// Decodes one document from chunks of any size. See [the module](super) for what it accepts.
///
/// `TOKEN` limits the decoded bytes of a string or key, and the characters of a number, that a
/// handler gets to see. It is most of the decoder's size, and its only buffer. Documents may hold
/// secrets, so the buffer is wiped on drop and not part of the `Debug` output.
pub struct Decoder<const TOKEN: usize = 256> {
    /// Bytes of the document before the current chunk.
    offset: u64,
    failed: Option<Error>,
    state: State,
    nesting: Nesting,
    /// While skipping: the nesting around the value that is being skipped.
    skipping: Option<Nesting>,
    string: StringReader,
    number: NumberReader,
    word: WordReader,
    /// The decoded part of an unfinished string, or the text of an unfinished number.
    token: [u8; TOKEN],
}

/// The expected continuation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// A value.
    Value,
    /// The first element of an array, or its end.
    FirstElement,
    /// The first key of an object, or its end.
    FirstKey,
    /// A key.
    Key,
    /// The colon after a key.
    Colon,
    /// After a value: a comma, the end of its container, or nothing more.
    Behind,
    /// Only white space.
    Done,
    /// The rest of a key.
    InKey,
    /// The rest of a string.
    InString,
    /// The rest of a number.
    InNumber,
    /// The rest of `true`, `false` or `null`.
    InWord,
}

impl<const TOKEN: usize> fmt::Debug for Decoder<TOKEN> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Decoder")
            .field("offset", &self.offset)
            .field("state", &self.state)
            .field("failed", &self.failed)
            .finish_non_exhaustive()
    }
}

impl<const TOKEN: usize> Drop for Decoder<TOKEN> {
    fn drop(&mut self) {
        self.token.zeroize();
    }
}

impl<const TOKEN: usize> Default for Decoder<TOKEN> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const TOKEN: usize> Decoder<TOKEN> {
    /// Returns a decoder at the beginning of a document.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            offset: 0,
            failed: None,
            state: State::Value,
            nesting: Nesting::EMPTY,
            skipping: None,
            string: StringReader::START,
            number: NumberReader::START,
            word: WordReader::TRUE,
            token: [0; TOKEN],
        }
    }

    /// Decodes the next bytes of the document; `handler` gets what they complete.
    ///
    /// # Errors
    /// [`Error`] if the document breaks the rules, now or in an earlier call.
    pub fn feed<H: Handler>(&mut self, chunk: &[u8], handler: &mut H) -> Result<(), Error> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        match self.advance(chunk, handler) {
            Ok(()) => {
                self.offset = self.offset.saturating_add(chunk.len() as u64);
                Ok(())
            }
            Err(Refused(kind, left)) => {
                let read = chunk.len().saturating_sub(left.len());
                Err(self.fail(kind, self.offset.saturating_add(read as u64)))
            }
        }
    }

    /// Ends the document; `handler` gets the number that only the end completes, if there is one.
    ///
    /// # Errors
    /// [`Error`] if the document is incomplete, or was refused before.
    pub fn finish<H: Handler>(&mut self, handler: &mut H) -> Result<(), Error> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        match self.state {
            State::InNumber if self.nesting.is_empty() && self.number.is_complete() => {
                handler.event(Event::Number(self.number.text(&self.token)));
            }
            State::Behind if self.nesting.is_empty() => {}
            State::Done => {}
            _ => return Err(self.fail(ErrorKind::UnexpectedEnd, self.offset)),
        }
        self.state = State::Done;
        Ok(())
    }

    fn fail(&mut self, kind: ErrorKind, offset: u64) -> Error {
        let error = Error { kind, offset };
        self.failed = Some(error);
        error
    }

    /// Decodes the whole input.
    ///
    /// Skipping takes the same path without calling the handler, so that both apply the same rules.
    /// This is one function because the compiler then keeps its variables in registers and turns the
    /// step from one state to the next into a jump.
    #[inline]
    fn advance<'c, H: Handler>(
        &mut self,
        input: &'c [u8],
        handler: &mut H,
    ) -> Result<(), Refused<'c>> {
        let mut rest = input;
        let mut state = self.state;
        let mut nesting = self.nesting;
        let mut skipping = self.skipping;
        loop {
            match state {
                State::Value | State::FirstElement => {
                    rest = scan::skip_space(rest);
                    let Some((&byte, behind)) = rest.split_first() else {
                        break;
                    };
                    match byte {
                        b'"' => {
                            if let Some((text, behind)) = scan::whole_string(behind) {
                                rest = behind;
                                state = State::Behind;
                                if skipping.is_none() {
                                    handler.event(Event::String(Text::limited(text, TOKEN)));
                                }
                            } else {
                                rest = behind;
                                state = State::InString;
                                self.string = StringReader::START;
                            }
                        }
                        b'-' | b'0'..=b'9' => {
                            if let Some((text, behind)) = scan::whole_number(rest) {
                                rest = behind;
                                state = State::Behind;
                                if skipping.is_none() {
                                    handler.event(Event::Number(Number::limited(text, TOKEN)));
                                }
                            } else {
                                state = State::InNumber;
                                self.number = NumberReader::START;
                            }
                        }
                        b'{' if skipping.is_none()
                            && !nesting.is_empty()
                            && nesting.innermost() == Container::Array
                            && let Some(behind) = handler.element(rest) =>
                        {
                            rest = behind;
                            state = State::Behind;
                        }
                        b'{' | b'[' => {
                            let (container, event) = if byte == b'{' {
                                state = State::FirstKey;
                                (Container::Object, Event::BeginObject)
                            } else {
                                state = State::FirstElement;
                                (Container::Array, Event::BeginArray)
                            };
                            let inside = nesting.push(container);
                            let outside = nesting;
                            nesting = inside.ok_or(Refused(ErrorKind::TooDeep, rest))?;
                            rest = behind;
                            if skipping.is_none() && handler.event(event) == Flow::Skip {
                                skipping = Some(outside);
                            }
                        }
                        b']' if state == State::FirstElement => state = State::Behind,
                        _ => {
                            self.word = WordReader::starting(byte)
                                .ok_or(Refused(ErrorKind::UnexpectedByte, rest))?;
                            rest = behind;
                            state = State::InWord;
                        }
                    }
                }
                State::FirstKey | State::Key => {
                    rest = scan::skip_space(rest);
                    match rest {
                        [b'"', behind @ ..] => {
                            if let Some((text, behind)) = scan::whole_string(behind) {
                                rest = behind;
                                state = State::Colon;
                                let key = Text::limited(text, TOKEN);
                                if skipping.is_none()
                                    && handler.event(Event::Key(key)) == Flow::Skip
                                {
                                    skipping = Some(nesting);
                                }
                            } else {
                                rest = behind;
                                state = State::InKey;
                                self.string = StringReader::START;
                            }
                        }
                        [b'}', ..] if state == State::FirstKey => state = State::Behind,
                        [] => break,
                        _ => return Err(Refused(ErrorKind::UnexpectedByte, rest)),
                    }
                }
                State::Colon => {
                    rest = scan::skip_space(rest);
                    match rest {
                        [b':', behind @ ..] => {
                            rest = behind;
                            state = State::Value;
                        }
                        [] => break,
                        _ => return Err(Refused(ErrorKind::UnexpectedByte, rest)),
                    }
                }
                State::Behind => {
                    if skipping == Some(nesting) {
                        skipping = None;
                    }
                    if nesting.is_empty() {
                        state = State::Done;
                        continue;
                    }
                    rest = scan::skip_space(rest);
                    let Some((&byte, behind)) = rest.split_first() else {
                        break;
                    };
                    let event = match (byte, nesting.innermost()) {
                        (b',', Container::Object) => {
                            rest = behind;
                            state = State::Key;
                            continue;
                        }
                        (b',', Container::Array) => {
                            rest = behind;
                            state = State::Value;
                            continue;
                        }
                        (b'}', Container::Object) => Event::EndObject,
                        (b']', Container::Array) => Event::EndArray,
                        _ => return Err(Refused(ErrorKind::UnexpectedByte, rest)),
                    };
                    rest = behind;
                    nesting = nesting.pop();
                    if skipping.is_none() {
                        handler.event(event);
                    }
                }
                State::Done => {
                    rest = scan::skip_space(rest);
                    if rest.is_empty() {
                        break;
                    }
                    return Err(Refused(ErrorKind::TrailingBytes, rest));
                }
                State::InKey | State::InString | State::InNumber | State::InWord => {
                    let Some(behind) = self.read_on(state, rest)? else {
                        break;
                    };
                    rest = behind;
                    let event;
                    (state, event) = match state {
                        State::InKey => (State::Colon, Event::Key(self.string.text(&self.token))),
                        State::InString => {
                            (State::Behind, Event::String(self.string.text(&self.token)))
                        }
                        State::InNumber => {
                            (State::Behind, Event::Number(self.number.text(&self.token)))
                        }
                        _ => (State::Behind, self.word.event),
                    };
                    // After anything but a key there is nothing left to skip: skipping ends at once.
                    if skipping.is_none() && handler.event(event) == Flow::Skip {
                        skipping = Some(nesting);
                    }
                }
            }
        }
        self.state = state;
        self.nesting = nesting;
        self.skipping = skipping;
        Ok(())
    }

    /// Continues the unfinished token; returns the input after it, or `None` if the input ends first.
    #[inline(never)]
    fn read_on<'c>(
        &mut self,
        state: State,
        rest: &'c [u8],
    ) -> Result<Option<&'c [u8]>, Refused<'c>> {
        match state {
            State::InNumber => self.number.read(rest, &mut self.token),
            State::InWord => self.word.read(rest),
            _ => self.string.read(rest, &mut self.token),
        }
    }
}

/// A reader of one of the three words of the language.
#[derive(Clone, Copy, Debug)]
struct WordReader {
    event: Event<'static>,
    missing: &'static [u8],
}

impl WordReader {
    const TRUE: Self = Self::new(Event::Bool(true), b"rue");

    const fn new(event: Event<'static>, missing: &'static [u8]) -> Self {
        Self { event, missing }
    }

    fn starting(byte: u8) -> Option<Self> {
        match byte {
            b't' => Some(Self::TRUE),
            b'f' => Some(Self::new(Event::Bool(false), b"alse")),
            b'n' => Some(Self::new(Event::Null, b"ull")),
            _ => None,
        }
    }

    /// Continues the word; returns the input after it, or `None` if the input ends first.
    fn read<'c>(&mut self, mut input: &'c [u8]) -> Result<Option<&'c [u8]>, Refused<'c>> {
        while let Some((expected, missing)) = self.missing.split_first() {
            let Some((byte, behind)) = input.split_first() else {
                return Ok(None);
            };
            if byte != expected {
                return Err(Refused(ErrorKind::UnexpectedByte, input));
            }
            self.missing = missing;
            input = behind;
        }
        Ok(Some(input))
    }
}
