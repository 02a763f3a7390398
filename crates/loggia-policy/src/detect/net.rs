//! Network addresses: IPv4 (also defanged), IPv6, MAC; and what looks like them but is not (UUIDs, times, versions).
//!
//! Loopback, unspecified and broadcast addresses are nobody's and stay.

use super::chars::{
    ALPHA, at, before, class, is_alnum, is_digit, is_hex, is_word, run, starts, sub,
};
use super::kind::EntityKind;
use super::scan::Scan;
use super::words::flag;

impl Scan<'_> {
    /// Handles a number that may begin an IPv4 address; returns whether the text was consumed.
    pub(super) fn ipv4(&mut self, start: usize) -> bool {
        let mut octets = [0u16; 4];
        let (mut pos, mut defanged) = (start, false);
        for (i, octet) in octets.iter_mut().enumerate() {
            if i > 0 {
                if at(self.bytes, pos) == b'.' {
                    pos += 1;
                } else if starts(self.bytes, pos, b"[.]") || starts(self.bytes, pos, b"(.)") {
                    (pos, defanged) = (pos + 3, true);
                } else {
                    return false;
                }
            }
            let end = run(self.bytes, pos, 4, is_digit);
            if !matches!(end - pos, 1..=3) || end - pos > 1 && at(self.bytes, pos) == b'0' {
                return false;
            }
            *octet =
                sub(self.bytes, pos, end).iter().fold(0, |n, byte| n * 10 + u16::from(byte - b'0'));
            pos = end;
        }
        let next = at(self.bytes, pos);
        let more =
            matches!(next, b'.' | b'-') && is_digit(at(self.bytes, pos + 1)) || is_word(next);
        if more || octets.iter().any(|octet| *octet > 255) {
            return false;
        }
        let local = matches!(octets, [127 | 0, ..] | [255, 255, 255, _]);
        if !local && (defanged || !self.is_version(start, octets)) {
            self.emit(start, pos, EntityKind::IpAddress, 90);
        } else {
            self.barrier(pos);
        }
        true
    }

    /// Tells whether four numbers are a version: after such a word, or a product's name and `/`.
    fn is_version(&self, start: usize, octets: [u16; 4]) -> bool {
        let sign = before(self.bytes, start);
        if sign == b'/' && is_alnum(before(self.bytes, start - 1)) {
            let mut word = start - 1;
            while word > 0 && is_alnum(before(self.bytes, word)) && start - word < 24 {
                word -= 1;
            }
            return at(self.bytes, word).is_ascii_uppercase();
        }
        let small = octets.iter().all(|octet| *octet < 64);
        let section = before(self.bytes, start) == 0xa7;
        section
            || sign == b'-'
            || sign == b'.'
            || self.near(flag::VERSION, start, if small { 16 } else { 4 })
    }

    /// Handles `::` at a place where an IPv6 address may begin.
    pub(super) fn ipv6(&mut self, start: usize) {
        self.ipv6_from(start);
    }

    fn ipv6_from(&mut self, start: usize) -> bool {
        let (mut pos, mut groups, mut gap, mut digits, mut filled) =
            (start, 0usize, false, false, 0u32);
        loop {
            if starts(self.bytes, pos, b"::") && !gap {
                (gap, pos) = (true, pos + 2);
            } else if groups > 0 {
                if at(self.bytes, pos) != b':' || !is_hex(at(self.bytes, pos + 1)) {
                    break;
                }
                pos += 1;
            } else if at(self.bytes, pos) == b':' {
                return false;
            }
            let end = run(self.bytes, pos, 5, is_hex);
            if end == pos {
                break;
            }
            if end - pos > 4 || is_word(at(self.bytes, end)) || groups == 8 {
                return false;
            }
            let group = sub(self.bytes, pos, end);
            digits |= group.iter().any(u8::is_ascii_digit);
            filled += u32::from(group != b"0" && group != b"1");
            groups += 1;
            pos = end;
        }
        let next = at(self.bytes, pos);
        // `f16::f16` is a path of a program; two groups alone must begin as networks do.
        let global = matches!(at(self.bytes, start), b'2' | b'3' | b'f' | b'F')
            && at(self.bytes, start + 4) == b':';
        let port = starts(self.bytes, start, b"::1:");
        let whole = !port
            && if gap {
                groups <= 7 && digits && (groups > 2 || groups == 2 && global)
            } else {
                groups == 8
            };
        if !whole
            || next == b':'
            || next == b'.' && is_digit(at(self.bytes, pos + 1))
            || filled == 0
        {
            return false;
        }
        self.emit(start, pos, EntityKind::IpAddress, 90);
        true
    }

    /// Handles a short word that may be the first group of a MAC or IPv6 address.
    pub(super) fn hex_word(&mut self, start: usize, end: usize) -> bool {
        let (prev, next) = (before(self.bytes, start), at(self.bytes, end));
        if !matches!(next, b':' | b'-' | b'.')
            || !sub(self.bytes, start, end).iter().all(|byte| is_hex(*byte))
        {
            return false;
        }
        if prev == b':' && is_hex(before(self.bytes, start - 1)) || prev == b'-' || prev == b'.' {
            return false;
        }
        end - start == 2 && self.mac(start, 2, next)
            || end - start == 4 && next == b'.' && self.mac(start, 4, next)
            || next == b':' && self.ipv6_from(start)
    }

    /// Reads `aa:bb:cc:dd:ee:ff`, `aa-bb-…` or `aabb.ccdd.eeff`.
    fn mac(&mut self, start: usize, width: usize, sign: u8) -> bool {
        let groups = 12 / width;
        let mut pos = start;
        for i in 0..groups {
            if i > 0 {
                if at(self.bytes, pos) != sign {
                    return false;
                }
                pos += 1;
            }
            if !(0..width).all(|k| is_hex(at(self.bytes, pos + k))) {
                return false;
            }
            pos += width;
        }
        let next = at(self.bytes, pos);
        let body = sub(self.bytes, start, pos);
        let nobody = body.iter().all(|byte| matches!(byte, b'0' | b':' | b'-' | b'.'))
            || body.iter().all(|byte| matches!(byte, b'f' | b'F' | b':' | b'-' | b'.'));
        if is_word(next)
            || next == sign && is_hex(at(self.bytes, pos + 1))
            || nobody
            || width == 2 && sign == b'.'
        {
            return false;
        }
        self.emit(start, pos, EntityKind::MacAddress, 95);
        true
    }

    /// Returns the end of a UUID that begins at `start`.
    pub(super) fn uuid_end(&self, start: usize) -> Option<usize> {
        let mut pos = start;
        for (i, width) in [8usize, 4, 4, 4, 12].into_iter().enumerate() {
            if i > 0 {
                if at(self.bytes, pos) != b'-' {
                    return None;
                }
                pos += 1;
            }
            let end = run(self.bytes, pos, width + 1, is_hex);
            if end - pos != width {
                return None;
            }
            pos = end;
        }
        (class(at(self.bytes, pos)) & ALPHA == 0).then_some(pos)
    }
}
