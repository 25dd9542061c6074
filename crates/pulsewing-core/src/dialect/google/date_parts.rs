//! A date as its parts come.

use jiff::civil::Date;

use super::super::scalar;
use crate::json::Event;

/// The parts of a `google.type.Date` so far.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct DateParts {
    year: Option<i16>,
    month: Option<i8>,
    day: Option<i8>,
}

impl DateParts {
    pub(super) fn take_year(&mut self, event: Event<'_>) {
        self.year = part(event);
    }

    pub(super) fn take_month(&mut self, event: Event<'_>) {
        self.month = part(event);
    }

    pub(super) fn take_day(&mut self, event: Event<'_>) {
        self.day = part(event);
    }

    /// Returns the date; `None` if a part is missing, or there is no such day.
    pub(super) fn date(self) -> Option<Date> {
        Date::new(self.year?, self.month?, self.day?).ok()
    }
}

fn part<T: TryFrom<i64>>(event: Event<'_>) -> Option<T> {
    T::try_from(scalar::whole(event)?).ok()
}
