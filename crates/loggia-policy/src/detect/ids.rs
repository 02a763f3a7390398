//! Words of letters and digits: IBAN, national ids with letters, wallets, passports and licences in context; and
//! the hashes and UUIDs that are none of these.

use super::chars::{
    ALPHA, DIGIT, HIGH, LOWER, NOT_HEX, UNDER, UPPER, at, before, class, is_alnum, is_digit,
    is_word, run, starts, sub,
};
use super::checks;
use super::kind::EntityKind;
use super::scan::{Previous, Scan};
use super::wallet::is_wallet;
use super::words::flag;

/// Length of an IBAN by country.
const IBAN_LENGTHS: &[u8] = b"AD24AE23AL28AT20AZ28BA20BE16BG22BH22BI27BR29BY28CH21CR22CY28CZ24DE22DJ27DK18DO28EE20EG29ES24\
FI18FK18FO18FR27GB22GE22GI23GL18GR27GT28HR21HU28IE22IL23IQ23IS26IT27JO30KW30KZ20LB28LC32LI21LT20LU20LV21LY25MC27MD24ME22\
MK19MN20MR27MT31MU30NI28NL18NO15OM23PK24PL28PS29PT25QA29RO24RS22RU33SA24SC31SD18SE24SI19SK24SM27SO23ST25SV28TL23TN24TR26\
UA29VA22VG24XK20YE30";

impl Scan<'_> {
    /// Handles a word of letters and digits.
    pub(super) fn mixed(&mut self, start: usize, end: usize, mask: u8) {
        if self.secret_prefix(start, end) {
            return;
        }
        let length = end - start;
        if mask & NOT_HEX == 0 && mask & (UNDER | HIGH) == 0 {
            if length == 8
                && at(self.bytes, end) == b'-'
                && let Some(uuid) = self.uuid_end(start)
            {
                self.barrier(uuid);
                return;
            }
            if length <= 4 && self.hex_word(start, end) {
                return;
            }
        }
        if mask & (UNDER | HIGH) == 0 && self.coded_id(start, end, mask) {
            return;
        }
        if length <= 5 && is_digit(before(self.bytes, end - 1)) && self.street_number(start, end) {
            return;
        }
        let flags =
            if mask & UNDER != 0 { self.compound(start, end) } else { self.lookup(start, end) };
        let previous = std::mem::replace(&mut self.previous, Previous { start, end, flags });
        self.note(flags, end);
        if flags & (flag::PASSWORD | flag::TOKEN | flag::USER | flag::NAME_KEY) != 0 {
            self.assignment(start, end, flags, previous);
        }
    }

    /// Ids that are one word of ASCII letters and digits.
    fn coded_id(&mut self, start: usize, end: usize, mask: u8) -> bool {
        let (length, free) =
            (end - start, !matches!(before(self.bytes, start), b'-' | b'/' | b'+' | b'=' | b'.'));
        if matches!(class(at(self.bytes, start)) & ALPHA, 1..) && self.iban(start) {
            return true;
        }
        let word = sub(self.bytes, start, end);
        if length >= 26 && is_wallet(word) {
            self.emit(start, end, EntityKind::Crypto, 98);
            return true;
        }
        let first = class(at(self.bytes, start));
        if first & UPPER != 0 && length <= 9 && self.nino(start) {
            return true;
        }
        if length == 16 && first & ALPHA != 0 {
            let upper: [u8; 16] = std::array::from_fn(|i| at(word, i).to_ascii_uppercase());
            if checks::codice_fiscale(&upper) {
                self.emit(start, end, EntityKind::IdNumber, 98);
                return true;
            }
        }
        if free && mask & LOWER == 0 && self.national_id(start, end, word) {
            return true;
        }
        before(self.bytes, start) != b'#' && self.document(start, end)
    }

    /// Handles a short upper-case word that may begin an IBAN or NINO written in groups.
    pub(super) fn letters_first_id(&mut self, start: usize, end: usize) -> bool {
        let next = at(self.bytes, end);
        end - start == 2
            && matches!(next, b' ' | b'-')
            && is_digit(at(self.bytes, end + 1))
            && self.nino(start)
    }

    /// Reads an IBAN, together or in groups, and checks length and check digits.
    fn iban(&mut self, start: usize) -> bool {
        let (a, b) = (
            at(self.bytes, start).to_ascii_uppercase(),
            at(self.bytes, start + 1).to_ascii_uppercase(),
        );
        if !is_digit(at(self.bytes, start + 2)) || !is_digit(at(self.bytes, start + 3)) {
            return false;
        }
        let entry = IBAN_LENGTHS.chunks_exact(4).find(|entry| entry.starts_with(&[a, b]));
        let Some([_, _, tens, ones]) = entry else { return false };
        let want = usize::from((tens - b'0') * 10 + ones - b'0');
        let mut compact = [0u8; 34];
        let (mut pos, mut len) = (start, 0usize);
        while len < want {
            let byte = at(self.bytes, pos);
            if is_alnum(byte) {
                if let Some(slot) = compact.get_mut(len) {
                    *slot = byte;
                }
                len += 1;
                pos += 1;
            } else if matches!(byte, b' ' | b'-') && is_alnum(at(self.bytes, pos + 1)) && len > 3 {
                pos += 1;
            } else if starts(self.bytes, pos, "\u{a0}".as_bytes()) {
                pos += 2;
            } else {
                return false;
            }
        }
        if is_word(at(self.bytes, pos)) || !checks::iban_mod97(sub(&compact, 0, want)) {
            return false;
        }
        self.emit(start, pos, EntityKind::Iban, 99);
        true
    }

    /// Reads a UK national insurance number: two letters, six digits, a letter A to D.
    fn nino(&mut self, start: usize) -> bool {
        let (a, b) = (at(self.bytes, start), at(self.bytes, start + 1));
        let barred = matches!(&[a, b], b"BG" | b"GB" | b"KN" | b"NK" | b"NT" | b"TN" | b"ZZ")
            || b"DFIQUV".contains(&a)
            || b"DFIQUVO".contains(&b);
        if barred || !a.is_ascii_uppercase() || !b.is_ascii_uppercase() {
            return false;
        }
        let mut pos = start + 2;
        for _ in 0..3 {
            pos += usize::from(matches!(at(self.bytes, pos), b' ' | b'-'));
            if !is_digit(at(self.bytes, pos)) || !is_digit(at(self.bytes, pos + 1)) {
                return false;
            }
            pos += 2;
        }
        pos += usize::from(matches!(at(self.bytes, pos), b' ' | b'-'));
        if !matches!(at(self.bytes, pos), b'A'..=b'D') || is_word(at(self.bytes, pos + 1)) {
            return false;
        }
        self.emit(start, pos + 1, EntityKind::UkNino, 92);
        true
    }

    /// National ids whose letters are part of the number (upper case only).
    fn national_id(&mut self, start: usize, end: usize, word: &[u8]) -> bool {
        let known = self.near(flag::ID | flag::DOC, start, 40);
        let other = self.near(flag::OTHER, start, 12) && !known;
        let strong = !other
            && (checks::china_id(word)
                || word.len() == 9 && (dni(word) || checks::nric(word))
                || curp(word)
                || known
                    && (pan_india(word)
                        || pps(word)
                        || taiwan_id(word)
                        || checks::rut(word)
                        || nir_corsica(word)));
        if strong {
            self.emit(start, end, EntityKind::IdNumber, 90);
            return true;
        }
        if word.len() == 7 || word.len() == 8 {
            return self.hkid(start, end);
        }
        false
    }

    /// Reads `A123456(7)`.
    fn hkid(&mut self, start: usize, end: usize) -> bool {
        let bracket = at(self.bytes, end) == b'(' && at(self.bytes, end + 2) == b')';
        let known = self.near(flag::ID, start, 40);
        if !bracket && !known {
            return false;
        }
        let mut compact = [0u8; 9];
        let word = sub(self.bytes, start, end);
        for (slot, byte) in compact.iter_mut().zip(word) {
            *slot = *byte;
        }
        let mut len = word.len();
        if bracket && let Some(slot) = compact.get_mut(len) {
            *slot = at(self.bytes, end + 1);
            len += 1;
        }
        if !checks::hkid(sub(&compact, 0, len)) {
            return false;
        }
        self.emit(start, if bracket { end + 3 } else { end }, EntityKind::IdNumber, 90);
        true
    }

    /// A passport or licence number right after such a word; account and record numbers with letters.
    pub(super) fn document(&mut self, start: usize, end: usize) -> bool {
        let stop = run(self.bytes, end, 12, |byte| is_alnum(byte) || byte == b'-');
        let stop = if before(self.bytes, stop) == b'-' { stop - 1 } else { stop };
        let word = sub(self.bytes, start, stop);
        let digits = word.iter().filter(|byte| byte.is_ascii_digit()).count();
        if !matches!(word.len(), 6..=20)
            || digits < 1
            || word.iter().any(u8::is_ascii_lowercase)
            || is_word(at(self.bytes, stop))
        {
            return false;
        }
        let (doc, med) = (self.distance(flag::DOC, start), self.distance(flag::MED, start));
        let other = self.distance(flag::OTHER, start);
        let kind = if doc <= 24 && doc < other && (digits > 1 || doc <= 16) {
            EntityKind::IdNumber
        } else if med <= 24 && digits >= 5 && (med < other || self.near(flag::MED, start, 12)) {
            EntityKind::MedicalId
        } else {
            return false;
        };
        self.emit(start, stop, kind, 75);
        true
    }

    /// Ids that begin with digits and end with a sign and letters: `12345678-Z`, `131052-308T`.
    pub(super) fn digits_then_letter(&mut self, start: usize, end: usize) -> bool {
        let sign = at(self.bytes, end);
        if !matches!(sign, b'-' | b'+' | b'A' | b' ') {
            return false;
        }
        let stop = run(self.bytes, end + 1, 6, is_alnum);
        if is_word(at(self.bytes, stop)) {
            return false;
        }
        let tail = sub(self.bytes, end + 1, stop);
        let spanish = end - start == 8
            && tail.len() == 1
            && at(tail, 0) == checks::dni_letter(number_of(sub(self.bytes, start, end)));
        let finnish = end - start == 6
            && tail.len() == 4
            && sign != b' '
            && checks::hetu(sub(self.bytes, start, stop));
        if !(spanish && (sign == b'-' || self.near(flag::ID, start, 24)) || finnish) {
            return false;
        }
        self.emit(start, stop, EntityKind::IdNumber, 92);
        true
    }
}

fn number_of(ascii: &[u8]) -> u64 {
    ascii
        .iter()
        .filter(|byte| byte.is_ascii_digit())
        .take(18)
        .fold(0, |n, byte| n * 10 + u64::from(byte - b'0'))
}

/// Spanish DNI (`12345678Z`) and NIE (`X1234567L`).
fn dni(word: &[u8]) -> bool {
    let (Some((first, rest)), Some(check)) = (word.split_first(), word.last()) else {
        return false;
    };
    let Some((_, body)) = rest.split_last() else { return false };
    if !body.iter().all(u8::is_ascii_digit) {
        return false;
    }
    let head = match first {
        b'0'..=b'9' => u64::from(first - b'0'),
        b'X'..=b'Z' => u64::from(first - b'X'),
        _ => return false,
    };
    checks::dni_letter(head * 10_000_000 + number_of(body)) == *check
}

fn shape(word: &[u8], model: &[u8]) -> bool {
    word.len() == model.len()
        && word.iter().zip(model).all(|(byte, model)| {
            if *model == b'A' { byte.is_ascii_uppercase() } else { byte.is_ascii_digit() }
        })
}

/// Indian permanent account number.
fn pan_india(word: &[u8]) -> bool {
    shape(word, b"AAAAA0000A") && b"ABCFGHLJPT".contains(&at(word, 3))
}

/// Irish PPS number.
fn pps(word: &[u8]) -> bool {
    if !shape(word, b"0000000A") && !shape(word, b"0000000AA") {
        return false;
    }
    let sum: u32 =
        word.iter().take(7).zip((2..9u32).rev()).map(|(byte, w)| u32::from(byte - b'0') * w).sum();
    let second = word.get(8).map_or(0, |byte| u32::from(byte - b'A' + 1) * 9);
    let rest = u8::try_from((sum + second) % 23).unwrap_or(0);
    at(word, 7) == if rest == 0 { b'W' } else { b'A' + rest - 1 }
}

/// Taiwanese id: a letter and nine digits.
fn taiwan_id(word: &[u8]) -> bool {
    shape(word, b"A000000000") && matches!(at(word, 1), b'1' | b'2' | b'8' | b'9')
}

/// Mexican CURP by its shape: names, date, sex, state, serial.
fn curp(word: &[u8]) -> bool {
    word.len() == 18
        && word.get(..10).is_some_and(|head| shape(head, b"AAAA000000"))
        && matches!(at(word, 10), b'H' | b'M' | b'X')
        && word.get(11..16).is_some_and(|state| state.iter().all(u8::is_ascii_uppercase))
        && class(at(word, 17)) & DIGIT != 0
}

/// French NIR of Corsica (`2A`, `2B`).
fn nir_corsica(word: &[u8]) -> bool {
    if word.len() != 15 || !matches!(word.get(5..7), Some(b"2A" | b"2B")) {
        return false;
    }
    let minus = if at(word, 6) == b'A' { 1_000_000 } else { 2_000_000 };
    let plain: [u8; 13] = std::array::from_fn(|i| if i == 6 { b'0' } else { at(word, i) });
    let number = number_of(&plain);
    number > minus && 97 - (number - minus) % 97 == number_of(sub(word, 13, 15))
}
