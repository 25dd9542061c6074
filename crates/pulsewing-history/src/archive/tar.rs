//! The files of a tar archive, one after the other as its bytes arrive.
//!
//! We need only names and contents, so this reads only those parts of the headers (ustar, GNU and
//! pax). A name has a limit, and is never used as a path.

use std::io::{self, Read};

/// The size of a header, in bytes. Contents are padded to a multiple of it.
const BLOCK: usize = 512;

/// The maximum length of a name, in bytes.
const MAX_NAME: u64 = 4_096;

/// The maximum length of the list of properties before a file, in bytes.
const MAX_PROPERTIES: u64 = 64 * 1_024;

/// A tar archive. After [`next_file`](Self::next_file), `read` reads that file.
pub(crate) struct Tar<R> {
    inner: R,
    /// The remaining bytes of the current file, and the padding of its last block.
    left: u64,
    padding: u64,
}

/// The header of the next file.
struct Header {
    name: String,
    kind: u8,
    size: u64,
}

impl<R: Read> Tar<R> {
    pub(crate) const fn new(inner: R) -> Self {
        Self {
            inner,
            left: 0,
            padding: 0,
        }
    }

    /// Advances to the next regular file, and returns its name; `None` at the end.
    ///
    /// # Errors
    /// Any error of the reader, and an error when it is not a tar archive.
    pub(crate) fn next_file(&mut self) -> io::Result<Option<String>> {
        // The name and size from a separate header before the file.
        let (mut name, mut size) = (None, None);
        loop {
            self.pass()?;
            let Some(header) = self.header()? else {
                return Ok(None);
            };
            match header.kind {
                b'0' | 0 | b'7' => {
                    self.begin(size.unwrap_or(header.size));
                    return Ok(Some(name.unwrap_or(header.name)));
                }
                b'L' => {
                    self.begin(header.size);
                    let text = self.text(MAX_NAME)?;
                    name = Some(text.trim_end_matches('\0').to_owned());
                }
                b'x' => {
                    self.begin(header.size);
                    for (key, value) in properties(&self.text(MAX_PROPERTIES)?) {
                        match key {
                            "path" => name = Some(value.to_owned()),
                            "size" => size = value.parse().ok(),
                            _ => {}
                        }
                    }
                }
                // Links, devices and directories have no contents, whatever the size field
                // contains.
                b'1'..=b'6' => (name, size) = (None, None),
                _ => self.begin(header.size),
            }
        }
    }

    fn begin(&mut self, size: u64) {
        self.left = size;
        self.padding = size.checked_next_multiple_of(BLOCK as u64).unwrap_or(size) - size;
    }

    /// Skips the rest of the current file.
    fn pass(&mut self) -> io::Result<()> {
        let rest = self.left.saturating_add(self.padding);
        (self.left, self.padding) = (0, 0);
        let passed = io::copy(&mut (&mut self.inner).take(rest), &mut io::sink())?;
        if passed < rest {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(())
    }

    /// Returns the text of the current file, truncated to a limit.
    fn text(&mut self, limit: u64) -> io::Result<String> {
        let mut bytes = Vec::new();
        self.by_ref().take(limit).read_to_end(&mut bytes)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Reads the next header; returns `None` at the end.
    fn header(&mut self) -> io::Result<Option<Header>> {
        let mut block = Vec::with_capacity(BLOCK);
        (&mut self.inner)
            .take(BLOCK as u64)
            .read_to_end(&mut block)?;
        if (1..BLOCK).contains(&block.len()) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        // Zeros, or nothing at all, end the archive.
        if block.iter().all(|byte| *byte == 0) {
            return Ok(None);
        }
        parse(&block)
            .map(Some)
            .ok_or_else(|| io::Error::other("it is not a tar archive"))
    }
}

impl<R: Read> Read for Tar<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        let count = (&mut self.inner).take(self.left).read(buffer)?;
        if count == 0 && self.left > 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.left -= count as u64;
        Ok(count)
    }
}

fn parse(block: &[u8]) -> Option<Header> {
    let field = |range| block.get(range);
    let text = |range| {
        let bytes: &[u8] = field(range)?;
        let end = bytes.iter().position(|byte| *byte == 0);
        let text = bytes.get(..end.unwrap_or(bytes.len()))?;
        Some(String::from_utf8_lossy(text))
    };
    // The checksum counts its own field as spaces.
    let sum: u64 = block
        .iter()
        .enumerate()
        .map(|(place, byte)| match place {
            148..156 => u64::from(b' '),
            _ => u64::from(*byte),
        })
        .sum();
    if number(field(148..156)?)? != sum {
        return None;
    }
    let name = text(0..100)?;
    let before = match field(257..262)? {
        b"ustar" => text(345..500)?,
        _ => "".into(),
    };
    Some(Header {
        name: if before.is_empty() {
            name.into_owned()
        } else {
            format!("{before}/{name}")
        },
        kind: *block.get(156)?,
        size: number(field(124..136)?)?,
    })
}

/// Reads an octal number, or a larger one, which GNU tar writes as bytes.
fn number(field: &[u8]) -> Option<u64> {
    if let Some((0x80, bytes)) = field.split_first() {
        return bytes.iter().try_fold(0_u64, |number, byte| {
            Some(number.checked_mul(256)? + u64::from(*byte))
        });
    }
    let digits = field.trim_ascii_start();
    let end = digits.iter().position(|byte| matches!(byte, 0 | b' '));
    let digits = digits.get(..end.unwrap_or(digits.len()))?;
    digits.iter().try_fold(0_u64, |number, digit| match digit {
        b'0'..=b'7' => Some(number.checked_mul(8)? + u64::from(digit - b'0')),
        _ => None,
    })
}

/// Returns the properties of a pax header: lines of `LENGTH KEY=VALUE`.
fn properties(text: &str) -> impl Iterator<Item = (&str, &str)> {
    text.lines()
        .filter_map(|line| line.split_once(' ')?.1.split_once('='))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn entry(name: &str, kind: u8, text: &str) -> Vec<u8> {
        let mut block = vec![0; BLOCK];
        block[..name.len().min(100)].copy_from_slice(&name.as_bytes()[..name.len().min(100)]);
        block[124..135].copy_from_slice(format!("{:011o}", text.len()).as_bytes());
        block[156] = kind;
        block[257..262].copy_from_slice(b"ustar");
        block[148..156].fill(b' ');
        let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
        block[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
        block.extend(text.as_bytes());
        block.resize(block.len().next_multiple_of(BLOCK), 0);
        block
    }

    fn files(archive: &[u8]) -> io::Result<Vec<(String, String)>> {
        let mut tar = Tar::new(archive);
        let mut files = Vec::new();
        while let Some(name) = tar.next_file()? {
            let mut text = String::new();
            tar.read_to_string(&mut text)?;
            files.push((name, text));
        }
        Ok(files)
    }

    #[test]
    fn files_come_with_their_names_however_long_they_are() {
        let long = "x/".repeat(90) + "heart_rate-2024-10-27.json";
        let archive = [
            entry("a/", b'5', ""),
            entry("a/one.json", b'0', "[1]"),
            entry("././@LongLink", b'L', &format!("{long}\0")),
            entry(&long, b'0', "[2]"),
            entry(
                "pax",
                b'x',
                &format!("27 mtime=1\n{} path={long}\n", long.len() + 9),
            ),
            entry("short", b'0', &"3".repeat(BLOCK)),
            entry("link", b'2', ""),
            entry("empty", 0, ""),
            vec![0; 2 * BLOCK],
        ]
        .concat();
        let found = files(&archive).unwrap();
        let expected = [
            ("a/one.json".to_owned(), "[1]".to_owned()),
            (long.clone(), "[2]".to_owned()),
            (long, "3".repeat(BLOCK)),
            ("empty".to_owned(), String::new()),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn what_is_no_archive_or_half_of_one_is_an_error() {
        assert_eq!(files(b"").unwrap(), []);
        assert!(files(&[b'x'; BLOCK]).is_err());
        let whole = entry("one", b'0', "some text");
        for length in [1, BLOCK - 1, BLOCK + 3] {
            assert!(files(&whole[..length]).is_err(), "{length}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..80), at in 0_usize..600) {
            let mut archive = [entry("one", b'x', "9 size=99999999999999999999\n"), entry("two", b'0', "text")].concat();
            for (place, byte) in bytes.iter().enumerate() {
                archive[at + place] = *byte;
            }
            // Any result will do, as long as it does not panic.
            let _ = files(&archive);
        }
    }
}
