//! A date as its parts come.

use jiff::civil::Date;

/// The parts of a `google.type.Date` so far.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct DateParts {
    pub(super) year: Option<i64>,
    pub(super) month: Option<i64>,
    pub(super) day: Option<i64>,
}

impl DateParts {
    /// Returns the date; `None` if a part is missing, or there is no such day.
    pub(super) fn date(self) -> Option<Date> {
        let year = i16::try_from(self.year?).ok()?;
        let month = i8::try_from(self.month?).ok()?;
        let day = i8::try_from(self.day?).ok()?;
        Date::new(year, month, day).ok()
    }
}
