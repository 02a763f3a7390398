//! Finds personal data and secrets in text, in one linear pass over its bytes.
//!
//! A scanner (`scan`) walks words and numbers once; a word sets the context ("phone", "né le"), a number, an `@`, a
//! prefix of a known key or a capitalised name is a candidate; hand-written validators decide (check digits,
//! plan tables, grammar). Where the text hides values (`%40`, `\u0040`, full-width digits, zero-width characters)
//! the surroundings are read a second time in a normal form that maps back to the original bytes (`view`).
//!
//! Guarantees: pure (no I/O, no clock, no randomness); linear time and bounded memory for any input; offsets are
//! UTF-8 bytes on character boundaries; findings are sorted and do not overlap; nothing here panics.
//! Seam for later: a learned tagger of names and addresses adds candidates beside `person` and `address`.

mod address;
mod chars;
mod checks;
mod config;
mod date;
mod email;
mod ids;
mod kind;
mod net;
mod number;
mod person;
mod phone;
mod placeholder;
mod redact;
mod scan;
mod secret;
mod secret_value;
mod view;
mod wallet;
mod word_list;
mod words;

#[cfg(test)]
mod tests;

use std::fmt;

pub use config::{DetectError, DetectorConfig, TEXT_BYTES_MAX_DEFAULT};
pub use kind::{EntityKind, Finding, RedactCounts};
pub use placeholder::{ConversationRef, PlaceholderBook};
pub use redact::redact_standalone;
pub use scan::Scratch;

use words::Vocabulary;

/// Finds personal data and secrets; immutable, made once per policy and shared between threads.
pub struct Detector {
    vocabulary: Vocabulary,
    kinds: u32,
    score_min: u8,
    text_bytes_max: usize,
}

impl fmt::Debug for Detector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Detector").field("kinds", &self.kinds).finish_non_exhaustive()
    }
}

impl Detector {
    /// Compiles a detector.
    ///
    /// # Errors
    /// [`DetectError::Invalid`] when the settings contradict themselves.
    pub fn new(config: &DetectorConfig) -> Result<Self, DetectError> {
        Ok(Self {
            kinds: config.compile()?,
            score_min: config.score_min,
            text_bytes_max: config.text_bytes_max,
            vocabulary: Vocabulary::new(),
        })
    }

    /// Returns what `text` contains: sorted, not overlapping, placeholders left out.
    ///
    /// # Errors
    /// [`DetectError::OverBudget`] when the text is longer than the budget: nothing was read, so nothing may pass.
    pub fn detect<'s>(
        &self,
        text: &str,
        scratch: &'s mut Scratch,
    ) -> Result<&'s [Finding], DetectError> {
        if text.len() > self.text_bytes_max {
            return Err(DetectError::OverBudget {
                bytes: text.len(),
                bytes_max: self.text_bytes_max,
            });
        }
        self.scan(text, scratch);
        Ok(scratch.findings())
    }

    /// Returns the longest text one call reads.
    pub fn text_bytes_max(&self) -> usize {
        self.text_bytes_max
    }

    fn scan(&self, text: &str, scratch: &mut Scratch) {
        scan::scan(&self.vocabulary, text, scratch);
        let keep = |finding: &Finding| {
            self.kinds & finding.kind.bit() != 0 && finding.score >= self.score_min
        };
        scratch.finish(keep);
    }
}
