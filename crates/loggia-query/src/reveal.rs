//! The [`Reveal`] node: replaces token columns by the content they stand for, in the middle of a plan.
//!
//! Only `plan` makes one. Filters on other columns move below it and limits pass through it, filters on what it opens
//! cannot; the physical node is opaque to the optimiser, so nothing opens content earlier than `plan` decided.

use std::cmp::Ordering;
use std::collections::HashSet;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use async_trait::async_trait;
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::catalog::Session;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Column, DFSchemaRef, Result, plan_err};
use datafusion::execution::TaskContext;
use datafusion::execution::context::QueryPlanner;
use datafusion::logical_expr::physical_planning_context::PhysicalPlanningContext;
use datafusion::logical_expr::{
    Expr, LogicalPlan, UserDefinedLogicalNode, UserDefinedLogicalNodeCore,
};
use datafusion::physical_expr::{EquivalenceProperties, Partitioning, PhysicalExpr};
use datafusion::physical_plan::execution_plan::CardinalityEffect;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties, RecordBatchStream,
    SendableRecordBatchStream,
};
use datafusion::physical_planner::{DefaultPhysicalPlanner, ExtensionPlanner, PhysicalPlanner};
use futures::{Stream, StreamExt as _, ready};

use crate::unseal::{Slices, Unsealer};

/// Opens token columns of its input; all other columns pass.
pub(crate) struct Reveal {
    input: LogicalPlan,
    /// Columns to open, by name: positions change when the optimiser drops columns.
    columns: Vec<Column>,
    unsealer: Arc<Unsealer>,
}

impl Reveal {
    pub(crate) fn new(input: LogicalPlan, columns: Vec<Column>, unsealer: Arc<Unsealer>) -> Self {
        Self { input, columns, unsealer }
    }

    fn positions(&self) -> Vec<usize> {
        let schema = self.input.schema();
        self.columns.iter().filter_map(|column| schema.maybe_index_of_column(column)).collect()
    }
}

impl fmt::Debug for Reveal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Reveal({:?})", self.columns)
    }
}

impl PartialEq for Reveal {
    fn eq(&self, other: &Self) -> bool {
        self.columns == other.columns
            && self.input == other.input
            && Arc::ptr_eq(&self.unsealer, &other.unsealer)
    }
}

impl Eq for Reveal {}

impl Hash for Reveal {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.columns.hash(state);
        self.input.hash(state);
    }
}

impl PartialOrd for Reveal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        match self.columns.partial_cmp(&other.columns) {
            Some(Ordering::Equal) => self.input.partial_cmp(&other.input),
            order => order,
        }
    }
}

impl UserDefinedLogicalNodeCore for Reveal {
    fn name(&self) -> &str {
        "Reveal"
    }

    fn inputs(&self) -> Vec<&LogicalPlan> {
        vec![&self.input]
    }

    fn schema(&self) -> &DFSchemaRef {
        self.input.schema()
    }

    fn expressions(&self) -> Vec<Expr> {
        Vec::new()
    }

    fn prevent_predicate_push_down_columns(&self) -> HashSet<String> {
        self.columns.iter().map(|column| column.name.clone()).collect()
    }

    fn fmt_for_explain(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<String> = self.columns.iter().map(Column::flat_name).collect();
        write!(f, "Reveal: {}", names.join(", "))
    }

    fn with_exprs_and_inputs(&self, _: Vec<Expr>, inputs: Vec<LogicalPlan>) -> Result<Self> {
        let mut inputs = inputs.into_iter();
        let (Some(input), None) = (inputs.next(), inputs.next()) else {
            return plan_err!("a reveal has one input");
        };
        let schema = input.schema();
        let columns = self
            .columns
            .iter()
            .filter(|column| schema.maybe_index_of_column(column).is_some())
            .cloned()
            .collect();
        Ok(Self { columns, unsealer: Arc::clone(&self.unsealer), input })
    }

    fn necessary_children_exprs(&self, output_columns: &[usize]) -> Option<Vec<Vec<usize>>> {
        Some(vec![output_columns.to_vec()])
    }

    fn supports_limit_pushdown(&self) -> bool {
        true
    }
}

/// The planner of this crate's queries: DataFusion's own, and the reveal.
#[derive(Debug)]
pub(crate) struct RevealingPlanner;

#[async_trait]
impl QueryPlanner for RevealingPlanner {
    async fn create_physical_plan(
        &self,
        plan: &LogicalPlan,
        session: &dyn Session,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let planner =
            DefaultPhysicalPlanner::with_extension_planners(vec![Arc::new(RevealPlanner)]);
        planner.create_physical_plan(plan, session).await
    }
}

struct RevealPlanner;

#[async_trait]
impl ExtensionPlanner for RevealPlanner {
    async fn plan_extension(
        &self,
        _: &dyn PhysicalPlanner,
        node: &dyn UserDefinedLogicalNode,
        _: &[&LogicalPlan],
        inputs: &[Arc<dyn ExecutionPlan>],
        _: &dyn Session,
        _: &PhysicalPlanningContext,
    ) -> Result<Option<Arc<dyn ExecutionPlan>>> {
        let (Some(node), [input]) = (node.as_any().downcast_ref::<Reveal>(), inputs) else {
            return Ok(None);
        };
        Ok(Some(Arc::new(RevealExec::new(
            Arc::clone(input),
            node.positions(),
            Arc::clone(&node.unsealer),
        ))))
    }
}

/// Opens token columns batch by batch.
struct RevealExec {
    input: Arc<dyn ExecutionPlan>,
    positions: Vec<usize>,
    unsealer: Arc<Unsealer>,
    properties: Arc<PlanProperties>,
}

impl RevealExec {
    fn new(input: Arc<dyn ExecutionPlan>, positions: Vec<usize>, unsealer: Arc<Unsealer>) -> Self {
        // INVARIANT: nothing the input says of order, equality or distribution of values is passed on. A planner that took an
        // order for preserved would move a sort below this node, where it would compare tokens.
        let of = input.properties();
        let properties = PlanProperties::new(
            EquivalenceProperties::new(input.schema()),
            Partitioning::UnknownPartitioning(of.partitioning.partition_count()),
            of.emission_type,
            of.boundedness,
        );
        let properties = Arc::new(properties);
        Self { input, positions, unsealer, properties }
    }
}

impl fmt::Debug for RevealExec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RevealExec({:?})", self.positions)
    }
}

impl DisplayAs for RevealExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RevealExec: columns={:?}", self.positions)
    }
}

impl ExecutionPlan for RevealExec {
    fn name(&self) -> &str {
        "RevealExec"
    }

    fn schema(&self) -> SchemaRef {
        self.input.schema()
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn maintains_input_order(&self) -> Vec<bool> {
        vec![false]
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let mut children = children.into_iter();
        let (Some(input), None) = (children.next(), children.next()) else {
            return plan_err!("a reveal has one input");
        };
        Ok(Arc::new(Self::new(input, self.positions.clone(), Arc::clone(&self.unsealer))))
    }

    fn execute(
        &self,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        let input = self.input.execute(partition, context)?;
        Ok(Box::pin(RevealStream {
            input,
            waiting: Slices::default(),
            positions: self.positions.clone(),
            unsealer: Arc::clone(&self.unsealer),
        }))
    }

    fn cardinality_effect(&self) -> CardinalityEffect {
        CardinalityEffect::Equal
    }
}

struct RevealStream {
    input: SendableRecordBatchStream,
    waiting: Slices,
    positions: Vec<usize>,
    unsealer: Arc<Unsealer>,
}

impl Stream for RevealStream {
    type Item = Result<RecordBatch>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        loop {
            if let Some(batch) = this.waiting.next(&this.unsealer) {
                return Poll::Ready(Some(
                    this.unsealer.open_columns(batch, &this.positions).map_err(Into::into),
                ));
            }
            match ready!(this.input.poll_next_unpin(context)) {
                Some(Ok(batch)) => this.waiting.refill(batch),
                end => return Poll::Ready(end),
            }
        }
    }
}

impl RecordBatchStream for RevealStream {
    fn schema(&self) -> SchemaRef {
        self.input.schema()
    }
}
