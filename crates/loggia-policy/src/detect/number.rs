//! Numbers: runs of digits with their separators, and the one decision what each is.
//!
//! A cluster is gathered once; at each of its groups the validators are tried from the most to the least certain:
//! date, card, SSN, national id, record and account numbers in context, telephone.

use super::chars::{at, before, is_digit, run, sub};
use super::checks;
use super::kind::EntityKind;
use super::scan::Scan;
use super::words::flag;

const GROUPS_MAX: usize = 20;
const DIGITS_MAX: usize = 40;

/// One run of digits.
#[derive(Clone, Copy, Default)]
pub(super) struct Group {
    pub(super) start: usize,
    pub(super) end: usize,
    /// Index of its first digit in the cluster.
    first: usize,
    /// Separator before it, as ASCII; 0 for the first.
    pub(super) sign: u8,
}

impl Group {
    pub(super) fn len(&self) -> usize {
        self.end - self.start
    }
}

/// Runs of digits that single separators join.
pub(super) struct Cluster {
    groups: [Group; GROUPS_MAX],
    pub(super) count: usize,
    digits: [u8; DIGITS_MAX],
    total: usize,
    /// Where the scanner goes on.
    pub(super) end: usize,
    /// End of a telephone extension right after the last group, or 0.
    pub(super) extension: usize,
}

impl Cluster {
    pub(super) fn group(&self, i: usize) -> Group {
        self.groups.get(i).copied().unwrap_or_default()
    }

    /// Returns the digits of groups `i..=j`.
    pub(super) fn digits(&self, i: usize, j: usize) -> &[u8] {
        let (from, last) = (self.group(i), self.group(j));
        self.digits.get(from.first..last.first + last.len()).unwrap_or(&[])
    }

    /// Returns the lengths of groups `i..=j` as bytes, for comparison with a shape.
    fn shape<'s>(&self, i: usize, j: usize, into: &'s mut [u8; GROUPS_MAX]) -> &'s [u8] {
        for (slot, group) in into.iter_mut().zip(self.groups.iter().skip(i)) {
            *slot = u8::try_from(group.len()).unwrap_or(u8::MAX);
        }
        into.get(..=j - i).unwrap_or(&[])
    }

    /// Returns the separator of groups `i..=j` when it is always the same (0 for one group).
    pub(super) fn sign(&self, i: usize, j: usize) -> Option<u8> {
        let first = if j > i { self.group(i + 1).sign } else { 0 };
        (i + 1..=j).all(|k| self.group(k).sign == first).then_some(first)
    }

    /// Tells whether groups `i..=j` stand alone: not joined to a neighbour by `-`, `.` or `/`.
    fn alone(&self, i: usize, j: usize) -> bool {
        let joined = |sign: u8| matches!(sign, b'-' | b'.' | b'/');
        let (left, right) = (
            i > 0 && joined(self.group(i).sign),
            j + 1 < self.count && joined(self.group(j + 1).sign),
        );
        !left && !right
    }
}

/// What was recognised at a group.
enum Match {
    Found(usize, EntityKind, u8),
    Skip(usize),
    Nothing,
}

impl Scan<'_> {
    /// Handles a word of digits.
    pub(super) fn number(&mut self, start: usize, end: usize) {
        let (length, next) = (end - start, at(self.bytes, end));
        if next == b':' && (self.time_or_mac(start, end) || self.telegram(start, end)) {
            return;
        }
        if length == 8
            && next == b'-'
            && let Some(uuid) = self.uuid_end(start)
        {
            self.barrier(uuid);
            return;
        }
        if length <= 3 && matches!(next, b'.' | b'[' | b'(') && self.ipv4(start) {
            return;
        }
        if length <= 4 && matches!(next, b'-' | b'.' | b':') && self.hex_word(start, end) {
            return;
        }
        if matches!(length, 6 | 8) && self.digits_then_letter(start, end) {
            return;
        }
        if length <= 4 && (self.textual_date(start, end) || length == 4 && self.timestamp(start)) {
            return;
        }
        if (26..=35).contains(&length) || length > DIGITS_MAX {
            return;
        }
        // A short number alone is at most a house number: most numbers of logs end here.
        if length < 6 && self.separator(end).is_none() && !matches!(next, b'x' | b'X') {
            if next == b' ' || next == b',' {
                self.street_number(start, end);
            }
            return;
        }
        let cluster = self.gather(start);
        self.cluster(&cluster);
        if self.floor <= start {
            self.house_before_street(&cluster);
        }
    }

    /// Handles the last numbers of a cluster as those of a house: `22/89 Elm Road`, `Apt. 75 16 Elm Road`.
    fn house_before_street(&mut self, cluster: &Cluster) {
        let Some(last) = cluster.count.checked_sub(1) else { return };
        let joined = last > 0 && matches!(cluster.group(last).sign, b'/' | b'-');
        let first = if joined { last - 1 } else { last };
        if cluster.count <= 3 && cluster.group(first).len() <= 5 && cluster.group(last).len() <= 5 {
            self.street_number(cluster.group(first).start, cluster.group(last).end);
        }
    }

    /// Gathers the cluster that begins with the digit at `start`.
    pub(super) fn gather(&self, start: usize) -> Cluster {
        let mut cluster = Cluster {
            groups: [Group::default(); GROUPS_MAX],
            count: 0,
            digits: [0; DIGITS_MAX],
            total: 0,
            end: start,
            extension: 0,
        };
        let (mut pos, mut sign) = (start, 0u8);
        while cluster.count < GROUPS_MAX {
            let end = run(self.bytes, pos, DIGITS_MAX + 1, is_digit);
            if cluster.total + (end - pos) > DIGITS_MAX {
                break;
            }
            let (word_end, _) = self.measure(end);
            if word_end > end {
                let digits_end = run(self.bytes, end + 1, 7, is_digit);
                let extension = matches!(at(self.bytes, end), b'x' | b'X')
                    && digits_end > end + 1
                    && digits_end == word_end;
                if !extension {
                    break;
                }
                cluster.extension = word_end;
            }
            for (slot, byte) in
                cluster.digits.iter_mut().skip(cluster.total).zip(sub(self.bytes, pos, end))
            {
                *slot = byte - b'0';
            }
            if let Some(slot) = cluster.groups.get_mut(cluster.count) {
                *slot = Group { start: pos, end, first: cluster.total, sign };
            }
            cluster.count += 1;
            cluster.total += end - pos;
            cluster.end = end;
            match self.separator(end) {
                Some((next, found)) if cluster.extension == 0 => (pos, sign) = (next, found),
                _ => break,
            }
        }
        cluster
    }

    /// Reads a separator between two groups: where the next digit is, and the separator as ASCII.
    fn separator(&self, pos: usize) -> Option<(usize, u8)> {
        let byte = at(self.bytes, pos);
        let (mut next, sign) = match byte {
            b' ' | b'-' | b'.' | b'/' => (pos + 1, byte),
            b')' => (pos + 1, b'('),
            0xc2 if at(self.bytes, pos + 1) == 0xa0 => (pos + 2, b' '),
            0xe2 if at(self.bytes, pos + 1) == 0x80 => match at(self.bytes, pos + 2) {
                0x90..=0x93 => (pos + 3, b'-'),
                0x87 | 0x89 | 0xaf => (pos + 3, b' '),
                _ => return None,
            },
            _ => return None,
        };
        if sign == b'(' && matches!(at(self.bytes, next), b' ' | b'-' | b'/') {
            next += 1;
        } else if matches!(sign, b' ' | b'-')
            && at(self.bytes, next) == b'('
            && is_digit(at(self.bytes, next + 1))
        {
            return Some((next + 1, b'('));
        }
        is_digit(at(self.bytes, next)).then_some((next, sign))
    }

    /// Decides what the groups of a cluster are.
    pub(super) fn cluster(&mut self, cluster: &Cluster) {
        let mut i = 0;
        while i < cluster.count {
            match self.match_at(cluster, i) {
                Match::Found(j, kind, score) => {
                    let end = cluster.group(j).end;
                    let with_extension = kind == EntityKind::Phone
                        && cluster.extension > end
                        && j + 1 == cluster.count;
                    let end = if with_extension { cluster.extension } else { end };
                    self.emit(cluster.group(i).start, end, kind, score);
                    i = j + 1;
                }
                Match::Skip(j) => i = j + 1,
                Match::Nothing => i += 1,
            }
        }
        self.pos = self.pos.max(cluster.end);
    }

    fn match_at(&self, cluster: &Cluster, i: usize) -> Match {
        if let Some((j, year)) = self.date_at(cluster, i) {
            let born =
                (1900..=2026).contains(&year) && self.near(flag::BORN, cluster.group(i).start, 32);
            return if born {
                Match::Found(j, EntityKind::DateOfBirth, 90)
            } else {
                Match::Skip(j)
            };
        }
        if let Some((j, score)) = self.card(cluster, i) {
            return Match::Found(j, EntityKind::CreditCard, score);
        }
        if let Some(j) = card_shaped(cluster, i) {
            return Match::Skip(j);
        }
        if let Some(j) = self.ssn(cluster, i) {
            return Match::Found(j, EntityKind::UsSsn, 90);
        }
        if let Some(j) = self.national(cluster, i) {
            return Match::Found(j, EntityKind::IdNumber, 88);
        }
        if let Some((j, kind)) = self.account(cluster, i) {
            return Match::Found(j, kind, 75);
        }
        if let Some(j) = self.phone(cluster, i) {
            return Match::Found(j, EntityKind::Phone, 75);
        }
        Match::Nothing
    }

    /// Recognises a payment card: Luhn, issuer range, and shape or context.
    fn card(&self, cluster: &Cluster, i: usize) -> Option<(usize, u8)> {
        let start = cluster.group(i).start;
        let near_card = self.distance(flag::CARD, start);
        for j in (i..cluster.count).rev() {
            let digits = cluster.digits(i, j);
            if !matches!(digits.len(), 12..=19)
                || !checks::varied(digits)
                || !checks::luhn(digits)
                || !issued(digits)
            {
                continue;
            }
            let mut buffer = [0; GROUPS_MAX];
            let shape = cluster.shape(i, j, &mut buffer);
            let usual = matches!(
                shape,
                [4, 4, 4, 4]
                    | [4, 6, 5]
                    | [4, 6, 4]
                    | [4, 4, 4, 2]
                    | [4, 4, 4, 3]
                    | [4, 4, 4, 4, 3]
                    | [4, 4, 4, 1]
                    | [6, 13]
                    | [4, 4, 5]
            );
            let single = shape.len() == 1;
            let spelled = shape.iter().all(|len| *len == 1);
            let close = near_card <= 48;
            let sign = cluster.sign(i, j);
            let before_ok = !matches!(before(self.bytes, start), b'-' | b'/' | b'#' | b'.' | b'_');
            let other =
                self.near(flag::OTHER, start, 24) && near_card > self.distance(flag::OTHER, start);
            let grouped = usual && sign.is_some();
            let fits = if close {
                usual || single && !other || spelled || shape.len() <= 6
            } else {
                before_ok
                    && cluster.alone(i, j)
                    && (grouped || single && !other && matches!(digits.len(), 14..=16))
            };
            if fits {
                return Some((j, if close { 98 } else { 80 }));
            }
        }
        None
    }

    /// Recognises a United States social security number (or ITIN in context).
    fn ssn(&self, cluster: &Cluster, i: usize) -> Option<usize> {
        let start = cluster.group(i).start;
        let known = self.near(flag::SSN, start, 40);
        let mut buffer = [0; GROUPS_MAX];
        let j = match cluster.shape(i, (i + 2).min(cluster.count - 1), &mut buffer) {
            [3, 2, 4] => i + 2,
            [9, ..] if known => i,
            _ => return None,
        };
        let digits = cluster.digits(i, j);
        let number = |from: usize, to: usize| {
            digits
                .get(from..to)
                .unwrap_or(&[])
                .iter()
                .fold(0u32, |n, digit| n * 10 + u32::from(*digit))
        };
        let (area, group, serial) = (number(0, 3), number(3, 5), number(5, 9));
        let itin = known
            && (900..=999).contains(&area)
            && matches!(group, 50..=65 | 70..=88 | 90..=92 | 94..=99);
        let assigned = matches!(area, 1..=665 | 667..=899) && group != 0 && serial != 0;
        let dashed = cluster.sign(i, j) == Some(b'-')
            && !self.near(flag::OTHER, start, 12)
            && !matches!(before(self.bytes, start), b'-' | b'/' | b'.' | b'#');
        let joined = cluster.sign(i, j).is_some() && cluster.alone(i, j);
        ((itin || assigned) && joined && (known || dashed)).then_some(j)
    }

    /// Recognises a national id by its check digits, and by its shape or context.
    fn national(&self, cluster: &Cluster, i: usize) -> Option<usize> {
        let start = cluster.group(i).start;
        let known = self.distance(flag::ID, start).min(self.distance(flag::DOC, start)) <= 40
            && self.distance(flag::ID | flag::DOC, start)
                <= self.distance(flag::PHONE | flag::CARD | flag::BANK, start);
        let other = !known && self.near(flag::OTHER, start, 16);
        if matches!(before(self.bytes, start), b'-' | b'#' | b'_') {
            return None;
        }
        for j in (i..cluster.count.min(i + 8)).rev() {
            let digits = cluster.digits(i, j);
            if !matches!(digits.len(), 8..=15) || !cluster.alone(i, j) {
                continue;
            }
            let mut buffer = [0; GROUPS_MAX];
            let shape = cluster.shape(i, j, &mut buffer);
            let sign = cluster.group(j).sign;
            // Punctuation in three places is a stronger word than `order` before it.
            if (!other || shape.len() > 2) && shaped_id(digits, shape, sign)
                || known && known_id(digits)
            {
                return Some(j);
            }
        }
        None
    }

    /// Recognises numbers that only their context explains: documents, health records, bank accounts.
    fn account(&self, cluster: &Cluster, i: usize) -> Option<(usize, EntityKind)> {
        let group = cluster.group(i);
        let start = group.start;
        let (doc, med, bank) = (
            self.distance(flag::DOC, start),
            self.distance(flag::MED, start),
            self.distance(flag::BANK, start),
        );
        let nearest = doc.min(med).min(bank);
        if nearest > 24 || self.distance(flag::OTHER | flag::PHONE | flag::CARD, start) < nearest {
            return None;
        }
        let mut buffer = [0; GROUPS_MAX];
        let j = match cluster.shape(i, (i + 2).min(cluster.count - 1), &mut buffer) {
            [3, 3, 4] if med == nearest && checks::nhs(cluster.digits(i, i + 2)) => i + 2,
            [2, 2, 2]
                if bank == nearest
                    && cluster.sign(i, i + 2) == Some(b'-')
                    && cluster.alone(i, i + 2) =>
            {
                i + 2
            }
            [6..=18, ..] if cluster.alone(i, i) => i,
            _ => return None,
        };
        let length = cluster.digits(i, j).len();
        let kind = if doc == nearest && length <= 12 {
            EntityKind::IdNumber
        } else if med == nearest && length <= 11 {
            EntityKind::MedicalId
        } else if bank == nearest && (length >= 7 || j > i) {
            EntityKind::BankAccount
        } else {
            return None;
        };
        Some((j, kind))
    }
}

/// Sixteen digits in fours that failed the card's check are not a telephone number either.
fn card_shaped(cluster: &Cluster, i: usize) -> Option<usize> {
    let fours = (i..i + 4).all(|k| cluster.group(k).len() == 4);
    (fours && i + 4 <= cluster.count && cluster.sign(i, i + 3).is_some()).then_some(i + 3)
}

/// Issuer ranges with their lengths.
fn issued(digits: &[u8]) -> bool {
    let head =
        |n: usize| digits.iter().take(n).fold(0u32, |value, digit| value * 10 + u32::from(*digit));
    let length = digits.len();
    match (head(1), head(2), head(4)) {
        (4, ..) => matches!(length, 13 | 16 | 19),
        (_, 51..=55, _) | (_, _, 2221..=2720) => length == 16,
        (_, 34 | 37, _) => length == 15,
        (_, 36 | 38 | 39, _) => matches!(length, 14 | 16 | 19),
        (_, 30, 3000..=3059 | 3095) => matches!(length, 14 | 16),
        (_, 35, 3528..=3589) => matches!(length, 16..=19),
        (_, _, 2131 | 1800) => length == 15,
        (_, 60 | 62 | 64 | 65 | 81 | 82, _) => matches!(length, 16..=19),
        (_, _, 2200..=2205 | 9792) => matches!(length, 16..=19),
        (_, 50 | 56..=58 | 63 | 67, _) => matches!(length, 12..=19),
        _ => false,
    }
}

/// Ids that their punctuation or double check digits give away without a word of context.
fn shaped_id(digits: &[u8], shape: &[u8], sign: u8) -> bool {
    match shape {
        [3, 3, 3, 2] => checks::cpf(digits),
        [2, 3, 3, 4, 2] => checks::cnpj(digits),
        [1, 2, 2, 2, 3, 3, 2] | [13, 2] | [15] => checks::nir(digits),
        [6, 4] if sign == b'-' => checks::personnummer(digits),
        [8, 4] if sign == b'-' => digits.get(2..).is_some_and(checks::personnummer),
        [6, 4] if sign == b'/' => checks::rodne_cislo(digits),
        [3, 4, 4, 2] | [13] => checks::ahv(digits),
        [2, 2, 2, 3, 2] => checks::rijksregister(digits),
        [11] | [6, 5] => checks::fodselsnummer(digits),
        [6, 7] if sign == b'-' => checks::rrn(digits),
        [2, 8, 1] if sign == b'-' => checks::cuit(digits),
        [1 | 2, 3, 3, 1] if sign == b'-' => {
            let ascii: [u8; 9] =
                std::array::from_fn(|i| digits.get(i).map_or(0, |digit| b'0' + digit));
            checks::rut(ascii.get(..digits.len()).unwrap_or(&[]))
        }
        [1, 4, 5, 2, 1] => checks::thai_id(digits),
        _ => false,
    }
}

/// Ids whose check digits count only after a word of context.
fn known_id(digits: &[u8]) -> bool {
    let any = |checks: &[fn(&[u8]) -> bool]| checks.iter().any(|check| check(digits));
    match digits.len() {
        9 => any(&[checks::bsn, checks::nif_pt, checks::sin_ca, checks::tfn, checks::israeli_id]),
        10 => any(&[
            checks::personnummer,
            checks::cpr,
            checks::nip,
            checks::svnr,
            checks::egn,
            checks::rodne_cislo,
            checks::medicare_au,
        ]),
        11 => any(&[
            checks::cpf,
            checks::pesel,
            checks::fodselsnummer,
            checks::steuer_id,
            checks::tckn,
            checks::isikukood,
            checks::rijksregister,
            checks::cuit,
        ]),
        12 => {
            any(&[checks::aadhaar, checks::my_number])
                || digits.get(2..).is_some_and(checks::personnummer)
        }
        13 => any(&[checks::rsa_id, checks::cnp, checks::thai_id, checks::ahv, checks::rrn]),
        14 => checks::cnpj(digits),
        15 => checks::nir(digits),
        _ => false,
    }
}
