//! Byte classes and bounds-checked access: what every detector reads text with.
//!
//! Guarantees: no function here panics; reading past the end yields `0` or an empty slice.

/// ASCII lower-case letter.
pub(super) const LOWER: u8 = 1;
/// ASCII upper-case letter.
pub(super) const UPPER: u8 = 2;
/// ASCII digit.
pub(super) const DIGIT: u8 = 4;
/// `_`.
pub(super) const UNDER: u8 = 8;
/// Byte of a non-ASCII character.
pub(super) const HIGH: u8 = 16;
/// Letter that is not a hexadecimal digit.
pub(super) const NOT_HEX: u8 = 32;
/// Byte that the scanner must look at although it is not part of a word.
pub(super) const TRIGGER: u8 = 64;
/// Any byte of a word.
pub(super) const WORD: u8 = LOWER | UPPER | DIGIT | UNDER | HIGH;
/// Any ASCII letter.
pub(super) const ALPHA: u8 = LOWER | UPPER;

static CLASS: [u8; 256] = classes();

#[expect(
    clippy::indexing_slicing,
    reason = "evaluated at compile time: an index out of range is a build error"
)]
const fn classes() -> [u8; 256] {
    let mut table = [0u8; 256];
    let mut i = 0u8;
    loop {
        table[i as usize] = match i {
            b'a'..=b'f' => LOWER,
            b'g'..=b'z' => LOWER | NOT_HEX,
            b'A'..=b'F' => UPPER,
            b'G'..=b'Z' => UPPER | NOT_HEX,
            b'0'..=b'9' => DIGIT,
            b'_' => UNDER,
            b'@' | b':' | b'\\' | b'%' | b'+' | b'(' | b'<' | b'&' => TRIGGER,
            0x80..=0xff => HIGH,
            _ => 0,
        };
        if i == u8::MAX {
            return table;
        }
        i += 1;
    }
}

/// Returns the class bits of a byte.
#[inline]
pub(super) fn class(byte: u8) -> u8 {
    CLASS.get(usize::from(byte)).copied().unwrap_or(0)
}

/// Returns the byte at `i`, or 0 past the end.
#[inline]
pub(super) fn at(bytes: &[u8], i: usize) -> u8 {
    bytes.get(i).copied().unwrap_or(0)
}

/// Returns the byte before `i`, or 0 at the beginning.
#[inline]
pub(super) fn before(bytes: &[u8], i: usize) -> u8 {
    i.checked_sub(1).map_or(0, |j| at(bytes, j))
}

/// Returns `bytes[start..end]`, or nothing when that is not a range of it.
#[inline]
pub(super) fn sub(bytes: &[u8], start: usize, end: usize) -> &[u8] {
    bytes.get(start..end).unwrap_or(&[])
}

/// Tells whether the text at `i` begins with `what`.
#[inline]
pub(super) fn starts(bytes: &[u8], i: usize, what: &[u8]) -> bool {
    bytes.get(i..).is_some_and(|rest| rest.starts_with(what))
}

/// Tells whether the text at `i` begins with `what` in any ASCII case.
#[inline]
pub(super) fn starts_ci(bytes: &[u8], i: usize, what: &[u8]) -> bool {
    bytes.get(i..i.saturating_add(what.len())).is_some_and(|head| head.eq_ignore_ascii_case(what))
}

/// Tells whether a byte can be part of a word (letters, digits, `_`, non-ASCII).
#[inline]
pub(super) fn is_word(byte: u8) -> bool {
    class(byte) & WORD != 0
}

/// Tells whether a byte is an ASCII letter or digit.
#[inline]
pub(super) fn is_alnum(byte: u8) -> bool {
    class(byte) & (ALPHA | DIGIT) != 0
}

/// Tells whether a byte is an ASCII digit.
#[inline]
pub(super) fn is_digit(byte: u8) -> bool {
    class(byte) & DIGIT != 0
}

/// Tells whether a byte is an ASCII hexadecimal digit.
#[inline]
pub(super) fn is_hex(byte: u8) -> bool {
    let bits = class(byte);
    bits & (ALPHA | DIGIT) != 0 && bits & NOT_HEX == 0
}

/// Returns the first position at or after `i` (and at most `limit` bytes on) whose byte fails `keep`.
#[inline]
pub(super) fn run(bytes: &[u8], i: usize, limit: usize, keep: impl Fn(u8) -> bool) -> usize {
    let stop = bytes.len().min(i.saturating_add(limit));
    let mut at = i;
    while at < stop && bytes.get(at).copied().is_some_and(&keep) {
        at += 1;
    }
    at
}

/// Returns the position after spaces and tabs.
#[inline]
pub(super) fn skip_blanks(bytes: &[u8], i: usize, limit: usize) -> usize {
    run(bytes, i, limit, |byte| byte == b' ' || byte == b'\t')
}

/// Decodes the character that begins at `i`; `None` inside a character or past the end.
pub(super) fn char_at(text: &str, i: usize) -> Option<char> {
    text.get(i..).and_then(|rest| rest.chars().next())
}

/// Decodes the character that ends at `i`.
pub(super) fn char_before(text: &str, i: usize) -> Option<char> {
    text.get(..i).and_then(|head| head.chars().next_back())
}

/// Tells whether a character belongs to a script written without spaces between words.
pub(super) fn is_cjk(c: char) -> bool {
    matches!(u32::from(c), 0x3040..=0x30ff | 0x3400..=0x4dbf | 0x4e00..=0x9fff | 0xac00..=0xd7af | 0xf900..=0xfaff | 0x20000..=0x2ffff)
}

/// Tells whether a non-ASCII character continues a word of a script with spaces.
pub(super) fn continues_word(c: char) -> bool {
    c.is_alphanumeric() && !is_cjk(c) && !matches!(u32::from(c), 0xff00..=0xffef)
        || matches!(u32::from(c), 0x300..=0x36f)
}
