//! The scanner: one walk over words, numbers and signs that hands candidates to their validators.
//!
//! Guarantees: the position only moves forward and every look to the side is bounded, so time is linear; no
//! candidate reaches back across a finding or a placeholder (`floor`).

use std::fmt;

use super::chars::{
    ALPHA, DIGIT, HIGH, LOWER, TRIGGER, UNDER, UPPER, WORD, at, before, char_at, class,
    continues_word, is_cjk, is_digit, is_hex, is_word, starts, sub,
};
use super::kind::{EntityKind, Finding};
use super::placeholder::placeholder_end;
use super::view;
use super::words::{Vocabulary, flag, key_of};

/// Working memory of a detector, reused from text to text.
#[derive(Default)]
pub struct Scratch {
    findings: Vec<Finding>,
    hidden: Vec<(usize, usize)>,
    view: view::View,
}

impl fmt::Debug for Scratch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Scratch([redacted])")
    }
}

impl Scratch {
    /// Makes an empty working memory.
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns what the last scan found.
    pub(super) fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// Drops what is not wanted and settles overlaps: the higher rank wins and covers the whole union.
    pub(super) fn finish(&mut self, keep: impl Fn(&Finding) -> bool) {
        self.findings.retain(keep);
        self.findings.sort_unstable_by_key(|finding| (finding.start, usize::MAX - finding.end));
        let mut kept = 0usize;
        for i in 0..self.findings.len() {
            let Some(finding) = self.findings.get(i).copied() else { break };
            let last = kept.checked_sub(1).and_then(|last| self.findings.get_mut(last));
            match last {
                Some(last) if finding.start < last.end => {
                    let stronger = (finding.kind.rank(), finding.end - finding.start)
                        > (last.kind.rank(), last.end - last.start);
                    if stronger {
                        (last.kind, last.score) = (finding.kind, finding.score);
                    }
                    last.end = last.end.max(finding.end);
                }
                _ => {
                    if let Some(slot) = self.findings.get_mut(kept) {
                        *slot = finding;
                        kept += 1;
                    }
                }
            }
        }
        self.findings.truncate(kept);
    }
}

/// Scans a text, then the places where it hides something, into `scratch`.
pub(super) fn scan(vocabulary: &Vocabulary, text: &str, scratch: &mut Scratch) {
    scratch.findings.clear();
    scratch.hidden.clear();
    Scan::new(vocabulary, text, &mut scratch.findings, &mut scratch.hidden).run();
    if !scratch.hidden.is_empty() {
        view::scan_hidden(
            vocabulary,
            text,
            &scratch.hidden,
            &mut scratch.view,
            &mut scratch.findings,
        );
    }
}

/// The last word before the current one.
#[derive(Clone, Copy, Default)]
pub(super) struct Previous {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) flags: u64,
}

/// The state of one walk.
pub(super) struct Scan<'a> {
    pub(super) vocabulary: &'a Vocabulary,
    pub(super) text: &'a str,
    pub(super) bytes: &'a [u8],
    pub(super) pos: usize,
    /// End of the last finding or placeholder: nothing reaches back across it.
    pub(super) floor: usize,
    pub(super) previous: Previous,
    contexts: [usize; flag::CONTEXTS],
    findings: &'a mut Vec<Finding>,
    hidden: &'a mut Vec<(usize, usize)>,
}

impl<'a> Scan<'a> {
    pub(super) fn new(
        vocabulary: &'a Vocabulary,
        text: &'a str,
        findings: &'a mut Vec<Finding>,
        hidden: &'a mut Vec<(usize, usize)>,
    ) -> Self {
        Self {
            vocabulary,
            text,
            bytes: text.as_bytes(),
            pos: 0,
            floor: 0,
            previous: Previous::default(),
            contexts: [0; flag::CONTEXTS],
            findings,
            hidden,
        }
    }

    pub(super) fn run(&mut self) {
        while let Some(byte) = self.bytes.get(self.pos).copied() {
            let bits = class(byte);
            if bits & WORD != 0 {
                self.atom();
            } else if bits & TRIGGER != 0 {
                self.sign(byte);
            } else {
                self.pos += 1;
            }
        }
    }

    /// Records a finding and moves past it.
    pub(super) fn emit(&mut self, start: usize, end: usize, kind: EntityKind, score: u8) {
        let (mut start, mut end) = (start.max(self.floor), end.min(self.bytes.len()));
        while start > 0 && !self.text.is_char_boundary(start) {
            start -= 1;
        }
        while !self.text.is_char_boundary(end) {
            end += 1;
        }
        if start >= end {
            return;
        }
        self.findings.push(Finding { start, end, kind, score });
        self.barrier(end);
    }

    /// Goes on from `end`; nothing reaches back across it.
    pub(super) fn barrier(&mut self, end: usize) {
        self.pos = self.pos.max(end);
        self.floor = self.floor.max(end);
        self.previous = Previous::default();
    }

    /// Tells whether a word of the context stands at most `within` bytes before `start`.
    pub(super) fn near(&self, context: u64, start: usize, within: usize) -> bool {
        self.distance(context, start) <= within
    }

    /// Returns how far before `start` the last word of the contexts ended.
    pub(super) fn distance(&self, contexts: u64, start: usize) -> usize {
        let mut nearest = usize::MAX;
        for (i, end) in self.contexts.iter().enumerate() {
            if contexts >> i & 1 == 1 && *end > 0 {
                nearest = nearest.min(start.saturating_sub(*end));
            }
        }
        nearest
    }

    /// Remembers the contexts of a word that ends at `end`.
    pub(super) fn note(&mut self, flags: u64, end: usize) {
        let mut bits = flags & ((1 << flag::CONTEXTS) - 1);
        while bits != 0 {
            let index = usize::try_from(bits.trailing_zeros()).unwrap_or(0);
            if let Some(slot) = self.contexts.get_mut(index) {
                *slot = end;
            }
            bits &= bits - 1;
        }
    }

    /// Notes a place where a value may be hidden.
    fn mark_hidden(&mut self, at: usize) {
        match self.hidden.last_mut() {
            Some(last) if at <= last.1 + view::REACH_AFTER && at - last.0 < view::WINDOW_MAX => {
                last.1 = at;
            }
            _ => self.hidden.push((at, at)),
        }
    }

    /// Returns the flags of the word at `[start, end)`.
    pub(super) fn lookup(&self, start: usize, end: usize) -> u64 {
        self.vocabulary.word(key_of(self.bytes, start, end))
    }

    /// Measures the run of word characters at `start`.
    #[inline]
    pub(super) fn measure(&self, start: usize) -> (usize, u8) {
        let mut mask = 0u8;
        let rest = self.bytes.get(start..).unwrap_or(&[]);
        let mut length = 0;
        for byte in rest {
            let bits = class(*byte);
            if bits & WORD == 0 {
                return (start + length, mask);
            }
            if bits & HIGH != 0 {
                return self.measure_high(start + length, mask);
            }
            mask |= bits;
            length += 1;
        }
        (start + length, mask)
    }

    /// Goes on with a word at its first non-ASCII character.
    #[cold]
    fn measure_high(&self, start: usize, mask: u8) -> (usize, u8) {
        let (mut end, mut mask) = (start, mask);
        loop {
            let bits = class(at(self.bytes, end));
            if bits & WORD == 0 {
                return (end, mask);
            }
            if bits & HIGH != 0 {
                match char_at(self.text, end) {
                    Some(c) if continues_word(c) => {
                        end += c.len_utf8();
                        mask |= HIGH | if c.is_uppercase() { UPPER } else { LOWER };
                        continue;
                    }
                    _ => return (end, mask),
                }
            }
            mask |= bits;
            end += 1;
        }
    }

    fn atom(&mut self) {
        let start = self.pos;
        let (end, mask) = self.measure(start);
        if end == start {
            self.high_char();
            return;
        }
        self.pos = end;
        if mask & DIGIT == 0 {
            self.word(start, end, mask);
        } else if mask & (ALPHA | HIGH | UNDER) == 0 {
            self.number(start, end);
        } else {
            self.mixed(start, end, mask);
        }
    }

    /// Handles a sign that is not part of words.
    fn sign(&mut self, byte: u8) {
        let (start, next) = (self.pos, at(self.bytes, self.pos + 1));
        self.pos += 1;
        match byte {
            b'@' => self.at_sign(start),
            b'<' => {
                if let Some(end) = placeholder_end(self.bytes, start) {
                    self.barrier(end);
                }
            }
            b':' if next == b'/' && starts(self.bytes, start, b"://") => self.url(start),
            b':' if next == b':' && !is_word(before(self.bytes, start)) => self.ipv6(start),
            b'+' | b'(' if is_digit(next) || next == b'+' => self.phone_sign(start),
            b'\\' => match next {
                b'u' if (2..6).all(|i| is_hex(at(self.bytes, start + i))) => {
                    self.mark_hidden(start);
                    self.pos = start + 6;
                }
                b'n' | b't' | b'r' => self.pos = start + 2,
                _ => {}
            },
            b'%' if is_hex(next) && is_hex(at(self.bytes, start + 2)) => {
                self.mark_hidden(start);
                self.pos = start + 3;
            }
            b'&' if next == b'#' => self.mark_hidden(start),
            _ => {}
        }
    }

    /// Handles a non-ASCII character that does not continue a word.
    fn high_char(&mut self) {
        let start = self.pos;
        let Some(c) = char_at(self.text, start) else {
            self.pos += 1;
            return;
        };
        self.pos += c.len_utf8();
        if view::hides(c) {
            self.mark_hidden(start);
        } else if is_cjk(c) {
            self.ideographs(start);
        }
    }

    /// Looks for words of scripts written without spaces.
    fn ideographs(&mut self, start: usize) {
        let mut ends = [0usize; 6];
        let rest = self.text.get(start..).unwrap_or("");
        let mut end = start;
        for (slot, c) in ends.iter_mut().zip(rest.chars()) {
            end += c.len_utf8();
            *slot = end;
        }
        for end in ends.into_iter().rev().filter(|end| *end > start) {
            let flags = self.lookup(start, end);
            if flags != 0 {
                self.pos = end;
                self.word_flags(start, end, flags, HIGH);
                return;
            }
        }
        self.cjk_name(start);
    }

    /// Handles a run of letters: context, key of an assignment, beginning of a secret, name or street.
    fn word(&mut self, start: usize, end: usize, mask: u8) {
        if self.secret_prefix(start, end) {
            return;
        }
        let mut flags = self.lookup(start, end);
        if flags == 0
            && end - start > 3
            && (mask & UNDER != 0 || mask & ALPHA == ALPHA && self.is_camel(start, end))
        {
            flags = self.compound(start, end);
        }
        self.word_flags(start, end, flags, mask);
    }

    /// Acts on a word whose flags are known.
    pub(super) fn word_flags(&mut self, start: usize, end: usize, flags: u64, mask: u8) {
        const KEYS: u64 = flag::PASSWORD
            | flag::TOKEN
            | flag::KEY
            | flag::BEARER
            | flag::USER
            | flag::NAME_KEY
            | flag::NAME;
        self.note(flags, end);
        let previous = std::mem::replace(&mut self.previous, Previous { start, end, flags });
        if flags & KEYS != 0 && self.assignment(start, end, flags, previous) {
            return;
        }
        if flags & flag::ADDR != 0 && self.address_after_key(end) {
            return;
        }
        if mask & (HIGH | UPPER) != 0 || flags & (flag::STREET_BEFORE | flag::MONTH) != 0 {
            self.capitalised(start, end, flags, mask, previous);
        } else if end - start == 2 && starts(self.bytes, start, b"at") {
            self.spelled_email(start, end);
        } else if end - start <= 4 {
            self.hex_word(start, end);
        }
    }

    /// Handles a word with an upper-case or non-ASCII letter.
    fn capitalised(&mut self, start: usize, end: usize, flags: u64, mask: u8, previous: Previous) {
        if mask & LOWER == 0
            && end - start <= 5
            && (self.pem(start, end) || self.letters_first_id(start, end))
        {
            return;
        }
        if end - start <= 4 && self.hex_word(start, end) {
            return;
        }
        if end - start == 2 && mask & LOWER == 0 && starts(self.bytes, start, b"AT") {
            self.spelled_email(start, end);
        }
        if self.street(start, end, flags, mask) {
            return;
        }
        if flags & flag::MONTH != 0 && self.month_first_date(start, end, flags) {
            return;
        }
        self.person(start, end, flags, mask, previous);
    }

    fn is_camel(&self, start: usize, end: usize) -> bool {
        sub(self.bytes, start, end)
            .windows(2)
            .any(|pair| class(at(pair, 0)) & LOWER != 0 && class(at(pair, 1)) & UPPER != 0)
    }

    /// Returns the flags of a compound word (`db_password`, `userName`): its last part, qualified by the one before.
    pub(super) fn compound(&mut self, start: usize, end: usize) -> u64 {
        let (mut part, mut last, mut before_last) = (start, 0u64, 0u64);
        // A constant of a program (`PPS_GETCAP`, `RING_CALL`) is no context for numbers.
        let constant = !sub(self.bytes, start, end).iter().any(u8::is_ascii_lowercase);
        let mut i = start;
        while i < end {
            let (byte, next) = (at(self.bytes, i), at(self.bytes, i + 1));
            let camel = class(byte) & LOWER != 0 && class(next) & UPPER != 0 && i + 1 < end;
            if byte == b'_' || camel || i + 1 == end {
                let stop = if byte == b'_' { i } else { i + 1 };
                if stop > part {
                    (before_last, last) = (last, self.lookup(part, stop));
                    self.note(if constant { 0 } else { last & !flag::OTHER }, end);
                }
                part = i + 1;
            }
            i += 1;
        }
        if constant {
            last &= !((1 << flag::CONTEXTS) - 1);
        }
        if last & flag::KEY != 0 && before_last & flag::QUALIFIER != 0 {
            return flag::TOKEN;
        }
        if last & flag::NAME != 0 {
            return if before_last & flag::USER != 0 {
                flag::USER
            } else if before_last & (flag::NAME_KEY | flag::BEFORE_NAME) != 0 {
                flag::NAME_KEY
            } else {
                flag::NAME
            };
        }
        last & !flag::USER & !flag::BEFORE_NAME
    }
}
