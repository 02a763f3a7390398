//! The vocabulary: what a word near a value says about it, in seven languages, and given and family names.
//!
//! A word is looked up by its first sixteen bytes, folded to lower case (Latin-1 included), in one probe of a
//! flat table. Names are kept as 28-bit fingerprints: a collision costs a doubtful name, never a crash.

use super::word_list::{NAMES_FAMILY, NAMES_GIVEN, WORDS};

/// Flags of a word; the first sixteen are contexts whose last position the scanner remembers.
pub(super) mod flag {
    /// Telephone.
    pub(in crate::detect) const PHONE: u64 = 1;
    /// Payment card.
    pub(in crate::detect) const CARD: u64 = 1 << 1;
    /// US social security number.
    pub(in crate::detect) const SSN: u64 = 1 << 2;
    /// Date of birth.
    pub(in crate::detect) const BORN: u64 = 1 << 3;
    /// National or tax number.
    pub(in crate::detect) const ID: u64 = 1 << 4;
    /// Passport, licence, identity card.
    pub(in crate::detect) const DOC: u64 = 1 << 5;
    /// Bank account.
    pub(in crate::detect) const BANK: u64 = 1 << 6;
    /// Health insurance or medical record.
    pub(in crate::detect) const MED: u64 = 1 << 7;
    /// A number of something else: order, invoice, build, trace.
    pub(in crate::detect) const OTHER: u64 = 1 << 8;
    /// Software version.
    pub(in crate::detect) const VERSION: u64 = 1 << 9;
    /// Social network, handle.
    pub(in crate::detect) const HANDLE: u64 = 1 << 10;
    /// Street address.
    pub(in crate::detect) const ADDR: u64 = 1 << 11;
    /// The word before a person's name ("by", "with", "said").
    pub(in crate::detect) const BEFORE_NAME: u64 = 1 << 12;
    /// Crypto wallet.
    pub(in crate::detect) const WALLET: u64 = 1 << 13;
    /// Number of contexts remembered.
    pub(in crate::detect) const CONTEXTS: usize = 14;
    /// Key of a password: its value is a secret whatever it looks like.
    pub(in crate::detect) const PASSWORD: u64 = 1 << 16;
    /// Key of a token: its value is a secret when it looks random.
    pub(in crate::detect) const TOKEN: u64 = 1 << 17;
    /// The word `key`, a secret only after a word of `QUALIFIER`.
    pub(in crate::detect) const KEY: u64 = 1 << 18;
    /// Words that make a `KEY` secret.
    pub(in crate::detect) const QUALIFIER: u64 = 1 << 19;
    /// Authorization scheme that a credential follows.
    pub(in crate::detect) const BEARER: u64 = 1 << 20;
    /// Key of a login name.
    pub(in crate::detect) const USER: u64 = 1 << 21;
    /// Key of a person's name, or a word of it (`first`, `customer`).
    pub(in crate::detect) const NAME_KEY: u64 = 1 << 22;
    /// The word `name` in any language.
    pub(in crate::detect) const NAME: u64 = 1 << 23;
    /// Title before a name.
    pub(in crate::detect) const TITLE: u64 = 1 << 24;
    /// Greeting before a name.
    pub(in crate::detect) const GREETING: u64 = 1 << 25;
    /// Verb of self-introduction that ends right before the name.
    pub(in crate::detect) const INTRO: u64 = 1 << 26;
    /// Legal form or kind of an organisation.
    pub(in crate::detect) const ORG: u64 = 1 << 27;
    /// Street type that follows the name (`Road`).
    pub(in crate::detect) const STREET_AFTER: u64 = 1 << 28;
    /// Street type that precedes the name (`Rue`).
    pub(in crate::detect) const STREET_BEFORE: u64 = 1 << 29;
    /// Part of a building (`Apt`, `Suite`).
    pub(in crate::detect) const UNIT: u64 = 1 << 30;
    /// Month name.
    pub(in crate::detect) const MONTH: u64 = 1 << 31;
    /// Small word inside names (`van`, `de`).
    pub(in crate::detect) const PARTICLE: u64 = 1 << 32;
    /// Common word that is no name although it may begin a sentence with a capital.
    pub(in crate::detect) const COMMON: u64 = 1 << 33;
    /// Word before a place name (`Port`, `South`).
    pub(in crate::detect) const PLACE: u64 = 1 << 34;
    /// Street type that is a common word as well (`Gateway`): counts near other signs of an address.
    pub(in crate::detect) const STREET_WEAK: u64 = 1 << 35;
    /// Key of a postal address.
    pub(in crate::detect) const ADDR_KEY: u64 = 1 << 36;
    /// Given name.
    pub(in crate::detect) const GIVEN: u64 = 1 << 40;
    /// Family name.
    pub(in crate::detect) const FAMILY: u64 = 1 << 41;
    /// Name that is a common word, place or product as well.
    pub(in crate::detect) const UNSURE: u64 = 1 << 42;
    /// Bits 48 to 51: the month's number.
    pub(in crate::detect) const MONTH_SHIFT: u32 = 48;
}

/// Folds a word into its key: first sixteen bytes, lower case.
#[inline]
pub(super) fn key_of(bytes: &[u8], start: usize, end: usize) -> u128 {
    let len = end.saturating_sub(start).min(16);
    let raw = match bytes
        .get(start..start.saturating_add(16))
        .and_then(|chunk| <[u8; 16]>::try_from(chunk).ok())
    {
        Some(chunk) => u128::from_le_bytes(chunk),
        None => bytes
            .get(start..start.saturating_add(len))
            .unwrap_or(&[])
            .iter()
            .rev()
            .fold(0u128, |key, byte| key << 8 | u128::from(*byte)),
    };
    let mask = if len == 16 { u128::MAX } else { (1u128 << (8 * len)) - 1 };
    (raw | 0x2020_2020_2020_2020_2020_2020_2020_2020) & mask
}

#[expect(clippy::cast_possible_truncation, reason = "the hash folds both halves on purpose")]
#[inline]
fn hash(key: u128) -> u64 {
    let folded = (key as u64) ^ ((key >> 64) as u64).rotate_left(29);
    let mixed = folded.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed ^ (mixed >> 29)
}

/// The compiled vocabulary.
pub(super) struct Vocabulary {
    words: Box<[(u128, u64)]>,
    names: Box<[u32]>,
}

const GIVEN_BIT: u32 = 1;
const FAMILY_BIT: u32 = 2;
const UNSURE_BIT: u32 = 4;
const NAME_BITS: u32 = 7;

impl Vocabulary {
    pub(super) fn new() -> Self {
        let mut entries: Vec<(u128, u64)> = Vec::new();
        for (flags, list) in WORDS {
            for word in list.split_ascii_whitespace() {
                entries.push((key_of(word.as_bytes(), 0, word.len()), *flags));
            }
        }
        let months = super::word_list::MONTHS.iter();
        for (number, list) in (1u64..).zip(months) {
            for word in list.split_ascii_whitespace() {
                entries.push((
                    key_of(word.as_bytes(), 0, word.len()),
                    flag::MONTH | number << flag::MONTH_SHIFT,
                ));
            }
        }
        let mut words =
            vec![(0u128, 0u64); (entries.len() * 4).next_power_of_two()].into_boxed_slice();
        for (key, flags) in entries {
            insert_word(&mut words, key, flags);
        }
        let mut names = vec![0u32; 1 << 17].into_boxed_slice();
        for (bit, list) in [(GIVEN_BIT, NAMES_GIVEN), (FAMILY_BIT, NAMES_FAMILY)] {
            for line in list.lines().filter(|line| !line.starts_with('#')) {
                let name = line.trim_end_matches('?');
                let bits = if name.len() < line.len() { bit | UNSURE_BIT } else { bit };
                insert_name(&mut names, hash(key_of(name.as_bytes(), 0, name.len())), bits);
            }
        }
        Self { words, names }
    }

    /// Returns the flags of a word, or 0.
    #[inline]
    pub(super) fn word(&self, key: u128) -> u64 {
        let mask = self.words.len() - 1;
        let mut slot = index(hash(key), mask);
        loop {
            match self.words.get(slot) {
                Some((found, flags)) if *found == key => return *flags,
                Some((0, _)) | None => return 0,
                Some(_) => slot = (slot + 1) & mask,
            }
        }
    }

    /// Returns the name flags of a capitalised word.
    #[inline]
    pub(super) fn name(&self, key: u128) -> u64 {
        let hashed = hash(key);
        let mask = self.names.len() - 1;
        let mut slot = index(hashed, mask);
        loop {
            match self.names.get(slot).copied() {
                None | Some(0) => return 0,
                Some(entry) if entry & !NAME_BITS == print_of(hashed) => {
                    let given = if entry & GIVEN_BIT != 0 { flag::GIVEN } else { 0 };
                    let family = if entry & FAMILY_BIT != 0 { flag::FAMILY } else { 0 };
                    return given | family | if entry & UNSURE_BIT != 0 { flag::UNSURE } else { 0 };
                }
                Some(_) => slot = (slot + 1) & mask,
            }
        }
    }
}

#[inline]
fn index(hash: u64, mask: usize) -> usize {
    usize::try_from(hash & 0xffff_ffff).unwrap_or(0) & mask
}

#[inline]
fn print_of(hash: u64) -> u32 {
    (hash >> 32) as u32 & !NAME_BITS | 1 << 31
}

fn insert_word(words: &mut [(u128, u64)], key: u128, flags: u64) {
    let mask = words.len() - 1;
    let mut slot = index(hash(key), mask);
    while let Some(entry) = words.get_mut(slot) {
        if entry.0 == 0 || entry.0 == key {
            *entry = (key, entry.1 | flags);
            return;
        }
        slot = (slot + 1) & mask;
    }
}

fn insert_name(names: &mut [u32], hashed: u64, bit: u32) {
    let mask = names.len() - 1;
    let mut slot = index(hashed, mask);
    while let Some(entry) = names.get_mut(slot) {
        if *entry == 0 || *entry & !NAME_BITS == print_of(hashed) {
            *entry = print_of(hashed) | *entry & NAME_BITS | bit;
            return;
        }
        slot = (slot + 1) & mask;
    }
}
