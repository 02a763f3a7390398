//! [`MaskedStream`]: the only form in which rows leave, and its [`Outcome`] for the ledger.
//!
//! Private constructors: whoever encodes a `MaskedStream` knows that masks, late reveal, limits and scrubbed errors apply.

use std::collections::BTreeSet;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use datafusion::arrow::array::{AsArray as _, RecordBatch};
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::physical_plan::{EmptyRecordBatchStream, SendableRecordBatchStream};
use futures::{FutureExt as _, Stream, StreamExt as _};
use loggia_keys::SubjectHandle;
use tokio::time::{Sleep, sleep};

use crate::error::QueryError;
use crate::limits::QueryLimits;
use crate::table::{ROLE_KEY, SUBJECT_ROLE};
use crate::unseal::{Slices, Unsealer};

/// What a read has given, so far or in all.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
#[non_exhaustive]
pub struct Outcome {
    /// Rows that left.
    pub rows: u64,
    /// Bytes of those rows in memory.
    pub bytes: u64,
    /// Records of which sealed content was opened, each counted once, whether or not they left.
    pub revealed_rows: u64,
    /// Blocks decrypted for it.
    pub revealed_blocks: u64,
    /// Keys under which opened content was sealed; each stands for a data subject, a conversation or a stream's day.
    pub key_ids: BTreeSet<[u8; 16]>,
    /// Data subjects whose handle left with a row.
    pub subjects: BTreeSet<SubjectHandle>,
    /// Whether the answer ended by itself, rather than by an error or because nobody read on.
    pub complete: bool,
}

/// A handle on the outcome of a stream, which stays valid when the stream has been moved or dropped.
#[derive(Clone)]
pub struct OutcomeHandle {
    inner: Arc<Inner>,
}

struct Inner {
    base: Mutex<Outcome>,
    unsealer: Option<Arc<Unsealer>>,
    revealed_before: (u64, u64),
}

impl OutcomeHandle {
    /// What has been given so far.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        let mut outcome = self.inner.base.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(unsealer) = &self.inner.unsealer {
            let opened = unsealer.opened();
            let (rows, blocks) = self.inner.revealed_before;
            outcome.revealed_rows = rows.saturating_add(opened.rows);
            outcome.revealed_blocks = blocks.saturating_add(opened.blocks);
            outcome.key_ids.extend(opened.keys);
        }
        outcome
    }

    fn change(&self, change: impl FnOnce(&mut Outcome)) {
        change(&mut self.inner.base.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

impl fmt::Debug for OutcomeHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OutcomeHandle")
    }
}

/// Rows of an answer, masked and revealed as the grant says.
pub struct MaskedStream {
    schema: SchemaRef,
    rows: SendableRecordBatchStream,
    /// Rows waiting to be opened.
    waiting: Slices,
    /// A listing made from the grant alone.
    listed: Option<RecordBatch>,
    /// Columns to open.
    sealed: Vec<usize>,
    /// Columns that hold subject handles.
    subjects: Vec<usize>,
    unsealer: Option<Arc<Unsealer>>,
    outcome: OutcomeHandle,
    rows_max: u64,
    deadline: Option<Pin<Box<Sleep>>>,
    done: bool,
}

#[expect(
    clippy::disallowed_methods,
    reason = "bounds how long a statement may run, which no simulation owns"
)]
fn deadline(after: Duration) -> Sleep {
    sleep(after)
}

impl MaskedStream {
    pub(crate) fn new(
        rows: SendableRecordBatchStream,
        sealed: Vec<usize>,
        unsealer: Arc<Unsealer>,
        limits: &QueryLimits,
        earlier: Option<Outcome>,
    ) -> Self {
        let schema = rows.schema();
        let subjects = schema
            .fields()
            .iter()
            .enumerate()
            .filter(|(_, field)| {
                field.metadata().get(ROLE_KEY).is_some_and(|role| role == SUBJECT_ROLE)
            })
            .map(|(at, _)| at)
            .collect();
        let mut base = earlier.unwrap_or_default();
        base.complete = false;
        let inner = Inner {
            revealed_before: (base.revealed_rows, base.revealed_blocks),
            base: Mutex::new(base),
            unsealer: Some(Arc::clone(&unsealer)),
        };
        Self {
            schema,
            rows,
            waiting: Slices::default(),
            listed: None,
            sealed,
            subjects,
            unsealer: Some(unsealer),
            outcome: OutcomeHandle { inner: Arc::new(inner) },
            rows_max: limits.rows_max,
            deadline: Some(Box::pin(deadline(limits.timeout))),
            done: false,
        }
    }

    /// An answer made from the grant alone.
    pub(crate) fn listing(batch: RecordBatch) -> Result<Self, QueryError> {
        let inner = Inner { base: Mutex::default(), unsealer: None, revealed_before: (0, 0) };
        Ok(Self {
            schema: batch.schema(),
            rows: Box::pin(EmptyRecordBatchStream::new(batch.schema())),
            waiting: Slices::default(),
            listed: Some(batch),
            sealed: Vec::new(),
            subjects: Vec::new(),
            unsealer: None,
            outcome: OutcomeHandle { inner: Arc::new(inner) },
            rows_max: u64::MAX,
            deadline: None,
            done: false,
        })
    }

    /// Columns of the answer.
    #[must_use]
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// What has been given so far; final once the stream has ended.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        self.outcome.outcome()
    }

    /// A handle to ask for the outcome after the stream has been given away.
    #[must_use]
    pub fn outcome_handle(&self) -> OutcomeHandle {
        self.outcome.clone()
    }

    /// Opens, counts and releases one batch.
    fn release(&self, batch: RecordBatch) -> Result<RecordBatch, QueryError> {
        let batch = match &self.unsealer {
            Some(unsealer) => unsealer.open_columns(batch, &self.sealed)?,
            None => batch,
        };
        let rows = u64::try_from(batch.num_rows()).unwrap_or(u64::MAX);
        let bytes = u64::try_from(batch.get_array_memory_size()).unwrap_or(u64::MAX);
        let mut too_many = false;
        self.outcome.change(|outcome| {
            too_many = outcome.rows.saturating_add(rows) > self.rows_max;
            if too_many {
                return;
            }
            outcome.rows = outcome.rows.saturating_add(rows);
            outcome.bytes = outcome.bytes.saturating_add(bytes);
            let columns = self
                .subjects
                .iter()
                .filter_map(|at| batch.columns().get(*at)?.as_string_opt::<i32>());
            for handle in columns.flat_map(|column| column.iter().flatten()) {
                if let Ok(handle) = handle.parse() {
                    outcome.subjects.insert(handle);
                }
            }
        });
        if too_many {
            let max = self.rows_max;
            return Err(QueryError::Limit(format!(
                "the answer has more than {max} rows; add a LIMIT or aggregate"
            )));
        }
        Ok(batch)
    }

    fn poll_rows(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<RecordBatch, QueryError>>> {
        loop {
            if let Some(deadline) = &mut self.deadline
                && deadline.poll_unpin(context).is_ready()
            {
                return Poll::Ready(Some(Err(QueryError::Limit(
                    "the query took longer than it may; narrow it".to_owned(),
                ))));
            }
            let waiting = match &self.unsealer {
                Some(unsealer) => self.waiting.next(unsealer),
                None => self.listed.take(),
            };
            if let Some(batch) = waiting {
                return Poll::Ready(Some(self.release(batch)));
            }
            match self.rows.poll_next_unpin(context) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(None) => return Poll::Ready(None),
                Poll::Ready(Some(Err(error))) => {
                    return Poll::Ready(Some(Err(QueryError::from_execution(&error))));
                }
                Poll::Ready(Some(Ok(batch))) if self.sealed.is_empty() => {
                    return Poll::Ready(Some(self.release(batch)));
                }
                Poll::Ready(Some(Ok(batch))) => self.waiting.refill(batch),
            }
        }
    }
}

impl Stream for MaskedStream {
    type Item = Result<RecordBatch, QueryError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        if this.done {
            return Poll::Ready(None);
        }
        // A panic of the engine on some value must end this answer only, and its message must not reach the client.
        let polled =
            catch_unwind(AssertUnwindSafe(|| this.poll_rows(context))).unwrap_or_else(|_payload| {
                Poll::Ready(Some(Err(QueryError::Failed(
                    "the query stopped unexpectedly".to_owned(),
                ))))
            });
        match &polled {
            Poll::Ready(None) => {
                this.done = true;
                this.outcome.change(|outcome| outcome.complete = true);
            }
            Poll::Ready(Some(Err(_))) => this.done = true,
            Poll::Ready(Some(Ok(_))) | Poll::Pending => {}
        }
        polled
    }
}

impl fmt::Debug for MaskedStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MaskedStream")
            .field("columns", &self.schema.fields().len())
            .finish_non_exhaustive()
    }
}
