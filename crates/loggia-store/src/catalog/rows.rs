//! Rows of the catalog: reading, writing, and the canonical bytes their tags cover.

use std::collections::BTreeMap;

use loggia_policy::PolicyDigest;
use rusqlite::{Connection, Row, params};

use super::PendingFile;
use crate::format::bytes::{Put as _, len_u32};
use crate::format::schema::{SchemaDigest, digest_of};
use crate::layout::SegmentId;
use crate::segment::SegmentEntry;

/// Where the segments stand in the log.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(crate) struct Position {
    /// Log files up to this one are in segments.
    pub(crate) wal_flushed: u64,
    /// Log files up to this one were complete at the last clean close.
    pub(crate) wal_last: u64,
}

/// The bytes a row's tag covers.
pub(crate) fn encode(entry: &SegmentEntry) -> Vec<u8> {
    let mut out = Vec::with_capacity(256);
    out.put(&entry.id.0);
    out.put_str(&entry.tenant);
    out.put_str(&entry.stream);
    out.put_str(&entry.day);
    out.put_u64(entry.rows);
    out.put_u64(entry.bytes);
    out.put_u64(entry.content_bytes);
    out.put_i64(entry.time_min_ns);
    out.put_i64(entry.time_max_ns);
    out.put(&entry.sha256);
    out.put(&entry.content_sha256);
    out.put_u32(len_u32(entry.policies.len()));
    entry.policies.iter().for_each(|policy| out.put(&policy.0));
    out.put(&entry.schema);
    out.put_i64(entry.published_ns);
    out.put_u8(u8::from(entry.ledger_index.is_some()));
    out.put_u64(entry.ledger_index.unwrap_or_default());
    out
}

/// The bytes the state's tag covers: position, and a digest of all rows' tags in order of id.
pub(crate) fn encode_state(
    format: i64,
    position: Position,
    tags: &BTreeMap<SegmentId, Vec<u8>>,
) -> Vec<u8> {
    let mut rows = Vec::with_capacity(tags.len().saturating_mul(80));
    for (id, tag) in tags {
        rows.put(&id.0);
        rows.put_u32(len_u32(tag.len()));
        rows.put(tag);
    }
    let mut out = Vec::with_capacity(64);
    out.put_i64(format);
    out.put_u64(position.wal_flushed);
    out.put_u64(position.wal_last);
    out.put_u64(tags.len() as u64);
    out.put(&digest_of(&rows));
    out
}

pub(crate) fn insert(
    connection: &Connection,
    entry: &SegmentEntry,
    tag: &[u8],
) -> rusqlite::Result<()> {
    let policies: Vec<u8> = entry.policies.iter().flat_map(|policy| policy.0).collect();
    connection.execute(
        "INSERT INTO segments VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)",
        params![
            entry.id.0,
            entry.tenant,
            entry.stream,
            entry.day,
            signed(entry.rows),
            signed(entry.bytes),
            signed(entry.content_bytes),
            entry.time_min_ns,
            entry.time_max_ns,
            entry.sha256,
            entry.content_sha256,
            policies,
            entry.schema,
            entry.published_ns,
            entry.ledger_index.map(signed),
            tag,
        ],
    )?;
    Ok(())
}

pub(crate) fn update_state(
    connection: &Connection,
    position: Position,
    tag: &[u8],
) -> rusqlite::Result<()> {
    connection.execute(
        "UPDATE state SET wal_flushed = ?1, wal_last = ?2, tag = ?3 WHERE id = 1",
        params![signed(position.wal_flushed), signed(position.wal_last), tag],
    )?;
    Ok(())
}

pub(crate) fn read_state(connection: &Connection) -> rusqlite::Result<(i64, Position, Vec<u8>)> {
    connection.query_row(
        "SELECT format, wal_flushed, wal_last, tag FROM state WHERE id = 1",
        [],
        |row| {
            let position = Position { wal_flushed: unsigned(row, 1)?, wal_last: unsigned(row, 2)? };
            Ok((row.get(0)?, position, row.get(3)?))
        },
    )
}

/// Segments in order of publication (their ids begin with the time), each with its tag: all, or those that the ledger does
/// not know yet.
pub(crate) fn read_segments(
    connection: &Connection,
    only_without_ledger_entry: bool,
) -> rusqlite::Result<Vec<(SegmentEntry, Vec<u8>)>> {
    let mut statement = connection.prepare(
        "SELECT id, tenant, stream, day, rows, bytes, content_bytes, time_min_ns, time_max_ns, sha256,
                content_sha256, policies, schema, published_ns, ledger_index, tag
         FROM segments WHERE ledger_index IS NULL OR NOT ?1 ORDER BY id",
    )?;
    let rows = statement.query_map([only_without_ledger_entry], |row| {
        let policies: Vec<u8> = row.get(11)?;
        let entry = SegmentEntry {
            id: SegmentId(row.get(0)?),
            tenant: row.get(1)?,
            stream: row.get(2)?,
            day: row.get(3)?,
            rows: unsigned(row, 4)?,
            bytes: unsigned(row, 5)?,
            content_bytes: unsigned(row, 6)?,
            time_min_ns: row.get(7)?,
            time_max_ns: row.get(8)?,
            sha256: row.get(9)?,
            content_sha256: row.get(10)?,
            policies: policies.as_chunks().0.iter().map(|raw| PolicyDigest(*raw)).collect(),
            schema: row.get(12)?,
            published_ns: row.get(13)?,
            ledger_index: row.get::<_, Option<i64>>(14)?.map(i64::cast_unsigned),
        };
        Ok((entry, row.get(15)?))
    })?;
    rows.collect()
}

pub(crate) fn read_schemas(
    connection: &Connection,
) -> rusqlite::Result<BTreeMap<SchemaDigest, Vec<u8>>> {
    let mut statement = connection.prepare("SELECT digest, bytes FROM schemas")?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    rows.collect()
}

pub(crate) fn read_pending(connection: &Connection) -> rusqlite::Result<Vec<PendingFile>> {
    let mut statement =
        connection.prepare("SELECT id, tenant, stream, day FROM pending ORDER BY id")?;
    let rows = statement.query_map([], |row| {
        Ok(PendingFile {
            id: SegmentId(row.get(0)?),
            tenant: row.get(1)?,
            stream: row.get(2)?,
            day: row.get(3)?,
        })
    })?;
    rows.collect()
}

/// SQLite's integers are signed; the bits are kept, so every value comes back.
pub(crate) fn signed(value: u64) -> i64 {
    value.cast_signed()
}

fn unsigned(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    row.get::<_, i64>(column).map(i64::cast_unsigned)
}
