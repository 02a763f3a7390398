//! Closing an epoch: every key wrapped again under a new epoch key, the old one overwritten.

use rusqlite::{Connection, TransactionBehavior};

use crate::database;
use crate::durable;
use crate::epoch::{self, Epoch};
use crate::error::{KeysError, Result};
use crate::resolve::unwrap_row;
use crate::store::{KeyStore, settle};

/// Keys wrapped again per read.
const CHUNK: u32 = 4_096;

/// What a change of epoch did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rotated {
    /// The new epoch.
    pub epoch: u64,
    /// How many keys were wrapped again.
    pub keys: usize,
}

/// Places where a test stops a change of epoch, as a crash would.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stop {
    /// `epoch.key.next` is written.
    AfterNext,
    /// The transaction is prepared but not committed.
    BeforeCommit,
    /// The database is in the new epoch, `epoch.key` is not.
    AfterCommit,
    /// Not at all.
    Never,
}

impl KeyStore {
    /// Begins a new epoch. Copies of the key database taken before are dead afterwards, because the key they are
    /// wrapped in is overwritten; so this is the moment an erasure becomes final. A crash at any point leaves a store that opens.
    pub fn rotate_epoch(&self, now_ns: i64) -> Result<Rotated> {
        self.cache().hear(now_ns);
        self.rotate_until(Stop::Never)?
            .ok_or(KeysError::Unavailable { what: "the change of epoch stopped" })
    }

    /// A change of epoch that may stop half-way.
    pub(crate) fn rotate_until(&self, stop: Stop) -> Result<Option<Rotated>> {
        let mut writer = self.writer();
        let stored = database::epoch(&writer)?;
        // If an earlier change could not rename its file, `epoch.key.next` is the only copy of the current key: put it in place
        // before another may be written there.
        drop(settle(self.dir(), self.root(), stored)?);
        let number = stored
            .checked_add(1)
            .ok_or(KeysError::Invalid { what: "the epoch number is used up" })?;
        let next = Epoch::generate(number, self.now_ms())?;
        next.save(&epoch::next_path(self.dir()), self.root())?;
        if stop == Stop::AfterNext {
            return Ok(None);
        }
        let transaction = writer
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(KeysError::database("begin a transaction"))?;
        let keys = wrap_again(&transaction, &self.epoch(), &next)?;
        database::set_epoch(&transaction, number)?;
        if stop == Stop::BeforeCommit {
            return Ok(None);
        }
        {
            let mut current = self.epoch_mut();
            transaction.commit().map_err(KeysError::database("store the keys wrapped again"))?;
            *current = next;
        }
        if stop == Stop::AfterCommit {
            return Ok(None);
        }
        durable::rename_over(&epoch::next_path(self.dir()), &epoch::current_path(self.dir()))?;
        self.empty_log(&writer)?;
        Ok(Some(Rotated { epoch: number, keys }))
    }
}

/// Wraps every key again, in order of id.
fn wrap_again(connection: &Connection, old: &Epoch, new: &Epoch) -> Result<usize> {
    let mut count = 0_usize;
    let mut after: Vec<u8> = Vec::new();
    loop {
        let rows = database::keys_after(connection, &after, CHUNK)?;
        let Some(last) = rows.last() else { return Ok(count) };
        after = last.id.to_vec();
        for row in &rows {
            let secret = unwrap_row(old, row)?;
            let wrapped = new.wrap(&secret, &row.description())?;
            database::update_wrapped(connection, &row.id, &wrapped, new.number)?;
        }
        count = count.saturating_add(rows.len());
    }
}

#[cfg(test)]
mod tests;
