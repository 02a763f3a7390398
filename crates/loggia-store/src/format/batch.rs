//! The payload of a WAL frame: one sealed batch, whole, with the schema it was admitted under.
//!
//! A batch is read back without the policy that admitted it: names, types, treatments and order of its columns stand in it.

use std::sync::Arc;

use loggia_keys::{Sealed, SealedBlock, StoredSealed};
use loggia_policy::{Column, ColumnData, PolicyDigest, TextColumn};

use super::bytes::{Cursor, Put as _, len_u32, put_bits};
use super::schema::{self, Catalogue};
use crate::error::{Error, Result};

/// First byte of a batch payload: kind and version in one.
const BATCH_V1: u8 = 1;

const BOOL: u8 = 1;
const INT: u8 = 2;
const FLOAT: u8 = 3;
const TIMESTAMP: u8 = 4;
const TEXT: u8 = 5;

/// Encodes `sealed`, refusing what the format cannot hold.
pub(crate) fn encode(sealed: &Sealed, bytes_max: usize) -> Result<Vec<u8>> {
    let parts = sealed.stored();
    let schema = schema::encode(&parts.schema)?;
    let size = estimate(parts, schema.len());
    if size > bytes_max {
        return Err(Error::invalid(format!("the batch has {size} bytes, more than {bytes_max}")));
    }
    if parts.tenant.is_empty() || parts.tenant.len() > usize::from(u16::MAX) {
        return Err(Error::invalid("the tenant's name is empty or too long"));
    }
    let mut out = Vec::with_capacity(size);
    out.put_u8(BATCH_V1);
    out.put_str(&parts.tenant);
    out.put_u32(len_u32(schema.len()));
    out.put(&schema);
    out.put(&parts.policy.0);
    out.put(&parts.write_id);
    out.put_i64(parts.ingest_time_ns);
    out.put_u32(len_u32(parts.times.len()));
    parts.times.iter().for_each(|time| out.put_i64(*time));
    out.put_u32(len_u32(parts.skeleton.len()));
    for (field, column) in &parts.skeleton {
        out.put_u16(*field);
        put_column(&mut out, column);
    }
    parts.row_blocks.iter().for_each(|block| out.put_u32(*block));
    out.put_u32(len_u32(parts.blocks.len()));
    for block in &parts.blocks {
        out.put(&block.key_id);
        out.put_u32(len_u32(block.bytes.len()));
        out.put(&block.bytes);
    }
    Ok(out)
}

/// Decodes an authenticated payload; `None` when the bytes do not follow the format.
pub(crate) fn decode(bytes: &[u8], schemas: &mut Catalogue) -> Option<Sealed> {
    let mut cursor = Cursor::new(bytes);
    if cursor.u8()? != BATCH_V1 {
        return None;
    }
    let tenant = cursor.str()?.to_owned();
    let schema_len = cursor.len()?;
    let schema = schemas.attach(cursor.take(schema_len)?)?;
    let policy = PolicyDigest(cursor.array()?);
    let write_id = cursor.array()?;
    let ingest_time_ns = cursor.i64()?;
    let rows = cursor.len()?;
    let times = cursor.i64s(rows)?;
    let columns = cursor.len()?;
    let mut skeleton = Vec::with_capacity(columns.min(schema.fields().len()));
    for _ in 0..columns {
        skeleton.push((cursor.u16()?, column(&mut cursor, rows)?));
    }
    let row_blocks = cursor.u32s(rows)?;
    let blocks = (0..cursor.len()?).map(|_| block(&mut cursor)).collect::<Option<Vec<_>>>()?;
    if !cursor.is_empty() {
        return None;
    }
    let schema = Arc::clone(&schema);
    Sealed::restore(StoredSealed {
        schema,
        tenant,
        policy,
        write_id,
        ingest_time_ns,
        times,
        skeleton,
        row_blocks,
        blocks,
    })
    .ok()
}

/// Whether `bytes` claim to be a batch at all; for the verifier, which needs no schemas.
pub(crate) fn is_batch(bytes: &[u8]) -> bool {
    bytes.first() == Some(&BATCH_V1)
}

fn put_column(out: &mut Vec<u8>, column: &Column) {
    let all_present = !column.validity().contains(&false);
    out.put_u8(u8::from(all_present));
    if !all_present {
        put_bits(out, column.validity());
    }
    match column.data() {
        ColumnData::Bool(values) => {
            out.put_u8(BOOL);
            put_bits(out, values);
        }
        ColumnData::Int(values) => {
            out.put_u8(INT);
            values.iter().for_each(|value| out.put_i64(*value));
        }
        ColumnData::Float(values) => {
            out.put_u8(FLOAT);
            values.iter().for_each(|value| out.put_u64(value.to_bits()));
        }
        ColumnData::Timestamp(values) => {
            out.put_u8(TIMESTAMP);
            values.iter().for_each(|value| out.put_i64(*value));
        }
        ColumnData::Text(values) => {
            out.put_u8(TEXT);
            values.offsets().iter().skip(1).for_each(|end| out.put_u32(*end));
            out.put(values.bytes().as_bytes());
        }
    }
}

fn column(cursor: &mut Cursor<'_>, rows: usize) -> Option<Column> {
    let validity = match cursor.u8()? {
        0 => cursor.bits(rows)?,
        1 => vec![true; rows],
        _ => return None,
    };
    let data = match cursor.u8()? {
        BOOL => ColumnData::Bool(cursor.bits(rows)?),
        INT => ColumnData::Int(cursor.i64s(rows)?),
        FLOAT => ColumnData::Float(
            cursor
                .i64s(rows)?
                .into_iter()
                .map(|bits| f64::from_bits(bits.cast_unsigned()))
                .collect(),
        ),
        TIMESTAMP => ColumnData::Timestamp(cursor.i64s(rows)?),
        TEXT => {
            let mut offsets = cursor.u32s(rows)?;
            offsets.insert(0, 0);
            let len = usize::try_from(*offsets.last()?).ok()?;
            let bytes = std::str::from_utf8(cursor.take(len)?).ok()?.to_owned();
            ColumnData::Text(TextColumn::from_parts(offsets, bytes)?)
        }
        _ => return None,
    };
    Column::new(validity, data)
}

fn block(cursor: &mut Cursor<'_>) -> Option<SealedBlock> {
    let key_id = cursor.array()?;
    let len = cursor.len()?;
    Some(SealedBlock { key_id, bytes: cursor.take(len)?.to_vec() })
}

/// An upper bound of the encoded size, close enough to reserve by.
fn estimate(parts: &StoredSealed, schema_len: usize) -> usize {
    let rows = parts.times.len();
    let columns: usize = parts
        .skeleton
        .iter()
        .map(|(_, column)| {
            let values = match column.data() {
                ColumnData::Bool(_) => rows.div_ceil(8),
                ColumnData::Int(_) | ColumnData::Float(_) | ColumnData::Timestamp(_) => rows * 8,
                ColumnData::Text(values) => rows * 4 + values.bytes().len(),
            };
            4 + rows.div_ceil(8) + values
        })
        .sum();
    let blocks: usize = parts.blocks.iter().map(|block| 20 + block.bytes.len()).sum();
    96 + parts.tenant.len() + schema_len + rows * 12 + columns + blocks
}
