//! Status and self-check of the key store, and the sum by which a change made while it was closed is seen.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use aws_lc_rs::digest::{Context, SHA256};

use crate::database::{self, Kind};
use crate::durable;
use crate::epoch::{self, Epoch};
use crate::error::{KeysError, Result};
use crate::root::{self, Root};
use crate::secret::{equal, label};
use crate::store::KeyStore;

const SUM_FILE: &str = "keys.sum";
const SUM_LEN: usize = 8 + 32;
const SUM_MAGIC: &[u8; 8] = b"loggiaks";
const CHUNK: u32 = 4_096;
const READ_BYTES: usize = 64 * 1024;
/// After so many problems of one kind the rest is only counted.
const PROBLEMS_MAX: usize = 100;

/// Counts and dates of a key store; no key material.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KeyStatus {
    /// Number of the current epoch.
    pub epoch: u64,
    /// When it began, Unix milliseconds.
    pub epoch_started_ms: i64,
    /// Keys per kind, in a fixed order of kinds.
    pub keys: Vec<(&'static str, u64)>,
    /// Erased subjects and conversations whose late data is refused.
    pub suppressed: u64,
}

/// One thing [`KeyStore::verify`] found wrong.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KeyProblem {
    /// The file it is in.
    pub file: &'static str,
    /// What is wrong.
    pub what: String,
}

/// Problems found so far.
struct Findings(Vec<KeyProblem>);

impl Findings {
    fn add(&mut self, file: &'static str, what: impl Into<String>) {
        if self.0.len() < PROBLEMS_MAX {
            self.0.push(KeyProblem { file, what: what.into() });
        }
    }
}

impl KeyStore {
    /// Counts and dates.
    pub fn status(&self) -> Result<KeyStatus> {
        let mut keys = Vec::with_capacity(Kind::ALL.len());
        for kind in Kind::ALL {
            keys.push((kind.name(), self.count_keys(kind)?));
        }
        let suppressed: i64 = self
            .reader()
            .query_row("SELECT count(*) FROM suppression", [], |row| row.get(0))
            .map_err(KeysError::database("count erasures"))?;
        let epoch = self.epoch();
        Ok(KeyStatus {
            epoch: epoch.number,
            epoch_started_ms: epoch.started_ms,
            keys,
            suppressed: suppressed.unsigned_abs(),
        })
    }

    /// Checks the database's structure, that every wrapped key unwraps, that every look-up and suppression is as it was written, and the
    /// key files. An empty answer means that all is well.
    pub fn verify(&self) -> Result<Vec<KeyProblem>> {
        let mut found = Findings(Vec::new());
        if self.changed_while_closed() {
            found.add(database::DATABASE_FILE, "it was changed while the store was closed");
        }
        self.verify_files(&mut found);
        self.verify_structure(&mut found)?;
        self.verify_keys(&mut found)?;
        self.verify_lookups(&mut found)?;
        self.verify_suppressions(&mut found)?;
        Ok(found.0)
    }

    fn verify_files(&self, found: &mut Findings) {
        match Epoch::load(&epoch::current_path(self.dir()), self.root()) {
            Ok(Some(epoch)) if epoch.number == self.epoch().number => {}
            Ok(Some(_)) => found.add(epoch::EPOCH_FILE, "it is not the key of the current epoch"),
            Ok(None) => found.add(epoch::EPOCH_FILE, "it is missing"),
            Err(error) => found.add(epoch::EPOCH_FILE, error.to_string()),
        }
        let (file, path) = match self.root_file() {
            Some(path) => ("root.key", path.to_path_buf()),
            None => (root::KDF_FILE, self.dir().join(root::KDF_FILE)),
        };
        if let Err(error) = root::check_mode(&path) {
            found.add(file, error.to_string());
        }
    }

    fn verify_structure(&self, found: &mut Findings) -> Result<()> {
        // A connection of its own: the check is long, and must not keep readers waiting.
        let connection = database::connect(self.dir())?;
        let failed = KeysError::database("check itself");
        let lines: rusqlite::Result<Vec<String>> = connection
            .prepare("PRAGMA integrity_check")
            .and_then(|mut check| check.query_map([], |row| row.get(0))?.collect());
        match lines {
            Ok(lines) => {
                for line in lines.iter().filter(|line| line.as_str() != "ok") {
                    found.add(database::DATABASE_FILE, line.as_str());
                }
                Ok(())
            }
            Err(error)
                if error.sqlite_error_code() == Some(rusqlite::ErrorCode::DatabaseCorrupt) =>
            {
                found.add(database::DATABASE_FILE, error.to_string());
                Ok(())
            }
            Err(error) => Err(failed(error)),
        }
    }

    fn verify_keys(&self, found: &mut Findings) -> Result<()> {
        let mut after: Vec<u8> = Vec::new();
        loop {
            let epoch = self.epoch();
            let rows = match database::keys_after(&self.reader(), &after, CHUNK) {
                Ok(rows) => rows,
                Err(error) => return damaged(found, error),
            };
            let Some(last) = rows.last() else { return Ok(()) };
            after = last.id.to_vec();
            for row in &rows {
                if epoch.unwrap(&row.wrapped, &row.description()).is_none() {
                    let kind = row.kind.name();
                    found.add(database::DATABASE_FILE, format!("a {kind} key does not unwrap"));
                }
            }
        }
    }

    fn verify_lookups(&self, found: &mut Findings) -> Result<()> {
        let mut after = i64::MIN;
        loop {
            let rows = match database::lookups_after(&self.reader(), after, CHUNK) {
                Ok(rows) => rows,
                Err(error) => return damaged(found, error),
            };
            let Some((last, _)) = rows.last() else { return Ok(()) };
            after = last.seq;
            for (row, tag) in &rows {
                if !equal(tag, &row.tag(self.index())) {
                    found.add(database::DATABASE_FILE, "a look-up has been changed");
                }
            }
        }
    }

    fn verify_suppressions(&self, found: &mut Findings) -> Result<()> {
        let rows: rusqlite::Result<Vec<(database::Id, String, i64, database::Id)>> = self
            .reader()
            .prepare("SELECT id, tenant, at_ms, tag FROM suppression")
            .and_then(|mut all| {
                all.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))?
                    .collect()
            });
        let rows = match rows.map_err(KeysError::database("list erasures")) {
            Ok(rows) => rows,
            Err(error) => return damaged(found, error),
        };
        for (id, tenant, at_ms, tag) in rows {
            if !equal(&tag, &database::suppression_tag(self.index(), &id, &tenant, at_ms)) {
                found.add(database::DATABASE_FILE, "a record of an erasure has been changed");
            }
        }
        Ok(())
    }
}

/// A database error during the check is a finding, unless the database is only busy.
fn damaged(found: &mut Findings, error: KeysError) -> Result<()> {
    if let KeysError::Database { source, .. } = &error {
        found.add(database::DATABASE_FILE, source.to_string());
        return Ok(());
    }
    Err(error)
}

fn sum_path(dir: &Path) -> PathBuf {
    dir.join(SUM_FILE)
}

/// Leaves the keyed sum of the closed database.
pub(crate) fn write_sum(dir: &Path, root: &Root) -> Result<()> {
    let mut out = SUM_MAGIC.to_vec();
    out.extend_from_slice(&sum(dir, root)?);
    durable::replace(&sum_path(dir), &out)
}

/// Whether the database is as it was closed, and takes the sum away, since it will not hold for long. After a crash there is none,
/// and nothing to compare.
pub(crate) fn sum_holds(dir: &Path, root: &Root) -> Result<bool> {
    let path = sum_path(dir);
    let Some(stored) = durable::read_small(&path, SUM_LEN as u64)? else { return Ok(true) };
    let holds = match stored.split_first_chunk::<8>() {
        Some((magic, stored)) => magic == SUM_MAGIC && equal(stored, &sum(dir, root)?),
        None => false,
    };
    durable::remove(&path)?;
    Ok(holds)
}

/// HMAC over the SHA-256 of the database file.
fn sum(dir: &Path, root: &Root) -> Result<[u8; 32]> {
    let path = database::path(dir);
    let mut file = File::open(&path).map_err(KeysError::io("open", &path))?;
    let mut context = Context::new(&SHA256);
    let mut buffer = vec![0_u8; READ_BYTES];
    loop {
        let read = file.read(&mut buffer).map_err(KeysError::io("read", &path))?;
        match buffer.get(..read) {
            Some(bytes) if read > 0 => context.update(bytes),
            Some(_) | None => break,
        }
    }
    Ok(root.mac.tag(&label(&[b"loggia/v1/keys.sum", context.finish().as_ref()])))
}

#[cfg(test)]
mod tests;
