//! Severity: names to numbers and back, and a guess from the words of a plain text line.

use std::borrow::Cow;

use crate::batch::{Sink, Value};
use crate::intrinsic;

/// One of the six levels every consumer understands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Level {
    Trace,
    Debug,
    Info,
    Warn,
    Error,
    Fatal,
}

impl Level {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Trace => "TRACE",
            Self::Debug => "DEBUG",
            Self::Info => "INFO",
            Self::Warn => "WARN",
            Self::Error => "ERROR",
            Self::Fatal => "FATAL",
        }
    }

    /// The lowest OpenTelemetry severity number of the level.
    pub(crate) fn number(self) -> i64 {
        match self {
            Self::Trace => 1,
            Self::Debug => 5,
            Self::Info => 9,
            Self::Warn => 13,
            Self::Error => 17,
            Self::Fatal => 21,
        }
    }

    /// From an OpenTelemetry severity number.
    pub(crate) fn from_number(number: i64) -> Option<Self> {
        match number {
            1..=4 => Some(Self::Trace),
            5..=8 => Some(Self::Debug),
            9..=12 => Some(Self::Info),
            13..=16 => Some(Self::Warn),
            17..=20 => Some(Self::Error),
            21..=24 => Some(Self::Fatal),
            _ => None,
        }
    }

    /// From a syslog severity: 0 (emergency) to 7 (debug).
    pub(crate) fn from_syslog(severity: i64) -> Option<Self> {
        match severity {
            0..=2 => Some(Self::Fatal),
            3 => Some(Self::Error),
            4 => Some(Self::Warn),
            5 | 6 => Some(Self::Info),
            7 => Some(Self::Debug),
            _ => None,
        }
    }

    /// From the number a JSON logger writes as its level: bunyan and pino count in tens, GELF as
    /// syslog does.
    pub(crate) fn from_json_number(number: i64) -> Option<Self> {
        match number {
            10 => Some(Self::Trace),
            20 => Some(Self::Debug),
            30 => Some(Self::Info),
            40 => Some(Self::Warn),
            50 => Some(Self::Error),
            60 => Some(Self::Fatal),
            _ => Self::from_syslog(number),
        }
    }

    /// From the names in use, in any case.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        const NAMES: [(&str, Level); 21] = [
            ("INFO", Level::Info),
            ("ERROR", Level::Error),
            ("WARN", Level::Warn),
            ("WARNING", Level::Warn),
            ("DEBUG", Level::Debug),
            ("TRACE", Level::Trace),
            ("FATAL", Level::Fatal),
            ("CRITICAL", Level::Fatal),
            ("NOTICE", Level::Info),
            ("INFORMATION", Level::Info),
            ("ERR", Level::Error),
            ("CRIT", Level::Fatal),
            ("ALERT", Level::Fatal),
            ("EMERG", Level::Fatal),
            ("EMERGENCY", Level::Fatal),
            ("PANIC", Level::Fatal),
            ("SEVERE", Level::Error),
            ("VERBOSE", Level::Trace),
            ("FINE", Level::Debug),
            ("FINER", Level::Trace),
            ("FINEST", Level::Trace),
        ];
        NAMES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, level)| *level)
    }

    /// Guesses from a line of text. An upper-case level counts anywhere near the start, one in
    /// another case only where punctuation marks it as a label (`[error]`, `level=warn`,
    /// `warning: …`), since "no error found" is not an error.
    pub(crate) fn guess(line: &str) -> Option<Self> {
        const LOOKED_AT: usize = 256;
        let bytes = line.as_bytes();
        let mut before = b' ';
        let mut rest = bytes.get(..LOOKED_AT).unwrap_or(bytes);
        while let Some(first) = rest.first() {
            let word_len = rest
                .iter()
                .position(|b| !b.is_ascii_alphanumeric() && *b != b'_')
                .unwrap_or(rest.len());
            let (word, after) = rest.split_at(word_len);
            if word.is_empty() {
                before = *first;
                rest = rest.get(1..).unwrap_or_default();
                continue;
            }
            if (3..=11).contains(&word_len)
                && is_label(word, before, after.first().copied())
                && let Some(level) = std::str::from_utf8(word).ok().and_then(Self::from_name)
            {
                return Some(level);
            }
            rest = after;
        }
        None
    }
}

fn is_label(word: &[u8], before: u8, after: Option<u8>) -> bool {
    // "FINE" and "PANIC" in capitals are levels often enough; a dash or dot makes a name of it.
    if matches!(before, b'-' | b'.' | b'/') {
        return false;
    }
    word.iter().all(u8::is_ascii_uppercase)
        || matches!(before, b'[' | b'<' | b'(' | b'=')
        || matches!(after, Some(b']' | b'>' | b':'))
}

/// Adds the severity intrinsics from what a record says: text, number, or both.
pub(crate) fn push<'a>(sink: &mut Sink<'a, '_>, text: Option<Cow<'a, str>>, number: i64) {
    let text = text.filter(|text| !text.is_empty());
    let named = text.as_deref().and_then(Level::from_name);
    let shown = match (named, text) {
        (Some(level), _) => Some(Cow::Borrowed(level.name())),
        (None, Some(text)) if text.chars().any(char::is_lowercase) => {
            Some(Cow::Owned(text.to_uppercase()))
        }
        (None, Some(text)) => Some(text),
        (None, None) => Level::from_number(number).map(|level| Cow::Borrowed(level.name())),
    };
    if let Some(shown) = shown {
        sink.intrinsic(intrinsic::SEVERITY, Value::Str(shown));
    }
    let number = if number == 0 { named.map_or(0, Level::number) } else { number };
    if number != 0 {
        sink.intrinsic(intrinsic::SEVERITY_NUMBER, Value::Int(number));
    }
}

#[cfg(test)]
mod tests;
