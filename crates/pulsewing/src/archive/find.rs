//! Finds the files of an export in directories and zip files, and opens them one by one.

use std::{
    cell::Cell,
    fs,
    io::{self, BufReader, Read, Seek, SeekFrom},
    path::{Path, PathBuf},
    rc::Rc,
};

use zip::ZipArchive;

use super::{FileError, form::Form};
use crate::regular_file;

/// The most bytes that are read of one file. A day's samples take up to 4 MiB.
pub(crate) const MAX_FILE: u64 = 256 << 20;

/// How many times its own size a zip file may unpack to, over all files that are read of it.
/// Measurements shrink to a tenth or a thirtieth.
pub(crate) const MAX_EXPANSION: u64 = 200;

/// What a small zip file may unpack to in any case.
const SMALL: u64 = 16 << 20;

/// How much may be read to learn what a zip file holds: its directory, a few hundred thousand
/// names of usual length.
const MAX_DIRECTORY: u64 = 32 << 20;

/// How deep directories are looked into.
const MAX_DEPTH: usize = 32;

/// A file that was found.
pub(crate) struct Found<'a> {
    /// Its name as a person is told it.
    pub(crate) name: String,
    pub(crate) form: Form,
    pub(crate) content: &'a mut dyn Read,
}

/// Told of what is found.
pub(crate) trait Visitor {
    /// Why the search ends early.
    type Stop;

    /// A file with heart rate.
    fn found(&mut self, found: Found<'_>) -> Result<(), Self::Stop>;

    /// Something that cannot be read.
    fn unreadable(&mut self, name: &str, error: FileError);

    /// So many bytes on disk have been dealt with.
    fn passed(&mut self, bytes: u64);
}

/// How many bytes on disk the files take that will be looked at.
pub(crate) fn weigh(paths: &[PathBuf]) -> u64 {
    let mut sum: u64 = 0;
    for path in paths {
        // What cannot be listed is told when it is visited.
        for file in files_under(path, &mut |_, _| {}) {
            let size = fs::metadata(&file).map_or(0, |file| file.len());
            sum = sum.saturating_add(size);
        }
    }
    sum
}

/// Visits what a path holds.
pub(crate) fn visit<V: Visitor>(path: &Path, visitor: &mut V) -> Result<(), V::Stop> {
    let is_named = path.is_file();
    let mut troubles = Vec::new();
    let files = files_under(path, &mut |path, error| {
        troubles.push((shown(&path.to_string_lossy()), error));
    });
    for (name, error) in troubles {
        visitor.unreadable(&name, FileError::Unreadable(error.to_string()));
    }
    for file in files {
        let name = file.to_string_lossy();
        let size = fs::metadata(&file).map_or(0, |file| file.len());
        if is_zip(&name) {
            visit_zip(&file, size, visitor)?;
            continue;
        }
        let form = if is_named {
            Form::of_named(&name)
        } else {
            Form::of_export(&name)
        };
        let name = shown(&name);
        match (form, regular_file::open(&file)) {
            (None, _) => visitor.unreadable(&name, FileError::NotHeartRate),
            (_, Err(error)) => visitor.unreadable(&name, FileError::Unreadable(error.to_string())),
            (Some(form), Ok(content)) => visitor.found(Found {
                name,
                form,
                content: &mut Bounded::new(content, &Rc::new(Cell::new(MAX_FILE))),
            })?,
        }
        visitor.passed(size);
    }
    Ok(())
}

fn is_zip(name: &str) -> bool {
    name.to_ascii_lowercase().ends_with(".zip")
}

/// The files that are looked at, in the order of their names. Links inside a directory are not
/// followed: they could lead in circles, or anywhere.
fn files_under(path: &Path, trouble: &mut dyn FnMut(&Path, io::Error)) -> Vec<PathBuf> {
    let mut files = Vec::new();
    match fs::metadata(path) {
        Ok(data) if data.is_dir() => list(path, 0, &mut files, trouble),
        _ => match regular_file::open(path) {
            Ok(_) => files.push(path.to_owned()),
            Err(error) => trouble(path, error),
        },
    }
    files
}

fn list(
    dir: &Path,
    depth: usize,
    files: &mut Vec<PathBuf>,
    trouble: &mut dyn FnMut(&Path, io::Error),
) {
    if depth >= MAX_DEPTH {
        return trouble(dir, io::Error::other("its directories are nested too deep"));
    }
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) => return trouble(dir, error),
    };
    let mut found = Vec::new();
    for entry in entries {
        match entry.and_then(|entry| Ok((entry.path(), entry.file_type()?))) {
            Ok(entry) => found.push(entry),
            Err(error) => trouble(dir, error),
        }
    }
    found.sort_by(|one, other| one.0.cmp(&other.0));
    for (path, kind) in found {
        let name = path.to_string_lossy();
        if kind.is_dir() {
            list(&path, depth + 1, files, trouble);
        } else if kind.is_file() && (is_zip(&name) || Form::of_export(&name).is_some()) {
            files.push(path);
        }
    }
}

fn visit_zip<V: Visitor>(path: &Path, size: u64, visitor: &mut V) -> Result<(), V::Stop> {
    let name = shown(&path.to_string_lossy());
    let unreadable = |error: zip::result::ZipError| FileError::Unreadable(error.to_string());
    let budget = Rc::new(Cell::new(MAX_DIRECTORY));
    let archive = regular_file::open(path)
        .map_err(zip::result::ZipError::from)
        .and_then(|file| {
            let bounded = Bounded {
                inner: file,
                left: Rc::clone(&budget),
                beyond: || FileError::Directory,
            };
            ZipArchive::new(BufReader::new(bounded))
        });
    let mut archive = match archive {
        Ok(archive) => archive,
        Err(error) => {
            visitor.unreadable(&name, unreadable(error));
            visitor.passed(size);
            return Ok(());
        }
    };
    let mut entries: Vec<(String, usize, Form)> = (0..archive.len())
        .filter_map(|index| {
            let inside = archive.name_for_index(index)?.ok()?;
            Some((inside.to_string(), index, Form::of_export(&inside)?))
        })
        .collect();
    entries.sort_by(|one, other| one.0.cmp(&other.0));
    let expansion = Rc::new(Cell::new(size.saturating_mul(MAX_EXPANSION).max(SMALL)));
    let share = size.checked_div(entries.len() as u64).unwrap_or_default();
    for (inside, index, form) in &entries {
        let inside = format!("{name}: {}", shown(inside));
        // Every file's compressed bytes count anew: several may share the same ones.
        budget.set(MAX_FILE);
        match archive.by_index(*index) {
            Ok(entry) => visitor.found(Found {
                name: inside,
                form: *form,
                content: &mut Bounded {
                    inner: Bounded::new(entry, &Rc::new(Cell::new(MAX_FILE))),
                    left: Rc::clone(&expansion),
                    beyond: || FileError::Bomb,
                },
            })?,
            Err(error) => visitor.unreadable(&inside, unreadable(error)),
        }
        visitor.passed(share);
    }
    visitor.passed(size.saturating_sub(share.saturating_mul(entries.len() as u64)));
    Ok(())
}

/// A reader that ends with an error where its budget does.
struct Bounded<R> {
    inner: R,
    left: Rc<Cell<u64>>,
    beyond: fn() -> FileError,
}

impl<R> Bounded<R> {
    fn new(inner: R, left: &Rc<Cell<u64>>) -> Self {
        Self {
            inner,
            left: Rc::clone(left),
            beyond: || FileError::TooLarge,
        }
    }
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        match self.left.get().checked_sub(count as u64) {
            Some(left) => self.left.set(left),
            None => return Err(io::Error::other((self.beyond)())),
        }
        Ok(count)
    }
}

impl<R: Seek> Seek for Bounded<R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.inner.seek(to)
    }
}

/// A name as a terminal may be shown it.
pub(crate) fn shown(name: &str) -> String {
    name.chars()
        .map(|character| match character {
            character if character.is_control() => '?',
            character => character,
        })
        .take(300)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_ends_where_its_budget_does() {
        let budget = Rc::new(Cell::new(10));
        let mut bounded = Bounded::new(&[0; 11][..], &budget);
        let mut buffer = [0; 6];
        assert_eq!(bounded.read(&mut buffer).unwrap(), 6);
        let error = bounded.read(&mut buffer).unwrap_err();
        assert!(error.to_string().contains("256 MiB"), "{error}");
    }

    #[test]
    fn a_name_cannot_control_a_terminal() {
        assert_eq!(shown("a\u{1b}[2Jb\nc"), "a?[2Jb?c");
    }
}
