//! Damage to files, as a failing disk does it.

use std::{fs, path::Path};

/// The length of a page of a history's file, and the type of one that is a leaf of an index (SQLite's
/// "Database File Format", 1.6).
const PAGE: usize = 4_096;
const LEAF_OF_AN_INDEX: u8 = 10;

/// Makes the only index with a row in a history name one row twice, and another not at all.
///
/// # Panics
///
/// If the file cannot be read or written, or has another number of indexes with rows.
pub fn damage_index(history: &Path) {
    let mut bytes = fs::read(history).unwrap();
    let cells = |page: &[u8]| u16::from_be_bytes([page[3], page[4]]);
    let mut leaves: Vec<_> = bytes
        .chunks_mut(PAGE)
        .filter(|page| page[0] == LEAF_OF_AN_INDEX && cells(page) > 0)
        .collect();
    assert_eq!(leaves.len(), 1, "indexes with rows");
    // The array of cell pointers begins after the page's header.
    leaves[0].copy_within(8..10, 10);
    fs::write(history, bytes).unwrap();
}
