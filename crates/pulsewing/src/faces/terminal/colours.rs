//! The colours of a terminal, if it may have any. The colour of a zone means nothing else, so everything that
//! the viewer should notice for another reason is bold, or reversed.

use pulsewing_core::heart_zone::HeartZone;
use ratatui::style::{Color, Style};

use super::View;

/// Returns the colour of a zone, the same as on the desk screen and the page. Those that every terminal has are
/// taken from its own scheme; orange and amber are of the 256 that nearly all have.
pub(super) const fn of(zone: HeartZone) -> Color {
    match zone {
        HeartZone::VeryLow => Color::Indexed(214),
        HeartZone::Easy => Color::LightBlue,
        HeartZone::Light => Color::Cyan,
        HeartZone::Moderate => Color::Yellow,
        HeartZone::Vigorous => Color::Indexed(208),
        HeartZone::Peak => Color::LightMagenta,
    }
}

/// Returns the style of a zone's name.
pub(super) fn name_of(zone: HeartZone, view: &View<'_>) -> Style {
    let bold = Style::new().bold();
    if view.has_colour {
        bold.fg(of(zone))
    } else {
        bold
    }
}

/// The style of what the viewer should notice.
pub(super) fn notable() -> Style {
    Style::new().bold().reversed()
}
