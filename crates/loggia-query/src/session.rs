//! [`Session`]: one statement of one reader, run under a grant and a receipt.
//!
//! The steps of a read, in order: check the grant's end → take a snapshot of each stream → build the views the grant shows →
//! plan → place the reveals → optimise → run. A session takes a [`Receipt`] by value and is used up by its statement, so
//! there is no read without a ledger entry of its own, and no second read on the same one.

#![expect(clippy::wildcard_enum_match_arm, reason = "forms of plans that matter are listed")]

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use datafusion::arrow::array::{RecordBatch, StringArray};
use datafusion::arrow::datatypes::{DataType, Field, Schema};
use datafusion::arrow::temporal_conversions::timestamp_ns_to_datetime;
use datafusion::catalog::{
    CatalogProvider as _, CatalogProviderList as _, MemoryCatalogProvider,
    MemoryCatalogProviderList, MemorySchemaProvider, SchemaProvider as _, TableProvider,
};
use datafusion::common::tree_node::TreeNode as _;
use datafusion::common::{DataFusionError, Result as PlanResult};
use datafusion::execution::context::ExecutionProps;
use datafusion::execution::{SessionState, SessionStateBuilder};
use datafusion::logical_expr::{Expr, LogicalPlan};
use datafusion::physical_plan::{ExecutionPlan, execute_stream};
use datafusion::sql::parser::Statement as PlannerStatement;
use datafusion::sql::sqlparser::ast;
use loggia_keys::Sealed;
use loggia_ledger::Receipt;
use loggia_policy::{Class, ColumnAccess, Grant, IMPLICIT_COLUMNS, StreamGrant};

use crate::error::QueryError;
use crate::guard::{Statement, StatementKind};
use crate::mask;
use crate::plan::{Marked, place_reveals};
use crate::service::QueryService;
use crate::stream::{MaskedStream, Outcome};
use crate::table::StreamTable;
use crate::tail::Tail;
use crate::token::{NONCE_LEN, Nonce};
use crate::unseal::{Part, Shelves, Unsealer};

/// A read that has been authorised and written down, ready to run.
pub struct Session {
    service: Arc<QueryService>,
    grant: Grant,
    receipt: Receipt,
    nonce: Nonce,
}

impl Session {
    /// Opens a session. No receipt, no session: the ledger entry of this read is durable before anything is planned.
    ///
    /// # Errors
    /// [`QueryError::Expired`] when the grant has ended.
    pub fn open(
        service: &Arc<QueryService>,
        grant: Grant,
        receipt: Receipt,
    ) -> Result<Self, QueryError> {
        let mut nonce = [0; NONCE_LEN];
        SystemRandom::new().fill(&mut nonce).map_err(|_unspecified| {
            QueryError::Failed("the machine gives no random numbers".to_owned())
        })?;
        let session = Self { service: Arc::clone(service), grant, receipt, nonce: Nonce(nonce) };
        session.check_end()?;
        Ok(session)
    }

    /// The grant the session reads under.
    #[must_use]
    pub fn grant(&self) -> &Grant {
        &self.grant
    }

    /// The ledger entry the session reads under.
    #[must_use]
    pub fn receipt(&self) -> &Receipt {
        &self.receipt
    }

    /// Runs the statement. Rows are read as the answer is polled.
    ///
    /// # Errors
    /// [`QueryError::NotFound`] for a stream outside the grant, [`QueryError::Invalid`] when the statement cannot be planned,
    /// [`QueryError::Expired`] past the end of the grant.
    pub async fn sql(self, statement: &Statement) -> Result<MaskedStream, QueryError> {
        self.check_end()?;
        match statement.kind() {
            StatementKind::ShowTables => MaskedStream::listing(self.list_streams()?),
            StatementKind::Describe => MaskedStream::listing(self.describe(statement)?),
            StatementKind::Explain => {
                let planned = self.plan(statement, Source::Snapshot).await?;
                MaskedStream::listing(explanation(&planned)?)
            }
            StatementKind::Query => {
                let planned = self.plan(statement, Source::Snapshot).await?;
                let run = planned.physical().await?;
                planned.stream(run, &self.service.limits, None)
            }
        }
    }

    /// Prepares to watch one stream: each committed batch then gives the statement's rows of it.
    ///
    /// # Errors
    /// As [`Self::sql`]; also [`QueryError::Invalid`] for statements that need more than the rows of one batch.
    pub async fn tail(self, statement: &Statement) -> Result<Tail, QueryError> {
        self.check_end()?;
        Tail::prepare(self, statement.clone()).await
    }

    pub(crate) fn check_end(&self) -> Result<(), QueryError> {
        if self.service.clock.now_ns() < self.grant.expires_ns() {
            Ok(())
        } else {
            Err(QueryError::Expired)
        }
    }

    pub(crate) fn service(&self) -> &QueryService {
        &self.service
    }

    pub(crate) fn stream_grant(&self, name: &str) -> Result<&StreamGrant, QueryError> {
        self.grant.stream(name).ok_or_else(|| QueryError::NotFound(name.to_owned()))
    }

    /// Plans a query over views of `source` and places its reveals.
    pub(crate) async fn plan(
        &self,
        statement: &Statement,
        source: Source<'_>,
    ) -> Result<Planned, QueryError> {
        let Some(query) = statement.query() else {
            return Err(QueryError::invalid("a query is needed here", None));
        };
        let now_ns = self.service.clock.now_ns();
        let mut shelves = Shelves::default();
        let mut views = Vec::with_capacity(statement.tables().len());
        for name in statement.tables() {
            let grant = self.stream_grant(name)?;
            let table = self.table(grant, &source, &mut shelves, now_ns);
            views.push((
                name.clone(),
                mask::view(grant, table, self.nonce).map_err(|error| plan_error(&error))?,
            ));
        }
        let unsealer = Arc::new(Unsealer::new(
            Arc::clone(&self.service.shared.store),
            Arc::clone(&self.service.keys),
            self.nonce,
            shelves,
        ));
        let mut state = self.state(views, now_ns).map_err(|error| plan_error(&error))?;
        let query =
            PlannerStatement::Statement(Box::new(ast::Statement::Query(Box::new(query.clone()))));
        let plan = state.statement_to_plan(query).await.map_err(|error| plan_error(&error))?;
        let Marked { plan, sealed } =
            place_reveals(plan, &unsealer).map_err(|error| plan_error(&error))?;
        let plan = state
            .analyzer()
            .execute_and_check(plan, state.config_options(), |_, _| {})
            .map_err(|error| plan_error(&error))?;
        let plan = state
            .optimizer()
            .optimize(plan, &state, |_, _| {})
            .map_err(|error| QueryError::from_engine(&error))?;
        restrain(&mut state, &plan);
        Ok(Planned { state, plan, sealed, unsealer })
    }

    fn table(
        &self,
        grant: &StreamGrant,
        source: &Source<'_>,
        shelves: &mut Shelves,
        now_ns: i64,
    ) -> StreamTable {
        let clear = mask::clear_content(grant);
        let (fresh, stored) = match source {
            Source::Snapshot => {
                let snapshot =
                    self.service.shared.store.snapshot(self.grant.tenant(), grant.schema().name());
                (snapshot.memory, snapshot.segments)
            }
            Source::Batch(batch) => (vec![Arc::clone(batch)], Vec::new()),
            Source::Nothing => (Vec::new(), Vec::new()),
        };
        let fresh = fresh
            .into_iter()
            .map(|batch| (shelves.add(Part::Memory(Arc::clone(&batch)), &clear), batch))
            .collect();
        let stored = stored
            .into_iter()
            .map(|segment| (shelves.add(Part::Segment(Arc::clone(&segment)), &clear), segment))
            .collect();
        StreamTable::new(Arc::clone(&self.service.shared), grant.schema(), fresh, stored, now_ns)
    }

    /// The engine's state for this statement: the service's settings, its own tables, its own time.
    fn state(
        &self,
        views: Vec<(String, Arc<dyn TableProvider>)>,
        now_ns: i64,
    ) -> PlanResult<SessionState> {
        let mut props = ExecutionProps::new();
        if let Some(now) = timestamp_ns_to_datetime(now_ns) {
            props = props.with_query_execution_start_time(now.and_utc());
        }
        let names = &self.service.base.config().options().catalog;
        let (schema, catalog, all) = (
            MemorySchemaProvider::new(),
            MemoryCatalogProvider::new(),
            MemoryCatalogProviderList::new(),
        );
        for (name, view) in views {
            schema.register_table(name, view)?;
        }
        catalog.register_schema(&names.default_schema, Arc::new(schema))?;
        all.register_catalog(names.default_catalog.clone(), Arc::new(catalog));
        Ok(SessionStateBuilder::new_from_existing(self.service.base.clone())
            .with_catalog_list(Arc::new(all))
            .with_execution_props(props)
            .build())
    }

    fn list_streams(&self) -> Result<RecordBatch, QueryError> {
        let streams = || self.grant.streams().iter().map(StreamGrant::schema);
        texts(&[
            ("stream", streams().map(|stream| stream.name().to_owned()).collect()),
            ("description", streams().map(|stream| stream.description().to_owned()).collect()),
        ])
    }

    fn describe(&self, statement: &Statement) -> Result<RecordBatch, QueryError> {
        let name = statement.tables().first().map(String::as_str).unwrap_or_default();
        let grant = self.stream_grant(name)?;
        let mut rows: Vec<[String; 4]> = IMPLICIT_COLUMNS
            .iter()
            .zip(["event time", "time of receipt"])
            .map(|(name, what)| {
                [(*name).to_owned(), "timestamp".to_owned(), "clear".to_owned(), what.to_owned()]
            })
            .collect();
        for (at, field) in grant.schema().fields().iter().enumerate() {
            let access = match (grant.column(at), field.class) {
                (ColumnAccess::Masked, _) => "masked",
                (ColumnAccess::Clear, Class::Skeleton) => "clear",
                (ColumnAccess::Clear, Class::Content) => "clear (sealed, opened when read)",
            };
            let kind = mask::type_name(mask::sql_type(field));
            rows.push([
                field.name.clone(),
                kind.to_owned(),
                access.to_owned(),
                field.description.clone(),
            ]);
        }
        let column = |at: usize| rows.iter().filter_map(|row| row.get(at).cloned()).collect();
        texts(&[
            ("column", column(0)),
            ("type", column(1)),
            ("access", column(2)),
            ("description", column(3)),
        ])
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("receipt", &self.receipt.index()).finish_non_exhaustive()
    }
}

/// Where a statement's rows come from.
pub(crate) enum Source<'a> {
    /// What the store holds now.
    Snapshot,
    /// One committed batch.
    Batch(&'a Arc<Sealed>),
    /// No rows: to check a plan.
    Nothing,
}

/// An optimised plan and what is needed to run it.
pub(crate) struct Planned {
    state: SessionState,
    pub(crate) plan: LogicalPlan,
    /// Output columns that are opened as they leave.
    sealed: Vec<bool>,
    unsealer: Arc<Unsealer>,
}

impl Planned {
    pub(crate) async fn physical(&self) -> Result<Arc<dyn ExecutionPlan>, QueryError> {
        let planner = Arc::clone(self.state.query_planner());
        planner
            .create_physical_plan(&self.plan, &self.state)
            .await
            .map_err(|error| QueryError::from_engine(&error))
    }

    /// Starts the plan; `earlier` is what a tail has given before.
    pub(crate) fn stream(
        self,
        run: Arc<dyn ExecutionPlan>,
        limits: &crate::limits::QueryLimits,
        earlier: Option<Outcome>,
    ) -> Result<MaskedStream, QueryError> {
        let rows = execute_stream(run, self.state.task_ctx())
            .map_err(|error| QueryError::from_execution(&error))?;
        let sealed = self
            .sealed
            .iter()
            .enumerate()
            .filter(|(_, sealed)| **sealed)
            .map(|(at, _)| at)
            .collect();
        Ok(MaskedStream::new(rows, sealed, self.unsealer, limits, earlier))
    }
}

/// Switches off the engine's dynamic filters where a key is more than a column: DataFusion 55 maps the parts of such keys to
/// wrong columns when one key occurs inside another (`ORDER BY f(a, b), a LIMIT 5`), and rows would silently be missing.
fn restrain(state: &mut SessionState, plan: &LogicalPlan) {
    let column = |expr: &Expr| matches!(expr, Expr::Column(_));
    let walk = plan.exists(|node| {
        Ok(match node {
            LogicalPlan::Sort(sort) => !sort.expr.iter().all(|key| column(&key.expr)),
            LogicalPlan::Join(join) => {
                !join.on.iter().all(|(left, right)| column(left) && column(right))
            }
            _ => false,
        })
    });
    if walk.unwrap_or(true) {
        let optimizer = &mut state.config_mut().options_mut().optimizer;
        optimizer.enable_topk_dynamic_filter_pushdown = false;
        optimizer.enable_join_dynamic_filter_pushdown = false;
        optimizer.enable_dynamic_filter_pushdown = false;
    }
}

/// The logical plan as text. It names columns, constants of the statement and masks, never stored values or sizes.
fn explanation(planned: &Planned) -> Result<RecordBatch, QueryError> {
    let mut lines: Vec<String> = Vec::new();
    let opened: Vec<String> = planned
        .plan
        .schema()
        .columns()
        .iter()
        .zip(&planned.sealed)
        .filter(|(_, sealed)| **sealed)
        .map(|(column, _)| column.flat_name())
        .collect();
    if !opened.is_empty() {
        lines.push(format!("Reveal on output: {}", opened.join(", ")));
    }
    lines.extend(planned.plan.display_indent().to_string().lines().map(str::to_owned));
    texts(&[("plan", lines)])
}

fn texts(columns: &[(&str, Vec<String>)]) -> Result<RecordBatch, QueryError> {
    let fields: Vec<Field> =
        columns.iter().map(|(name, _)| Field::new(*name, DataType::Utf8, false)).collect();
    let arrays = columns
        .iter()
        .map(|(_, values)| Arc::new(StringArray::from_iter_values(values)) as _)
        .collect();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays)
        .map_err(|_shape| QueryError::Failed("a listing does not fit its columns".to_owned()))
}

fn plan_error(error: &DataFusionError) -> QueryError {
    QueryError::from_planning(error)
}
