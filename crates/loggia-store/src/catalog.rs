//! The catalog: the SQLite database that alone says which segments exist and how much of the log they hold.
//!
//! One transaction publishes all segments of a flush together with the log position they cover, so a record is in the log
//! or in a segment, never in both or neither. Every row carries a tag under a key of the key store, and one more tag covers
//! the set of rows: a changed, added or removed row is found. Layout: `docs/formats/catalog.md`.

mod rows;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use loggia_keys::KeyStore;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, OptionalExtension as _, params};

use crate::error::{Error, Result};
use crate::format::schema::SchemaDigest;
use crate::layout::{self, SegmentId};
use crate::segment::{NewSegment, SegmentEntry};

pub(crate) use rows::Position;
use rows::{read_pending, read_schemas, read_segments};

const FORMAT: i64 = 1;
const ROW_LABEL: &str = "loggia/v1/catalog-row";
const STATE_LABEL: &str = "loggia/v1/catalog-state";
/// Pages of SQLite's cache, in KiB; the catalog is small and read once.
const CACHE_KIB: i64 = 2_048;

const SCHEMA: &str = "
    CREATE TABLE state (
        id INTEGER PRIMARY KEY CHECK (id = 1),
        format INTEGER NOT NULL,
        wal_flushed INTEGER NOT NULL,
        wal_last INTEGER NOT NULL,
        tag BLOB NOT NULL
    ) STRICT;
    CREATE TABLE schemas (
        digest BLOB PRIMARY KEY,
        bytes BLOB NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE segments (
        id BLOB PRIMARY KEY,
        tenant TEXT NOT NULL,
        stream TEXT NOT NULL,
        day TEXT NOT NULL,
        rows INTEGER NOT NULL,
        bytes INTEGER NOT NULL,
        content_bytes INTEGER NOT NULL,
        time_min_ns INTEGER NOT NULL,
        time_max_ns INTEGER NOT NULL,
        sha256 BLOB NOT NULL,
        content_sha256 BLOB NOT NULL,
        policies BLOB NOT NULL,
        schema BLOB NOT NULL REFERENCES schemas (digest),
        published_ns INTEGER NOT NULL,
        ledger_index INTEGER,
        tag BLOB NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE pending (
        id BLOB PRIMARY KEY,
        tenant TEXT NOT NULL,
        stream TEXT NOT NULL,
        day TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
";

/// The open catalog of a store.
pub(crate) struct Catalog {
    connection: Connection,
    keys: Arc<KeyStore>,
    position: Position,
    /// Tags of all rows, by segment: what the tag over the set is made of.
    tags: BTreeMap<SegmentId, Vec<u8>>,
}

/// Everything a catalog says.
pub(crate) struct Contents {
    pub(crate) segments: Vec<SegmentEntry>,
    pub(crate) schemas: BTreeMap<SchemaDigest, Vec<u8>>,
    pub(crate) pending: Vec<PendingFile>,
}

/// Files announced before they were written; garbage unless a segment of that id exists.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct PendingFile {
    pub(crate) id: SegmentId,
    pub(crate) tenant: String,
    pub(crate) stream: String,
    pub(crate) day: String,
}

impl Catalog {
    /// Opens the catalog in `root`, or makes it, and checks every tag.
    pub(crate) fn open(root: &Path, keys: Arc<KeyStore>, now_ns: i64) -> Result<(Self, Contents)> {
        let path = root.join(layout::CATALOG_FILE);
        let connection = Connection::open(&path)?;
        connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "secure_delete", "ON")?;
        connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
        let fresh = connection
            .query_row("SELECT 1 FROM sqlite_schema LIMIT 1", [], |_| Ok(()))
            .optional()
            .map_err(|e| unreadable(&e))?
            .is_none();
        if fresh { Self::create(connection, keys, now_ns) } else { Self::load(connection, keys) }
    }

    /// Opens the catalog of a store that nobody uses, without changing what it says or the database file.
    pub(crate) fn open_read_only(root: &Path, keys: Arc<KeyStore>) -> Result<(Self, Contents)> {
        let path = root.join(layout::CATALOG_FILE);
        // `immutable` keeps SQLite from making its side files; it is only right when there is no log to replay.
        let side_log = root.join(format!("{}-wal", layout::CATALOG_FILE));
        let connection = if side_log.metadata().is_ok_and(|log| log.len() > 0) {
            let connection = Connection::open_with_flags(&path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
            connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
            connection
        } else {
            let escaped =
                path.to_string_lossy().replace('%', "%25").replace('?', "%3f").replace('#', "%23");
            let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
            Connection::open_with_flags(format!("file:{escaped}?immutable=1"), flags)?
        };
        Self::load(connection, keys)
    }

    fn create(
        connection: Connection,
        keys: Arc<KeyStore>,
        now_ns: i64,
    ) -> Result<(Self, Contents)> {
        let position = Position::default();
        let mut out = Self { connection, keys, position, tags: BTreeMap::new() };
        let tag = out.state_tag(position, &out.tags, now_ns)?;
        let transaction = out.connection.transaction()?;
        transaction.execute_batch(SCHEMA)?;
        transaction.execute("INSERT INTO state VALUES (1, ?1, 0, 0, ?2)", params![FORMAT, tag])?;
        transaction.commit()?;
        let contents =
            Contents { segments: Vec::new(), schemas: BTreeMap::new(), pending: Vec::new() };
        Ok((out, contents))
    }

    fn load(connection: Connection, keys: Arc<KeyStore>) -> Result<(Self, Contents)> {
        let (format, position, tag) = rows::read_state(&connection).map_err(|e| unreadable(&e))?;
        if format != FORMAT {
            return Err(damaged(format!("its format is {format}, this version reads {FORMAT}")));
        }
        let tagged = read_segments(&connection, false).map_err(|e| unreadable(&e))?;
        let contents = Contents {
            schemas: read_schemas(&connection).map_err(|e| unreadable(&e))?,
            pending: read_pending(&connection).map_err(|e| unreadable(&e))?,
            segments: tagged.iter().map(|(entry, _)| entry.clone()).collect(),
        };
        let tags = tagged.iter().map(|(entry, tag)| (entry.id, tag.clone())).collect();
        let out = Self { connection, keys, position, tags };
        out.check_tags(&tagged, &tag)?;
        for entry in &contents.segments {
            let known = contents.schemas.get(&entry.schema);
            if known.is_none_or(|bytes| crate::format::schema::digest_of(bytes) != entry.schema) {
                return Err(damaged(format!("the schema of segment `{}` does not fit", entry.id)));
            }
        }
        Ok((out, contents))
    }

    /// Reads all rows again and checks their tags.
    pub(crate) fn recheck(&self) -> Result<()> {
        let (_, position, tag) = rows::read_state(&self.connection).map_err(|e| unreadable(&e))?;
        let tagged = read_segments(&self.connection, false).map_err(|e| unreadable(&e))?;
        if position != self.position || tagged.len() != self.tags.len() {
            return Err(damaged("it is not what this store wrote last".to_owned()));
        }
        self.check_tags(&tagged, &tag)
    }

    fn check_tags(&self, tagged: &[(SegmentEntry, Vec<u8>)], state: &[u8]) -> Result<()> {
        for (entry, tag) in tagged {
            self.keys.open_blob(ROW_LABEL, &rows::encode(entry), tag).map_err(|error| {
                damaged(format!("the row of segment `{}` was changed: {error}", entry.id))
            })?;
        }
        self.keys
            .open_blob(STATE_LABEL, &rows::encode_state(FORMAT, self.position, &self.tags), state)
            .map_err(|error| {
                damaged(format!("rows were added or removed, or the log position changed: {error}"))
            })?;
        Ok(())
    }

    pub(crate) fn position(&self) -> Position {
        self.position
    }

    /// Announces files that are about to be written, so that a crash leaves nothing unknown behind.
    pub(crate) fn announce(&mut self, files: &[PendingFile]) -> Result<()> {
        let transaction = self.connection.transaction()?;
        for file in files {
            transaction.execute(
                "INSERT INTO pending VALUES (?1, ?2, ?3, ?4)",
                params![file.id.0, file.tenant, file.stream, file.day],
            )?;
        }
        Ok(transaction.commit()?)
    }

    /// Forgets announced files once they are gone.
    pub(crate) fn withdraw(&mut self, files: &[PendingFile]) -> Result<()> {
        let transaction = self.connection.transaction()?;
        for file in files {
            transaction.execute("DELETE FROM pending WHERE id = ?1", params![file.id.0])?;
        }
        Ok(transaction.commit()?)
    }

    /// The commit point of a flush: all its segments exist from here on, and the log up to `wal_flushed` is not needed.
    pub(crate) fn publish(
        &mut self,
        segments: &[NewSegment],
        wal_flushed: u64,
        now_ns: i64,
    ) -> Result<()> {
        let mut tags = self.tags.clone();
        for segment in segments {
            let tag = self.row_tag(&segment.entry, now_ns)?;
            tags.insert(segment.entry.id, tag);
        }
        let position = Position { wal_flushed, wal_last: self.position.wal_last };
        let state = self.state_tag(position, &tags, now_ns)?;
        let transaction = self.connection.transaction()?;
        for segment in segments {
            let entry = &segment.entry;
            transaction.execute(
                "INSERT OR IGNORE INTO schemas VALUES (?1, ?2)",
                params![entry.schema, segment.schema_bytes],
            )?;
            rows::insert(&transaction, entry, tags.get(&entry.id).map_or(&[][..], Vec::as_slice))?;
            transaction.execute("DELETE FROM pending WHERE id = ?1", params![entry.id.0])?;
        }
        rows::update_state(&transaction, position, &state)?;
        transaction.commit()?;
        self.tags = tags;
        self.position = position;
        Ok(())
    }

    /// Notes that the ledger holds the segment's entry.
    pub(crate) fn set_ledger_index(
        &mut self,
        entry: &SegmentEntry,
        index: u64,
        now_ns: i64,
    ) -> Result<()> {
        let entry = SegmentEntry { ledger_index: Some(index), ..entry.clone() };
        let tag = self.row_tag(&entry, now_ns)?;
        let mut tags = self.tags.clone();
        tags.insert(entry.id, tag.clone());
        let state = self.state_tag(self.position, &tags, now_ns)?;
        let transaction = self.connection.transaction()?;
        transaction.execute(
            "UPDATE segments SET ledger_index = ?2, tag = ?3 WHERE id = ?1",
            params![entry.id.0, rows::signed(index), tag],
        )?;
        rows::update_state(&transaction, self.position, &state)?;
        transaction.commit()?;
        self.tags = tags;
        Ok(())
    }

    /// Segments whose ledger entry is still to be written.
    pub(crate) fn without_ledger_entry(&self) -> Result<Vec<SegmentEntry>> {
        let waiting = read_segments(&self.connection, true)?;
        Ok(waiting.into_iter().map(|(entry, _)| entry).collect())
    }

    /// Notes the last log file of a clean close and moves everything into the database file.
    pub(crate) fn close(mut self, wal_last: u64, now_ns: i64) -> Result<()> {
        let position = Position { wal_last, ..self.position };
        let state = self.state_tag(position, &self.tags, now_ns)?;
        let transaction = self.connection.transaction()?;
        rows::update_state(&transaction, position, &state)?;
        transaction.commit()?;
        self.position = position;
        self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        self.connection.close().map_err(|(_, error)| Error::Catalog(error))
    }

    fn row_tag(&self, entry: &SegmentEntry, now_ns: i64) -> Result<Vec<u8>> {
        Ok(self.keys.seal_blob(ROW_LABEL, &rows::encode(entry), &[], now_ns)?)
    }

    fn state_tag(
        &self,
        position: Position,
        tags: &BTreeMap<SegmentId, Vec<u8>>,
        now_ns: i64,
    ) -> Result<Vec<u8>> {
        let state = rows::encode_state(FORMAT, position, tags);
        Ok(self.keys.seal_blob(STATE_LABEL, &state, &[], now_ns)?)
    }
}

fn damaged(what: String) -> Error {
    Error::corrupt(layout::CATALOG_FILE, None, what)
}

/// A database that cannot be read is damage to a named file, not a failure of the moment.
fn unreadable(error: &rusqlite::Error) -> Error {
    damaged(format!("it cannot be read: {error}"))
}
