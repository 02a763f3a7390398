//! [`QueryService`]: what all sessions share: store, keys, limits, caches and the engine's settings.
//!
//! Guarantees for every session made from it: memory is bounded and shared, nothing is spilled to disk, the only files that
//! can be opened are the store's segments and only through a snapshot, the engine's own catalog listing is off, and the
//! functions are those of `functions`.

use std::fmt;
use std::sync::Arc;

use datafusion::common::{DataFusionError, Result as PlanResult, exec_err};
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::GreedyMemoryPool;
use datafusion::execution::object_store::ObjectStoreRegistry;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::execution::{SessionState, SessionStateBuilder, SessionStateDefaults};
use datafusion::prelude::SessionConfig;
use loggia_keys::KeyStore;
use loggia_store::{Clock, Store};
use object_store::ObjectStore;
use object_store::local::LocalFileSystem;
use url::Url;

use crate::cache::{FooterCache, FreshCache};
use crate::error::QueryError;
use crate::functions;
use crate::limits::QueryLimits;
use crate::reveal::RevealingPlanner;
use crate::table::{SEGMENTS_URL, Shared};

/// The one door for reading. Cheap to share in an `Arc`.
pub struct QueryService {
    pub(crate) shared: Arc<Shared>,
    pub(crate) keys: Arc<KeyStore>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) limits: QueryLimits,
    /// Settings and functions; each statement gets its own copy with its own tables.
    pub(crate) base: SessionState,
}

impl QueryService {
    /// Opens the door to `store`.
    ///
    /// # Errors
    /// Fails when the engine refuses its settings.
    pub fn new(
        store: Arc<Store>,
        keys: Arc<KeyStore>,
        limits: QueryLimits,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, QueryError> {
        let objects: Arc<dyn ObjectStore> = Arc::new(LocalFileSystem::new());
        let base = base_state(&limits, Arc::clone(&objects))
            .map_err(|error| QueryError::from_planning(&error))?;
        let shared = Arc::new(Shared {
            store,
            objects,
            fresh: FreshCache::new(limits.fresh_cache_bytes_max),
            footers: FooterCache::new(limits.footer_cache_bytes_max),
            partitions: limits.partitions(),
        });
        Ok(Self { shared, keys, clock, limits, base })
    }

    /// The limits of this service's queries.
    #[must_use]
    pub fn limits(&self) -> &QueryLimits {
        &self.limits
    }
}

impl fmt::Debug for QueryService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("QueryService").field("limits", &self.limits).finish_non_exhaustive()
    }
}

fn base_state(limits: &QueryLimits, objects: Arc<dyn ObjectStore>) -> PlanResult<SessionState> {
    let runtime = RuntimeEnvBuilder::new()
        .with_memory_pool(Arc::new(GreedyMemoryPool::new(limits.memory_bytes_max)))
        .with_disk_manager_builder(
            DiskManagerBuilder::default().with_mode(DiskManagerMode::Disabled),
        )
        .with_object_store_registry(Arc::new(OnlySegments { objects }))
        .build_arc()?;
    let mut config = SessionConfig::new()
        .with_target_partitions(limits.partitions())
        .with_information_schema(false)
        .with_create_default_catalog_and_schema(false)
        .with_collect_statistics(false)
        // Splitting by byte ranges would order rows by the size of columns the reader may not see.
        .with_repartition_file_scans(false)
        .with_parquet_pruning(true)
        .with_parquet_page_index_pruning(true);
    let options = config.options_mut();
    options.execution.parquet.pushdown_filters = true;
    options.execution.parquet.bloom_filter_on_read = false;
    options.sql_parser.map_string_types_to_utf8view = false;
    options.sql_parser.collect_spans = false;
    Ok(SessionStateBuilder::new()
        .with_config(config)
        .with_runtime_env(runtime)
        .with_expr_planners(SessionStateDefaults::default_expr_planners())
        .with_scalar_functions(functions::scalar())
        .with_aggregate_functions(functions::aggregate())
        .with_window_functions(functions::window())
        .with_query_planner(Arc::new(RevealingPlanner))
        .build())
}

/// Knows the store's segments and nothing else.
#[derive(Debug)]
struct OnlySegments {
    objects: Arc<dyn ObjectStore>,
}

impl ObjectStoreRegistry for OnlySegments {
    fn register_store(&self, _: &Url, _: Arc<dyn ObjectStore>) -> Option<Arc<dyn ObjectStore>> {
        None
    }

    fn get_store(&self, url: &Url) -> Result<Arc<dyn ObjectStore>, DataFusionError> {
        if url.as_str().trim_end_matches('/') == SEGMENTS_URL {
            return Ok(Arc::clone(&self.objects));
        }
        exec_err!("no other files can be read here")
    }
}
