//! Reads the time stamps that logs carry, to Unix nanoseconds. Needs no clock and no time zone
//! data: a stamp without a zone counts as UTC, and one without a year takes it from `now_ns`.
//!
//! Every function takes bytes and returns how many of them the stamp takes up.

const NS_PER_S: i64 = 1_000_000_000;
const DAY_S: i64 = 86_400;

/// A calendar date and a time of day.
#[derive(Clone, Copy, Default)]
struct Stamp {
    year: i64,
    month: i64,
    day: i64,
    hour: i64,
    minute: i64,
    second: i64,
    nanos: i64,
    offset_s: i64,
}

impl Stamp {
    fn unix_ns(self) -> Option<i64> {
        let date_fits = (1..=12).contains(&self.month)
            && (1..=days_in_month(self.year, self.month)).contains(&self.day);
        // Second 60 is a leap second.
        let clock_fits = self.hour <= 23 && self.minute <= 59 && self.second <= 60;
        if !date_fits || !clock_fits {
            return None;
        }
        let days = days_from_civil(self.year, self.month, self.day);
        let seconds = days * DAY_S + self.hour * 3600 + self.minute * 60 + self.second;
        (seconds - self.offset_s).checked_mul(NS_PER_S)?.checked_add(self.nanos)
    }
}

/// Reads an RFC 3339 stamp or one of its relatives: `2025-05-20T16:48:58.123Z`,
/// `2025-05-20 16:48:58,123`, `2025/05/20 16:48:58 +0200`, at the start of `bytes`.
pub(crate) fn iso(bytes: &[u8]) -> Option<(i64, usize)> {
    let mut scan = Scan::new(bytes);
    let mut stamp = Stamp { year: scan.number(4)?, ..Stamp::default() };
    let separator = scan.one_of(b"-/")?;
    stamp.month = scan.number(2)?;
    scan.one_of(&[separator])?;
    stamp.day = scan.number(2)?;
    scan.one_of(b"Tt ")?;
    scan.spaces();
    scan.clock(&mut stamp)?;
    scan.zone(&mut stamp);
    Some((stamp.unix_ns()?, scan.used))
}

/// Reads the stamp of RFC 3164, which has no year: `Nov 24 03:09:16`. The year is the latest that
/// does not put it more than a day after `now_ns`.
pub(crate) fn rfc3164(bytes: &[u8], now_ns: i64) -> Option<(i64, usize)> {
    let mut scan = Scan::new(bytes);
    let mut stamp = scan.month_day_clock()?;
    let (year, _, _) = civil_from_days(now_ns.div_euclid(NS_PER_S).div_euclid(DAY_S));
    let latest = now_ns.saturating_add(DAY_S * NS_PER_S);
    // 29 February may lie up to eight years back.
    let ns = (year - 8..=year + 1).rev().find_map(|year| {
        stamp.year = year;
        stamp.unix_ns().filter(|ns| *ns <= latest)
    })?;
    Some((ns, scan.used))
}

/// Reads what `ctime` writes: `Mon Nov 24 03:09:16.123456 2025`.
pub(crate) fn ctime(bytes: &[u8]) -> Option<(i64, usize)> {
    const WEEKDAYS: [&[u8]; 7] = [b"Mon", b"Tue", b"Wed", b"Thu", b"Fri", b"Sat", b"Sun"];
    let mut scan = Scan::new(bytes);
    let weekday = scan.take(3)?;
    if !WEEKDAYS.contains(&weekday) {
        return None;
    }
    scan.one_of(b" ")?;
    let mut stamp = scan.month_day_clock()?;
    scan.one_of(b" ")?;
    stamp.year = scan.number(4)?;
    Some((stamp.unix_ns()?, scan.used))
}

/// Reads the stamp of web servers' access logs, without its brackets:
/// `24/Nov/2025:03:09:16 +0000`.
pub(crate) fn common_log(bytes: &[u8]) -> Option<(i64, usize)> {
    let mut scan = Scan::new(bytes);
    let mut stamp = Stamp { day: scan.number(2)?, ..Stamp::default() };
    scan.one_of(b"/")?;
    stamp.month = scan.month()?;
    scan.one_of(b"/")?;
    stamp.year = scan.number(4)?;
    scan.one_of(b":")?;
    scan.clock(&mut stamp)?;
    scan.zone(&mut stamp);
    Some((stamp.unix_ns()?, scan.used))
}

/// Reads a whole text as a time: an RFC 3339 stamp or its relatives, or an epoch number.
pub(crate) fn any(text: &str) -> Option<i64> {
    if let Some((ns, used)) = iso(text.as_bytes()) {
        return (used == text.len()).then_some(ns);
    }
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    if !digits(whole.strip_prefix('-').unwrap_or(whole)) || !digits(fraction) {
        return None;
    }
    let whole: i64 = whole.parse().ok()?;
    if fraction.is_empty() {
        return epoch_int(whole);
    }
    let (unit, unit_digits) = epoch_unit(whole)?;
    let kept = fraction.get(..unit_digits).unwrap_or(fraction);
    let scale = 10_i64.checked_pow(u32::try_from(unit_digits.checked_sub(kept.len())?).ok()?)?;
    let part = if kept.is_empty() { 0 } else { kept.parse::<i64>().ok()? } * scale;
    let part = if text.starts_with('-') { -part } else { part };
    whole.checked_mul(unit)?.checked_add(part)
}

/// Reads an epoch number; its size tells seconds, milliseconds, microseconds and nanoseconds apart.
pub(crate) fn epoch_int(number: i64) -> Option<i64> {
    number.checked_mul(epoch_unit(number)?.0)
}

/// The same for a number with a fraction, to the microsecond, which is what a double can hold.
pub(crate) fn epoch_float(number: f64) -> Option<i64> {
    if !number.is_finite() || number.abs() >= 9.0e18 {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, reason = "bounded just above")]
    let (unit, _) = epoch_unit(number as i64)?;
    #[expect(clippy::cast_precision_loss, reason = "a power of ten below 2^53")]
    let micros = (number * (unit as f64 / 1000.0)).round();
    if micros.abs() >= 9.0e15 {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, reason = "bounded just above")]
    let micros = micros as i64;
    micros.checked_mul(1000)
}

/// Nanoseconds per unit, and how many decimal digits of the unit make a nanosecond.
fn epoch_unit(number: i64) -> Option<(i64, usize)> {
    match number.checked_abs()? {
        0..=99_999_999_999 => Some((NS_PER_S, 9)),
        100_000_000_000..=99_999_999_999_999 => Some((1_000_000, 6)),
        100_000_000_000_000..=99_999_999_999_999_999 => Some((1000, 3)),
        _ => Some((1, 0)),
    }
}

/// Days from 1970-01-01 in the proleptic Gregorian calendar.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let shifted = if month <= 2 { year - 1 } else { year };
    let era = shifted.div_euclid(400);
    let year_of_era = shifted.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// Year, month and day of a day counted from 1970-01-01.
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let z = days + 719_468;
    let day_of_era = z.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + z.div_euclid(146_097) * 400;
    (if month <= 2 { year + 1 } else { year }, month, day)
}

fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Reads from the front of a stamp.
struct Scan<'a> {
    rest: &'a [u8],
    used: usize,
}

impl<'a> Scan<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, used: 0 }
    }

    fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(len)?;
        self.rest = rest;
        self.used += len;
        Some(taken)
    }

    fn one_of(&mut self, set: &[u8]) -> Option<u8> {
        let first = *self.rest.first()?;
        if !set.contains(&first) {
            return None;
        }
        self.take(1).map(|_taken| first)
    }

    fn spaces(&mut self) {
        while self.one_of(b" ").is_some() {}
    }

    /// A number of exactly so many digits.
    fn number(&mut self, digits: usize) -> Option<i64> {
        let taken = self.rest.get(..digits)?;
        let mut number = 0;
        for byte in taken {
            number = number * 10 + i64::from(digit(*byte)?);
        }
        self.take(digits).map(|_taken| number)
    }

    fn month(&mut self) -> Option<i64> {
        const MONTHS: &[u8] = b"JanFebMarAprMayJunJulAugSepOctNovDec";
        let name = self.rest.get(..3)?;
        let at = MONTHS.chunks(3).position(|month| month.eq_ignore_ascii_case(name))?;
        self.take(3)?;
        i64::try_from(at + 1).ok()
    }

    /// `Nov 24 03:09:16`, the day filled with a space or a zero; no year.
    fn month_day_clock(&mut self) -> Option<Stamp> {
        let mut stamp = Stamp { month: self.month()?, ..Stamp::default() };
        self.one_of(b" ")?;
        self.spaces();
        stamp.day = self.number(2).or_else(|| self.number(1))?;
        self.one_of(b" ")?;
        self.clock(&mut stamp)?;
        Some(stamp)
    }

    /// `HH:MM:SS` with an optional fraction after a dot or a comma.
    fn clock(&mut self, stamp: &mut Stamp) -> Option<()> {
        stamp.hour = self.number(2)?;
        self.one_of(b":")?;
        stamp.minute = self.number(2)?;
        self.one_of(b":")?;
        stamp.second = self.number(2)?;
        let has_fraction = matches!(self.rest, [b'.' | b',', next, ..] if next.is_ascii_digit());
        if has_fraction {
            self.take(1)?;
            let mut unit = NS_PER_S / 10;
            while let Some(digit) = self.rest.first().copied().and_then(digit) {
                stamp.nanos += i64::from(digit) * unit;
                unit /= 10;
                self.take(1)?;
            }
        }
        Some(())
    }

    /// An optional zone: `Z`, `+02:00`, `+0200`, `+02`, the last three also after a space.
    fn zone(&mut self, stamp: &mut Stamp) {
        if self.one_of(b"Zz").is_some() {
            return;
        }
        let mut ahead = Scan::new(self.rest);
        let spaced = ahead.one_of(b" ").is_some();
        if let Some(offset_s) = ahead.offset(spaced) {
            stamp.offset_s = offset_s;
            let used = ahead.used;
            self.take(used).unwrap_or_default();
        }
    }

    fn offset(&mut self, minutes_needed: bool) -> Option<i64> {
        let sign = if self.one_of(b"+-")? == b'-' { -1 } else { 1 };
        let hours = self.number(2)?;
        let colon = self.one_of(b":").is_some();
        let minutes = match self.number(2) {
            Some(minutes) => minutes,
            None if colon || minutes_needed => return None,
            None => 0,
        };
        (hours <= 23 && minutes <= 59).then_some(sign * (hours * 3600 + minutes * 60))
    }
}

fn digit(byte: u8) -> Option<u8> {
    byte.is_ascii_digit().then(|| byte - b'0')
}

#[cfg(test)]
mod tests;
