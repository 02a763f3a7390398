//! Secrets by their key: `password=…`, `"api_key": "…"`, `Authorization: Bearer …`; and, by the same grammar of
//! key, sign and value, user names and the names of persons.

use super::chars::{
    ALPHA, DIGIT, LOWER, UPPER, at, before, class, is_alnum, is_hex, is_word, run, skip_blanks,
    starts, starts_ci, sub,
};
use super::checks::entropy;
use super::kind::EntityKind;
use super::placeholder::placeholder_end;
use super::scan::{Previous, Scan};
use super::secret::placeholder_like;
use super::words::flag;

const VALUE_MAX: usize = 1024;

/// A value after a key.
#[derive(Clone, Copy)]
pub(super) struct Value {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) quoted: bool,
    /// `=` right between key and value, as in settings.
    pub(super) tight: bool,
    /// No sign at all, or a word such as `is`: prose.
    pub(super) prose: bool,
}

impl Scan<'_> {
    /// Handles the key of an assignment; returns whether its value was consumed.
    pub(super) fn assignment(
        &mut self,
        start: usize,
        end: usize,
        flags: u64,
        previous: Previous,
    ) -> bool {
        let flags = self.qualified(start, flags, previous);
        if flags & flag::BEARER != 0 && self.authorization(start, end) {
            return true;
        }
        if flags & (flag::NAME_KEY | flag::NAME) != 0
            && self.name_after_key(start, end, flags, previous)
        {
            return true;
        }
        let Some(value) = self.value_after(end) else {
            return self.login_in_prose(end, flags, previous);
        };
        let bytes = sub(self.bytes, value.start, value.end);
        if placeholder_end(self.bytes, value.start).is_some() || placeholder_like(bytes) {
            return false;
        }
        if flags & flag::PASSWORD != 0 && self.is_password(bytes, value) {
            self.emit(value.start, value.end, EntityKind::Secret, 90);
            return true;
        }
        if flags & flag::TOKEN != 0
            && starts_ci(self.bytes, start, b"sig")
            && self.signed_query(start, value)
        {
            return true;
        }
        if flags & flag::TOKEN != 0
            && !value.prose
            && (is_token(bytes) || value.quoted && scrambled(bytes))
        {
            self.emit(value.start, value.end, EntityKind::Secret, 85);
            return true;
        }
        if flags & flag::USER != 0 && self.is_username(start, value) {
            self.emit(value.start, value.end, EntityKind::Username, 80);
            return true;
        }
        false
    }

    /// Turns `key` after a qualifier into a secret's key, and a lone one into nothing.
    fn qualified(&self, start: usize, flags: u64, previous: Previous) -> u64 {
        let joined = previous.end > 0 && previous.end + 1 == start;
        let mut flags = flags;
        if flags & flag::KEY != 0 {
            flags &= !flag::KEY;
            if joined && previous.flags & (flag::QUALIFIER | flag::TOKEN) != 0 {
                flags |= flag::TOKEN;
            }
        }
        flags
    }

    /// Finds the value after a key that ends at `end`.
    pub(super) fn value_after(&self, end: usize) -> Option<Value> {
        let mut pos = end;
        // The key's own closing quote, escaped or not, or bracket.
        pos += usize::from(at(self.bytes, pos) == b'\\');
        pos += usize::from(matches!(at(self.bytes, pos), b'"' | b'\'' | b'`' | b']'));
        pos = skip_blanks(self.bytes, pos, 4);
        let sign = at(self.bytes, pos);
        let (tight, mut prose) = (sign == b'=' && pos == end, false);
        match sign {
            b'=' | b':' => {
                pos += 1;
                pos += usize::from(matches!(at(self.bytes, pos), b'=' | b'>'));
            }
            _ if starts(self.bytes, pos, "：".as_bytes()) => pos += "：".len(),
            _ if pos > end => {
                let word = [
                    &b"is "[..],
                    b"ist ",
                    b"es ",
                    b"est ",
                    b"is: ",
                    "è ".as_bytes(),
                    "é ".as_bytes(),
                ]
                .into_iter()
                .find(|word| starts_ci(self.bytes, pos, word))?;
                pos += word.len();
                prose = true;
            }
            _ => return None,
        }
        pos = skip_blanks(self.bytes, pos, 8);
        pos += usize::from(
            at(self.bytes, pos) == b'\\' && matches!(at(self.bytes, pos + 1), b'"' | b'\''),
        );
        let quote = at(self.bytes, pos);
        let quoted = matches!(quote, b'"' | b'\'' | b'`');
        let start = pos + usize::from(quoted);
        let stop = if quoted {
            let escaped = before(self.bytes, pos) == b'\\';
            run(self.bytes, start, VALUE_MAX, |byte| {
                byte != quote && byte != b'\n' && !(escaped && byte == b'\\')
            })
        } else {
            self.bare_value_end(start)
        };
        let mut stop = stop;
        if !quoted {
            while stop > start && matches!(before(self.bytes, stop), b'.' | b':' | b'?') {
                stop -= 1;
            }
        }
        (stop > start).then_some(Value { start, end: stop, quoted, tight, prose })
    }

    /// Returns where a value without quotes ends: at a blank or bracket, or a sign that begins the next setting.
    fn bare_value_end(&self, start: usize) -> usize {
        let mut stop = start;
        loop {
            stop = run(self.bytes, stop, VALUE_MAX, |byte| {
                byte > b' '
                    && !matches!(
                        byte,
                        b'"' | b'\''
                            | b'`'
                            | b','
                            | b';'
                            | b'&'
                            | b')'
                            | b'}'
                            | b']'
                            | b'<'
                            | b'>'
                            | b'|'
                            | b'\\'
                    )
            });
            let key_end = run(self.bytes, stop + 1, 32, |byte| {
                is_alnum(byte) || matches!(byte, b'_' | b'-' | b'.')
            });
            let goes_on = at(self.bytes, stop) == b'&'
                && at(self.bytes, key_end) != b'='
                && stop - start < VALUE_MAX;
            if !goes_on {
                return stop;
            }
            stop += 1;
        }
    }

    /// Tells whether a value behind the key of a password is one.
    fn is_password(&self, bytes: &[u8], value: Value) -> bool {
        let bits = bytes.iter().fold(0u8, |bits, byte| bits | class(*byte));
        let symbol = bytes.iter().any(|byte| !is_alnum(*byte) && *byte != b' ');
        let kinds = u32::from(bits & LOWER != 0)
            + u32::from(bits & UPPER != 0)
            + u32::from(bits & DIGIT != 0)
            + u32::from(symbol);
        let call = bytes.contains(&b'(') && bytes.last() == Some(&b')')
            || bytes.contains(&b' ') && !value.quoted;
        let index = bytes.iter().position(|byte| matches!(byte, b'(' | b'['));
        let code = !value.quoted
            && (starts(bytes, 0, b"__")
                || index.is_some_and(|i| {
                    i > 0 && sub(bytes, 0, i).iter().all(|byte| is_word(*byte) || *byte == b'.')
                }));
        if bytes.len() < 4 || call || code || bytes.len() > 256 || starts(bytes, 0, b"//") {
            return false;
        }
        let path = bytes.windows(2).any(|pair| pair == b"->")
            || bytes.iter().all(|byte| {
                is_alnum(*byte) && !byte.is_ascii_digit() || matches!(byte, b'.' | b'_')
            }) && symbol;
        match kinds {
            1 => (value.tight || value.quoted) && matches!(bytes.len(), 6..=64),
            _ if value.prose => bits & DIGIT != 0 && bytes.len() >= 6 || kinds >= 3,
            _ => !path || value.quoted,
        }
    }

    /// Handles `Bearer …` and `Basic …` in a header.
    fn authorization(&mut self, start: usize, end: usize) -> bool {
        let from = skip_blanks(self.bytes, end, 2);
        let stop = run(self.bytes, from, 4096, |byte| {
            is_alnum(byte) || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'+' | b'/' | b'=')
        });
        let value = sub(self.bytes, from, stop);
        let basic = starts_ci(self.bytes, start, b"basic");
        let enough = if basic { 12 } else { 16 };
        let bits = value.iter().fold(0u8, |bits, byte| bits | class(*byte));
        let mixed = bits & DIGIT != 0 && bits & ALPHA != 0
            || bits & UPPER != 0 && bits & LOWER != 0 && basic;
        if from == end
            || value.len() < enough
            || !mixed
            || basic && !decodes_to_pair(value)
            || entropy(value) < 3.0
            || placeholder_like(value)
        {
            return false;
        }
        self.emit(from, stop, EntityKind::Secret, 92);
        true
    }

    /// Handles the signature of a shared access URL: the whole query is the secret.
    fn signed_query(&mut self, start: usize, value: Value) -> bool {
        let mut from = start;
        while from > self.floor && start - from < 512 {
            let byte = before(self.bytes, from);
            if byte <= b' ' || matches!(byte, b'?' | b'"' | b'\'' | b'<' | b'(') {
                break;
            }
            from -= 1;
        }
        let query = sub(self.bytes, from, start);
        let signed = query.windows(3).any(|part| matches!(part, b"sv=" | b"se=" | b"sr="));
        if !signed || value.end - value.start < 20 {
            return false;
        }
        let end = run(self.bytes, value.end, 512, |byte| {
            is_alnum(byte) || matches!(byte, b'%' | b'=' | b'-' | b'_' | b'&' | b'.')
        });
        self.emit(from, end, EntityKind::Secret, 95);
        true
    }

    /// Handles `invalid user ann81 from 10.1.2.3`, `password for ann81 from …`: log lines of login services.
    fn login_in_prose(&mut self, end: usize, flags: u64, previous: Previous) -> bool {
        let word = sub(self.bytes, previous.start, previous.end);
        let invalid = flags & flag::USER != 0
            && [&b"invalid"[..], b"for", b"illegal", b"unknown"].contains(&word);
        let password = flags & flag::PASSWORD != 0
            && starts(self.bytes, end, b" for ")
            && !starts(self.bytes, end, b" for invalid");
        let start = end + if password { 5 } else { 1 };
        let stop =
            run(self.bytes, start, 40, |byte| is_alnum(byte) || matches!(byte, b'_' | b'-' | b'.'));
        if !(invalid && at(self.bytes, end) == b' ' || password)
            || !starts(self.bytes, stop, b" from ")
        {
            return false;
        }
        let value = Value { start, end: stop, quoted: true, tight: false, prose: false };
        let known = self.is_username(end, value);
        if known {
            self.emit(start, stop, EntityKind::Username, 80);
        }
        known
    }

    /// Tells whether a value behind the key of a user is a login name.
    fn is_username(&self, start: usize, value: Value) -> bool {
        const NOBODY: &[&[u8]] = &[
            b"root",
            b"admin",
            b"null",
            b"none",
            b"unknown",
            b"anonymous",
            b"system",
            b"user",
            b"users",
            b"true",
            b"false",
            b"guest",
            b"nobody",
            b"agent",
            b"assistant",
            b"default",
            b"test",
            b"postgres",
            b"service",
            b"undefined",
            b"id",
            b"name",
            b"nil",
            b"self",
            b"human",
            b"www-data",
            b"daemon",
            b"ok",
            b"failed",
            b"username",
            b"name",
            b"success",
            b"error",
            b"info",
            b"login",
            b"and",
            b"the",
            b"not",
            b"invalid",
        ];
        let bytes = sub(self.bytes, value.start, value.end);
        let shape = bytes
            .iter()
            .all(|byte| is_alnum(*byte) || matches!(byte, b'.' | b'_' | b'-') || *byte >= 0x80);
        let letters = bytes.iter().any(|byte| class(*byte) & ALPHA != 0 || *byte >= 0x80);
        let hash = bytes.len() >= 16 && bytes.iter().all(|byte| is_hex(*byte) || *byte == b'-');
        // `User: Ann Lee` in a dialogue is a speaker's turn, not a login.
        let spoken = !value.quoted && !value.tight && at(self.bytes, start).is_ascii_uppercase();
        let typed = !value.quoted
            && (at(self.bytes, value.end) == b'?'
                || bytes.first().is_some_and(u8::is_ascii_uppercase)
                    && !bytes.iter().any(u8::is_ascii_digit))
            && !value.tight;
        let known = NOBODY.iter().any(|word| bytes.eq_ignore_ascii_case(word));
        let code = matches!(at(self.bytes, value.end), b'(' | b'[')
            || bytes.contains(&b'.') && value.tight && bytes.starts_with(b"self");
        shape
            && letters
            && !typed
            && !hash
            && !known
            && !spoken
            && !code
            && !value.prose
            && matches!(bytes.len(), 3..=40)
    }
}

/// Tells whether base64 text holds `user:password` in printable characters.
fn decodes_to_pair(bytes: &[u8]) -> bool {
    let (mut bits, mut held, mut pair) = (0u32, 0u32, false);
    for byte in bytes.iter().filter(|byte| **byte != b'=') {
        let six = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => return false,
        };
        bits = (bits << 6 | u32::from(six)) & 0xffff;
        held += 6;
        if held >= 8 {
            held -= 8;
            let decoded = u8::try_from(bits >> held & 0xff).unwrap_or(0);
            pair |= decoded == b':';
            if decoded < b' ' || decoded == 0x7f {
                return false;
            }
        }
    }
    pair
}

/// Tells whether letters alone look random: their case changes too often for a word or an identifier.
fn scrambled(bytes: &[u8]) -> bool {
    let letters = bytes.iter().all(|byte| class(*byte) & ALPHA != 0);
    let rises = bytes
        .windows(2)
        .filter(|pair| class(at(pair, 0)) & LOWER != 0 && class(at(pair, 1)) & UPPER != 0)
        .count();
    let falls = bytes
        .windows(2)
        .filter(|pair| class(at(pair, 0)) & UPPER != 0 && class(at(pair, 1)) & UPPER != 0)
        .count();
    letters
        && matches!(bytes.len(), 8..=128)
        && rises >= 2
        && rises + falls >= 3
        && entropy(bytes) >= 2.8
}

/// Tells whether a value behind the key of a token looks random.
fn is_token(bytes: &[u8]) -> bool {
    let bits = bytes.iter().fold(0u8, |bits, byte| bits | class(*byte));
    let plain = bytes.iter().all(|byte| {
        is_alnum(*byte)
            || matches!(
                byte,
                b'-' | b'_'
                    | b'.'
                    | b'+'
                    | b'/'
                    | b'='
                    | b'~'
                    | b'%'
                    | b'$'
                    | b'!'
                    | b':'
                    | b'@'
                    | b'#'
                    | b'^'
                    | b'*'
            )
    });
    let uuid = bytes.len() == 36 && bytes.iter().all(|byte| is_hex(*byte) || *byte == b'-');
    let groups =
        u32::from(bits & LOWER != 0) + u32::from(bits & UPPER != 0) + u32::from(bits & DIGIT != 0);
    let symbol = bytes.iter().any(|byte| matches!(byte, b'!' | b'$' | b'@' | b'#' | b'^' | b'*'));
    let hex = bytes.len() >= 24 && bytes.iter().all(|byte| is_hex(*byte)) && bits & DIGIT != 0;
    let enough =
        groups >= 3 || groups == 2 && (bits & DIGIT != 0 && bytes.len() >= 10 || symbol) || hex;
    let identifier = bytes.contains(&b'_')
        && bytes
            .iter()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || *byte == b'_')
        && bytes.iter().filter(|byte| byte.is_ascii_digit()).count() < 4;
    let path = identifier
        || bytes.iter().filter(|byte| **byte == b'/').count() > 3
        || starts(bytes, 0, b"/") && bytes.len() < 30;
    plain
        && !uuid
        && !path
        && enough
        && matches!(bytes.len(), 8..=1024)
        && bits & DIGIT != 0
        && entropy(bytes) >= 2.6
}
