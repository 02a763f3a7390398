//! What the detectors look for, as a policy states it.
//!
//! Guarantees: unknown keys are refused; the default looks for everything.

use serde::{Deserialize, Serialize};

use super::kind::EntityKind;

/// Longest text one call reads by default; what is beyond is never let through.
pub const TEXT_BYTES_MAX_DEFAULT: usize = 16 * 1024 * 1024;

/// Settings of a [`super::Detector`].
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct DetectorConfig {
    /// Kinds that are not looked for; `SECRET` cannot be switched off.
    pub off: Vec<EntityKind>,
    /// Findings with a lower score (0 to 100) are ignored.
    pub score_min: u8,
    /// Longest text that one call reads, in bytes.
    pub text_bytes_max: usize,
}

impl Default for DetectorConfig {
    fn default() -> Self {
        Self { off: Vec::new(), score_min: 0, text_bytes_max: TEXT_BYTES_MAX_DEFAULT }
    }
}

/// Why a detector could not be made, or would not read a text.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum DetectError {
    /// The settings contradict themselves.
    #[error("detector settings: {0}")]
    Invalid(String),
    /// The text is longer than the budget; nothing was read.
    #[error("text of {bytes} bytes is over the detector budget of {bytes_max} bytes")]
    OverBudget {
        /// Length of the text.
        bytes: usize,
        /// The budget.
        bytes_max: usize,
    },
}

impl DetectorConfig {
    /// Returns the set of kinds to look for, one bit each.
    pub(super) fn compile(&self) -> Result<u32, DetectError> {
        if self.off.contains(&EntityKind::Secret) {
            return Err(DetectError::Invalid("`SECRET` cannot be switched off".to_owned()));
        }
        if self.score_min > 100 {
            return Err(DetectError::Invalid(format!(
                "score_min `{}` is over 100",
                self.score_min
            )));
        }
        if self.text_bytes_max == 0 {
            return Err(DetectError::Invalid("text_bytes_max is 0".to_owned()));
        }
        let all = EntityKind::ALL.iter().fold(0, |set, kind| set | kind.bit());
        Ok(self.off.iter().fold(all, |set, kind| set & !kind.bit()))
    }
}
