//! Verification of one segment: digests of both files, every Parquet page, the block index, and that each row's block is there.

use std::collections::BTreeSet;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{Array as _, AsArray as _, RecordBatch};
use arrow::datatypes::UInt32Type;
use loggia_keys::{FileKey, KeyStore};
use loggia_policy::StreamSchema;
use parquet::arrow::arrow_reader::{ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use parquet::errors::ParquetError;

use super::{VerifyReport, name_in};
use crate::arrow_form::{BLOCK_COLUMN, ROW_COLUMN, WRITE_ID_COLUMN, arrow_schema};
use crate::error::{Error, Result};
use crate::layout;
use crate::segment::{SegmentEntry, decryption, read_index};
use crate::sidecar::hash_file;

/// Blocks that rows refer to.
type Wanted = BTreeSet<([u8; 16], u32)>;

pub(super) fn check(
    report: &mut VerifyReport,
    dir: &Path,
    keys: &KeyStore,
    entry: &SegmentEntry,
    schema: &Arc<StreamSchema>,
) {
    let day = match layout::day_dir(&entry.tenant, &entry.stream, &entry.day) {
        Ok(day) => dir.join(day),
        Err(error) => return report.failed(layout::CATALOG_FILE, &error),
    };
    let (parquet, content) = layout::segment_files(&day, entry.id);
    // Digests first: a changed file is not given to a parser.
    let parquet_same = same(report, dir, &parquet, entry.bytes, &entry.sha256);
    let content_same = same(report, dir, &content, entry.content_bytes, &entry.content_sha256);
    let key = match keys.file_key(&entry.tenant, &entry.stream, &entry.day, &entry.id.0, false) {
        Ok(key) => key,
        Err(error) => {
            return report.error(name_in(dir, &parquet), format!("its key is not there: {error}"));
        }
    };
    let mut wanted = Wanted::new();
    if parquet_same {
        match read_rows(&parquet, &key, schema, &mut wanted) {
            Ok(rows) if rows == entry.rows => report.rows = report.rows.saturating_add(rows),
            Ok(rows) => {
                report.error(
                    name_in(dir, &parquet),
                    format!("it holds {rows} rows, the catalog says {}", entry.rows),
                );
            }
            Err(error) => report.failed(name_in(dir, &parquet), &error),
        }
    }
    if content_same && let Err(error) = check_content(&content, entry, &key, &wanted) {
        report.failed(name_in(dir, &content), &error);
    }
}

fn same(report: &mut VerifyReport, dir: &Path, path: &Path, bytes: u64, sha256: &[u8; 32]) -> bool {
    let name = name_in(dir, path);
    if !path.exists() {
        report.error(name, "it is missing");
        return false;
    }
    match hash_file(path) {
        Ok((len, found)) if len == bytes && found == *sha256 => true,
        Ok((len, _)) if len != bytes => {
            report.error(name, format!("it has {len} bytes, the catalog says {bytes}"));
            false
        }
        Ok(_) => {
            report.error(name, "its digest is not the catalog's");
            false
        }
        Err(error) => {
            report.failed(name, &error);
            false
        }
    }
}

/// Decrypts and decodes every page; answers the rows.
fn read_rows(
    path: &Path,
    key: &FileKey,
    schema: &StreamSchema,
    wanted: &mut Wanted,
) -> Result<u64> {
    let failed = |source: ParquetError| Error::Parquet { file: layout::display(path), source };
    let file = File::open(path).map_err(|e| Error::io("open", path, e))?;
    let options =
        ArrowReaderOptions::new().with_file_decryption_properties(decryption(key).map_err(failed)?);
    let builder =
        ParquetRecordBatchReaderBuilder::try_new_with_options(file, options).map_err(failed)?;
    if builder.schema().fields() != arrow_schema(schema).fields() {
        return Err(Error::corrupt(
            layout::display(path),
            None,
            "its columns are not those of its schema",
        ));
    }
    let mut rows = 0_u64;
    for batch in builder.build().map_err(failed)? {
        let batch = batch?;
        rows = rows.saturating_add(batch.num_rows() as u64);
        collect_blocks(&batch, wanted).ok_or_else(|| {
            Error::corrupt(layout::display(path), None, "its hidden columns are missing")
        })?;
    }
    Ok(rows)
}

fn collect_blocks(batch: &RecordBatch, wanted: &mut Wanted) -> Option<()> {
    let writes = batch.column_by_name(WRITE_ID_COLUMN)?.as_fixed_size_binary_opt()?;
    let blocks = batch.column_by_name(BLOCK_COLUMN)?.as_primitive_opt::<UInt32Type>()?;
    batch.column_by_name(ROW_COLUMN)?.as_primitive_opt::<UInt32Type>()?;
    for row in 0..batch.num_rows() {
        if blocks.is_valid(row) {
            wanted.insert((writes.value(row).try_into().ok()?, blocks.value(row)));
        }
    }
    Some(())
}

fn check_content(path: &Path, entry: &SegmentEntry, key: &FileKey, wanted: &Wanted) -> Result<()> {
    let damaged = |what: &str| Error::corrupt(layout::display(path), None, what);
    let file = File::open(path).map_err(|e| Error::io("open", path, e))?;
    let index = read_index(&file, path, entry.id, key)?;
    if wanted.iter().any(|block| !index.blocks.contains_key(block)) {
        return Err(damaged("a block that a row refers to is not there"));
    }
    let rows: u64 = index.batches.iter().map(|batch| u64::from(batch.rows)).sum();
    if rows != entry.rows {
        return Err(damaged("its batches do not have the segment's rows"));
    }
    Ok(())
}
