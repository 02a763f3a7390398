//! Writing one segment: rows of one tenant, stream, day and schema, sorted by time.
//!
//! Sealed blocks are copied as they are: content is never decrypted, hence never sealed again, on its way through the store.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;

use loggia_keys::{FileKey, NO_BLOCK, Sealed};
use loggia_policy::{PolicyDigest, StreamSchema};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::metadata::SortingColumn;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;

use super::{SegmentEntry, SegmentId, encryption};
use crate::arrow_form::{RowRef, WRITE_ID_COLUMN, arrow_schema, gather, too_many_rows};
use crate::durable::{self, NewFile, Written};
use crate::error::{Error, Result};
use crate::format::index::{self, BatchOrigin, BlockExtent, BlockIndex};
use crate::format::schema::{self, SchemaDigest};
use crate::layout;

/// Fast level: segments are written once and compaction may pack them tighter later.
const ZSTD_LEVEL: i32 = 1;
/// Bytes of text kept per value in statistics; they stand inside the encrypted footer.
const STATISTICS_BYTES_MAX: usize = 64;

/// Rows that go into one segment.
pub(crate) struct Day {
    pub(crate) tenant: String,
    pub(crate) schema: Arc<StreamSchema>,
    pub(crate) schema_bytes: Vec<u8>,
    pub(crate) schema_digest: SchemaDigest,
    pub(crate) day: String,
    pub(crate) batches: Vec<Arc<Sealed>>,
    /// Sorted by time; equal times keep the order of commit.
    pub(crate) rows: Vec<RowRef>,
}

/// A segment whose files are durable but which no catalog row names yet.
pub(crate) struct NewSegment {
    pub(crate) entry: SegmentEntry,
    pub(crate) schema: Arc<StreamSchema>,
    pub(crate) schema_bytes: Vec<u8>,
}

/// Sorts batches into segments: by tenant, stream, schema and UTC day of the earlier of event and ingest time.
pub(crate) fn split_by_day(batches: &[Arc<Sealed>]) -> Result<Vec<Day>> {
    let mut groups: BTreeMap<(&str, &str, SchemaDigest), Group<'_>> = BTreeMap::new();
    let mut encoded: Vec<(Arc<StreamSchema>, SchemaDigest, Vec<u8>)> = Vec::new();
    for batch in batches {
        let known = encoded.iter().find(|(schema, _, _)| Arc::ptr_eq(schema, batch.schema()));
        let digest = match known {
            Some((_, digest, _)) => *digest,
            None => {
                let bytes = schema::encode(batch.schema())?;
                let digest = schema::digest_of(&bytes);
                encoded.push((Arc::clone(batch.schema()), digest, bytes));
                digest
            }
        };
        let group = groups.entry((batch.tenant(), batch.stream(), digest)).or_default();
        group.add(batch)?;
    }
    let mut out = Vec::new();
    for ((tenant, _, digest), group) in groups {
        let Some((schema, _, bytes)) = encoded.iter().find(|(_, known, _)| *known == digest) else {
            continue;
        };
        for (day, mut rows) in group.days {
            rows.sort_by_key(|(time, _)| *time);
            out.push(Day {
                tenant: tenant.to_owned(),
                schema: Arc::clone(schema),
                schema_bytes: bytes.clone(),
                schema_digest: digest,
                day: layout::day_name(day),
                batches: group.batches.iter().map(|batch| Arc::clone(batch)).collect(),
                rows: rows.into_iter().map(|(_, at)| at).collect(),
            });
        }
    }
    Ok(out)
}

#[derive(Default)]
struct Group<'a> {
    batches: Vec<&'a Arc<Sealed>>,
    days: BTreeMap<i64, Vec<(i64, RowRef)>>,
}

impl<'a> Group<'a> {
    fn add(&mut self, sealed: &'a Arc<Sealed>) -> Result<()> {
        let batch = u32::try_from(self.batches.len()).map_err(too_many_rows)?;
        self.batches.push(sealed);
        for (row, time) in sealed.times().iter().enumerate() {
            let day = layout::day_number((*time).min(sealed.ingest_time_ns()));
            let row = u32::try_from(row).map_err(too_many_rows)?;
            self.days.entry(day).or_default().push((*time, RowRef { batch, row }));
        }
        Ok(())
    }
}

/// Writes both files of a segment and makes them durable, with their names; the catalog is not touched.
pub(crate) fn write_segment(
    root: &Path,
    day: &Day,
    id: SegmentId,
    key: &FileKey,
    row_group_rows_max: usize,
    now_ns: i64,
) -> Result<NewSegment> {
    let stream = day.schema.name();
    let dir = root.join(layout::day_dir(&day.tenant, stream, &day.day)?);
    durable::create_dir(&dir)?;
    let (path, content_path) = layout::segment_files(&dir, id);
    let parquet = write_parquet(&path, day, id, key, row_group_rows_max)?;
    let (content, index) = write_content(&content_path, day, id, key)?;
    durable::sync_dir(&dir)?;
    let times = || day.rows.iter().filter_map(|at| time_of(day, *at));
    let policies: BTreeSet<PolicyDigest> = index.batches.iter().map(|batch| batch.policy).collect();
    let entry = SegmentEntry {
        id,
        tenant: day.tenant.clone(),
        stream: stream.to_owned(),
        day: day.day.clone(),
        rows: day.rows.len() as u64,
        bytes: parquet.len,
        content_bytes: content.len,
        time_min_ns: times().next().unwrap_or_default(),
        time_max_ns: times().next_back().unwrap_or_default(),
        sha256: parquet.sha256,
        content_sha256: content.sha256,
        policies: policies.into_iter().collect(),
        schema: day.schema_digest,
        published_ns: now_ns,
        ledger_index: None,
    };
    Ok(NewSegment {
        entry,
        schema: Arc::clone(&day.schema),
        schema_bytes: day.schema_bytes.clone(),
    })
}

fn write_parquet(
    path: &Path,
    day: &Day,
    id: SegmentId,
    key: &FileKey,
    row_group_rows_max: usize,
) -> Result<Written> {
    let failed = |source: ParquetError| Error::Parquet { file: layout::display(path), source };
    let encryption = encryption::encryption(key, &day.tenant, day.schema.name(), &day.day, id)
        .map_err(failed)?;
    let column = |name: &str| ColumnPath::from(name);
    let sorted = SortingColumn { column_idx: 0, descending: false, nulls_first: false };
    let mut properties = WriterProperties::builder()
        .set_created_by("loggia".to_owned())
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(ZSTD_LEVEL).map_err(failed)?))
        .set_max_row_group_row_count(Some(row_group_rows_max))
        .set_statistics_enabled(EnabledStatistics::Page)
        .set_statistics_truncate_length(Some(STATISTICS_BYTES_MAX))
        .set_column_index_truncate_length(Some(STATISTICS_BYTES_MAX))
        // Bloom filters would be written in clear, see docs/formats/segment.md: membership tests for whoever has the file.
        .set_bloom_filter_enabled(false)
        .set_sorting_columns(Some(vec![sorted]))
        .set_column_statistics_enabled(column(WRITE_ID_COLUMN), EnabledStatistics::None)
        .with_file_encryption_properties(encryption);
    for name in ["time", "ingest_time", "_row"] {
        properties = properties
            .set_column_dictionary_enabled(column(name), false)
            .set_column_encoding(column(name), Encoding::DELTA_BINARY_PACKED);
    }
    let batches: Vec<&Sealed> = day.batches.iter().map(Arc::as_ref).collect();
    let file = NewFile::create(path)?;
    let mut writer =
        ArrowWriter::try_new(file, arrow_schema(&day.schema), Some(properties.build()))
            .map_err(failed)?;
    for rows in day.rows.chunks(row_group_rows_max.max(1)) {
        writer.write(&gather(&day.schema, &batches, rows)?).map_err(failed)?;
    }
    writer.into_inner().map_err(failed)?.publish()
}

fn write_content(
    path: &Path,
    day: &Day,
    id: SegmentId,
    key: &FileKey,
) -> Result<(Written, BlockIndex)> {
    let failed = |e| Error::io("write", path, e);
    let mut file = NewFile::create(path)?;
    file.write_all(&index::header(id.0)).map_err(failed)?;
    let mut index = BlockIndex::default();
    for (batch, rows) in rows_by_batch(day) {
        let mut needed = BTreeSet::new();
        for row in &rows {
            needed
                .extend(batch.row_blocks().get(*row as usize).filter(|block| **block != NO_BLOCK));
        }
        for block in needed {
            let Some(sealed) = batch.blocks().get(block as usize) else {
                return Err(Error::invalid("a row names a block that its batch does not have"));
            };
            let len = u32::try_from(sealed.bytes.len()).map_err(too_many_rows)?;
            let extent = BlockExtent { offset: file.len(), len, key_id: sealed.key_id };
            file.write_all(&sealed.bytes).map_err(failed)?;
            index.blocks.insert((batch.write_id(), block), extent);
        }
        index.batches.push(BatchOrigin {
            write_id: batch.write_id(),
            policy: batch.policy(),
            ingest_time_ns: batch.ingest_time_ns(),
            rows: u32::try_from(rows.len()).map_err(too_many_rows)?,
        });
    }
    let offset = file.len();
    let sealed = key.seal(&index::index_aad(id.0, offset), &index.encode())?;
    file.write_all(&sealed).map_err(failed)?;
    file.write_all(&index::trailer(offset, sealed.len())).map_err(failed)?;
    Ok((file.publish()?, index))
}

/// The rows of the segment per batch, in order of commit.
fn rows_by_batch(day: &Day) -> Vec<(&Sealed, Vec<u32>)> {
    let mut rows: Vec<Vec<u32>> = vec![Vec::new(); day.batches.len()];
    for at in &day.rows {
        if let Some(of_batch) = rows.get_mut(at.batch as usize) {
            of_batch.push(at.row);
        }
    }
    let batches = day.batches.iter().map(Arc::as_ref);
    batches.zip(rows).filter(|(_, rows)| !rows.is_empty()).collect()
}

fn time_of(day: &Day, at: RowRef) -> Option<i64> {
    day.batches.get(at.batch as usize)?.times().get(at.row as usize).copied()
}
