//! Finds the files of an export in directories and archives, and opens them one by one.

use std::{
    cell::Cell,
    fs::{self, File},
    io::{self, BufReader, Read},
    path::{Path, PathBuf},
    rc::Rc,
};

use flate2::read::MultiGzDecoder;
use pulsewing_files::regular_file;
use zip::{ZipArchive, result::ZipError};

use super::{
    FileError,
    bounded::Bounded,
    form::{Form, Pass, ending},
    tar::Tar,
};

/// The maximum ratio of an archive's unpacked to its packed size, over all files that are read from
/// it. Measurements shrink to a tenth or a thirtieth.
pub(crate) const MAX_EXPANSION: u64 = 200;

/// The unpacked size that is always allowed, for small archives, in bytes.
const SMALL: u64 = 16 << 20;

/// The limit on reading a zip file's directory, in bytes: enough for a few hundred thousand names
/// of usual length.
const MAX_DIRECTORY: u64 = 32 << 20;

/// The maximum depth of directories.
const MAX_DEPTH: usize = 32;

/// The maximum length of a displayed name, in characters.
const MAX_SHOWN: usize = 300;

/// A file that was found.
pub(crate) struct Found<'a> {
    /// Its display name.
    pub(crate) name: String,
    pub(crate) form: Form,
    pub(crate) content: &'a mut dyn Read,
}

/// The receiver of the files.
pub(crate) trait Visitor {
    /// The reason to end the search early.
    type Stop;

    /// Receives a file with heart rates.
    fn found(&mut self, found: Found<'_>) -> Result<(), Self::Stop>;

    /// Receives a file or directory that cannot be read.
    fn unreadable(&mut self, name: &str, error: FileError);

    /// Reports that this many more bytes on disk have been processed.
    fn passed(&mut self, bytes: u64);
}

/// A file on disk.
pub(crate) struct Source {
    path: PathBuf,
    name: String,
    /// Its size on disk, in bytes.
    pub(crate) size: u64,
    kind: Kind,
}

enum Kind {
    /// A file with samples.
    Plain(Form),
    /// A zip file, with the relevant files in it, in the order of their names.
    Zip {
        entries: Vec<(String, usize, Form)>,
        /// The number of bytes that its files may still unpack to.
        budget: Rc<Cell<u64>>,
    },
    /// A tar archive, perhaps compressed.
    Tar {
        is_compressed: bool,
        /// Whether it has files for the second pass, and whether it was cut off in the first.
        has_others: bool,
        is_broken: bool,
    },
}

/// Files of a directory that are skipped, although they would be read if the user named them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PassedOver {
    /// The number of files.
    pub files: u64,
    /// The display name of one of them.
    pub example: String,
}

/// Lists the files of a path.
pub(crate) fn list(
    path: &Path,
    passed_over: &mut PassedOver,
    trouble: &mut dyn FnMut(&str, FileError),
) -> Vec<Source> {
    let is_named = path.is_file();
    let mut listing = Listing {
        files: Vec::new(),
        passed_over,
        trouble,
    };
    match fs::metadata(path) {
        Err(error) => listing.fail(path, error.into()),
        Ok(data) if data.is_dir() => listing.directory(path, 0),
        Ok(_) => listing.files.push(path.to_owned()),
    }
    listing
        .files
        .into_iter()
        .filter_map(|file| {
            let name = shown(&file.to_string_lossy());
            source(file, is_named)
                .map_err(|error| trouble(&name, error))
                .ok()
        })
        .collect()
}

fn source(path: PathBuf, is_named: bool) -> Result<Source, FileError> {
    let text = path.to_string_lossy();
    let size = fs::metadata(&path)?.len();
    regular_file::check(&path)?;
    let kind = match Packing::of(&text) {
        Some(Packing::Zip) => Kind::Zip {
            entries: entries(&open_zip(&path)?.0),
            budget: expansion(size),
        },
        Some(Packing::Tar { is_compressed }) => Kind::Tar {
            is_compressed,
            has_others: false,
            is_broken: false,
        },
        None => {
            let form = match is_named {
                true => Form::from_named_path(&text),
                false => Form::from_export_path(&text),
            };
            Kind::Plain(form.ok_or_else(|| FileError::UnknownForm(shown(&ending(&text))))?)
        }
    };
    Ok(Source {
        name: shown(&text),
        size,
        kind,
        path,
    })
}

/// Returns the number of bytes that an archive of this size may unpack to.
fn expansion(size: u64) -> Rc<Cell<u64>> {
    Rc::new(Cell::new(size.saturating_mul(MAX_EXPANSION).max(SMALL)))
}

/// The format of an archive.
enum Packing {
    Zip,
    Tar { is_compressed: bool },
}

impl Packing {
    fn of(name: &str) -> Option<Self> {
        let name = name.to_ascii_lowercase();
        let is_compressed = name.ends_with(".tgz") || name.ends_with(".tar.gz");
        if name.ends_with(".zip") {
            return Some(Self::Zip);
        }
        (is_compressed || name.ends_with(".tar")).then_some(Self::Tar { is_compressed })
    }
}

/// The files to read, in the order of their names.
struct Listing<'a> {
    files: Vec<PathBuf>,
    passed_over: &'a mut PassedOver,
    trouble: &'a mut dyn FnMut(&str, FileError),
}

impl Listing<'_> {
    fn fail(&mut self, path: &Path, error: FileError) {
        (self.trouble)(&shown(&path.to_string_lossy()), error);
    }

    /// Lists a directory. Does not follow links in it: they could form circles, or lead anywhere.
    fn directory(&mut self, dir: &Path, depth: usize) {
        if depth >= MAX_DEPTH {
            let error = io::Error::other("its directories are nested too deep");
            return self.fail(dir, error.into());
        }
        let entries = match fs::read_dir(dir) {
            Ok(entries) => entries,
            Err(error) => return self.fail(dir, error.into()),
        };
        let mut found = Vec::new();
        for entry in entries {
            match entry.and_then(|entry| Ok((entry.path(), entry.file_type()?))) {
                Ok(entry) => found.push(entry),
                Err(error) => self.fail(dir, error.into()),
            }
        }
        found.sort_by(|one, other| one.0.cmp(&other.0));
        for (path, kind) in found {
            if kind.is_dir() {
                self.directory(&path, depth + 1);
            } else if !kind.is_symlink() {
                self.file(path);
            }
        }
    }

    fn file(&mut self, path: PathBuf) {
        let name = path.to_string_lossy();
        if Packing::of(&name).is_some() || Form::from_export_path(&name).is_some() {
            self.files.push(path);
        } else if Form::from_named_path(&name).is_some() {
            self.passed_over.files += 1;
            if self.passed_over.example.is_empty() {
                self.passed_over.example = shown(&name);
            }
        }
    }
}

/// A zip file, and the budget of bytes on disk that may be read from it.
type OpenZip = (ZipArchive<BufReader<Bounded<File>>>, Rc<Cell<u64>>);

fn open_zip(path: &Path) -> Result<OpenZip, FileError> {
    let left = Rc::new(Cell::new(MAX_DIRECTORY));
    let file = regular_file::open(path).map_err(FileError::from)?;
    let bounded = Bounded::new(file, Rc::clone(&left), || FileError::Directory);
    let archive = ZipArchive::new(BufReader::new(bounded)).map_err(broken_zip)?;
    Ok((archive, left))
}

fn broken_zip(error: ZipError) -> FileError {
    FileError::Unreadable(error.to_string())
}

fn entries<R: Read + io::Seek>(archive: &ZipArchive<R>) -> Vec<(String, usize, Form)> {
    let mut entries: Vec<_> = (0..archive.len())
        .filter_map(|index| {
            let inside = archive.name_for_index(index)?.ok()?;
            let form = Form::from_export_path(&inside)?;
            Some((shown(&inside), index, form))
        })
        .collect();
    entries.sort_by(|one, other| one.0.cmp(&other.0));
    entries
}

impl Source {
    /// Visits the files of a pass.
    pub(crate) fn visit<V: Visitor>(&mut self, pass: Pass, visitor: &mut V) -> Result<(), V::Stop> {
        match &self.kind {
            Kind::Plain(form) if form.pass() == pass => self.visit_plain(*form, visitor),
            Kind::Plain(_) => Ok(()),
            Kind::Zip { entries, budget } => self.visit_zip(pass, entries, budget, visitor),
            Kind::Tar { .. } => self.visit_tar(pass, visitor),
        }
    }

    fn visit_plain<V: Visitor>(&self, form: Form, visitor: &mut V) -> Result<(), V::Stop> {
        match regular_file::open(&self.path) {
            Err(error) => visitor.unreadable(&self.name, error.into()),
            Ok(file) => visitor.found(Found {
                name: self.name.clone(),
                form,
                content: &mut of_form(file, form),
            })?,
        }
        visitor.passed(self.size);
        Ok(())
    }

    fn visit_zip<V: Visitor>(
        &self,
        pass: Pass,
        entries: &[(String, usize, Form)],
        budget: &Rc<Cell<u64>>,
        visitor: &mut V,
    ) -> Result<(), V::Stop> {
        let number = entries.len() as u64;
        let share = self.size.checked_div(number).unwrap_or_default();
        let mut wanted = entries
            .iter()
            .filter(|(_, _, form)| form.pass() == pass)
            .peekable();
        if wanted.peek().is_some() {
            let (mut archive, left) = match open_zip(&self.path) {
                Ok(open) => open,
                Err(error) => {
                    visitor.unreadable(&self.name, error);
                    return Ok(());
                }
            };
            for (inside, index, form) in wanted {
                let inside = format!("{}: {inside}", self.name);
                // Each file gets a new budget of compressed bytes, because several may share the
                // same ones.
                left.set(form.max_bytes());
                match archive.by_index(*index) {
                    Ok(entry) => {
                        let entry = of_form(entry, *form);
                        visitor.found(Found {
                            name: inside,
                            form: *form,
                            content: &mut Bounded::new(entry, Rc::clone(budget), || {
                                FileError::Bomb
                            }),
                        })?;
                    }
                    Err(error) => visitor.unreadable(&inside, broken_zip(error)),
                }
                visitor.passed(share);
            }
        }
        if pass == Pass::Others {
            visitor.passed(self.size.saturating_sub(share.saturating_mul(number)));
        }
        Ok(())
    }

    fn visit_tar<V: Visitor>(&mut self, pass: Pass, visitor: &mut V) -> Result<(), V::Stop> {
        let Kind::Tar {
            is_compressed,
            has_others,
            is_broken,
        } = &mut self.kind
        else {
            return Ok(());
        };
        if pass == Pass::Marked || *has_others {
            let mut unpacked = match unpack(&self.path, *is_compressed) {
                Ok(content) => {
                    let budget = expansion(self.size);
                    Tar::new(Bounded::new(content, budget, || FileError::Bomb))
                }
                Err(error) => {
                    visitor.unreadable(&self.name, error.into());
                    return Ok(());
                }
            };
            loop {
                let inside = match unpacked.next_file() {
                    Ok(Some(inside)) => inside,
                    Ok(None) => break,
                    Err(error) => {
                        // The first pass has already reported an archive that is cut off.
                        if !*is_broken {
                            *is_broken = true;
                            visitor.unreadable(&self.name, error.into());
                        }
                        break;
                    }
                };
                let Some(form) = Form::from_export_path(&inside) else {
                    continue;
                };
                *has_others |= form.pass() == Pass::Others;
                if form.pass() == pass {
                    visitor.found(Found {
                        name: format!("{}: {}", self.name, shown(&inside)),
                        form,
                        content: &mut of_form(&mut unpacked, form),
                    })?;
                }
            }
        }
        let half = self.size / 2;
        visitor.passed(match pass {
            Pass::Marked => half,
            Pass::Others => self.size - half,
        });
        Ok(())
    }
}

fn unpack(path: &Path, is_compressed: bool) -> io::Result<Box<dyn Read>> {
    let file = BufReader::new(regular_file::open(path)?);
    Ok(if is_compressed {
        Box::new(BufReader::new(MultiGzDecoder::new(file)))
    } else {
        Box::new(file)
    })
}

/// Limits a file's contents to the maximum of its form.
fn of_form<R: Read>(content: R, form: Form) -> Bounded<R> {
    let most = form.max_bytes();
    Bounded::new(content, Rc::new(Cell::new(most)), move || {
        FileError::TooLarge(most >> 20)
    })
}

/// Returns a name that is safe to print on a terminal.
pub(crate) fn shown(name: &str) -> String {
    name.chars()
        .map(|character| match character {
            character if character.is_control() => '?',
            character => character,
        })
        .take(MAX_SHOWN)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_control_a_terminal() {
        assert_eq!(shown("a\u{1b}[2Jb\nc"), "a?[2Jb?c");
    }
}
