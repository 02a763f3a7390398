//! The raw table of one stream: fresh rows from memory and segments from disk, each record exactly once.
//!
//! It is reachable only through the stream's view (see `mask`), never by name. Segments are read by DataFusion's own Parquet
//! source, so pruning by row group and page, late materialisation and splitting of the scan stay the engine's; this module
//! adds the snapshot, pruning of whole segments by time, decryption, and the column `_part` that tells tokens apart.
//! Sizes in bytes are withheld from the optimiser: they depend on columns the reader may not see.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::array::{
    ArrayRef, RecordBatch, RecordBatchOptions, UInt32Array, new_null_array,
};
use datafusion::arrow::compute::{CastOptions, cast_with_options, concat_batches};
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Schema, SchemaRef};
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::stats::Precision;
use datafusion::common::{Result, ScalarValue, Statistics};
use datafusion::datasource::TableType;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::memory::MemorySourceConfig;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfigBuilder, ParquetSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::datasource::table_schema::TableSchema;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::execution::parquet_encryption::EncryptionFactory;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::union::UnionExec;
use loggia_keys::Sealed;
use loggia_policy::{IMPLICIT_COLUMNS, StreamSchema};
use loggia_store::{SegmentInfo, Store};
use object_store::ObjectStore;
use object_store::path::Path;

use crate::adapt::ByName;
use crate::cache::{FooterCache, FreshCache};
use crate::error::QueryError;
use crate::segment::SegmentAccess;
use crate::times::TimeRange;

/// Hidden column: number of the part of the snapshot that a row comes from.
pub(crate) const PART_COLUMN: &str = "_part";
/// Metadata key and value that mark the column of subject handles.
pub(crate) const ROLE_KEY: &str = "loggia.role";
pub(crate) const SUBJECT_ROLE: &str = "subject";
/// Where segments are found; the only object store a session knows.
pub(crate) const SEGMENTS_URL: &str = "loggia-segments://store";
/// Small fresh batches are joined up to this many rows.
const FRESH_ROWS: usize = 8_192;

/// What the tables of a service share.
pub(crate) struct Shared {
    pub(crate) store: Arc<Store>,
    pub(crate) objects: Arc<dyn ObjectStore>,
    pub(crate) fresh: FreshCache,
    pub(crate) footers: FooterCache,
    pub(crate) partitions: usize,
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Shared")
    }
}

/// Rows of one stream in one snapshot.
pub(crate) struct StreamTable {
    shared: Arc<Shared>,
    /// Columns as segments store them.
    stored: SchemaRef,
    /// `stored`, and the part.
    schema: SchemaRef,
    memory: Vec<(u32, Arc<Sealed>)>,
    segments: Vec<(u32, Arc<SegmentInfo>)>,
    now_ns: i64,
}

impl StreamTable {
    pub(crate) fn new(
        shared: Arc<Shared>,
        stream: &StreamSchema,
        memory: Vec<(u32, Arc<Sealed>)>,
        segments: Vec<(u32, Arc<SegmentInfo>)>,
        now_ns: i64,
    ) -> Self {
        let stored = stored_schema(stream);
        let part = part_field();
        let fields: Vec<FieldRef> = stored.fields().iter().cloned().chain([part]).collect();
        let mut segments = segments;
        // Newest first: most questions are about now, and a limit can then stop early.
        segments
            .sort_by_key(|(_, segment)| std::cmp::Reverse((segment.time_max_ns(), segment.id())));
        Self { shared, stored, schema: Arc::new(Schema::new(fields)), memory, segments, now_ns }
    }

    fn memory_scan(
        &self,
        range: TimeRange,
        projection: Option<&Vec<usize>>,
    ) -> Result<Option<Arc<dyn ExecutionPlan>>> {
        let schema = match projection {
            Some(indices) => Arc::new(self.schema.project(indices)?),
            None => Arc::clone(&self.schema),
        };
        let mut done = Vec::new();
        let mut small = Vec::new();
        let mut small_rows = 0_usize;
        for (part, sealed) in &self.memory {
            if !range.meets(sealed.times()) {
                continue;
            }
            let batch = fit(&self.shared.fresh.rows(sealed)?, &schema, *part)?;
            small_rows = small_rows.saturating_add(batch.num_rows());
            small.push(batch);
            if small_rows >= FRESH_ROWS {
                done.push(join(&schema, &small, small_rows)?);
                small.clear();
                small_rows = 0;
            }
        }
        if small_rows > 0 {
            done.push(join(&schema, &small, small_rows)?);
        }
        if done.is_empty() {
            return Ok(None);
        }
        let mut partitions = vec![Vec::new(); self.shared.partitions.clamp(1, done.len())];
        let count = partitions.len();
        for (at, batch) in done.into_iter().enumerate() {
            if let Some(partition) = partitions.get_mut(at % count) {
                partition.push(batch);
            }
        }
        Ok(Some(MemorySourceConfig::try_new_exec(&partitions, schema, None)?))
    }

    fn segment_scan(
        &self,
        range: TimeRange,
        projection: Option<&Vec<usize>>,
        limit: Option<usize>,
    ) -> Result<Option<Arc<dyn ExecutionPlan>>> {
        let kept: Vec<&(u32, Arc<SegmentInfo>)> = self
            .segments
            .iter()
            .filter(|(_, segment)| range.overlaps(segment.time_min_ns(), segment.time_max_ns()))
            .collect();
        if kept.is_empty() {
            return Ok(None);
        }
        let mut rows = 0_u64;
        let mut by_path = HashMap::with_capacity(kept.len());
        let mut groups = vec![(0_u64, Vec::new()); self.shared.partitions.clamp(1, kept.len())];
        for (part, segment) in kept {
            rows = rows.saturating_add(segment.rows());
            let path = Path::from_absolute_path(segment.path()).map_err(|_name| {
                QueryError::Unavailable("a segment has an unusable name".to_owned())
            })?;
            let mut file = PartitionedFile::new(path.to_string(), segment.bytes());
            file.object_meta.location = path.clone();
            file.partition_values = vec![ScalarValue::UInt32(Some(*part))];
            by_path.insert(path, Arc::clone(segment));
            // The lightest group takes the next segment: groups end up with about the same number of rows.
            if let Some((weight, files)) = groups.iter_mut().min_by_key(|(weight, _)| *weight) {
                *weight = weight.saturating_add(segment.rows());
                files.push(file);
            }
        }
        let access = Arc::new(SegmentAccess {
            shared: Arc::clone(&self.shared),
            by_path,
            now_ns: self.now_ns,
        });
        let table = TableSchema::builder(Arc::clone(&self.stored))
            .with_table_partition_cols(vec![part_field()])
            .build();
        let source = ParquetSource::new(table)
            .with_encryption_factory(Arc::clone(&access) as Arc<dyn EncryptionFactory>)
            .with_parquet_file_reader_factory(access)
            .with_pushdown_filters(true)
            .with_enable_page_index(true)
            .with_bloom_filter_on_read(false);
        let mut statistics = Statistics::new_unknown(&self.schema);
        statistics.num_rows = usize::try_from(rows).map_or(Precision::Absent, Precision::Exact);
        let config =
            FileScanConfigBuilder::new(ObjectStoreUrl::parse(SEGMENTS_URL)?, Arc::new(source))
                .with_file_groups(
                    groups.into_iter().map(|(_, files)| FileGroup::new(files)).collect(),
                )
                .with_statistics(statistics)
                .with_projection_indices(projection.cloned())?
                .with_limit(limit)
                .with_expr_adapter(Some(Arc::new(ByName)))
                .build();
        Ok(Some(DataSourceExec::from_data_source(config)))
    }
}

impl fmt::Debug for StreamTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "StreamTable({} fresh batches, {} segments)",
            self.memory.len(),
            self.segments.len()
        )
    }
}

#[async_trait]
impl TableProvider for StreamTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(
        &self,
        filters: &[&Expr],
    ) -> Result<Vec<TableProviderFilterPushDown>> {
        Ok(vec![TableProviderFilterPushDown::Inexact; filters.len()])
    }

    async fn scan(
        &self,
        _: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let range = TimeRange::of(filters);
        // A limit that came with filters counts rows after them.
        let limit = limit.filter(|_| filters.is_empty());
        let memory = self.memory_scan(range, projection)?;
        let segments = self.segment_scan(range, projection, limit)?;
        match (memory, segments) {
            (Some(memory), Some(segments)) => UnionExec::try_new(vec![memory, segments]),
            (Some(only), None) | (None, Some(only)) => Ok(only),
            (None, None) => {
                let schema = match projection {
                    Some(indices) => Arc::new(self.schema.project(indices)?),
                    None => Arc::clone(&self.schema),
                };
                Ok(MemorySourceConfig::try_new_exec(&[Vec::new()], schema, None)?)
            }
        }
    }
}

/// Columns of the stream's segments, with the subject's column marked.
fn stored_schema(stream: &StreamSchema) -> SchemaRef {
    let schema = loggia_store::arrow_schema(stream);
    let Some(subject) = stream.subject().and_then(|at| stream.fields().get(at)) else {
        return schema;
    };
    let fields: Vec<FieldRef> = schema
        .fields()
        .iter()
        .map(|field| {
            if *field.name() == subject.name && !IMPLICIT_COLUMNS.contains(&field.name().as_str()) {
                let role = HashMap::from([(ROLE_KEY.to_owned(), SUBJECT_ROLE.to_owned())]);
                Arc::new(field.as_ref().clone().with_metadata(role))
            } else {
                Arc::clone(field)
            }
        })
        .collect();
    Arc::new(Schema::new(fields))
}

fn part_field() -> FieldRef {
    Arc::new(Field::new(PART_COLUMN, DataType::UInt32, false))
}

/// Brings fresh rows, perhaps of an older schema, into the columns asked for. A field they lack is NULL, as is a value that
/// does not fit a type that has changed since.
fn fit(batch: &RecordBatch, schema: &SchemaRef, part: u32) -> Result<RecordBatch> {
    let rows = batch.num_rows();
    let columns = schema
        .fields()
        .iter()
        .map(|field| {
            if field.name() == PART_COLUMN {
                return Ok(Arc::new(UInt32Array::from_value(part, rows)) as ArrayRef);
            }
            match batch.column_by_name(field.name()) {
                Some(column) if column.data_type() == field.data_type() => Ok(Arc::clone(column)),
                Some(column) => {
                    let options = CastOptions { safe: true, ..CastOptions::default() };
                    Ok(cast_with_options(column, field.data_type(), &options)?)
                }
                None => Ok(new_null_array(field.data_type(), rows)),
            }
        })
        .collect::<Result<Vec<_>>>()?;
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    Ok(RecordBatch::try_new_with_options(Arc::clone(schema), columns, &options)?)
}

fn join(schema: &SchemaRef, batches: &[RecordBatch], rows: usize) -> Result<RecordBatch> {
    match batches {
        [one] => Ok(one.clone()),
        _ if schema.fields().is_empty() => {
            let options = RecordBatchOptions::new().with_row_count(Some(rows));
            Ok(RecordBatch::try_new_with_options(Arc::clone(schema), Vec::new(), &options)?)
        }
        many => Ok(concat_batches(schema, many)?),
    }
}
