//! `keys.db`: wrapped keys, keyed look-ups and the suppression list, in SQLite. Tables: `docs/formats/keys.md`.
//!
//! Every row is bound: a wrapped key to its own row (see `epoch`), look-ups and suppressions by a keyed tag. No person's id
//! is stored, only keyed hashes of it; deleted bytes are overwritten (`secure_delete`), commits are synced (`synchronous=FULL`).

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, OptionalExtension as _, Row, named_params, params};

use crate::durable;
use crate::error::{KeysError, Result};
pub(crate) use crate::rows::{Id, KeyRow, Kind, LookupRow, Numbers, suppression_tag};
use crate::secret::{KeyedHash, equal};

/// Name of the database file.
pub(crate) const DATABASE_FILE: &str = "keys.db";
/// Says that the file is ours: "Lgky".
const APPLICATION_ID: i32 = 0x4c67_6b79;
const SCHEMA_VERSION: i32 = 1;
const BUSY_TIMEOUT_MS: u64 = 5_000;
/// Longest wait for a reader when the log is emptied.
const CHECKPOINT_WAIT_MS: u64 = 20;
const STATEMENTS_MAX: usize = 64;
/// Bytes of the keyed tag of a row.
const TAG_LEN: usize = 16;

const SCHEMA: &str = "
CREATE TABLE meta (
  name TEXT PRIMARY KEY, value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE keys (
  id BLOB PRIMARY KEY CHECK (length(id) = 16), kind INTEGER NOT NULL, tenant TEXT NOT NULL, name TEXT,
  owner INTEGER, epoch INTEGER NOT NULL, wrapped BLOB NOT NULL, created_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX keys_by_name ON keys (kind, tenant, name) WHERE name IS NOT NULL;
CREATE INDEX keys_by_owner ON keys (owner) WHERE owner IS NOT NULL;
CREATE TABLE lookups (
  seq INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE CHECK (length(id) = 16), kind INTEGER NOT NULL,
  tenant TEXT NOT NULL, subject INTEGER, handle BLOB, key_id BLOB, grave BLOB NOT NULL,
  created_ms INTEGER NOT NULL, tag BLOB NOT NULL
) STRICT;
CREATE INDEX lookups_by_subject ON lookups (subject) WHERE subject IS NOT NULL;
CREATE UNIQUE INDEX lookups_by_handle ON lookups (handle) WHERE handle IS NOT NULL;
CREATE TABLE suppression (
  id BLOB PRIMARY KEY CHECK (length(id) = 16), tenant TEXT NOT NULL, at_ms INTEGER NOT NULL, tag BLOB NOT NULL
) STRICT, WITHOUT ROWID;
";

/// Path of the database.
pub(crate) fn path(dir: &Path) -> PathBuf {
    dir.join(DATABASE_FILE)
}

/// Makes the database with its tables.
pub(crate) fn create(dir: &Path) -> Result<Connection> {
    let path = path(dir);
    // SQLite gives its log files the mode of the database: made here so that it is 0600 whatever the umask says.
    drop(durable::create_new(&path)?);
    let connection = connect(dir)?;
    let failed = "create its tables";
    connection.execute_batch(SCHEMA).map_err(KeysError::database(failed))?;
    connection
        .pragma_update(None, "application_id", APPLICATION_ID)
        .map_err(KeysError::database(failed))?;
    connection
        .pragma_update(None, "user_version", SCHEMA_VERSION)
        .map_err(KeysError::database(failed))?;
    Ok(connection)
}

/// Opens the database and checks that it is one of ours.
pub(crate) fn open(dir: &Path) -> Result<Connection> {
    let path = path(dir);
    if !path.exists() {
        return Err(KeysError::Missing { path });
    }
    let connection = connect(dir)?;
    let number = |name: &str| {
        connection
            .pragma_query_value(None, name, |row| row.get::<_, i32>(0))
            .map_err(KeysError::database("read its header"))
    };
    if number("application_id")? != APPLICATION_ID || number("user_version")? != SCHEMA_VERSION {
        return Err(KeysError::Tampered {
            what: "the key database (its header is not known here)",
        });
    }
    Ok(connection)
}

/// One connection with the settings every connection has.
pub(crate) fn connect(dir: &Path) -> Result<Connection> {
    let failed = "open";
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection =
        Connection::open_with_flags(path(dir), flags).map_err(KeysError::database(failed))?;
    connection
        .busy_timeout(Duration::from_millis(BUSY_TIMEOUT_MS))
        .map_err(KeysError::database(failed))?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
    connection
        .execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON;
             PRAGMA temp_store = MEMORY; PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON;
             PRAGMA mmap_size = 0; PRAGMA cache_size = -32768; PRAGMA wal_autocheckpoint = 2000;",
        )
        .map_err(KeysError::database(failed))?;
    connection
        .set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)
        .map_err(KeysError::database(failed))?;
    Ok(connection)
}

/// Moves the write-ahead log into the database and empties it; `false` when a reader is in the way. It does not wait long for
/// one: an erasure must answer at once, and the log is emptied at the next occasion.
pub(crate) fn truncate_log(connection: &Connection) -> Result<bool> {
    let failed = "empty its log";
    let wait = |millis| {
        connection.busy_timeout(Duration::from_millis(millis)).map_err(KeysError::database(failed))
    };
    wait(CHECKPOINT_WAIT_MS)?;
    let busy = connection
        .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, i64>(0))
        .map_err(KeysError::database(failed));
    wait(BUSY_TIMEOUT_MS)?;
    busy.map(|busy| busy == 0)
}

/// Reads the epoch the stored keys are wrapped in.
pub(crate) fn epoch(connection: &Connection) -> Result<u64> {
    let number: i64 = connection
        .query_row("SELECT value FROM meta WHERE name = 'epoch'", [], |row| row.get(0))
        .map_err(KeysError::database("read its epoch"))?;
    u64::try_from(number)
        .map_err(|_negative| KeysError::Tampered { what: "the key database (its epoch number)" })
}

/// Writes the epoch the stored keys are wrapped in.
pub(crate) fn set_epoch(connection: &Connection, epoch: u64) -> Result<()> {
    connection
        .execute(
            "INSERT INTO meta (name, value) VALUES ('epoch', ?1)
             ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            [stored_epoch(epoch)?],
        )
        .map(|_rows| ())
        .map_err(KeysError::database("write its epoch"))
}

/// The epoch number as SQLite stores it.
pub(crate) fn stored_epoch(epoch: u64) -> Result<i64> {
    i64::try_from(epoch)
        .map_err(|_too_large| KeysError::Invalid { what: "the epoch number is too large" })
}

/// Adds a key; `false` when one of that kind, tenant and name is already there.
pub(crate) fn insert_key(connection: &Connection, row: &KeyRow, epoch: u64) -> Result<bool> {
    connection
        .prepare_cached(
            "INSERT INTO keys (id, kind, tenant, name, owner, epoch, wrapped, created_ms)
             VALUES (:id, :kind, :tenant, :name, :owner, :epoch, :wrapped, :created_ms)
             ON CONFLICT (kind, tenant, name) WHERE name IS NOT NULL DO NOTHING",
        )
        .and_then(|mut statement| {
            statement.execute(named_params! {
                ":id": row.id, ":kind": row.kind.code(), ":tenant": row.tenant, ":name": row.name,
                ":owner": row.owner, ":epoch": i64::try_from(epoch).unwrap_or(i64::MAX),
                ":wrapped": row.wrapped, ":created_ms": row.created_ms,
            })
        })
        .map(|rows| rows == 1)
        .map_err(KeysError::database("add a key"))
}

const KEY_COLUMNS: &str = "id, kind, tenant, name, owner, wrapped, created_ms";

/// Decodes a row selected as [`KEY_COLUMNS`].
pub(crate) fn read_key(row: &Row<'_>) -> rusqlite::Result<KeyRow> {
    Ok(KeyRow {
        id: row.get(0)?,
        kind: read_kind(row, 1)?,
        tenant: row.get(2)?,
        name: row.get(3)?,
        owner: row.get(4)?,
        wrapped: row.get(5)?,
        created_ms: row.get(6)?,
    })
}

fn read_kind(row: &Row<'_>, column: usize) -> rusqlite::Result<Kind> {
    let code = row.get(column)?;
    Kind::from_code(code).ok_or(rusqlite::Error::IntegralValueOutOfRange(column, code))
}

/// The key `id`.
pub(crate) fn key_by_id(connection: &Connection, id: &Id) -> Result<Option<KeyRow>> {
    connection
        .prepare_cached(&format!("SELECT {KEY_COLUMNS} FROM keys WHERE id = ?1"))
        .and_then(|mut statement| statement.query_row([id], read_key).optional())
        .map_err(KeysError::database("look up a key"))
}

/// The key of that kind, tenant and name.
pub(crate) fn key_by_name(
    connection: &Connection,
    kind: Kind,
    tenant: &str,
    name: &str,
) -> Result<Option<KeyRow>> {
    connection
        .prepare_cached(&format!(
            "SELECT {KEY_COLUMNS} FROM keys WHERE kind = ?1 AND tenant = ?2 AND name = ?3"
        ))
        .and_then(|mut statement| {
            statement.query_row(params![kind.code(), tenant, name], read_key).optional()
        })
        .map_err(KeysError::database("look up a key"))
}

/// Up to `limit` keys whose id comes after `after`, in order of id.
pub(crate) fn keys_after(connection: &Connection, after: &[u8], limit: u32) -> Result<Vec<KeyRow>> {
    connection
        .prepare_cached(&format!(
            "SELECT {KEY_COLUMNS} FROM keys WHERE id > ?1 ORDER BY id LIMIT ?2"
        ))
        .and_then(|mut statement| statement.query_map(params![after, limit], read_key)?.collect())
        .map_err(KeysError::database("list its keys"))
}

/// Stores a key wrapped again.
pub(crate) fn update_wrapped(
    connection: &Connection,
    id: &Id,
    wrapped: &[u8],
    epoch: u64,
) -> Result<()> {
    let epoch = stored_epoch(epoch)?;
    connection
        .prepare_cached("UPDATE keys SET wrapped = ?2, epoch = ?3 WHERE id = ?1")
        .and_then(|mut statement| statement.execute(params![id, wrapped, epoch]))
        .map(|_rows| ())
        .map_err(KeysError::database("store a key wrapped again"))
}

/// Destroys one key; `false` when it was not there.
pub(crate) fn delete_key(connection: &Connection, id: &Id) -> Result<bool> {
    connection
        .prepare_cached("DELETE FROM keys WHERE id = ?1")
        .and_then(|mut statement| statement.execute([id]))
        .map(|rows| rows > 0)
        .map_err(KeysError::database("destroy a key"))
}

/// Ids of the keys that belong to a look-up.
pub(crate) fn keys_of_owner(connection: &Connection, owner: i64) -> Result<Vec<Id>> {
    connection
        .prepare_cached("SELECT id FROM keys WHERE owner = ?1")
        .and_then(|mut statement| statement.query_map([owner], |row| row.get(0))?.collect())
        .map_err(KeysError::database("list a subject's keys"))
}

const LOOKUP_COLUMNS: &str =
    "seq, id, kind, tenant, subject, handle, key_id, grave, created_ms, tag";

/// Decodes a row selected as [`LOOKUP_COLUMNS`], with its tag.
pub(crate) fn read_lookup(row: &Row<'_>) -> rusqlite::Result<(LookupRow, [u8; TAG_LEN])> {
    let lookup = LookupRow {
        seq: row.get(0)?,
        id: row.get(1)?,
        kind: read_kind(row, 2)?,
        tenant: row.get(3)?,
        subject: row.get(4)?,
        handle: row.get(5)?,
        key_id: row.get(6)?,
        grave: row.get(7)?,
        created_ms: row.get(8)?,
    };
    Ok((lookup, row.get(9)?))
}

/// The look-up `id`, its tag checked.
pub(crate) fn lookup(
    connection: &Connection,
    index: &KeyedHash,
    id: &Id,
) -> Result<Option<LookupRow>> {
    let found = connection
        .prepare_cached(&format!("SELECT {LOOKUP_COLUMNS} FROM lookups WHERE id = ?1"))
        .and_then(|mut statement| statement.query_row([id], read_lookup).optional())
        .map_err(KeysError::database("look up a subject"))?;
    found.map(|(row, tag)| checked(row, &tag, index)).transpose()
}

/// The subject of that handle, its tag checked.
pub(crate) fn lookup_by_handle(
    connection: &Connection,
    index: &KeyedHash,
    handle: &Id,
) -> Result<Option<LookupRow>> {
    let found = connection
        .prepare_cached(&format!("SELECT {LOOKUP_COLUMNS} FROM lookups WHERE handle = ?1"))
        .and_then(|mut statement| statement.query_row([handle], read_lookup).optional())
        .map_err(KeysError::database("look up a subject"))?;
    found.map(|(row, tag)| checked(row, &tag, index)).transpose()
}

/// All look-ups of a subject, its own among them, their tags checked.
pub(crate) fn lookups_of(
    connection: &Connection,
    index: &KeyedHash,
    subject: i64,
) -> Result<Vec<LookupRow>> {
    let rows: Vec<_> = connection
        .prepare_cached(&format!("SELECT {LOOKUP_COLUMNS} FROM lookups WHERE subject = ?1"))
        .and_then(|mut statement| statement.query_map([subject], read_lookup)?.collect())
        .map_err(KeysError::database("list a subject's look-ups"))?;
    rows.into_iter().map(|(row, tag)| checked(row, &tag, index)).collect()
}

/// Up to `limit` look-ups that come after sequence number `after`, with their tags unchecked.
pub(crate) fn lookups_after(
    connection: &Connection,
    after: i64,
    limit: u32,
) -> Result<Vec<(LookupRow, [u8; TAG_LEN])>> {
    connection
        .prepare_cached(&format!(
            "SELECT {LOOKUP_COLUMNS} FROM lookups WHERE seq > ?1 ORDER BY seq LIMIT ?2"
        ))
        .and_then(|mut statement| {
            statement.query_map(params![after, limit], read_lookup)?.collect()
        })
        .map_err(KeysError::database("list its look-ups"))
}

fn checked(row: LookupRow, tag: &[u8], index: &KeyedHash) -> Result<LookupRow> {
    if equal(tag, &row.tag(index)) {
        Ok(row)
    } else {
        Err(KeysError::Tampered { what: "a look-up in the key database" })
    }
}

/// Adds a look-up, or changes what it points to.
pub(crate) fn put_lookup(
    connection: &Connection,
    index: &KeyedHash,
    row: &LookupRow,
) -> Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO lookups (seq, id, kind, tenant, subject, handle, key_id, grave, created_ms, tag)
             VALUES (:seq, :id, :kind, :tenant, :subject, :handle, :key_id, :grave, :created_ms, :tag)
             ON CONFLICT (seq) DO UPDATE
             SET subject = excluded.subject, key_id = excluded.key_id, tag = excluded.tag",
        )
        .and_then(|mut statement| {
            statement.execute(named_params! {
                ":seq": row.seq, ":id": row.id, ":kind": row.kind.code(), ":tenant": row.tenant,
                ":subject": row.subject, ":handle": row.handle, ":key_id": row.key_id,
                ":grave": row.grave, ":created_ms": row.created_ms, ":tag": row.tag(index),
            })
        })
        .map(|_rows| ())
        .map_err(KeysError::database("add a look-up"))
}

/// Removes a look-up.
pub(crate) fn delete_lookup(connection: &Connection, seq: i64) -> Result<()> {
    connection
        .prepare_cached("DELETE FROM lookups WHERE seq = ?1")
        .and_then(|mut statement| statement.execute([seq]))
        .map(|_rows| ())
        .map_err(KeysError::database("destroy a look-up"))
}

/// Whether late data of this grave is refused.
pub(crate) fn is_suppressed(connection: &Connection, grave: &Id) -> Result<bool> {
    connection
        .prepare_cached("SELECT 1 FROM suppression WHERE id = ?1")
        .and_then(|mut statement| statement.exists([grave]))
        .map_err(KeysError::database("look up an erasure"))
}

/// Refuses late data of this grave from now on.
pub(crate) fn suppress(
    connection: &Connection,
    index: &KeyedHash,
    grave: &Id,
    tenant: &str,
    at_ms: i64,
) -> Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO suppression (id, tenant, at_ms, tag) VALUES (?1, ?2, ?3, ?4) ON CONFLICT (id) DO NOTHING",
        )
        .and_then(|mut statement| {
            statement.execute(params![grave, tenant, at_ms, suppression_tag(index, grave, tenant, at_ms)])
        })
        .map(|_rows| ())
        .map_err(KeysError::database("record an erasure"))
}

#[cfg(test)]
mod tests;
