//! The board's flash and card, as files.

use std::{
    fs::{self, File},
    io::{Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result};

use crate::output;

/// QEMU requires exactly this size for a flash of the `virt` machine.
const FLASH: u64 = 32 << 20;
/// The card has one partition, from here to its end.
const PARTITION: u64 = 1 << 20;
const CARD: u64 = 32 << 20;
const SECTOR: u64 = 512;

/// Writes an erased flash.
pub fn erased_flash(path: &Path) -> Result<()> {
    let write = || -> std::io::Result<()> {
        let mut file = File::create(path)?;
        let erased = vec![0xff; 1 << 20];
        for _ in 0..FLASH >> 20 {
            file.write_all(&erased)?;
        }
        Ok(())
    };
    write().with_context(|| format!("cannot write {}", path.display()))
}

/// A card with an empty FAT file system.
pub struct Card {
    /// The file that holds it.
    pub path: PathBuf,
    mtools: PathBuf,
}

impl Card {
    /// Formats a card.
    pub fn formatted(path: PathBuf, mtools: &Path) -> Result<Self> {
        let write = || -> std::io::Result<()> {
            let mut file = File::create(&path)?;
            file.set_len(CARD)?;
            file.seek(SeekFrom::Start(446))?;
            file.write_all(&partition_entry())?;
            file.seek(SeekFrom::Start(510))?;
            file.write_all(&[0x55, 0xaa])
        };
        write().with_context(|| format!("cannot write {}", path.display()))?;
        let card = Self {
            path,
            mtools: mtools.to_owned(),
        };
        let sectors = ((CARD - PARTITION) / SECTOR).to_string();
        card.run("mformat", &["-T", &sectors, "-h", "16", "-s", "32", "::"])?;
        Ok(card)
    }

    /// Reads a file in the root directory.
    pub fn get(&self, name: &str) -> Result<Vec<u8>> {
        let copy = self.path.with_extension("copy");
        self.run(
            "mcopy",
            &["-n", &format!("::{name}"), &copy.to_string_lossy()],
        )?;
        let bytes = fs::read(&copy).with_context(|| name.to_owned())?;
        let _ = fs::remove_file(copy);
        Ok(bytes)
    }

    fn run(&self, tool: &str, arguments: &[&str]) -> Result<()> {
        let mut command = Command::new(&self.mtools);
        command
            .args(["-c", tool, "-i"])
            .arg(format!("{}@@{PARTITION}", self.path.display()))
            .args(arguments);
        output(&mut command)
    }
}

/// Returns an entry of a partition table: FAT16 with logical addresses.
fn partition_entry() -> [u8; 16] {
    let mut entry = [0; 16];
    let number = |sectors: u64| u32::try_from(sectors).unwrap_or(u32::MAX).to_le_bytes();
    entry[4] = 0x0e;
    entry[8..12].copy_from_slice(&number(PARTITION / SECTOR));
    entry[12..].copy_from_slice(&number((CARD - PARTITION) / SECTOR));
    entry
}
