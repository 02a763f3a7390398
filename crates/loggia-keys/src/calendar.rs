//! UTC days and months of Unix times, as key names need them.

const NANOS_PER_DAY: i64 = 86_400_000_000_000;

/// Number of the UTC day, counted from 1970-01-01.
pub(crate) fn day_number(time_ns: i64) -> i64 {
    time_ns.div_euclid(NANOS_PER_DAY)
}

/// `YYYY-MM-DD` of a day number.
pub(crate) fn day_text(day: i64) -> String {
    let (year, month, day) = civil(day);
    format!("{year:04}-{month:02}-{day:02}")
}

/// `YYYY-MM` of a Unix time in nanoseconds.
pub(crate) fn month_text(time_ns: i64) -> String {
    let (year, month, _) = civil(day_number(time_ns));
    format!("{year:04}-{month:02}")
}

/// Whether the text is a day as [`day_text`] writes it.
pub(crate) fn is_day(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() == 10
        && bytes.iter().enumerate().all(|(at, byte)| {
            if at == 4 || at == 7 { *byte == b'-' } else { byte.is_ascii_digit() }
        })
}

/// Year, month and day of a day number, by the proleptic Gregorian calendar (the era method: years begin in March, so that
/// the leap day comes last).
fn civil(day: i64) -> (i64, i64, i64) {
    let shifted = day.saturating_add(719_468);
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests;
