//! Where on the flash the board's memory is.

use esp_bootloader_esp_idf::partitions::{PARTITION_TABLE_MAX_LEN, read_partition_table};
use esp_storage::FlashStorage;
use pulsewing_store::{Area, Layout};

/// The partition's name, as the table has it.
const LABEL: [u8; 16] = *b"pulsewing\0\0\0\0\0\0\0";

/// What lies where in the partition that is for it. `None` if the table (`partitions.csv`) was not flashed,
/// or holds no such partition of whole sectors that is large enough.
pub(crate) fn layout(flash: &mut FlashStorage<'_>) -> Option<Layout> {
    let mut buffer = [0; PARTITION_TABLE_MAX_LEN];
    let table = read_partition_table(flash, &mut buffer).ok()?;
    // By its name: to look for a kind of partition is to ask every entry for its kind, and the library
    // panics over an entry whose kind it does not know.
    let entry = table.iter().find(|entry| entry.label() == LABEL)?;
    let partition = Area {
        start: entry.offset(),
        end: entry.offset().checked_add(entry.len())?,
    };
    Layout::within(partition, FlashStorage::SECTOR_SIZE)
}
