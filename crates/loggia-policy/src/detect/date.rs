//! Dates and times: a date is of interest after a word of birth only; the others are passed over as a whole.

use super::chars::{at, is_alnum, is_digit, run, starts, sub};
use super::kind::EntityKind;
use super::number::Cluster;
use super::scan::Scan;
use super::words::flag;

impl Scan<'_> {
    /// Recognises a numeric date; returns its last group and its year.
    pub(super) fn date_at(&self, cluster: &Cluster, i: usize) -> Option<(usize, u32)> {
        if i + 2 >= cluster.count {
            return None;
        }
        let sign = cluster.sign(i, i + 2).filter(|sign| matches!(sign, b'-' | b'/' | b'.'))?;
        if i > 0 && cluster.group(i).sign == sign
            || cluster.group(i + 3).sign == sign && i + 3 < cluster.count
        {
            return None;
        }
        if (i..i + 3).any(|k| cluster.group(k).len() > 4) {
            return None;
        }
        let value = |k: usize| {
            cluster.digits(k, k).iter().fold(0u32, |n, digit| n * 10 + u32::from(*digit))
        };
        let (a, b, c) = (value(i), value(i + 1), value(i + 2));
        let lens = [cluster.group(i).len(), cluster.group(i + 1).len(), cluster.group(i + 2).len()];
        let day_month = matches!((a, b), (1..=31, 1..=12) | (1..=12, 1..=31));
        match lens {
            [4, 1 | 2, 1 | 2]
                if (1000..3000).contains(&a) && (1..=12).contains(&b) && (1..=31).contains(&c) =>
            {
                Some((i + 2, a))
            }
            [1 | 2, 1 | 2, 4] if day_month && (1000..3000).contains(&c) => Some((i + 2, c)),
            [1 | 2, 1 | 2, 2] if day_month && self.near(flag::BORN, cluster.group(i).start, 24) => {
                Some((i + 2, 1900 + c))
            }
            _ => None,
        }
    }

    /// Handles `04:20:14` and MAC or IPv6 addresses that begin with digits.
    pub(super) fn time_or_mac(&mut self, start: usize, end: usize) -> bool {
        if end - start > 4 {
            return false;
        }
        if self.hex_word(start, end) {
            return true;
        }
        if end - start > 2
            || !is_digit(at(self.bytes, end + 1))
            || !is_digit(at(self.bytes, end + 2))
        {
            return false;
        }
        let mut pos = end + 3;
        if at(self.bytes, pos) == b':' && is_digit(at(self.bytes, pos + 1)) {
            pos = run(self.bytes, pos + 1, 2, is_digit);
        }
        if matches!(at(self.bytes, pos), b'.' | b',') && is_digit(at(self.bytes, pos + 1)) {
            pos = run(self.bytes, pos + 1, 9, is_digit);
        }
        self.pos = pos;
        true
    }

    /// Handles `2021-01-19T04:20:14.818Z` when no birth is spoken of.
    pub(super) fn timestamp(&mut self, start: usize) -> bool {
        let digits =
            |from: usize| is_digit(at(self.bytes, from)) && is_digit(at(self.bytes, from + 1));
        let date = at(self.bytes, start + 4) == b'-'
            && at(self.bytes, start + 7) == b'-'
            && digits(start + 5)
            && digits(start + 8);
        let time = matches!(at(self.bytes, start + 10), b'T' | b' ')
            && digits(start + 11)
            && at(self.bytes, start + 13) == b':';
        if !date || !time || self.near(flag::BORN, start, 32) {
            return false;
        }
        let mut pos = run(self.bytes, start + 14, 16, |byte| {
            is_digit(byte) || matches!(byte, b':' | b'.' | b',')
        });
        if at(self.bytes, pos) == b'Z' {
            pos += 1;
        } else if matches!(at(self.bytes, pos), b'+' | b'-') && digits(pos + 1) {
            pos = run(self.bytes, pos + 1, 5, |byte| is_digit(byte) || byte == b':');
        }
        self.pos = pos;
        true
    }

    /// Handles `26 May 1991`, `26. März 1991`, `26 de mayo de 1991`, `1985年3月2日` after a word of birth.
    pub(super) fn textual_date(&mut self, start: usize, end: usize) -> bool {
        if !self.near(flag::BORN, start, 32) {
            return false;
        }
        if end - start == 4 && starts(self.bytes, end, "年".as_bytes()) {
            let stop = run(self.bytes, end, 16, |byte| is_digit(byte) || byte >= 0x80);
            let day = sub(self.bytes, end, stop).windows(3).position(|c| c == "日".as_bytes());
            if let Some(day) = day {
                self.emit(start, end + day + 3, EntityKind::DateOfBirth, 90);
                return true;
            }
        }
        if end - start > 2 {
            return false;
        }
        let mut pos = end;
        for suffix in [&b"."[..], b"st", b"nd", b"rd", b"th", b" "] {
            if starts(self.bytes, pos, suffix) {
                pos += suffix.len();
            }
        }
        for particle in [&b"de "[..], b"of ", b" "] {
            if starts(self.bytes, pos, particle) {
                pos += particle.len();
            }
        }
        let (word_end, _) = self.measure(pos);
        if word_end == pos || self.lookup(pos, word_end) & flag::MONTH == 0 {
            return false;
        }
        self.year_after(start, word_end)
    }

    /// Handles `March 18, 1980` after a word of birth.
    pub(super) fn month_first_date(&mut self, start: usize, end: usize, _flags: u64) -> bool {
        let pos = end
            + usize::from(at(self.bytes, end) == b'.')
            + usize::from(at(self.bytes, end) == b' ');
        let day_end = run(self.bytes, pos, 3, is_digit);
        if !self.near(flag::BORN, start, 32) || !matches!(day_end - pos, 1 | 2) {
            return false;
        }
        let suffix = [&b"st"[..], b"nd", b"rd", b"th"]
            .into_iter()
            .any(|suffix| starts(self.bytes, day_end, suffix));
        self.year_after(start, if suffix { day_end + 2 } else { day_end })
    }

    /// Emits a date of birth when a year follows at `pos`.
    fn year_after(&mut self, start: usize, pos: usize) -> bool {
        let mut pos = run(self.bytes, pos, 3, |byte| matches!(byte, b' ' | b',' | b'.'));
        if starts(self.bytes, pos, b"de ") || starts(self.bytes, pos, b"of ") {
            pos += 3;
        }
        let end = run(self.bytes, pos, 5, is_digit);
        if end - pos != 4
            || !matches!(at(self.bytes, pos), b'1' | b'2')
            || is_alnum(at(self.bytes, end))
        {
            return false;
        }
        self.emit(start, end, EntityKind::DateOfBirth, 90);
        true
    }
}
