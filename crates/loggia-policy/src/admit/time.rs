//! Times: the clamp rule for event times, and RFC 3339.
//!
//! The rule: a record without a time, or with one before 1970, gets the time of receipt; so does one more than five
//! minutes in the future of the receipt. A time within those five minutes is clock skew and stays. A record older than its
//! stream's retention is kept and counted: retention works by the earlier of event time and receipt, so it goes at the
//! next run.

/// How far in the future of the receipt an event time may be.
pub const FUTURE_SKEW_MAX_NS: i64 = 5 * 60 * 1_000_000_000;

pub(super) const DAY_NS: i64 = 86_400 * 1_000_000_000;

/// What was done to a time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Clamp {
    Kept,
    Missing,
    Future,
}

/// Event time of a row.
pub(super) fn clamp(event_ns: Option<i64>, now_ns: i64) -> (i64, Clamp) {
    match event_ns {
        Some(event) if event > now_ns.saturating_add(FUTURE_SKEW_MAX_NS) => (now_ns, Clamp::Future),
        Some(event) if event > 0 => (event, Clamp::Kept),
        Some(_) | None => (now_ns, Clamp::Missing),
    }
}

/// Oldest event time within a retention.
pub(super) fn oldest(now_ns: i64, days: u32) -> i64 {
    now_ns.saturating_sub(DAY_NS.saturating_mul(i64::from(days)))
}

/// Start of the day of a time.
pub(super) fn day_start(time_ns: i64) -> i64 {
    time_ns.saturating_sub(time_ns.rem_euclid(DAY_NS))
}

/// Unix nanoseconds of a number that counts seconds, milliseconds, microseconds or nanoseconds, by its size.
pub(super) fn from_epoch(number: i64) -> Option<i64> {
    let scale = match number.unsigned_abs() {
        0..100_000_000_000 => 1_000_000_000,
        100_000_000_000..100_000_000_000_000 => 1_000_000,
        100_000_000_000_000..100_000_000_000_000_000 => 1_000,
        _ => 1,
    };
    number.checked_mul(scale)
}

/// Unix nanoseconds of an RFC 3339 time, or of a date at midnight UTC.
pub(super) fn parse(text: &str) -> Option<i64> {
    let text = text.trim();
    let day = day_number(text.get(..10)?)?;
    let rest = text.get(10..)?;
    let seconds = day.checked_mul(86_400)?;
    if rest.is_empty() {
        return seconds.checked_mul(1_000_000_000);
    }
    let rest = rest.strip_prefix(['T', 't', ' '])?;
    let hour = number(rest.get(..2)?, 23)?;
    let minute = number(rest.get(2..5)?.strip_prefix(':')?, 59)?;
    let second = number(rest.get(5..8)?.strip_prefix(':')?, 60)?;
    let (nanos, zone) = fraction(rest.get(8..)?)?;
    let offset = zone_seconds(zone)?;
    let of_day =
        hour.checked_mul(3_600)?.checked_add(minute.checked_mul(60)?)?.checked_add(second)?;
    seconds.checked_add(of_day)?.checked_sub(offset)?.checked_mul(1_000_000_000)?.checked_add(nanos)
}

/// Days since 1970-01-01 of `YYYY-MM-DD`.
fn day_number(text: &str) -> Option<i64> {
    let year = number(text.get(..4)?, 9_999)?;
    let month = number(text.get(4..7)?.strip_prefix('-')?, 12)?;
    let day = number(text.get(7..10)?.strip_prefix('-')?, 31)?;
    let leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    let last = match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    if month == 0 || day == 0 || day > last {
        return None;
    }
    // Days by a calendar that begins in March, so that a leap day comes last.
    let year = if month <= 2 { year.checked_sub(1)? } else { year };
    let month = if month <= 2 { month.checked_add(9)? } else { month.checked_sub(3)? };
    let leaps = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    Some(year * 365 + leaps + (month * 153 + 2) / 5 + day - 1 - 719_468)
}

fn number(text: &str, max: i64) -> Option<i64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let value = if digits { text.parse().ok()? } else { return None };
    (value <= max).then_some(value)
}

/// Nanoseconds of `.123`, and what follows.
fn fraction(text: &str) -> Option<(i64, &str)> {
    let Some(rest) = text.strip_prefix('.') else { return Some((0, text)) };
    let length = rest.bytes().take_while(u8::is_ascii_digit).count();
    let digits = rest.get(..length.min(9))?;
    let mut nanos = number(digits, 999_999_999)?;
    for _ in digits.len()..9 {
        nanos = nanos.checked_mul(10)?;
    }
    Some((nanos, rest.get(length..)?))
}

/// Seconds east of UTC of `Z` or `+01:00`.
fn zone_seconds(text: &str) -> Option<i64> {
    if matches!(text, "Z" | "z" | "") {
        return Some(0);
    }
    let (sign, rest) = match (text.strip_prefix('+'), text.strip_prefix('-')) {
        (Some(rest), _) => (1, rest),
        (None, Some(rest)) => (-1, rest),
        (None, None) => return None,
    };
    let (hours, minutes) = rest.split_once(':').or_else(|| rest.split_at_checked(2))?;
    let seconds = number(hours, 23)?.checked_mul(3_600)?.checked_add(number(minutes, 59)? * 60)?;
    seconds.checked_mul(sign)
}

#[cfg(test)]
mod tests {
    use super::{Clamp, DAY_NS, FUTURE_SKEW_MAX_NS, clamp, day_start, from_epoch, parse};

    #[test]
    fn event_times_are_clamped() {
        let now = 1_800_000_000 * 1_000_000_000;
        for (event, expected) in [
            (None, (now, Clamp::Missing)),
            (Some(0), (now, Clamp::Missing)),
            (Some(-1), (now, Clamp::Missing)),
            (Some(i64::MAX), (now, Clamp::Future)),
            (Some(now + FUTURE_SKEW_MAX_NS + 1), (now, Clamp::Future)),
            (Some(now + FUTURE_SKEW_MAX_NS), (now + FUTURE_SKEW_MAX_NS, Clamp::Kept)),
            (Some(1), (1, Clamp::Kept)),
        ] {
            assert_eq!(clamp(event, now), expected, "{event:?}");
        }
        assert_eq!(clamp(Some(i64::MAX), i64::MAX), (i64::MAX, Clamp::Kept));
    }

    #[test]
    fn times_are_read() {
        for (text, seconds) in [
            ("1970-01-01", Some(0)),
            ("1970-01-01T00:00:01Z", Some(1)),
            ("2024-02-29T12:00:00+02:00", Some(1_709_200_800)),
            ("2024-02-29 12:00:00-0530", Some(1_709_227_800)),
            ("1969-12-31T23:59:59Z", Some(-1)),
            ("2023-02-29", None),
            ("2024-13-01", None),
            ("2024-01-01T25:00:00Z", None),
            ("2024-01-01T1", None),
            ("no date at all", None),
            ("", None),
        ] {
            assert_eq!(parse(text), seconds.map(|s: i64| s * 1_000_000_000), "{text}");
        }
        assert_eq!(parse("1970-01-01T00:00:00.0015Z"), Some(1_500_000));
    }

    #[test]
    fn epochs_are_told_apart() {
        let expected = Some(1_700_000_000 * 1_000_000_000);
        for number in [1_700_000_000, 1_700_000_000_000, 1_700_000_000_000_000] {
            assert_eq!(from_epoch(number), expected);
        }
        assert_eq!(from_epoch(1_700_000_000_000_000_000), expected);
        assert_eq!(day_start(DAY_NS + 5), DAY_NS);
        assert_eq!(day_start(-5), -DAY_NS);
    }
}
