//! No use wears out a sector within ten years. With `--nocapture` it prints the table that
//! `docs/flash-format.md` quotes.

use crate::years::uses;

/// The number of erases that makers of NOR flash promise.
const ENDURANCE: f64 = 100_000.0;

#[test]
fn ten_years_wear_no_sector_out() {
    println!("| what | a day | sectors | bytes a write | erases in 10 years | of 100,000 |");
    println!("|---|---|---|---|---|---|");
    for use_ in uses() {
        let worn = use_.most_worn_in_ten_years();
        let row = format!(
            "| {} | {} | {} x {} KiB | {} | {worn:.0} | {:.1} % |",
            use_.what,
            use_.a_day,
            use_.sectors,
            use_.sector_len / 1_024,
            use_.bytes,
            100.0 * worn / ENDURANCE,
        );
        println!("{row}");
        assert!(worn > 100.0, "{row}");
        assert!(worn < ENDURANCE, "{row}");
        if use_.a_day == 3.0 {
            assert!(worn < ENDURANCE / 30.0, "{row}");
        }
    }
}
