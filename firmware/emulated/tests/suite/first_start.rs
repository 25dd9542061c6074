//! From an erased flash to the first picture, with both clouds.

use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, ensure};
use pulsewing_emulated::{Rig, board::Running, picture::Picture};

use super::{Check, FIRST_CYCLE, shows_what_the_host_shows};

pub(crate) const CHECKS: &[Check] = &[
    Check {
        name: "a new board says what it needs",
        run: a_new_board_says_what_it_needs,
    },
    Check {
        name: "a fitbit board is set up, signed in, and shows what the host shows",
        run: |rig| reports_and_shows_what_the_host_does(rig, "fitbit"),
    },
    Check {
        name: "a google board is set up, signed in, and shows what the host shows",
        run: |rig| reports_and_shows_what_the_host_does(rig, "google"),
    },
    Check {
        name: "a screenshot on the card is what the screen shows",
        run: a_screenshot_on_the_card_is_what_the_screen_shows,
    },
    Check {
        name: "the button puts a screenshot onto the card",
        run: the_button_puts_a_screenshot_onto_the_card,
    },
    Check {
        name: "a dark screen stays dark until the button is pressed",
        run: a_dark_screen_stays_dark_until_the_button_is_pressed,
    },
    Check {
        name: "the button, held, erases everything",
        run: the_button_held_erases_everything,
    },
];

fn a_new_board_says_what_it_needs(rig: &Rig) -> Result<()> {
    let bench = rig.bench()?;
    let mut board = bench.start()?;
    ensure!(
        board.status("board")?.as_deref() == Some("virt"),
        "the board does not know its name"
    );
    ensure!(
        board.status("chain")?.as_deref() == Some("none"),
        "an erased flash holds a chain"
    );
    board.wait_for_status("network", Duration::from_secs(20), |value| value == "wired")?;
    board.wait_for_status("address", Duration::from_secs(20), |value| {
        value == "10.0.2.15"
    })?;
    // Make sure that this is the first screen, not an empty one.
    let shown = board.screen()?;
    let first = shown.pixels[0];
    ensure!(
        shown.pixels.iter().any(|pixel| *pixel != first),
        "the screen is empty"
    );
    Ok(())
}

fn reports_and_shows_what_the_host_does(rig: &Rig, provider: &str) -> Result<()> {
    let (clouds, _time, bench) = rig.signed_in(provider, &[])?;
    let mut board = bench.start()?;
    board.wait_for_update(FIRST_CYCLE)?;
    let expected = shows_what_the_host_shows(rig, &clouds, provider, &mut board)?;
    let report = report(&board)?;
    ensure!(
        facts_of(&report) == facts_of(&expected),
        "the board reports\n{report}\nand the host\n{expected}"
    );
    Ok(())
}

/// Returns the last report on the console: from one rule to the other.
fn report(board: &Running<'_>) -> Result<String> {
    let so_far = board.lines().since(0);
    let start = so_far
        .iter()
        .rposition(|line| line.starts_with("Attempting to GET"))
        .context("there is no report")?;
    let (end, _) =
        board.wait_for_line(start, FIRST_CYCLE, |line| line.starts_with("Next Update"))?;
    let lines = board.lines().since(start);
    Ok(lines[..end - start].join("\n"))
}

/// Returns a report's lines about the heart: its first and last lines differ between a board and a host.
fn facts_of(report: &str) -> Vec<&str> {
    let differs = [
        "Board Uptime",
        "Next Update",
        "Next token",
        "Finished",
        "Attempting",
    ];
    report
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with("==="))
        .filter(|line| !line.starts_with('#'))
        .filter(|line| !differs.iter().any(|start| line.starts_with(start)))
        .collect()
}

fn the_button_puts_a_screenshot_onto_the_card(rig: &Rig) -> Result<()> {
    let bench = rig.bench()?;
    let mut board = bench.start()?;
    let start = board.lines().count();
    board.qmp.press("b", Duration::from_millis(200))?;
    let is_done = |line: &str| line.contains("saved the picture to the card");
    let (_, line) = board.wait_for_line(start, Duration::from_secs(20), is_done)?;
    let name = line.rsplit(' ').next().unwrap_or_default().to_owned();
    board.cut_power()?;
    Picture::from_bmp(&bench.card.get(&name)?)
        .map(drop)
        .with_context(|| format!("{name} cannot be read"))
}

fn a_dark_screen_stays_dark_until_the_button_is_pressed(rig: &Rig) -> Result<()> {
    // Signed in, because a board that needs a person is lit.
    let (_clouds, _time, bench) = rig.signed_in("google", &[])?;
    let mut board = bench.start()?;
    let becomes = |board: &Running<'_>, start, percent| {
        let line = format!("# backlight: {percent} %");
        board.wait_for_line(start, Duration::from_secs(20), |said| said == line)
    };
    board.ask("set screen.backlight 0")?;
    becomes(&board, 0, 0)?;
    board.cut_power()?;
    let mut board = bench.start()?;
    becomes(&board, 0, 0)?;
    let start = board.lines().count();
    board.qmp.press("b", Duration::from_millis(200))?;
    becomes(&board, start, 10)?;
    // The press was for the light; another one is a screenshot. One that comes before the key is up
    // again is none.
    let is_done = |line: &str| line.contains("saved the picture to the card");
    let mut saved = Err(anyhow!("no press"));
    for _ in 0..5 {
        board.qmp.press("b", Duration::from_millis(200))?;
        saved = board.wait_for_line(start, Duration::from_secs(4), is_done);
        if saved.is_ok() {
            break;
        }
    }
    let (_, line) = saved?;
    ensure!(line.contains("SHOT0001.BMP"), "{line}");
    Ok(())
}

fn the_button_held_erases_everything(rig: &Rig) -> Result<()> {
    let bench = rig.bench()?;
    let mut board = bench.start()?;
    board.ask("set wearer.name Ada")?;
    let start = board.lines().count();
    board.qmp.press("b", Duration::from_secs(6))?;
    board.restarted(start)?;
    let settings = board.ask("set")?;
    ensure!(
        settings.iter().all(|line| !line.contains("Ada")),
        "the wearer's name is still there"
    );
    Ok(())
}

fn a_screenshot_on_the_card_is_what_the_screen_shows(rig: &Rig) -> Result<()> {
    let bench = rig.bench()?;
    let mut board = bench.start()?;
    board.wait_for_status("network", Duration::from_secs(20), |value| value == "wired")?;
    let answer = board.ask("shot card")?;
    let name = answer
        .iter()
        .find_map(|line| line.strip_prefix("file: "))
        .with_context(|| format!("no file in {answer:?}"))?;
    let shown = board.screen()?;
    let name = name.to_owned();
    board.cut_power()?;
    let bitmap = bench.card.get(&name)?;
    let saved = Picture::from_bmp(&bitmap).context("the screenshot cannot be read")?;
    saved.check_equal(&shown)
}
