//! E-mail addresses: written plainly, defanged (`a[@]b[.]c`) or spelled out (`a at b dot com`); handles.

use super::chars::{
    HIGH, WORD, at, before, char_before, class, continues_word, is_alnum, is_word, skip_blanks,
    starts, starts_ci, sub,
};
use super::kind::EntityKind;
use super::scan::Scan;
use super::words::flag;

const LOCAL_MAX: usize = 64;
const DOMAIN_MAX: usize = 253;
/// Endings that are files, not top-level domains.
const FILE_ENDINGS: &[&[u8]] = &[
    b"png", b"jpg", b"jpeg", b"gif", b"svg", b"webp", b"ico", b"css", b"js", b"html", b"json",
    b"ts", b"tsx", b"yaml", b"yml", b"lock", b"tgz", b"gz", b"zip", b"txt", b"service", b"local_",
];

impl Scan<'_> {
    /// Handles an `@`: an address around it, or a handle after it.
    pub(super) fn at_sign(&mut self, sign: usize) {
        let bracket = matches!(before(self.bytes, sign), b'[' | b'(')
            && matches!(at(self.bytes, sign + 1), b']' | b')');
        let (left, right) = if bracket { (sign - 1, sign + 2) } else { (sign, sign + 1) };
        let start = self.local_start(left);
        if start < left {
            if let Some(end) = self.domain_end(right, false)
                && !(starts(self.bytes, start, b"git@") && matches!(at(self.bytes, end), b':'))
            {
                self.emit(start, end, EntityKind::Email, 95);
            }
            return;
        }
        self.handle(sign);
    }

    /// Returns where the local part that ends at `end` begins.
    fn local_start(&self, end: usize) -> usize {
        let stop = self.floor.max(end.saturating_sub(LOCAL_MAX));
        let mut start = end;
        while start > stop {
            let byte = before(self.bytes, start);
            if class(byte) & HIGH != 0 {
                match char_before(self.text, start) {
                    Some(c) if continues_word(c) && start - c.len_utf8() >= stop => {
                        start -= c.len_utf8();
                    }
                    _ => break,
                }
            } else if class(byte) & WORD != 0
                || matches!(byte, b'.' | b'+' | b'-' | b'\'' | b'!' | b'~' | b'*' | b'#' | b'$')
            {
                start -= 1;
            } else {
                break;
            }
        }
        if start > 0
            && before(self.bytes, start) == b'\\'
            && matches!(at(self.bytes, start), b'n' | b't' | b'r')
        {
            start += 1;
        }
        while start < end && !is_word(at(self.bytes, start)) {
            start += 1;
        }
        start
    }

    /// Returns where the domain that begins at `start` ends, if it is one with a plausible top level.
    fn domain_end(&self, start: usize, spelled: bool) -> Option<usize> {
        let (mut pos, mut labels, mut last) = (start, 0, (start, start));
        loop {
            let label_end = self.label_end(pos);
            if label_end == pos || label_end > start + DOMAIN_MAX {
                break;
            }
            labels += 1;
            last = (pos, label_end);
            let Some(next) = self.dot_end(label_end, spelled) else { break };
            pos = next;
        }
        let top = sub(self.bytes, last.0, last.1);
        let alphabetic = top.iter().all(|byte| byte.is_ascii_alphabetic() || *byte >= 0x80)
            || top.get(..4).is_some_and(|head| head.eq_ignore_ascii_case(b"xn--"));
        let file = FILE_ENDINGS.iter().any(|ending| top.eq_ignore_ascii_case(ending));
        (labels >= 2 && alphabetic && matches!(top.len(), 2..=24) && !file).then_some(last.1)
    }

    fn label_end(&self, start: usize) -> usize {
        let mut end = start;
        loop {
            let (word_end, _) = self.measure(end);
            let stop = if at(self.bytes, word_end) == b'-'
                && is_word(at(self.bytes, word_end + 1))
                && word_end > start
            {
                word_end + 1
            } else {
                return word_end;
            };
            if stop - start > 63 {
                return stop - 1;
            }
            end = stop;
        }
    }

    /// Returns the position after a dot: `.`, `[.]`, `(.)`, or ` dot ` and `[dot]` in a spelled address.
    fn dot_end(&self, start: usize, spelled: bool) -> Option<usize> {
        if at(self.bytes, start) == b'.' {
            return is_word(at(self.bytes, start + 1)).then_some(start + 1);
        }
        for form in [b"[.]", b"(.)"] {
            if starts(self.bytes, start, form) {
                return Some(start + 3);
            }
        }
        let mut pos = skip_blanks(self.bytes, start, 2);
        let bracket = matches!(at(self.bytes, pos), b'[' | b'(' | b'{');
        if !bracket && !spelled {
            return None;
        }
        pos += usize::from(bracket);
        pos = skip_blanks(self.bytes, pos, 1);
        let words: &[&[u8]] = if bracket {
            &[b"dot", b"punkt", b"punto", b"point", b"ponto", b"."]
        } else {
            &[b"dot", b"punkt"]
        };
        let word = words.iter().find(|word| starts_ci(self.bytes, pos, word))?;
        pos = skip_blanks(self.bytes, pos + word.len(), 1);
        if bracket {
            matches!(at(self.bytes, pos), b']' | b')' | b'}')
                .then(|| skip_blanks(self.bytes, pos + 1, 2))
        } else {
            (before(self.bytes, pos) == b' ').then_some(pos)
        }
    }

    /// Handles the word `at` in `name at host dot com`, `name [at] host.com`.
    pub(super) fn spelled_email(&mut self, word: usize, word_end: usize) {
        let bracket = matches!(before(self.bytes, word), b'[' | b'(' | b'{')
            && matches!(at(self.bytes, word_end), b']' | b')' | b'}');
        let (mut left, mut right) = (word - usize::from(bracket), word_end + usize::from(bracket));
        if bracket {
            left -= usize::from(before(self.bytes, left) == b' ');
            right = skip_blanks(self.bytes, right, 1);
        } else if before(self.bytes, left) == b' ' && at(self.bytes, right) == b' ' {
            (left, right) = (left - 1, right + 1);
        } else {
            return;
        }
        let start = self.local_start(left);
        if start == left || !is_alnum(before(self.bytes, left)) {
            return;
        }
        if let Some(end) = self.domain_end(right, true) {
            let plain = sub(self.bytes, right, end).iter().filter(|byte| **byte == b'.').count();
            if bracket || plain == 0 {
                self.emit(start, end, EntityKind::Email, 85);
            }
        }
    }

    /// Handles a social handle: an `@` after white space, with a word of such networks before it.
    fn handle(&mut self, sign: usize) {
        let (end, _) = self.measure(sign + 1);
        let free = !is_word(before(self.bytes, sign))
            && !matches!(at(self.bytes, end), b'/' | b'(' | b'@');
        if free && matches!(end - sign - 1, 2..=30) && self.near(flag::HANDLE, sign, 24) {
            self.emit(sign + 1, end, EntityKind::Username, 75);
        }
    }
}
