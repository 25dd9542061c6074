//! The boards' partition table, read from `firmware/esp32/partitions.csv`.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::workspace::Workspace;

/// The flash of the smaller of the two boards, in bytes.
const FLASH: u32 = 4 << 20;
/// The first offset for partitions: the boot loader and the table lie below.
const FIRST: u32 = 0x9000;

/// One line of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Partition {
    pub(crate) name: String,
    /// `app` or `data`.
    kind: String,
    pub(crate) offset: u32,
    pub(crate) size: u32,
}

impl Partition {
    fn end(&self) -> u32 {
        self.offset.saturating_add(self.size)
    }
}

/// Returns the path of the table.
pub(crate) fn file(workspace: &Workspace) -> PathBuf {
    workspace.root.join("firmware/esp32/partitions.csv")
}

/// Reads a table and checks it.
///
/// # Errors
///
/// If it cannot be read, or the boot loader would not accept it.
pub(crate) fn read(file: &Path) -> Result<Vec<Partition>, String> {
    let text = fs::read_to_string(file)
        .map_err(|error| format!("cannot read {}: {error}", file.display()))?;
    let partitions = parse(&text)?;
    check(&partitions)?;
    Ok(partitions)
}

/// Returns the size of the smallest partition for a program.
pub(crate) fn program_room(partitions: &[Partition]) -> u32 {
    let programs = partitions.iter().filter(|it| it.kind == "app");
    programs.map(|it| it.size).min().unwrap_or(0)
}

fn parse(text: &str) -> Result<Vec<Partition>, String> {
    let lines = text.lines().map(str::trim);
    lines
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| {
            let fields: Vec<&str> = line.split(',').map(str::trim).collect();
            let [name, kind, _, offset, size] = fields[..] else {
                return Err(format!("not five fields: {line}"));
            };
            Ok(Partition {
                name: name.to_owned(),
                kind: kind.to_owned(),
                offset: number(offset)?,
                size: number(size)?,
            })
        })
        .collect()
}

fn number(text: &str) -> Result<u32, String> {
    let parsed = match text.strip_prefix("0x") {
        Some(digits) => u32::from_str_radix(digits, 16),
        None => text.parse(),
    };
    parsed.map_err(|_| format!("not a number: {text}"))
}

/// Checks a table against the rules of the boot loader and the size of the smaller flash.
fn check(partitions: &[Partition]) -> Result<(), String> {
    let mut before = FIRST;
    for it in partitions {
        let grain = if it.kind == "app" { 0x1_0000 } else { 0x1000 };
        if !it.offset.is_multiple_of(grain) || !it.size.is_multiple_of(0x1000) || it.size == 0 {
            return Err(format!("{} does not consist of whole sectors", it.name));
        }
        if it.offset < before {
            return Err(format!("{} overlaps the partition before it", it.name));
        }
        if it.end() > FLASH {
            return Err(format!("{} goes beyond the end of the flash", it.name));
        }
        before = it.end();
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use pulsewing_store::{Area, Layout};

    use super::*;

    fn table() -> Vec<Partition> {
        read(&file(&Workspace::load().unwrap())).unwrap()
    }

    fn named<'a>(partitions: &'a [Partition], name: &str) -> &'a Partition {
        partitions.iter().find(|it| it.name == name).unwrap()
    }

    #[test]
    fn there_are_two_slots_for_programs_of_the_same_size() {
        let partitions = table();
        assert_eq!(named(&partitions, "ota_0").size, 7 << 18, "1.75 MiB");
        assert_eq!(named(&partitions, "ota_1").size, 7 << 18);
        assert_eq!(program_room(&partitions), 7 << 18);
        assert_eq!(
            named(&partitions, "otadata").size,
            2 * 4_096,
            "one sector each"
        );
    }

    #[test]
    fn the_store_finds_room_in_its_partition_for_everything_and_a_wallpaper() {
        let partitions = table();
        let own = named(&partitions, "pulsewing");
        let area = Area {
            start: own.offset,
            end: own.end(),
        };
        let layout = Layout::within(area, 4_096).expect("room for the store");
        let picture = 480 * 320 / 2 + 64;
        assert!(layout.wallpaper.len() > picture + 4_096, "{layout:?}");
        let mut before = own.offset;
        for area in layout.areas() {
            assert!(area.start >= before && area.end <= own.end(), "{layout:?}");
            before = area.end;
        }
    }

    #[test]
    fn the_store_s_partition_has_the_name_that_the_program_looks_for() {
        let root = Workspace::load().unwrap().root;
        let program = fs::read_to_string(root.join("firmware/esp32/src/flash.rs")).unwrap();
        let partitions = table();
        let name = &named(&partitions, "pulsewing").name;
        assert!(program.contains(&format!("*b\"{name}\\0")));
    }

    #[test]
    fn a_table_that_overlaps_or_lies_off_the_grid_or_beyond_the_flash_is_refused() {
        for (text, complaint) in [
            (
                "a, data, ota, 0x9000, 0x2000\nb, data, phy, 0xa000, 0x1000",
                "overlaps",
            ),
            ("a, data, ota, 0x8000, 0x2000", "overlaps"),
            ("a, app, ota_0, 0x11000, 0x10000", "whole sectors"),
            ("a, data, ota, 0x9000, 0x800", "whole sectors"),
            ("a, app, ota_0, 0x10000, 0x400000", "beyond"),
        ] {
            let refused = parse(text).and_then(|table| check(&table)).unwrap_err();
            assert!(refused.contains(complaint), "{refused}");
        }
        assert!(parse("a, data, ota, 0x9000").is_err());
        assert!(parse("a, data, ota, nine, 0x1000").is_err());
    }
}
