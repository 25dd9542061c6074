//! Replacing a file in one step.

use std::{
    fs::{self, File, OpenOptions},
    io::{
        self, BufWriter,
        ErrorKind::{InvalidInput, Unsupported},
        Write,
    },
    path::{Path, PathBuf},
};

use crate::{private, regular_file};

/// A file that is about to be replaced.
///
/// The new content goes to `NAME.new` in the same directory and takes the old file's place by a rename, so
/// that a reader sees the whole old file or the whole new one. A symbolic link stays, and the file that it
/// points to is replaced. Anything else than a regular file is left alone.
#[derive(Clone, Copy, Debug)]
#[must_use = "nothing is written until `write` is called"]
pub struct Replacement<'p> {
    path: &'p Path,
    is_private: bool,
    is_durable: bool,
    takes_any_place: bool,
}

impl<'p> Replacement<'p> {
    /// A replacement for the file at this path, which need not exist yet.
    pub const fn new(path: &'p Path) -> Self {
        Self {
            path,
            is_private: false,
            is_durable: false,
            takes_any_place: false,
        }
    }

    /// Lets only the owner read the new file.
    pub const fn private(mut self) -> Self {
        self.is_private = true;
        self
    }

    /// Has the new file survive a power cut once [`write`](Self::write) has returned. Without this the old
    /// file may be back after one, or the file may be empty.
    pub const fn durable(mut self) -> Self {
        self.is_durable = true;
        self
    }

    /// Puts the new file in the place of whatever is there: a link itself, a pipe, a device's node. It is
    /// meant for names that are ours alone.
    pub const fn of_anything(mut self) -> Self {
        self.takes_any_place = true;
        self
    }

    /// Writes the new file with `write` and puts it in place.
    ///
    /// # Errors
    /// The error of `write`, whatever the file system reports, or
    /// [`Unfit::NoFile`](regular_file::Unfit::NoFile). The file is then as it was, unless only the last
    /// sync of the directory failed.
    pub fn write(
        self,
        write: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>,
    ) -> io::Result<()> {
        let mut path = self.path.to_owned();
        if !self.takes_any_place {
            path = behind_links(self.path)?;
            regular_file::check(&path)?;
        }
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(".new");
        let new = path.with_file_name(name);
        // What cannot be opened is not ours to remove.
        let file = self.open(&new)?;
        let replaced = self
            .fill(file, write)
            .and_then(|()| fs::rename(&new, &path));
        if replaced.is_err() {
            // Half a file is of no use to anybody.
            let _ = fs::remove_file(&new);
        }
        replaced?;
        match path.parent() {
            Some(dir) if self.is_durable => sync_dir(dir),
            _ => Ok(()),
        }
    }

    fn open(self, new: &Path) -> io::Result<File> {
        let mut options = match self.is_private {
            true => private::options(),
            false => OpenOptions::new(),
        };
        options.write(true).create(true).truncate(true);
        regular_file::open_with(&mut options, new)
    }

    fn fill(
        self,
        file: File,
        write: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>,
    ) -> io::Result<()> {
        let mut file = BufWriter::new(file);
        write(&mut file)?;
        file.flush()?;
        match self.is_durable {
            true => file.get_ref().sync_all(),
            false => Ok(()),
        }
    }
}

/// Makes renames in a directory durable.
fn sync_dir(dir: &Path) -> io::Result<()> {
    if !cfg!(unix) {
        // Elsewhere a directory cannot be opened as a file.
        return Ok(());
    }
    // The parent of a plain name is empty.
    match File::open(Path::new(".").join(dir))?.sync_all() {
        // A file system that cannot sync directories has nothing better to offer.
        Err(error) if matches!(error.kind(), InvalidInput | Unsupported) => Ok(()),
        synced => synced,
    }
}

/// The path of the file that a path leads to, whether or not it exists yet.
fn behind_links(path: &Path) -> io::Result<PathBuf> {
    match fs::canonicalize(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(match fs::read_link(path) {
            Ok(to) => path.parent().unwrap_or_else(|| Path::new("")).join(to),
            Err(_) => path.to_owned(),
        }),
        found => found,
    }
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn put(path: &Path) -> io::Result<()> {
        Replacement::new(path).write(|file| file.write_all(b"new"))
    }

    #[test]
    fn a_file_is_replaced_and_nothing_else_is() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        let words = |result: io::Result<()>| result.unwrap_err().to_string();
        fs::write(at("file"), "old").unwrap();
        fs::create_dir(at("dir")).unwrap();
        rustix::fs::mkfifoat(rustix::fs::CWD, at("pipe"), rustix::fs::Mode::from(0o600)).unwrap();
        for (link, to) in [("link", "file"), ("early", "dir/later")] {
            symlink(to, at(link)).unwrap();
        }
        for (path, written) in [("file", "file"), ("link", "file"), ("early", "dir/later")] {
            put(&at(path)).unwrap();
            assert_eq!(fs::read(at(written)).unwrap(), b"new", "{path}");
            fs::write(at("file"), "old").unwrap();
        }
        assert!(fs::symlink_metadata(at("link")).unwrap().is_symlink());
        assert!(words(put(&at("pipe"))).ends_with("pipe is a pipe, not a file"));
        assert!(words(put(&at("dir"))).ends_with("dir is a directory, not a file"));
        put(&at("file/")).unwrap_err();
        put(Path::new("/")).unwrap_err();
        // Nor is what lies where the new file is written first.
        rustix::fs::mkfifoat(
            rustix::fs::CWD,
            at("blocked.new"),
            rustix::fs::Mode::from(0o600),
        )
        .unwrap();
        assert!(words(put(&at("blocked"))).ends_with("blocked.new is a pipe, not a file"));
        fs::symlink_metadata(at("blocked.new")).unwrap();
        fs::remove_file(at("blocked.new")).unwrap();
        // What cannot be written whole leaves nothing behind.
        Replacement::new(&at("file"))
            .write(|_| Err(io::ErrorKind::StorageFull.into()))
            .unwrap_err();
        assert_eq!(fs::read(at("file")).unwrap(), b"old");
        let names = fs::read_dir(dir.path()).unwrap();
        let leftovers = names.filter(|name| {
            let name = name.as_ref().unwrap().file_name();
            name.to_string_lossy().ends_with(".new")
        });
        assert_eq!(leftovers.count(), 0);
    }

    #[test]
    fn a_name_that_is_ours_is_taken_from_whatever_has_it() {
        let dir = tempfile::tempdir().unwrap();
        let (file, link) = (dir.path().join("file"), dir.path().join("link"));
        fs::write(&file, "old").unwrap();
        symlink(&file, &link).unwrap();
        Replacement::new(&link)
            .of_anything()
            .write(|file| file.write_all(b"new"))
            .unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_file());
        assert_eq!(fs::read(&file).unwrap(), b"old");
    }

    #[test]
    fn a_private_file_is_its_owners_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        Replacement::new(&path)
            .private()
            .durable()
            .write(|file| file.write_all(b"secret"))
            .unwrap();
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}
