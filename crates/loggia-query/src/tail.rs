//! [`Tail`]: the rows of a statement as they are committed, batch by batch, through the same views and reveals as a query.

#![expect(clippy::wildcard_enum_match_arm, reason = "a list of what passes")]

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::logical_expr::LogicalPlan;
use loggia_keys::Sealed;

use crate::error::QueryError;
use crate::guard::Statement;
use crate::session::{Session, Source};
use crate::stream::{MaskedStream, Outcome, OutcomeHandle};

/// A session that watches one stream.
pub struct Tail {
    session: Session,
    statement: Statement,
    stream: String,
    last: Mutex<Option<OutcomeHandle>>,
}

impl Tail {
    pub(crate) async fn prepare(
        session: Session,
        statement: Statement,
    ) -> Result<Self, QueryError> {
        let [stream] = statement.tables() else {
            return Err(QueryError::invalid("a tail watches exactly one stream", None));
        };
        let stream = stream.clone();
        let planned = session.plan(&statement, Source::Nothing).await?;
        let checked = planned.plan.apply_with_subqueries(|node| match node {
            LogicalPlan::Projection(_)
            | LogicalPlan::Filter(_)
            | LogicalPlan::SubqueryAlias(_)
            | LogicalPlan::Extension(_)
            | LogicalPlan::TableScan(_)
            | LogicalPlan::EmptyRelation(_) => Ok(TreeNodeRecursion::Continue),
            _ => Err(QueryError::invalid(
                "a tail can select and filter; it cannot sort, limit, join or aggregate",
                None,
            )
            .into()),
        });
        checked.map_err(|error| QueryError::from_planning(&error))?;
        Ok(Self { session, statement, stream, last: Mutex::default() })
    }

    /// Name of the stream watched.
    #[must_use]
    pub fn stream(&self) -> &str {
        &self.stream
    }

    /// The statement's rows of one committed batch; `None` when the batch is of another stream or tenant.
    ///
    /// # Errors
    /// [`QueryError::Expired`] once the grant has ended: authorise again.
    pub async fn batch(&self, batch: &Arc<Sealed>) -> Result<Option<MaskedStream>, QueryError> {
        if batch.stream() != self.stream || batch.tenant() != self.session.grant().tenant() {
            return Ok(None);
        }
        self.session.check_end()?;
        let planned = self.session.plan(&self.statement, Source::Batch(batch)).await?;
        let run = planned.physical().await?;
        let rows = planned.stream(run, self.session.service().limits(), Some(self.outcome()))?;
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(rows.outcome_handle());
        Ok(Some(rows))
    }

    /// What the tail has given so far, over all batches.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        last.as_ref().map(OutcomeHandle::outcome).unwrap_or_default()
    }
}

impl fmt::Debug for Tail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tail").field("stream", &self.stream).finish_non_exhaustive()
    }
}
