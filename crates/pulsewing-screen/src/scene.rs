//! Selects the picture for a model.

use embedded_graphics::{prelude::*, primitives::Rectangle};
use pulsewing_core::reading::Freshness;

use crate::{
    Ink, Model, State, Theme, Wallpaper, banner, big, classic, desk,
    model::{Facts, Latest},
    page,
    slot::Family,
    state::Notice,
    wallpaper,
};

/// A kind of picture.
pub(crate) enum Scene<'m> {
    /// A reading, with a banner if there is something else to say.
    Classic(&'m Facts<'m>, Option<Notice<'m>>),
    /// The classic theme's own notice that there are too few minutes: this many.
    ClassicWaiting(&'m Facts<'m>, u16),
    /// A reading, with a banner if there is something else to say.
    Desk(&'m Facts<'m>, Option<Notice<'m>>),
    /// The same, in the big face.
    Big(&'m Facts<'m>, Option<Notice<'m>>),
    /// No heart rate yet, on a wallpaper.
    Waiting(Notice<'m>),
    /// No heart rate yet, for a reason.
    Page(Notice<'m>),
}

impl<'m> Scene<'m> {
    pub(crate) fn new(model: &'m Model<'m>) -> Self {
        let notice = model.state.map(Notice::from_state);
        // Any other circumstance is a reason not to show the calm waiting screen.
        let is_waiting = matches!(model.state, None | Some(State::NoValuesYet));
        match (&model.facts, model.theme) {
            (Some(facts), Theme::Classic) => match facts.latest {
                Latest::TooFew(logged) if is_waiting && facts.freshness != Freshness::Cached => {
                    Self::ClassicWaiting(facts, logged)
                }
                _ => Self::Classic(facts, notice),
            },
            (Some(facts), Theme::Desk) if facts.rate.is_some() => Self::Desk(facts, notice),
            (Some(facts), Theme::Big) if facts.rate.is_some() => Self::Big(facts, notice),
            // A failure must not be shown as "no values yet".
            (Some(facts), Theme::Desk | Theme::Big)
                if model.state.is_none() && facts.freshness == Freshness::Cached =>
            {
                Self::Page(Notice::from_failure())
            }
            _ if is_waiting => Self::Waiting(Notice::from_state(State::NoValuesYet)),
            _ => Self::Page(notice.unwrap_or_else(Notice::from_failure)),
        }
    }

    /// Returns the place of the wallpaper in a picture of this size, if one is visible.
    pub(crate) fn sky(&self, size: Size) -> Option<Rectangle> {
        match self {
            Self::ClassicWaiting(facts, logged) => classic::sky(facts, *logged, size),
            Self::Waiting(notice) => page::sky(notice, size),
            Self::Classic(..) | Self::Desk(..) | Self::Big(..) | Self::Page(_) => None,
        }
    }

    /// Returns whether a wallpaper may be the background.
    pub(crate) const fn may_have_backdrop(&self) -> bool {
        matches!(self, Self::Desk(..) | Self::Big(..))
    }

    /// Draws it; the wallpaper is behind a reading only if it `is_backdrop`.
    pub(crate) fn draw<D: DrawTarget<Color = Ink>>(
        self,
        wallpaper: Option<&Wallpaper<'_>>,
        is_backdrop: bool,
        target: &mut D,
    ) -> Result<(), D::Error> {
        let whole = target.bounding_box();
        if self.may_have_backdrop() {
            target.clear(Ink::Ground)?;
            if let Some(wallpaper) = wallpaper.filter(|_| is_backdrop) {
                wallpaper::draw_backdrop(wallpaper, target)?;
            }
        }
        match self {
            Self::Classic(facts, None) => classic::draw(facts, target),
            Self::Classic(facts, Some(notice)) => {
                let rows = banner::area(whole.size, Family::Helvetica).rows();
                let above = Size::new(whole.size.width, rows.start.max(0).cast_unsigned());
                let above = Rectangle::new(Point::zero(), above);
                classic::draw(facts, &mut target.cropped(&above))?;
                banner::draw(&notice, Family::Helvetica, target)
            }
            Self::ClassicWaiting(facts, logged) => {
                classic::draw_on_wallpaper(facts, logged, wallpaper, target)
            }
            Self::Desk(facts, notice) => {
                let notice = notice.or_else(|| of_freshness(facts));
                if big::is_for(whole.size) {
                    return big::draw(facts, notice.as_ref(), true, target);
                }
                let layout = desk::Layout::new(whole.size, notice.is_some());
                desk::draw(facts, notice.as_ref(), &layout, target)?;
                match notice {
                    Some(notice) => banner::draw(&notice, Family::Barlow, target),
                    None => Ok(()),
                }
            }
            Self::Big(facts, notice) => {
                let notice = notice.or_else(|| of_freshness(facts));
                big::draw(facts, notice.as_ref(), false, target)
            }
            Self::Waiting(notice) => page::draw_on_wallpaper(&notice, wallpaper, target),
            Self::Page(notice) => page::draw(&notice, target),
        }
    }
}

fn of_freshness(facts: &Facts<'_>) -> Option<Notice<'static>> {
    Notice::from_freshness(facts.freshness, facts.absence)
}
