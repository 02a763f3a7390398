//! Text on its way into a column: past the detectors, or not at all.

use std::collections::BTreeMap;

use crate::detect::{
    ConversationRef, Detector, EntityKind, PlaceholderBook, RedactCounts, Scratch,
};

use super::columns::ColumnBuilder;
use super::report::AdmissionReport;

/// What stands in place of a text that the detectors could not read.
pub(super) const WITHHELD: &str = "<WITHHELD>";
/// What stands in place of an attribute name that itself holds personal data, or is none.
const NAME_WITHHELD: &str = "(name withheld)";
/// Longest attribute name that a report shows.
const NAME_BYTES_MAX: usize = 128;
/// Longest token.
const TOKEN_BYTES_MAX: usize = 128;

/// A longer text is redacted at once: looking first saves a copy of a clean text, but costs one more scan of any other.
const LOOK_FIRST_BYTES_MAX: usize = 256;

/// The detectors with their working memory and tally.
pub(super) struct TextDesk<'p> {
    detector: &'p Detector,
    book: &'p PlaceholderBook,
    scratch: Scratch,
    pub(super) redacted: String,
    counts: RedactCounts,
    observed: BTreeMap<EntityKind, u64>,
    withheld: u64,
}

/// What the detectors say of a text.
pub(super) enum Verdict {
    /// Nothing found: the text may stand as it is.
    Clean,
    /// Something found: [`TextDesk::redacted`] holds the text without it.
    Redacted,
    /// Not read: [`WITHHELD`] stands in its place.
    Withheld,
}

impl<'p> TextDesk<'p> {
    pub(super) fn new(detector: &'p Detector, book: &'p PlaceholderBook) -> Self {
        Self {
            detector,
            book,
            scratch: Scratch::new(),
            redacted: String::new(),
            counts: RedactCounts::default(),
            observed: BTreeMap::new(),
            withheld: 0,
        }
    }

    /// Writes a text into a column, with everything the detectors find replaced.
    pub(super) fn write(
        &mut self,
        text: &str,
        token: bool,
        conversation: Option<&ConversationRef<'_>>,
        column: &mut ColumnBuilder,
    ) -> bool {
        let token = token && is_token(text);
        if (token && is_hex_id(text)) || column.is_known_clean(text) {
            return column.push_text(text);
        }
        let verdict =
            if token { self.read_token(text, conversation) } else { self.read(text, conversation) };
        match verdict {
            Verdict::Clean => {
                column.remember_clean(text);
                column.push_text(text)
            }
            Verdict::Redacted => column.push_text(&self.redacted),
            Verdict::Withheld => column.push_text(WITHHELD),
        }
    }

    /// Runs the detectors over a text.
    pub(super) fn read(
        &mut self,
        text: &str,
        conversation: Option<&ConversationRef<'_>>,
    ) -> Verdict {
        if text.len() > LOOK_FIRST_BYTES_MAX {
            return self.redact(text, conversation);
        }
        match self.detector.detect(text, &mut self.scratch) {
            Ok([]) => Verdict::Clean,
            Ok(_) => self.redact(text, conversation),
            Err(_error) => self.withhold(),
        }
    }

    /// The same for a token: ids look like many things, so only what an id must never be counts.
    fn read_token(&mut self, text: &str, conversation: Option<&ConversationRef<'_>>) -> Verdict {
        match self.detector.detect(text, &mut self.scratch) {
            Ok(findings) if findings.iter().any(|finding| is_never_a_token(finding.kind)) => {
                self.redact(text, conversation)
            }
            Ok(_) => Verdict::Clean,
            Err(_error) => self.withhold(),
        }
    }

    fn redact(&mut self, text: &str, conversation: Option<&ConversationRef<'_>>) -> Verdict {
        let counts = self.detector.redact(
            text,
            conversation,
            self.book,
            &mut self.scratch,
            &mut self.redacted,
        );
        self.counts.merge(&counts);
        if counts.cut_bytes() > 0 {
            self.withhold()
        } else if counts.total() == 0 {
            Verdict::Clean
        } else {
            Verdict::Redacted
        }
    }

    fn withhold(&mut self) -> Verdict {
        self.withheld = self.withheld.saturating_add(1);
        Verdict::Withheld
    }

    /// Counts what the detectors find in a text that is not kept.
    pub(super) fn observe(&mut self, text: &str) {
        if let Ok(findings) = self.detector.detect(text, &mut self.scratch) {
            for finding in findings {
                let count = self.observed.entry(finding.kind).or_default();
                *count = count.saturating_add(1);
            }
        }
    }

    /// An attribute name as a report may show it: senders can put anything into a name.
    pub(super) fn safe_name<'n>(&mut self, name: &'n str) -> &'n str {
        let plain = name.len() <= NAME_BYTES_MAX && !name.chars().any(char::is_control);
        match self.detector.detect(name, &mut self.scratch) {
            Ok([]) if plain => name,
            Ok(_) | Err(_) => NAME_WITHHELD,
        }
    }

    /// Writes the tally into the report.
    pub(super) fn finish(self, report: &mut AdmissionReport) {
        report.detections =
            self.counts.iter().map(|(kind, count)| (kind, u64::from(count))).collect();
        report.detections_observed = self.observed;
        report.values_withheld = self.withheld;
    }
}

/// Whether a text has the looks of a short id or name.
fn is_token(text: &str) -> bool {
    text.len() <= TOKEN_BYTES_MAX
        && text.bytes().all(|byte| {
            byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b':' | b'/' | b'@' | b'-')
        })
}

/// Whether a token is a trace id, a span id or a UUID: random bits that mean nothing by themselves.
fn is_hex_id(text: &str) -> bool {
    let hex = |byte: u8| byte.is_ascii_digit() || matches!(byte, b'a'..=b'f');
    match text.len() {
        // All digits could be a card number; a random id of 16 hex digits is that once in 1,800.
        16 => text.bytes().all(hex) && !text.bytes().all(|byte| byte.is_ascii_digit()),
        32 => text.bytes().all(hex) && !text.bytes().all(|byte| byte.is_ascii_digit()),
        36 => text.bytes().enumerate().all(|(position, byte)| match position {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => hex(byte),
        }),
        _ => false,
    }
}

/// Kinds that a token field must not let through.
fn is_never_a_token(kind: EntityKind) -> bool {
    match kind {
        EntityKind::Secret | EntityKind::Email | EntityKind::Iban | EntityKind::CreditCard => true,
        EntityKind::Person
        | EntityKind::Phone
        | EntityKind::UsSsn
        | EntityKind::UkNino
        | EntityKind::IdNumber
        | EntityKind::IpAddress
        | EntityKind::MacAddress
        | EntityKind::Address
        | EntityKind::DateOfBirth
        | EntityKind::Crypto
        | EntityKind::BankAccount
        | EntityKind::MedicalId
        | EntityKind::Username => false,
    }
}

#[cfg(test)]
mod tests {
    use super::{is_hex_id, is_token};

    #[test]
    fn tokens_and_ids_are_told_by_their_looks() {
        for (text, token, hex) in [
            ("gpt-4o", true, false),
            ("0123456789abcdef", true, true),
            ("4111111111111111", true, false),
            ("0af7651916cd43dd8448eb211c80319c", true, true),
            ("123e4567-e89b-12d3-a456-426614174000", true, true),
            ("two words", false, false),
            ("", true, false),
        ] {
            assert_eq!((is_token(text), is_hex_id(text)), (token, hex), "{text}");
        }
        assert!(!is_token(&"a".repeat(129)));
    }
}
