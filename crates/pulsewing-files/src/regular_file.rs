//! Opening and reading files: without blocking, only regular ones, and up to a bound.

use std::{
    fs::{self, File, FileType, OpenOptions},
    io::{self, Read},
    path::{Path, PathBuf},
};

/// Why we leave alone what lies at a path. It travels inside an [`io::Error`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// It is no regular file.
    #[error("{} is {what}, not a file", path.display())]
    NoFile {
        /// Where it is.
        path: PathBuf,
        /// What it is, with its article.
        what: &'static str,
    },
    /// It is longer than any such file.
    #[error("{} is larger than {}, the limit for such a file", path.display(), Size(*most))]
    TooLarge {
        /// Where it is.
        path: PathBuf,
        /// The bound in bytes.
        most: u64,
    },
}

/// Opens a file to read it.
///
/// # Errors
/// Whatever the file system reports, or [`Unfit::NoFile`].
pub fn open(path: &Path) -> io::Result<File> {
    open_with(OpenOptions::new().read(true), path)
}

/// Opens a file with these options, which may create it.
///
/// # Errors
/// Whatever the file system reports, or [`Unfit::NoFile`].
pub fn open_with(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    // Looked at before it is opened: to some devices being opened is a command.
    check(path)?;
    let file = without_waiting(options).open(path)?;
    // Something else may have taken its place meanwhile.
    check_kind(path, file.metadata()?.file_type())?;
    Ok(file)
}

/// Creates or truncates a file to write it.
///
/// # Errors
/// Whatever the file system reports, or [`Unfit::NoFile`].
pub fn create(path: &Path) -> io::Result<File> {
    open_with(
        OpenOptions::new().write(true).create(true).truncate(true),
        path,
    )
}

/// Checks that a file can be opened, for a library that opens it itself. A missing file passes.
///
/// # Errors
/// Whatever the file system reports, or [`Unfit::NoFile`].
pub fn check(path: &Path) -> io::Result<()> {
    match fs::metadata(path) {
        Ok(found) => check_kind(path, found.file_type()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

/// Reads a file of at most `most` bytes.
///
/// # Errors
/// Whatever the file system reports, or [`Unfit`].
pub fn read(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let file = open(path)?;
    let too_large = || {
        let path = path.to_owned();
        io::Error::new(io::ErrorKind::FileTooLarge, Unfit::TooLarge { path, most })
    };
    let length = file.metadata()?.len();
    if length > most {
        return Err(too_large());
    }
    let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or_default());
    // It may have grown meanwhile, and some file systems tell no length.
    let read = file.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    if read as u64 > most {
        return Err(too_large());
    }
    Ok(bytes)
}

/// Reads a text file of at most `most` bytes.
///
/// # Errors
/// Whatever the file system reports, or [`Unfit`]; [`io::ErrorKind::InvalidData`] where it is no UTF-8.
pub fn read_text(path: &Path, most: u64) -> io::Result<String> {
    String::from_utf8(read(path, most)?).map_err(|_| {
        io::Error::new(
            io::ErrorKind::InvalidData,
            format!("{} is not UTF-8 text", path.display()),
        )
    })
}

fn check_kind(path: &Path, kind: FileType) -> io::Result<()> {
    if kind.is_file() {
        return Ok(());
    }
    let error = match kind.is_dir() {
        true => io::ErrorKind::IsADirectory,
        false => io::ErrorKind::InvalidInput,
    };
    let path = path.to_owned();
    let what = name_of(kind);
    Err(io::Error::new(error, Unfit::NoFile { path, what }))
}

fn name_of(kind: FileType) -> &'static str {
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt;
        if kind.is_fifo() {
            return "a pipe";
        }
        if kind.is_socket() {
            return "a socket";
        }
        if kind.is_block_device() || kind.is_char_device() {
            return "a device";
        }
    }
    match kind.is_dir() {
        true => "a directory",
        false => "something else",
    }
}

#[cfg(unix)]
fn without_waiting(options: &mut OpenOptions) -> &mut OpenOptions {
    use rustix::fs::OFlags;
    let flags = OFlags::NONBLOCK | OFlags::NOCTTY;
    std::os::unix::fs::OpenOptionsExt::custom_flags(options, flags.bits().cast_signed())
}

#[cfg(not(unix))]
fn without_waiting(options: &mut OpenOptions) -> &mut OpenOptions {
    options
}

/// A number of bytes in the largest unit that divides it.
struct Size(u64);

impl std::fmt::Display for Size {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        const KIB: u64 = 1 << 10;
        const MIB: u64 = 1 << 20;
        match self.0 {
            bytes if bytes >= MIB && bytes % MIB == 0 => write!(f, "{} MiB", bytes / MIB),
            bytes if bytes >= KIB && bytes % KIB == 0 => write!(f, "{} KiB", bytes / KIB),
            bytes => write!(f, "{bytes} bytes"),
        }
    }
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use super::*;

    fn words(result: io::Result<impl Sized>) -> String {
        result.map(|_| ()).unwrap_err().to_string()
    }

    fn fifo(path: &Path) {
        rustix::fs::mkfifoat(rustix::fs::CWD, path, rustix::fs::Mode::from(0o600)).unwrap();
    }

    #[test]
    fn what_is_no_file_is_named_and_not_waited_for() {
        let dir = tempfile::tempdir().unwrap();
        let pipe = dir.path().join("pipe");
        fifo(&pipe);
        let socket = dir.path().join("socket");
        let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        for (path, what) in [
            (pipe.as_path(), "pipe is a pipe, not a file"),
            (&socket, "socket is a socket, not a file"),
            (Path::new("/dev/zero"), "/dev/zero is a device, not a file"),
            (dir.path(), " is a directory, not a file"),
        ] {
            let mut to_append = OpenOptions::new();
            to_append.append(true).create(true);
            for said in [
                words(open(path)),
                words(read(path, 10)),
                words(read_text(path, 10)),
                words(check(path)),
                words(open_with(&mut to_append, path)),
                words(create(path)),
            ] {
                assert!(said.ends_with(what), "{said}");
            }
        }
        let link = dir.path().join("link");
        std::os::unix::fs::symlink(&pipe, &link).unwrap();
        assert!(words(open(&link)).ends_with("link is a pipe, not a file"));
    }

    #[test]
    fn a_file_is_read_up_to_its_bound() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        fs::write(&path, "twelve bytes").unwrap();
        assert_eq!(read_text(&path, 12).unwrap(), "twelve bytes");
        let said = words(read(&path, 11));
        assert!(said.ends_with("is larger than 11 bytes, the limit for such a file"));
        // It takes no room on the disk, and is not read.
        File::create(&path).unwrap().set_len(1 << 40).unwrap();
        let error = read(&path, 64 << 10).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::FileTooLarge);
        assert!(error.to_string().contains("larger than 64 KiB"), "{error}");
    }

    #[test]
    fn what_is_not_there_is_not_found_or_made() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        assert_eq!(open(&path).unwrap_err().kind(), io::ErrorKind::NotFound);
        check(&path).unwrap();
        create(&path).unwrap();
        assert!(read(&path, 1).unwrap().is_empty());
        fs::write(&path, [0xff]).unwrap();
        let error = read_text(&path, 1).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    }
}
