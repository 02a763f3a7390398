//! `loggia verify`: every stored byte against what vouches for it.
//!
//! Segments are checked against the catalog, frames and blocks by decryption, the ledger by its own tree, and the databases
//! and small files against the sealed manifest that a clean close leaves. The first problem of each file is named.
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "the errors below may grow kinds; one not named here means that a part is unavailable"
)]

use std::path::Path;
use std::sync::Arc;

use loggia_keys::{KeyStore, KeysError, RootSecret};
use loggia_ledger::EntryKind;
use loggia_policy::{Permission, Principal};
use loggia_store::VerifyOptions;
use serde::Serialize;

use crate::audit::{Apart, Event};
use crate::engine::{Engine, keys_dir};
use crate::error::EngineError;
use crate::statics::{Digests, collect, read_manifest};

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Problem {
    /// File, relative to the store's directory.
    pub file: String,
    /// What is wrong with it.
    pub what: String,
}

/// Result of a verification.
#[derive(Clone, Debug, Default, Serialize)]
pub struct VerifyReport {
    /// Files looked at.
    pub files: u64,
    /// What is wrong, by file.
    pub problems: Vec<Problem>,
    /// What could not be checked to the byte, and why.
    pub notes: Vec<String>,
}

impl VerifyReport {
    fn problem(&mut self, file: impl Into<String>, what: impl Into<String>) {
        self.problems.push(Problem { file: file.into(), what: what.into() });
    }

    fn settle(mut self) -> Self {
        self.problems.sort();
        self.problems.dedup();
        self
    }
}

/// Checks a store that no process has open.
///
/// `progress` is told each file's name and size as it is done.
///
/// # Errors
/// When the store cannot be read at all; damage is not an error but a [`Problem`].
pub fn verify_dir(
    dir: &Path,
    root: &RootSecret,
    now_ns: i64,
    progress: &mut dyn FnMut(&str, u64),
) -> Result<VerifyReport, EngineError> {
    let mut report = VerifyReport::default();
    verify_ledger(dir, &mut report);
    let keys = match KeyStore::open(&keys_dir(dir), root, now_ns) {
        Ok(keys) => keys,
        Err(error) => {
            report.problem(key_file_of(&error, &keys_dir(dir)), error.to_string());
            return Ok(report.settle());
        }
    };
    verify_small_files(dir, &keys, &mut report);
    verify_store(dir, keys, &mut report, progress)?;
    Ok(report.settle())
}

/// Which file of the key store an opening error is about.
fn key_file_of(error: &KeysError, dir: &Path) -> String {
    let text = error.to_string();
    let root = if dir.join("root.kdf").exists() { "root.kdf" } else { "root.key" };
    let name = match error {
        KeysError::Missing { path }
        | KeysError::Exposed { path, .. }
        | KeysError::Io { path, .. } => {
            path.file_name().map_or_else(|| "keys.db".into(), |name| name.to_string_lossy())
        }
        _ if text.contains("epoch key file") => "epoch.key".into(),
        KeysError::WrongRoot => root.into(),
        _ if text.contains("root") => root.into(),
        _ => "keys.db".into(),
    };
    format!("keys/{name}")
}

fn verify_ledger(dir: &Path, report: &mut VerifyReport) {
    match loggia_ledger::verify_dir(&dir.join("ledger"), None) {
        Ok(done) => {
            report.files += done.files as u64;
            report.notes.extend(done.warnings);
        }
        Err(failure) => report.problem(format!("ledger/{}", failure.file), failure.what),
    }
}

fn verify_small_files(dir: &Path, keys: &KeyStore, report: &mut VerifyReport) {
    let expected = match read_manifest(dir, keys) {
        Ok(Some(expected)) => expected,
        Ok(None) => {
            report.notes.push(
                "the store was not closed cleanly, so its databases are checked by structure, not byte by byte; \
                 start and stop it once for an exact check"
                    .into(),
            );
            return;
        }
        Err(error) => return report.problem("manifest", error.to_string()),
    };
    let mut found = Digests::new();
    if let Err(error) = collect(dir, dir, &mut found) {
        return report.problem(".", error.to_string());
    }
    report.files += found.len() as u64;
    for (file, digest) in &expected {
        match found.get(file) {
            None => report.problem(file, "is missing"),
            Some(now) if now != digest => {
                report.problem(file, "differs from what was written at the last clean close");
            }
            Some(_) => {}
        }
    }
    for file in found.keys().filter(|file| !expected.contains_key(*file)) {
        report.problem(file, "was not there at the last clean close");
    }
}

fn verify_store(
    dir: &Path,
    keys: KeyStore,
    report: &mut VerifyReport,
    progress: &mut dyn FnMut(&str, u64),
) -> Result<(), EngineError> {
    for problem in keys.verify()? {
        report.problem(format!("keys/{}", problem.file), problem.what);
    }
    let keys = Arc::new(keys);
    let done = loggia_store::verify_dir(&dir.join("data"), &VerifyOptions::default(), || Ok(keys))?;
    progress("data", done.bytes);
    report.files += done.files;
    for error in done.errors {
        report.problem(format!("data/{}", error.file), error.what);
    }
    Ok(())
}

impl Engine {
    /// Checks what can be checked of a store that is open: segments, frames, keys and ledger.
    ///
    /// # Errors
    /// [`EngineError::Denied`] without `store.verify`; damage is not an error but a [`Problem`].
    pub fn verify(&self, principal: &Principal) -> Result<VerifyReport, EngineError> {
        self.require(principal, Permission::StoreVerify)?;
        let mut report = VerifyReport::default();
        self.ledger().checkpoint()?;
        verify_ledger(self.dir(), &mut report);
        for problem in self.keys().verify()? {
            report.problem(format!("keys/{}", problem.file), problem.what);
        }
        let done = self.store().verify()?;
        report.files += done.files;
        for error in done.errors {
            report.problem(format!("data/{}", error.file), error.what);
        }
        let mut event = Event::of(principal);
        event.note = format!("{} files, {} problems", report.files, report.problems.len());
        self.record(EntryKind::StoreVerified, &event, &Apart::default())?;
        Ok(report.settle())
    }
}
