//! Destroying a subject's keys: the one act that makes every copy of their content unreadable.

use rusqlite::TransactionBehavior;

use crate::database::{self, Id, Kind, LookupRow};
use crate::error::{KeysError, Result};
use crate::sealed::{SubjectHandle, SubjectRef};
use crate::store::{KeyStore, Whose};

/// What an erasure destroyed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Destroyed {
    /// Handle the subject had.
    pub handle: SubjectHandle,
    /// When the keys were gone, Unix nanoseconds.
    pub at_ns: i64,
    /// How many keys were destroyed.
    pub keys: usize,
}

impl KeyStore {
    /// Destroys the keys of a subject and of the conversations known to be theirs, and refuses their late data from now
    /// on. `None` when the store knows no such subject. When it answers, no thread of this process can open their content.
    pub fn destroy_subject(
        &self,
        tenant: &str,
        who: &SubjectRef<'_>,
        now_ns: i64,
    ) -> Result<Option<Destroyed>> {
        self.cache().hear(now_ns);
        let Some(hashers) = self.known_tenant(tenant)? else { return Ok(None) };
        let at_ms = self.now_ms();
        let mut writer = self.writer();
        let transaction = writer
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(KeysError::database("begin a transaction"))?;
        let subject = match who {
            SubjectRef::Handle(handle) => {
                database::lookup_by_handle(&transaction, self.index(), &handle.0)?
            }
            SubjectRef::UserId(user_id) => {
                let id = hashers.lookup(Whose::Subject, user_id);
                database::lookup(&transaction, self.index(), &id)?
            }
        };
        let subject = subject.filter(|row| row.kind == Kind::Subject && row.tenant == tenant);
        let Some(LookupRow { seq, handle: Some(handle), .. }) = subject else { return Ok(None) };
        let rows = database::lookups_of(&transaction, self.index(), seq)?;
        let mut keys: Vec<Id> = Vec::new();
        for LookupRow { seq, grave, .. } in &rows {
            for key in database::keys_of_owner(&transaction, *seq)? {
                database::delete_key(&transaction, &key)?;
                keys.push(key);
            }
            database::suppress(&transaction, self.index(), grave, tenant, at_ms)?;
            database::delete_lookup(&transaction, *seq)?;
        }
        transaction.commit().map_err(KeysError::database("destroy a subject's keys"))?;
        let lookups: Vec<Id> = rows.iter().map(|row| row.id).collect();
        self.cache().lock().purge(&lookups, &keys);
        self.empty_log(&writer)?;
        Ok(Some(Destroyed { handle: SubjectHandle(handle), at_ns: now_ns, keys: keys.len() }))
    }
}

#[cfg(test)]
mod tests;
