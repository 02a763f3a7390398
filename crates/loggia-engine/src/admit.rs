//! The way of a record, on one screen: minimise → anonymise → seal → append.
//!
//! Decoding happens before (`loggia-record`), so that every protocol ends here. Nothing of a batch is written until
//! [`Engine::ingest`] has taken all four steps, and it returns only after the data is on stable storage.

use loggia_policy::{AdmissionReport, AdmitContext, Permission, Principal};
use loggia_record::Batch;

use crate::engine::Engine;
use crate::error::EngineError;

/// Rows that were not stored, with the reason for the sender.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedRows {
    /// How many.
    pub rows: usize,
    /// Why; holds no record content.
    pub reason: String,
}

/// What became of a batch.
#[derive(Debug, Default)]
pub struct IngestOutcome {
    /// Rows now on stable storage.
    pub accepted: usize,
    /// Rows refused, by reason.
    pub refused: Vec<RefusedRows>,
    /// Counts of what was dropped and detected.
    pub report: AdmissionReport,
}

impl IngestOutcome {
    /// Number of refused rows.
    #[must_use]
    pub fn refused_rows(&self) -> usize {
        self.refused.iter().map(|refused| refused.rows).sum()
    }

    /// One line for a partial-success message; `None` when everything was stored.
    #[must_use]
    pub fn message(&self) -> Option<String> {
        let reasons: Vec<String> = self
            .refused
            .iter()
            .map(|refused| format!("{} × {}", refused.rows, refused.reason))
            .collect();
        (!reasons.is_empty()).then(|| reasons.join("; "))
    }
}

impl Engine {
    /// Takes a decoded batch through policy, detectors and sealing, and returns once it is durable.
    ///
    /// `stream` forces the stream (the NDJSON endpoint names one); otherwise each record is routed by the policy.
    ///
    /// # Errors
    /// [`EngineError::Denied`] without the permission `ingest`, [`EngineError::Busy`] when the write queue is full (nothing
    /// of the batch is lost silently: the sender is told to retry), and what the key store or the disk report.
    pub fn ingest(
        &self,
        principal: &Principal,
        batch: &Batch<'_>,
        stream: Option<&str>,
    ) -> Result<IngestOutcome, EngineError> {
        let policy = self.policy();
        self.require(principal, Permission::Ingest)?;
        if let Some(name) = stream
            && policy.stream(name).is_none()
        {
            return Err(EngineError::NotFound(format!("there is no stream `{name}` to write to")));
        }

        // minimise and anonymise
        let context = AdmitContext {
            tenant: &principal.tenant,
            now_ns: self.now_ns(),
            placeholders: self.placeholders(),
            stream,
        };
        let admission = policy.admit(batch, &context);
        let mut outcome = IngestOutcome { report: admission.report, ..IngestOutcome::default() };
        outcome.refuse_undecoded(batch);
        outcome.refuse_by_policy();

        for admitted in admission.admitted {
            // seal
            let sealing = self.keys().seal(admitted)?;
            outcome.refuse(
                sealing.refused_erased,
                "the subject was erased; data about an erased subject is not accepted",
            );
            let rows = sealing.sealed.rows();
            if rows == 0 {
                continue;
            }
            // append: blocks until fdatasync
            self.store().append(sealing.sealed)?;
            outcome.accepted += rows;
        }
        self.count(&outcome);
        Ok(outcome)
    }
}

impl IngestOutcome {
    fn refuse(&mut self, rows: usize, reason: &str) {
        if rows > 0 {
            self.refused.push(RefusedRows { rows, reason: reason.into() });
        }
    }

    /// Records the decoder could not read.
    fn refuse_undecoded(&mut self, batch: &Batch<'_>) {
        for rejection in batch.rejected().iter().take(REASONS_MAX) {
            self.refused.push(RefusedRows { rows: 1, reason: rejection.to_string() });
        }
        let rest = batch.rejected().len().saturating_sub(REASONS_MAX);
        self.refuse(rest, "could not be read either");
    }

    /// Records the policy has no stream for, or that break a limit.
    fn refuse_by_policy(&mut self) {
        for (reason, rows) in self.report.refused_by_reason() {
            self.refuse(usize::try_from(rows).unwrap_or(usize::MAX), &reason.to_string());
        }
    }
}

/// Undecoded records named one by one in an answer; the rest are counted.
const REASONS_MAX: usize = 8;
