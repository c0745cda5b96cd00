//! Dates and times as SQLite and MLtraq know them: texts, to the microsecond.

use jiff::civil::{Date, DateTime, Time};

use crate::value::ValueError;

/// `2024-01-02 03:04:05.000678`; what is below a microsecond is dropped, towards the past.
pub(super) fn datetime(x: DateTime) -> Result<String, ValueError> {
    Ok(format!("{} {}", date(x.date())?, time(x.time())))
}

/// `2024-01-02`.
pub(super) fn date(x: Date) -> Result<String, ValueError> {
    if x.year() < 0 {
        return Err(ValueError::new(format!(
            "the date {x} cannot be stored: its year is negative"
        )));
    }
    Ok(format!("{:04}-{:02}-{:02}", x.year(), x.month(), x.day()))
}

/// `23:59:58.123456`.
pub(super) fn time(x: Time) -> String {
    format!(
        "{:02}:{:02}:{:02}.{:06}",
        x.hour(),
        x.minute(),
        x.second(),
        x.subsec_nanosecond() / 1000
    )
}

pub(super) fn parse<T: std::str::FromStr>(expected: &str, text: &str) -> Result<T, ValueError> {
    text.parse()
        .map_err(|_| ValueError::expected(expected, format_args!("{text:?}")))
}
