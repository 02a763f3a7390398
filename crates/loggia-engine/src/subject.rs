//! A data subject: found by the platform's user id, and erased by destroying the key.

use loggia_keys::SubjectRef;
use loggia_ledger::EntryKind;
use loggia_policy::{Permission, Principal};
use serde::Serialize;

use crate::audit::{Apart, Event};
use crate::engine::Engine;
use crate::error::EngineError;

/// A subject the store knows.
#[derive(Clone, Debug, Serialize)]
pub struct FoundSubject {
    /// The handle that stands in the subject's column.
    pub handle: String,
}

/// What an erasure did.
#[derive(Clone, Debug, Serialize)]
pub struct Erasure {
    /// Handle of the erased subject.
    pub handle: String,
    /// Unix milliseconds at which no reader could open the content any more.
    pub effective_at_ms: i64,
    /// Keys destroyed: the subject's own and those of its conversations.
    pub keys_destroyed: usize,
    /// Ledger entry that says so.
    pub ledger_index: u64,
}

impl Engine {
    /// Finds a subject by the platform's user id. The look-up is recorded, without the id.
    ///
    /// # Errors
    /// [`EngineError::Denied`] without `subject.find`, [`EngineError::NotFound`] for an unknown or erased subject.
    pub fn find_subject(
        &self,
        principal: &Principal,
        user_id: &str,
    ) -> Result<FoundSubject, EngineError> {
        self.require(principal, Permission::SubjectFind)?;
        let found = self.keys().subject_handle(&principal.tenant, user_id)?;
        let mut event = Event::of(principal);
        event.action = Permission::SubjectFind.to_string();
        event.note = if found.is_some() { "found" } else { "not found" }.into();
        let handle = found.map(|handle| handle.to_string());
        let apart = Apart { subjects: handle.iter().cloned().collect(), ..Apart::default() };
        self.record(EntryKind::SubjectFound, &event, &apart)?;
        handle.map(|handle| FoundSubject { handle }).ok_or_else(no_such_subject)
    }

    /// Erases a subject: destroys its key, so that its content is unreadable at once in every copy, and refuses late data.
    ///
    /// The intent is recorded before and the result after the key is destroyed; a crash between the two leaves the intent.
    ///
    /// # Errors
    /// [`EngineError::Denied`] without `subject.erase`, [`EngineError::NotFound`] for an unknown or already erased subject.
    pub fn erase_subject(
        &self,
        principal: &Principal,
        subject: &SubjectRef<'_>,
        reason: &str,
    ) -> Result<Erasure, EngineError> {
        self.require(principal, Permission::SubjectErase)?;
        check_reason(reason)?;
        let mut event = Event::of(principal);
        event.action = Permission::SubjectErase.to_string();
        event.note = format!("requested: {reason}");
        self.record(EntryKind::AccessGranted, &event, &Apart::default())?;
        let destroyed = self
            .keys()
            .destroy_subject(&principal.tenant, subject, self.now_ns())?
            .ok_or_else(no_such_subject)?;
        event.note = format!("{} keys destroyed: {reason}", destroyed.keys);
        let handle = destroyed.handle.to_string();
        let apart = Apart { subjects: vec![handle.clone()], ..Apart::default() };
        let receipt = self.record(EntryKind::SubjectErased, &event, &apart)?;
        Ok(Erasure {
            handle,
            effective_at_ms: destroyed.at_ns / 1_000_000,
            keys_destroyed: destroyed.keys,
            ledger_index: receipt.index(),
        })
    }
}

fn no_such_subject() -> EngineError {
    EngineError::NotFound("there is no such subject; it may have been erased already".into())
}

fn check_reason(reason: &str) -> Result<(), EngineError> {
    if reason.is_empty() || reason.len() > 256 || reason.chars().any(char::is_control) {
        return Err(EngineError::Invalid(
            "an erasure needs a `reason` of 1 to 256 printable characters, such as a case number"
                .into(),
        ));
    }
    Ok(())
}
