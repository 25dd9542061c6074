//! Dots in a terminal: a cell is two dots wide and four high, and has one colour.

use pulsewing_core::heart_zone::HeartZone;

/// The dots of a cell, and the zone that gives it its colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Cell {
    pattern: u8,
    zone: Option<HeartZone>,
}

/// The bits of a cell's dots in a braille pattern, line by line (Unicode, "Braille Patterns").
const BITS: [[u8; 2]; 4] = [[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]];

/// The first of the braille patterns, the one without dots.
const NO_DOTS: u32 = 0x2800;

impl Cell {
    /// Returns a cell with one dot on its left, in this line of dots.
    pub(super) fn dotted(line: u16) -> Self {
        let mut cell = Self::default();
        cell.light(0, line, None);
        cell
    }

    /// Lights a dot. Of several zones in a cell the highest gives the colour, and very low before all others,
    /// so that nothing remarkable disappears.
    fn light(&mut self, column: u16, line: u16, zone: Option<HeartZone>) {
        let bits = BITS.get(usize::from(line % 4)).copied().unwrap_or_default();
        self.pattern |= bits.get(usize::from(column % 2)).copied().unwrap_or(0);
        let rank = |zone: Option<HeartZone>| (zone == Some(HeartZone::VeryLow), zone);
        if rank(zone) > rank(self.zone) {
            self.zone = zone;
        }
    }

    /// Returns whether no dot is lit.
    pub(super) const fn is_empty(self) -> bool {
        self.pattern == 0
    }

    /// Returns the zone that gives the colour.
    pub(super) const fn zone(self) -> Option<HeartZone> {
        self.zone
    }

    /// Returns the character.
    pub(super) fn character(self) -> char {
        char::from_u32(NO_DOTS + u32::from(self.pattern)).unwrap_or(' ')
    }
}

/// An area of cells.
#[derive(Debug)]
pub(super) struct Dots {
    columns: u16,
    rows: u16,
    cells: Vec<Cell>,
}

impl Dots {
    /// Creates an area without dots.
    pub(super) fn new(columns: u16, rows: u16) -> Self {
        Self {
            columns,
            rows,
            cells: vec![Cell::default(); usize::from(columns) * usize::from(rows)],
        }
    }

    /// Lights a dot; does nothing if it is outside.
    pub(super) fn light(&mut self, x: u16, y: u16, zone: HeartZone) {
        let (column, row) = (x / 2, y / 4);
        if column >= self.columns || row >= self.rows {
            return;
        }
        let place = usize::from(row) * usize::from(self.columns) + usize::from(column);
        if let Some(cell) = self.cells.get_mut(place) {
            cell.light(x, y, Some(zone));
        }
    }

    /// Returns all cells with their columns and rows.
    pub(super) fn cells(&self) -> impl Iterator<Item = (u16, u16, Cell)> + '_ {
        (0..self.rows)
            .flat_map(|row| (0..self.columns).map(move |column| (column, row)))
            .zip(&self.cells)
            .map(|((column, row), cell)| (column, row, *cell))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_dot_of_a_cell_has_its_own_place() {
        let mut dots = Dots::new(2, 2);
        let mut seen = Vec::new();
        for y in 0..4 {
            for x in 0..2 {
                let mut one = Dots::new(1, 1);
                one.light(x, y, HeartZone::Easy);
                seen.extend(one.cells().map(|(_, _, cell)| cell.character()));
                dots.light(x + 2, y + 4, HeartZone::Easy);
            }
        }
        assert_eq!(seen.iter().collect::<String>(), "⠁⠈⠂⠐⠄⠠⡀⢀");
        dots.light(4, 0, HeartZone::Easy);
        dots.light(0, 8, HeartZone::Easy);
        let drawn: String = dots.cells().map(|(_, _, cell)| cell.character()).collect();
        assert_eq!(drawn, "⠀⠀⠀⣿");
        assert_eq!(Cell::dotted(6).character(), '⠄');
    }

    #[test]
    fn the_most_remarkable_zone_gives_the_colour() {
        let zone = |zones: &[HeartZone]| {
            let mut dots = Dots::new(1, 1);
            for (y, zone) in (0..).zip(zones) {
                dots.light(0, y, *zone);
            }
            dots.cells().find_map(|(_, _, cell)| cell.zone())
        };
        assert_eq!(zone(&[]), None);
        let (easy, light, low) = (HeartZone::Easy, HeartZone::Light, HeartZone::VeryLow);
        assert_eq!(zone(&[light, easy]), Some(light));
        assert_eq!(zone(&[easy, light]), Some(light));
        assert_eq!(zone(&[low, light]), Some(low));
    }
}
