//! Redaction: findings out, numbered placeholders in.
//!
//! Guarantees: the output of a redaction is scanned again until nothing is found in it, so redacting twice changes
//! nothing; text beyond the budget is cut off and replaced by `<CUT>`, never let through.

use super::Detector;
use super::kind::{Finding, RedactCounts};
use super::placeholder::{ConversationRef, Numbering, PlaceholderBook};
use super::scan::Scratch;

/// Scans of one text at most; a second finds what the first uncovered, a third is next to never needed.
const ROUNDS_MAX: usize = 8;

impl Detector {
    /// Writes `text` with every finding replaced by its placeholder; `out` is cleared first.
    ///
    /// Numbers are those of the conversation in `book`, or of this text alone when there is none.
    pub fn redact(
        &self,
        text: &str,
        conversation: Option<&ConversationRef<'_>>,
        book: &PlaceholderBook,
        scratch: &mut Scratch,
        out: &mut String,
    ) -> RedactCounts {
        let mut counts = RedactCounts::default();
        let mut numbering = book.numbering(conversation);
        let head = self.within_budget(text);
        out.clear();
        self.scan(head, scratch);
        if scratch.findings().is_empty() {
            out.push_str(head);
        } else {
            replace(head, scratch.findings(), &mut numbering, &mut counts, out);
            for _ in 1..ROUNDS_MAX {
                self.scan(out, scratch);
                if scratch.findings().is_empty() {
                    break;
                }
                let before = std::mem::take(out);
                replace(&before, scratch.findings(), &mut numbering, &mut counts, out);
            }
        }
        if head.len() < text.len() {
            counts.cut(text.len() - head.len());
            out.push_str("<CUT>");
        }
        counts
    }

    /// Returns the longest prefix within the budget that ends between characters.
    fn within_budget<'t>(&self, text: &'t str) -> &'t str {
        let mut end = text.len().min(self.text_bytes_max());
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.get(..end).unwrap_or("")
    }
}

/// Redacts one text on its own, numbering from 1: for filters that have no conversation.
pub fn redact_standalone(
    detector: &Detector,
    text: &str,
    scratch: &mut Scratch,
    out: &mut String,
) -> RedactCounts {
    // The hashes of this book live for one call and are compared with each other only.
    let book = PlaceholderBook::new([0; 32], 1);
    detector.redact(text, None, &book, scratch, out)
}

fn replace(
    text: &str,
    findings: &[Finding],
    numbering: &mut Numbering<'_>,
    counts: &mut RedactCounts,
    out: &mut String,
) {
    let mut from = 0;
    out.reserve(text.len());
    for finding in findings {
        let value = text.get(finding.start..finding.end).unwrap_or("");
        let number = numbering.number(finding.kind, value);
        out.push_str(text.get(from..finding.start).unwrap_or(""));
        out.push('<');
        out.push_str(finding.kind.name());
        out.push('_');
        out.push_str(&number.to_string());
        out.push('>');
        counts.add(finding.kind);
        from = finding.end;
    }
    out.push_str(text.get(from..).unwrap_or(""));
}
