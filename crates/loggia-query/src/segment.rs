//! Opening segments: decryption keys from the store, footers from the cache, and no file outside the snapshot.

use std::collections::HashMap;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::config::EncryptionFactoryOptions;
use datafusion::common::{Result, exec_err};
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::parquet::ParquetFileReaderFactory;
use datafusion::execution::parquet_encryption::EncryptionFactory;
use datafusion::physical_plan::metrics::ExecutionPlanMetricsSet;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use loggia_store::SegmentInfo;
use object_store::ObjectStoreExt as _;
use object_store::path::Path;
use parquet::arrow::arrow_reader::ArrowReaderOptions;
use parquet::arrow::async_reader::AsyncFileReader;
use parquet::encryption::decrypt::FileDecryptionProperties;
use parquet::encryption::encrypt::FileEncryptionProperties;
use parquet::errors::{ParquetError, Result as ParquetResult};
use parquet::file::metadata::{PageIndexPolicy, ParquetMetaData, ParquetMetaDataReader};

use crate::error::QueryError;
use crate::table::Shared;

/// First read of a segment: footer and page index in one.
const FOOTER_HINT_BYTES: usize = 64 << 10;

/// Opens the segments of one scan: keys from the store, footers from the cache.
pub(crate) struct SegmentAccess {
    pub(crate) shared: Arc<Shared>,
    pub(crate) by_path: HashMap<Path, Arc<SegmentInfo>>,
    pub(crate) now_ns: i64,
}

impl SegmentAccess {
    fn segment(&self, path: &Path) -> Result<&Arc<SegmentInfo>, QueryError> {
        self.by_path.get(path).ok_or_else(|| {
            QueryError::Failed("a file outside the snapshot was asked for".to_owned())
        })
    }
}

impl fmt::Debug for SegmentAccess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SegmentAccess({} segments)", self.by_path.len())
    }
}

#[async_trait]
impl EncryptionFactory for SegmentAccess {
    async fn get_file_encryption_properties(
        &self,
        _: &EncryptionFactoryOptions,
        _: &SchemaRef,
        _: &Path,
    ) -> Result<Option<Arc<FileEncryptionProperties>>> {
        exec_err!("a query never writes a file")
    }

    async fn get_file_decryption_properties(
        &self,
        _: &EncryptionFactoryOptions,
        path: &Path,
    ) -> Result<Option<Arc<FileDecryptionProperties>>> {
        let properties = self.shared.store.decryption(self.segment(path)?).map_err(|_key| {
            QueryError::Unavailable("a segment's key is gone or cannot be had now".to_owned())
        })?;
        Ok(Some(properties))
    }
}

impl ParquetFileReaderFactory for SegmentAccess {
    fn create_reader(
        &self,
        _: usize,
        file: PartitionedFile,
        _: Option<usize>,
        _: &ExecutionPlanMetricsSet,
    ) -> Result<Box<dyn AsyncFileReader + Send>> {
        let path = file.object_meta.location;
        let segment = Arc::clone(self.segment(&path)?);
        Ok(Box::new(SegmentReader {
            path,
            segment,
            shared: Arc::clone(&self.shared),
            now_ns: self.now_ns,
        }))
    }
}

/// Reads one segment; its footer once a minute at most.
struct SegmentReader {
    path: Path,
    segment: Arc<SegmentInfo>,
    shared: Arc<Shared>,
    now_ns: i64,
}

impl AsyncFileReader for SegmentReader {
    fn get_bytes(&mut self, range: Range<u64>) -> BoxFuture<'_, ParquetResult<Bytes>> {
        async move { self.shared.objects.get_range(&self.path, range).await.map_err(external) }
            .boxed()
    }

    fn get_byte_ranges(
        &mut self,
        ranges: Vec<Range<u64>>,
    ) -> BoxFuture<'_, ParquetResult<Vec<Bytes>>> {
        async move { self.shared.objects.get_ranges(&self.path, &ranges).await.map_err(external) }
            .boxed()
    }

    fn get_metadata<'a>(
        &'a mut self,
        options: Option<&'a ArrowReaderOptions>,
    ) -> BoxFuture<'a, ParquetResult<Arc<ParquetMetaData>>> {
        async move {
            let id = *self.segment.id().bytes();
            if let Some(footer) = self.shared.footers.get(&id, self.now_ns) {
                return Ok(footer);
            }
            let keys = options.and_then(ArrowReaderOptions::file_decryption_properties).cloned();
            let reader = ParquetMetaDataReader::new()
                .with_page_index_policy(PageIndexPolicy::Optional)
                .with_prefetch_hint(Some(FOOTER_HINT_BYTES))
                .with_decryption_properties(keys);
            let bytes = self.segment.bytes();
            let footer = Arc::new(reader.load_and_finish(&mut *self, bytes).await?);
            self.shared.footers.put(id, self.now_ns, Arc::clone(&footer));
            Ok(footer)
        }
        .boxed()
    }
}

fn external(error: object_store::Error) -> ParquetError {
    ParquetError::External(Box::new(error))
}
