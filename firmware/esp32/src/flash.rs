//! The location of the board's storage in the flash.

use esp_bootloader_esp_idf::partitions::{PARTITION_TABLE_MAX_LEN, read_partition_table};
use esp_storage::FlashStorage;
use pulsewing_store::{Area, Layout};

/// The partition's name in the partition table.
const LABEL: [u8; 16] = *b"pulsewing\0\0\0\0\0\0\0";

/// Returns the layout of the Pulsewing partition. `None` if the table (`partitions.csv`) was not
/// flashed, or has no such partition of whole sectors that is large enough.
pub(crate) fn layout(flash: &mut FlashStorage<'_>) -> Option<Layout> {
    let mut buffer = [0; PARTITION_TABLE_MAX_LEN];
    let table = read_partition_table(flash, &mut buffer).ok()?;
    // Found by name: a search by kind reads the kind of every entry, and the library panics on an
    // entry whose kind it does not know.
    let entry = table.iter().find(|entry| entry.label() == LABEL)?;
    let partition = Area {
        start: entry.offset(),
        end: entry.offset().checked_add(entry.len())?,
    };
    Layout::within(partition, FlashStorage::SECTOR_SIZE)
}
