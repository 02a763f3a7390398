//! Reading with keys: opening sealed blocks, finding a subject's handle.

use std::sync::Arc;

use crate::block::{self, OpenedBlock};
use crate::database::{self, Id, KeyRow, Kind};
use crate::error::{KeysError, Result};
use crate::resolve::unwrap_row;
use crate::sealed::{BlockPlace, SubjectHandle};
use crate::secret::Secret;
use crate::store::{KeyStore, Whose};

impl KeyStore {
    /// Opens a sealed block. Fails with `KeyDestroyed` when its subject has been erased or its day has expired, with
    /// `Tampered` when the bytes are not those sealed in this place.
    pub fn open_block(&self, place: &BlockPlace, sealed: &[u8]) -> Result<OpenedBlock> {
        let secret = self.content_secret(&place.key_id, |row| {
            row.kind.seals_content() && row.tenant == place.tenant
        })?;
        block::open(&secret, &place.into(), sealed)
    }

    /// The handle of a person, when the store knows them.
    pub fn subject_handle(&self, tenant: &str, user_id: &str) -> Result<Option<SubjectHandle>> {
        let Some(hashers) = self.known_tenant(tenant)? else { return Ok(None) };
        let id = hashers.lookup(Whose::Subject, user_id);
        if let Some(entry) = self.cache().lock().subject(&id) {
            return Ok(Some(SubjectHandle(entry.handle)));
        }
        let row = database::lookup(&self.reader(), self.index(), &id)?;
        Ok(row.and_then(|row| row.handle).map(SubjectHandle))
    }

    /// The key `id`, when its row is one that `accepts`.
    ///
    /// A cached key was accepted by its kind before; ids are random and a block's place is bound into it, so a key that
    /// is asked for in the wrong place opens nothing.
    pub(crate) fn content_secret(
        &self,
        id: &Id,
        accepts: impl FnOnce(&KeyRow) -> bool,
    ) -> Result<Arc<Secret>> {
        let generation = {
            let mut cache = self.cache().lock();
            if let Some(secret) = cache.key(id) {
                return Ok(secret);
            }
            cache.generation()
        };
        let secret = {
            let epoch = self.epoch();
            let row = database::key_by_id(&self.reader(), id)?.ok_or(KeysError::KeyDestroyed)?;
            if !accepts(&row) {
                return Err(KeysError::Tampered { what: "the place of a sealed block" });
            }
            Arc::new(unwrap_row(&epoch, &row)?)
        };
        self.cache().lock().put_key(generation, *id, Arc::clone(&secret));
        Ok(secret)
    }

    /// Number of keys of that kind, for status and tests.
    pub(crate) fn count_keys(&self, kind: Kind) -> Result<u64> {
        let count: i64 = self
            .reader()
            .query_row("SELECT count(*) FROM keys WHERE kind = ?1", [kind.code()], |row| row.get(0))
            .map_err(KeysError::database("count its keys"))?;
        Ok(count.unsigned_abs())
    }
}
