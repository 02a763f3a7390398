//! Names of persons by rule: titles, introductions, greetings, keys, and capitalised words that a gazetteer knows.
//!
//! A rule form with an eye to precision; a learned tagger will add candidates here and keep these rules as features.

use super::chars::{
    ALPHA, DIGIT, HIGH, LOWER, UPPER, at, before, char_at, char_before, class, is_cjk, is_word,
    starts,
};
use super::kind::EntityKind;
use super::scan::{Previous, Scan};
use super::words::{flag, key_of};

const WORDS_MAX: usize = 5;

/// A run of capitalised words, as a name would be written.
#[derive(Default)]
struct Name {
    end: usize,
    last_start: usize,
    /// Words of more than one letter, particles left out.
    words: usize,
    initials: usize,
    first: u64,
    all: u64,
    any: u64,
    last: u64,
    /// How many words a gazetteer knows and nothing speaks against.
    sure: usize,
}

impl Scan<'_> {
    /// Handles a capitalised word that no other rule wanted.
    pub(super) fn person(
        &mut self,
        start: usize,
        end: usize,
        flags: u64,
        mask: u8,
        previous: Previous,
    ) {
        let upper_first = char_at(self.text, start).is_some_and(char::is_uppercase);
        let glued = matches!(
            before(self.bytes, start),
            b'/' | b'.' | b'_' | b'\\' | b'$' | b'#' | b'&' | b'=' | b'@' | b'-' | b'\''
        ) && !self.after_prose(start);
        let initial = end - start == 1
            && (at(self.bytes, end) == b'.'
                || at(self.bytes, end) == b'\'' && class(at(self.bytes, end + 1)) & UPPER != 0);
        let numbered = before(self.bytes, start) == b' '
            && start > 1
            && class(before(self.bytes, start - 1)) & DIGIT != 0;
        if !upper_first
            || glued
            || numbered
            || mask & LOWER == 0 && end - start > 1
            || end - start == 1 && !initial
        {
            return;
        }
        let cues = flag::TITLE
            | flag::GREETING
            | flag::INTRO
            | flag::NAME_KEY
            | flag::NAME
            | flag::BEFORE_NAME;
        if flags & cues != 0 && self.name_flags(start, end) & flag::GIVEN == 0 {
            return;
        }
        let titled = self.joined(previous, start, flag::TITLE);
        let word_of_logs =
            flag::COMMON | flag::TOKEN | flag::PASSWORD | flag::OTHER | flag::VERSION;
        if flags & word_of_logs != 0 && !titled && !initial {
            return;
        }
        let name = self.read_name(start);
        if name.end <= start {
            return;
        }
        if self.is_organisation(&name) || self.is_place(start, &name, previous, flags) {
            self.pos = self.pos.max(name.end);
            return;
        }
        if name.words > 0
            && name.last_start > start
            && self.street(name.last_start, name.end, name.last, LOWER | UPPER)
        {
            return;
        }
        let score = self.name_score(start, &name, previous, titled);
        if score > 0 {
            self.emit(start, name.end, EntityKind::Person, score);
        } else if name.words > 1 {
            // The rest of the run is no name of its own.
            self.pos = self.pos.max(name.end);
        }
    }

    /// Tells whether the sign before a word is only punctuation of prose (`- Ann`, `>Ann`).
    fn after_prose(&self, start: usize) -> bool {
        let sign = before(self.bytes, start);
        let further = start.checked_sub(1).map_or(0, |i| before(self.bytes, i));
        matches!(sign, b'-' | b'\'') && !is_word(further) || sign == b'.' && further == b'.'
    }

    /// Tells whether the previous word has one of the flags and only a blank (or `. `, `: `) stands between.
    fn joined(&self, previous: Previous, start: usize, flags: u64) -> bool {
        let gap = start.saturating_sub(previous.end);
        previous.flags & flags != 0
            && previous.end > 0
            && (gap == 1 && before(self.bytes, start) == b' '
                || gap == 2
                    && before(self.bytes, start) == b' '
                    && matches!(at(self.bytes, previous.end), b'.' | b':'))
    }

    /// Weighs a run of words; 0 when it is no name.
    fn name_score(&self, start: usize, name: &Name, previous: Previous, titled: bool) -> u8 {
        let next = at(self.bytes, name.end);
        let cue = self.joined(previous, start, flag::BEFORE_NAME | flag::NAME_KEY | flag::NAME);
        let intro = self.joined(previous, start, flag::INTRO)
            || starts_behind(self.bytes, start, b"I'm ")
            || starts_behind(self.bytes, start, "I’m ".as_bytes());
        let greeted = self.joined(previous, start, flag::GREETING);
        let given = name.first & flag::GIVEN != 0;
        let unsure = name.first & flag::UNSURE != 0;
        let known = name.any & (flag::GIVEN | flag::FAMILY) != 0;
        if titled && name.words >= 1 {
            return 85;
        }
        if name.words >= 2 || name.words == 1 && name.initials > 0 {
            let pair = name.words + name.initials >= 2 && name.any & flag::COMMON == 0;
            let strong =
                given && !unsure || name.sure >= 2 || name.initials > 0 && known && name.words > 0;
            let cued = (cue || intro || greeted) && known;
            let mild = given && name.last & flag::FAMILY != 0;
            return if !pair {
                0
            } else if strong || cued {
                75
            } else if mild {
                60
            } else {
                0
            };
        }
        if name.words != 1 {
            return 0;
        }
        if greeted && (given || matches!(next, b',' | b'!') && name.any & flag::COMMON == 0) {
            return 75;
        }
        if (intro || cue) && given && !unsure {
            return 70;
        }
        let speaks =
            starts(self.bytes, name.end, b"'s ") || starts(self.bytes, name.end, "’s ".as_bytes());
        let says = self.joined(previous, start, flag::BEFORE_NAME) && self.said(previous);
        if says && name.any & flag::COMMON == 0 {
            return 65;
        }
        let assigned = next == b' ' && at(self.bytes, name.end + 1) == b'=';
        if given
            && !unsure
            && !assigned
            && (speaks
                || matches!(
                    next,
                    b' ' | b',' | b':' | b'?' | b'!' | b'"' | b'.' | b';' | b'\n' | 0 | b')'
                ))
        {
            return 55;
        }
        0
    }

    fn said(&self, previous: Previous) -> bool {
        [&b"says"[..], b"said", b"named", b"called", b"starring", b"featuring"]
            .into_iter()
            .any(|word| starts(self.bytes, previous.start, word))
    }

    fn name_flags(&self, start: usize, end: usize) -> u64 {
        self.vocabulary.name(key_of(self.bytes, start, end))
    }

    /// Reads capitalised words, initials and particles from `start` on.
    fn read_name(&self, start: usize) -> Name {
        let mut name = Name { all: u64::MAX, ..Name::default() };
        let (mut pos, mut count) = (start, 0);
        while count < WORDS_MAX {
            let (end, mask) = self.measure(pos);
            let first_upper = char_at(self.text, pos).is_some_and(char::is_uppercase);
            let length = end - pos;
            if length == 0
                || mask & (ALPHA | HIGH) == 0
                || class(at(self.bytes, end)) != 0 && at(self.bytes, end) == b'@'
            {
                break;
            }
            let word = self.lookup(pos, end);
            if first_upper
                && length == 1
                && at(self.bytes, end) == b'\''
                && class(at(self.bytes, end + 1)) & UPPER != 0
            {
                pos = end + 1;
                continue;
            }
            if first_upper
                && length == 1
                && at(self.bytes, end) == b'.'
                && at(self.bytes, end + 1) == b' '
            {
                name.initials += 1;
                pos = end + 2;
                count += 1;
                continue;
            }
            if first_upper
                && mask & LOWER != 0
                && (count == 0
                    || (word & (flag::COMMON | flag::GREETING) == 0 || self.leads_on(end, word)))
            {
                let flags = self.name_flags(pos, end)
                    | if word & flag::PARTICLE != 0 { word & !flag::COMMON } else { word };
                if count == 0 || name.words == 0 {
                    name.first = flags;
                }
                // Hyphenated parts are one word: `Anne-Marie`, but also the firm `Smith-Jones`.
                name.words += usize::from(pos == start || before(self.bytes, pos) != b'-');
                name.last_start = pos;
                name.any |= flags;
                name.all &= flags;
                name.last = flags;
                let doubtful = flags & (flag::UNSURE | flag::COMMON) != 0;
                name.sure += usize::from(flags & (flag::GIVEN | flag::FAMILY) != 0 && !doubtful);
                name.end = end;
            } else if !first_upper && name.words + name.initials > 0 && word & flag::PARTICLE != 0 {
                // A particle counts only when a capitalised word follows.
                let follows = char_at(self.text, end + 1).is_some_and(char::is_uppercase)
                    || self.lookup(end + 1, self.measure(end + 1).0) & flag::PARTICLE != 0;
                if at(self.bytes, end) != b' ' || !follows {
                    break;
                }
            } else {
                break;
            }
            count += 1;
            let Some(next) = self.name_gap(end) else { break };
            pos = next;
        }
        name
    }

    /// Tells whether a capitalised particle (`De`, `Van`) stands before another capitalised word.
    fn leads_on(&self, end: usize, word: u64) -> bool {
        word & flag::PARTICLE != 0
            && at(self.bytes, end) == b' '
            && char_at(self.text, end + 1).is_some_and(char::is_uppercase)
    }

    /// Returns where the next word of a name begins: after a blank, `-` or an apostrophe.
    fn name_gap(&self, end: usize) -> Option<usize> {
        let upper = |i: usize| char_at(self.text, i).is_some_and(char::is_uppercase);
        match at(self.bytes, end) {
            b' ' => Some(end + 1),
            b'-' | b'\'' if upper(end + 1) => Some(end + 1),
            _ if starts(self.bytes, end, "’".as_bytes()) && upper(end + 3) => Some(end + 3),
            _ => None,
        }
    }

    /// Tells whether a run of words is the name of a firm, or a street without number.
    fn is_organisation(&self, name: &Name) -> bool {
        if name.any & flag::ORG != 0 {
            return true;
        }
        let mut pos = name.end;
        if at(self.bytes, pos) == b','
            && at(self.bytes, pos + 1) == b' '
            && class(at(self.bytes, pos + 2)) & UPPER != 0
        {
            let (end, _) = self.measure(pos + 2);
            return self.lookup(pos + 2, end) & flag::ORG != 0;
        }
        if matches!(at(self.bytes, pos), b'-') {
            return false;
        }
        if at(self.bytes, pos) != b' ' {
            return false;
        }
        pos += 1;
        if at(self.bytes, pos) == b'&' {
            return true;
        }
        let (end, mask) = self.measure(pos);
        let flags = self.lookup(pos, end);
        if mask & UPPER != 0
            && flags & (flag::ORG | flag::STREET_AFTER) != 0
            && flags & flag::STREET_WEAK == 0
        {
            return true;
        }
        let joins = [&b"and "[..], b"et ", b"y ", b"e ", b"und ", b"i "]
            .into_iter()
            .find(|word| starts(self.bytes, pos, word));
        joins.is_some_and(|word| {
            let from = pos + word.len();
            let (end, _) = self.measure(from);
            self.lookup(from, end) & flag::ORG != 0
        })
    }

    /// Tells whether a run of words is a place: `Port Jennifer`, `South Ann`.
    fn is_place(&self, start: usize, name: &Name, previous: Previous, flags: u64) -> bool {
        let placed = flags & flag::PLACE != 0 && name.words > 1
            || self.joined(previous, start, flag::PLACE)
                && class(at(self.bytes, previous.start)) & UPPER != 0;
        let street =
            name.words > 1 && name.last & flag::STREET_AFTER != 0 && name.last & flag::FAMILY == 0;
        placed || street
    }

    /// Handles the value of a key that holds a name: `"owner": "Ann Lee"`, `Name: Ann Lee`, `my name is Ann`.
    pub(super) fn name_after_key(
        &mut self,
        _start: usize,
        end: usize,
        flags: u64,
        previous: Previous,
    ) -> bool {
        let Some(value) = self.value_after(end) else { return false };
        let name = self.read_name(value.start);
        let ideographs = char_at(self.text, value.start).is_some_and(is_cjk);
        if ideographs && value.quoted && value.end - value.start <= 36 {
            self.emit(value.start, value.end, EntityKind::Person, 70);
            return true;
        }
        if name.end <= value.start || value.quoted && name.end != value.end {
            return false;
        }
        if !value.quoted
            && matches!(at(self.bytes, name.end), b'/' | b'-' | b'_' | b'.')
            && is_word(at(self.bytes, name.end + 1))
        {
            return false;
        }
        let known = name.any & (flag::GIVEN | flag::FAMILY) != 0;
        let ordinary = name.any & (flag::COMMON | flag::ORG) != 0;
        let personal = flags & flag::NAME_KEY != 0
            || value.prose
            || previous.flags & (flag::NAME_KEY | flag::USER) != 0;
        let accept = if personal {
            known || name.words >= 2 || value.quoted || value.prose
        } else {
            name.words >= 2 && known || name.first & flag::GIVEN != 0 && name.sure > 0
        };
        if ordinary || !accept {
            return false;
        }
        self.emit(value.start, name.end, EntityKind::Person, 80);
        true
    }

    /// Handles the beginning of ideographs: `我叫…`, `山田 花子です`, `…さん`.
    pub(super) fn cjk_name(&mut self, start: usize) {
        if char_before(self.text, start).is_some_and(is_cjk) {
            return;
        }
        for cue in ["我的名字是", "我叫", "名字叫", "私の名前は", "名前は", "私は"]
        {
            if starts(self.bytes, start, cue.as_bytes()) {
                let from = start + cue.len();
                let end = self.cjk_run(from, 5);
                if end > from {
                    self.emit(from, end, EntityKind::Person, 75);
                }
                return;
            }
        }
        let end = self.cjk_run(start, 8);
        let honoured = ["です", "さん", "様", "氏", "先生", "と申します"]
            .into_iter()
            .any(|word| starts(self.bytes, end, word.as_bytes()));
        let spaced = self.text.get(start..end).is_some_and(|name| name.contains(' '));
        if honoured && (spaced || !starts(self.bytes, end, "です".as_bytes())) {
            self.emit(start, end, EntityKind::Person, 70);
        }
    }

    /// Returns the end of a name in ideographs, kana, blanks and Latin initials.
    fn cjk_run(&self, start: usize, chars_max: usize) -> usize {
        let (mut end, mut kept) = (start, start);
        for c in self.text.get(start..).unwrap_or("").chars().take(chars_max + 4) {
            let rest = self.bytes.get(end..).unwrap_or(&[]);
            let stops = ["です", "さん", "様", "と申", "先生"]
                .into_iter()
                .any(|word| rest.starts_with(word.as_bytes()));
            if stops || !(is_cjk(c) || c == ' ' || c == '.' || c == '・' || c.is_ascii_uppercase())
            {
                break;
            }
            end += c.len_utf8();
            if c != ' ' {
                kept = end;
            }
        }
        kept
    }
}

fn starts_behind(bytes: &[u8], end: usize, what: &[u8]) -> bool {
    end.checked_sub(what.len()).is_some_and(|start| starts(bytes, start, what))
}
