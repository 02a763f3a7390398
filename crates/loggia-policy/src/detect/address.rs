//! Street addresses by rule: number and street type in either order, street names of one word, keys of addresses.

use super::chars::{
    ALPHA, HIGH, LOWER, UPPER, at, before, char_at, char_before, class, is_alnum, is_digit,
    is_word, run, skip_blanks, starts, starts_ci, sub,
};
use super::kind::EntityKind;
use super::scan::Scan;
use super::words::flag;

/// Ends of one-word street names, lower case.
const STREET_ENDINGS: &[&str] = &[
    "straße",
    "strasse",
    "str",
    "weg",
    "allee",
    "gasse",
    "platz",
    "ring",
    "damm",
    "ufer",
    "stieg",
    "steig",
    "laan",
    "straat",
    "dreef",
    "plein",
    "hof",
    "baan",
    "gracht",
    "singel",
    "kade",
    "gatan",
    "vägen",
    "väg",
    "gränd",
    "stigen",
    "gata",
    "torget",
    "vej",
    "gade",
    "allé",
    "katu",
    "utca",
    "dijk",
    "pad",
    "steeg",
    "plantsoen",
    "park",
    "markt",
    "boulevard",
];

impl Scan<'_> {
    /// Handles a house number before a street: `12 Elm Road`, `7, rue des Lilas`.
    pub(super) fn street_number(&mut self, start: usize, end: usize) -> bool {
        let mut pos = end + usize::from(at(self.bytes, end) == b',');
        if at(self.bytes, pos) != b' '
            || matches!(before(self.bytes, start), b'.' | b'-' | b'/' | b':' | b'=' | b'$' | b'#')
                && !self.near(flag::ADDR, start, 24)
        {
            return false;
        }
        pos += 1;
        let (mut words, mut stop, mut weak, mut before_type) = (0usize, 0usize, false, false);
        while words < 5 {
            let (word_end, mask) = self.measure(pos);
            let capital = char_at(self.text, pos).is_some_and(char::is_uppercase);
            let flags = self.lookup(pos, word_end);
            let first_type = words == 0 && flags & flag::STREET_BEFORE != 0 && word_end - pos > 2;
            if word_end == pos
                || mask & (ALPHA | HIGH) == 0
                || !(capital || first_type || before_type && flags & flag::PARTICLE != 0)
            {
                break;
            }
            if words == 0
                && flags & flag::COMMON != 0
                && flags & (flag::STREET_AFTER | flag::STREET_BEFORE | flag::PLACE) == 0
            {
                return false;
            }
            before_type |= first_type;
            if words == 0 && capital && one_word_street(self.text.get(pos..word_end).unwrap_or(""))
            {
                (stop, weak) = (word_end, false);
            } else if words > 0 && flags & flag::STREET_AFTER != 0 && capital {
                (stop, weak) = (word_end, flags & flag::STREET_WEAK != 0);
            } else if before_type && words > 0 && capital {
                (stop, weak) = (word_end, false);
            } else if words > 0 && stop > 0 {
                break;
            }
            words += 1;
            match at(self.bytes, word_end) {
                b' ' => pos = word_end + 1,
                b'-' | b'\'' => pos = word_end + 1,
                b',' | b'\n' => {
                    pos = word_end + 1;
                    break;
                }
                _ => break,
            }
        }
        if stop == 0
            && words >= 2
            && matches!(at(self.bytes, pos - 1), b',' | b'\n')
            && self.near(flag::ADDR, start, 24)
        {
            (stop, weak) = (pos - 1, false);
        }
        if stop == 0 {
            return false;
        }
        let whole = self.unit_after(stop);
        let placed = whole > stop
            || matches!(at(self.bytes, stop), b',' | b'\n' | b'.' | 0)
            || starts(self.bytes, stop, b"\\n");
        if weak && !placed && !self.near(flag::ADDR, start, 48) {
            return false;
        }
        self.emit(self.unit_before(start), whole, EntityKind::Address, 75);
        true
    }

    /// Handles a word that is or ends in a street type, with its number behind it.
    pub(super) fn street(&mut self, start: usize, end: usize, flags: u64, mask: u8) -> bool {
        if flags & flag::STREET_BEFORE != 0 && self.street_of_words(start, end) {
            return true;
        }
        let numbered = match at(self.bytes, end) {
            b' ' => is_digit(at(self.bytes, end + 1)),
            b'.' => at(self.bytes, end + 1) == b' ' && is_digit(at(self.bytes, end + 2)),
            _ => false,
        };
        if mask & LOWER == 0 || end - start < 3 || !numbered {
            return false;
        }
        if at(self.bytes, end) == b' ' && self.post_box(start, end) {
            return true;
        }
        let word = self.text.get(start..end).unwrap_or("");
        let lower_start = char_at(self.text, start).is_some_and(char::is_lowercase);
        let joined = before(self.bytes, start) == b'-';
        let Some(ending) = STREET_ENDINGS.iter().find(|ending| ends_ci(word, ending)) else {
            return false;
        };
        let bare = word.len() == ending.len();
        if lower_start
            || word.len() < ending.len() + 3 && !joined && !bare
            || matches!(
                word,
                "Spring"
                    | "String"
                    | "During"
                    | "Bring"
                    | "Monitoring"
                    | "Park"
                    | "Ring"
                    | "Pad"
                    | "Str"
            ) && !joined
        {
            return false;
        }
        let pos = end + usize::from(at(self.bytes, end) == b'.' && ending.ends_with("str"));
        let Some(number_end) = self.house_number(pos, false) else { return false };
        let from = self.street_start(start, bare);
        let backed = from < start
            || self.near(flag::ADDR, start, 48)
            || at(self.bytes, number_end) == b',' && is_digit(at(self.bytes, number_end + 2));
        if WEAK_ENDINGS.contains(ending) && !ending.starts_with("str") && !backed {
            return false;
        }
        if bare && from == start {
            return false;
        }
        let whole = self.unit_after(number_end);
        self.emit(from, whole, EntityKind::Address, 80);
        true
    }

    /// Handles `Box` of `PO Box 12`, and `Postfach 12`.
    fn post_box(&mut self, start: usize, end: usize) -> bool {
        let po = [&b"PO "[..], b"P.O. ", b"P. O. ", b"P.O "].into_iter().find(|po| {
            start.checked_sub(po.len()).is_some_and(|from| starts(self.bytes, from, po))
        });
        let from = match po {
            Some(po) if starts_ci(self.bytes, start, b"box") && end - start == 3 => {
                start - po.len()
            }
            _ if starts(self.bytes, start, b"Postfach")
                || starts(self.bytes, start, b"Postbus") =>
            {
                start
            }
            _ => return false,
        };
        let stop = run(self.bytes, end + 1, 7, is_digit);
        if at(self.bytes, end) != b' ' || stop == end + 1 {
            return false;
        }
        self.emit(from, stop, EntityKind::Address, 85);
        true
    }

    /// Reads `Via Roma, 2`, `Calle de Alcalá 569`, `plac Wolności 5/9`.
    fn street_of_words(&mut self, start: usize, end: usize) -> bool {
        let (mut pos, mut words) = (end + usize::from(at(self.bytes, end) == b'.'), 0usize);
        while words < 7 && at(self.bytes, pos) == b' ' || words > 0 && at(self.bytes, pos) == b'-' {
            let (word_end, mask) = self.measure(pos + 1);
            let capital = char_at(self.text, pos + 1).is_some_and(char::is_uppercase);
            let flags = self.lookup(pos + 1, word_end);
            if word_end == pos + 1
                || mask & (ALPHA | HIGH) == 0
                || !capital && flags & flag::PARTICLE == 0
            {
                break;
            }
            if flags & flag::COMMON != 0
                && flags & (flag::PARTICLE | flag::PLACE) == 0
                && capital
                && words == 0
            {
                return false;
            }
            words += usize::from(capital);
            pos = word_end + usize::from(at(self.bytes, word_end) == b'.' && word_end - pos <= 4);
            if at(self.bytes, pos) == b'\'' && is_word(at(self.bytes, pos + 1)) {
                pos = self.measure(pos + 1).0;
            }
        }
        if words == 0 {
            return false;
        }
        let comma = at(self.bytes, pos) == b',';
        let Some(number_end) = self.house_number(pos + usize::from(comma), true) else {
            return false;
        };
        let whole = self.unit_after(number_end);
        self.emit(self.unit_before(start), whole, EntityKind::Address, 80);
        true
    }

    /// Reads ` 12`, ` 12a`, ` 12/3`, ` 12-14`, ` 569 823` behind a street name.
    fn house_number(&self, pos: usize, second: bool) -> Option<usize> {
        if at(self.bytes, pos) != b' ' {
            return None;
        }
        let mut start = pos + 1;
        for word in [&b"n. "[..], b"no. ", b"nr. ", b"n\xc2\xba ", b"s/n"] {
            if starts_ci(self.bytes, start, word) {
                start += word.len();
            }
        }
        let end = run(self.bytes, start, 6, is_digit);
        if !matches!(end - start, 1..=5) {
            return None;
        }
        let year = end - start == 4 && matches!(sub(self.bytes, start, start + 2), b"19" | b"20");
        let mut stop = end;
        if matches!(at(self.bytes, stop), b'/' | b'-') && is_digit(at(self.bytes, stop + 1)) {
            stop = run(self.bytes, stop + 1, 4, is_digit);
        } else if second
            && at(self.bytes, stop) == b' '
            && (1..=3).all(|i| is_digit(at(self.bytes, stop + i)))
            && !is_word(at(self.bytes, stop + 4))
        {
            stop += 4;
        }
        if class(at(self.bytes, stop)) & ALPHA != 0 && !is_word(at(self.bytes, stop + 1)) {
            stop += 1;
        }
        let next = at(self.bytes, stop);
        let figure = is_word(next)
            || matches!(next, b'%' | b':' | b'/' | b'-')
            || matches!(next, b'.' | b',') && is_digit(at(self.bytes, stop + 1));
        let plain_year = year && !self.near(flag::ADDR, pos, 64);
        (!figure && !plain_year).then_some(stop)
    }

    /// Extends a street to the left: hyphenated parts, and one adjective or name before a bare type.
    fn street_start(&self, start: usize, bare: bool) -> usize {
        let mut from = start;
        let word_before = |mut i: usize| {
            while let Some(c) = char_before(self.text, i)
                && c.is_alphabetic()
                && start - i < 48
            {
                i -= c.len_utf8();
            }
            i
        };
        while before(self.bytes, from) == b'-' && from > self.floor + 1 {
            let next = word_before(from - 1);
            if next == from - 1 {
                break;
            }
            from = next;
        }
        if bare && before(self.bytes, from) == b' ' {
            let next = word_before(from - 1);
            if char_at(self.text, next).is_some_and(char::is_uppercase) && next >= self.floor {
                from = next;
            }
        }
        from
    }

    /// Returns the end of a flat or suite that follows a street, or `end`.
    fn unit_after(&self, end: usize) -> usize {
        let mut pos = end;
        if at(self.bytes, pos) == b',' {
            pos += 1;
        }
        pos = run(self.bytes, pos, 6, |byte| matches!(byte, b' ' | b'\n' | b'>' | b'?'));
        let (word_end, _) = self.measure(pos);
        if word_end == pos || self.lookup(pos, word_end) & flag::UNIT == 0 {
            return end;
        }
        pos = skip_blanks(self.bytes, word_end + usize::from(at(self.bytes, word_end) == b'.'), 2);
        pos += usize::from(at(self.bytes, pos) == b'#');
        let stop = run(self.bytes, pos, 6, is_alnum);
        let some = sub(self.bytes, pos, stop).iter().any(u8::is_ascii_digit) || stop == pos + 1;
        if some { stop } else { end }
    }

    /// Returns where a flat that precedes a street begins (`Apt. 137 57 Elm Road`), or `start`.
    fn unit_before(&self, start: usize) -> usize {
        let mut pos = start;
        while pos > self.floor
            && matches!(before(self.bytes, pos), b' ' | b',' | b'\n')
            && start - pos < 3
        {
            pos -= 1;
        }
        let digits_end = pos;
        while pos > self.floor && is_digit(before(self.bytes, pos)) && digits_end - pos < 5 {
            pos -= 1;
        }
        if pos == digits_end || before(self.bytes, pos) != b' ' {
            return start;
        }
        let mut word_end = pos - 1;
        word_end -= usize::from(word_end > 0 && before(self.bytes, word_end) == b'.');
        let mut word = word_end;
        while word > self.floor
            && class(before(self.bytes, word)) & ALPHA != 0
            && word_end - word < 12
        {
            word -= 1;
        }
        if word < word_end && self.lookup(word, word_end) & flag::UNIT != 0 { word } else { start }
    }

    /// Handles the key of an address: `Address: …`, `"address": "…"`, `Adresse : …`.
    pub(super) fn address_after_key(&mut self, end: usize) -> bool {
        if self.previous.flags & flag::ADDR_KEY == 0 {
            return false;
        }
        let Some(value) = self.value_after(end) else { return false };
        let limit = if value.quoted {
            value.end
        } else {
            run(self.bytes, value.start, 120, |byte| byte != b'\n' && byte != b'"' && byte != b'<')
        };
        let (mut stop, mut from) = (value.start, value.start);
        let (mut letters, mut number) = (false, false);
        while from < limit {
            let comma = run(self.bytes, from, limit - from, |byte| byte != b',');
            let part = sub(self.bytes, from, comma);
            letters |= part.iter().filter(|byte| class(**byte) & (ALPHA | HIGH) != 0).count() >= 3
                && part.iter().any(|byte| class(*byte) & UPPER != 0);
            let strange = part
                .iter()
                .any(|byte| matches!(byte, b'@' | b':' | b'=' | b'{' | b'[' | b'(' | b';' | b'?'));
            number |= part.split(|byte| !is_alnum(*byte)).any(|word| {
                matches!(word.len(), 1..=5) && word.first().is_some_and(u8::is_ascii_digit)
            });
            if strange {
                return false;
            }
            stop = comma;
            if letters && number {
                break;
            }
            from = comma + 1;
        }
        if !letters
            || !number
            || stop < value.start + 6
            || !sub(self.bytes, value.start, stop).contains(&b' ')
        {
            return false;
        }
        let whole = self.unit_after(stop);
        self.emit(value.start, whole, EntityKind::Address, 70);
        true
    }
}

/// Endings that are words or parts of other words as well.
const WEAK_ENDINGS: &[&str] =
    &["ring", "park", "hof", "pad", "markt", "steig", "str", "damm", "ufer"];

/// Tells whether a capitalised word is a street by its ending (`Evelienlaan`).
fn one_word_street(word: &str) -> bool {
    let ending = STREET_ENDINGS.iter().find(|ending| ends_ci(word, ending));
    ending.is_some_and(|ending| {
        ending.len() >= 4 && !WEAK_ENDINGS.contains(ending) && word.len() >= ending.len() + 3
    }) || ends_ci(word, "boulevard") && word.len() > 11
}

/// Tells whether a word ends in `ending`, ignoring ASCII case.
fn ends_ci(word: &str, ending: &str) -> bool {
    word.len()
        .checked_sub(ending.len())
        .and_then(|at| word.get(at..))
        .is_some_and(|tail| tail.eq_ignore_ascii_case(ending))
}
