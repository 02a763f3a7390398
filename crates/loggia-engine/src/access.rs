//! The way of a read: authorise → receipt → plan and scan → answer → outcome.
//!
//! Every protocol reads through here. A [`loggia_query::Session`] needs a grant and a receipt, and the receipt exists only
//! once the ledger entry is durable: no receipt, no access. When an [`Answer`] is drained or dropped, its outcome follows.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures::future::poll_fn;
use futures::{Stream, StreamExt as _};
use loggia_ledger::{EntryKind, Receipt};
use loggia_policy::{AccessRequest, ColumnAccess, Grant, Permission, Principal};
use loggia_query::arrow::datatypes::SchemaRef;
use loggia_query::arrow::record_batch::RecordBatch;
use loggia_query::{
    MaskedStream, Outcome, Search, Session, Statement, StatementKind, parse_statement, search,
    search_tail,
};
use loggia_store::TailEvent;

use crate::audit::{Apart, Event};
use crate::engine::Engine;
use crate::error::EngineError;

/// A read in SQL.
#[derive(Clone, Debug)]
pub struct QueryRequest {
    /// One SELECT or EXPLAIN.
    pub sql: String,
    /// One of the policy's purposes.
    pub purpose: Option<String>,
    /// Ticket or case the read is for.
    pub ticket: Option<String>,
    /// Protocol it came by, for the ledger: `http`, `console`, …
    pub protocol: &'static str,
    /// [`Permission::Read`] or [`Permission::Export`].
    pub action: Permission,
}

/// A read by search words.
#[derive(Clone, Debug)]
pub struct SearchRequest {
    /// Stream to look in.
    pub stream: String,
    /// Words, phrases and field terms.
    pub text: String,
    /// Earliest event time, Unix nanoseconds.
    pub from_ns: Option<i64>,
    /// Event time from which on nothing is wanted, Unix nanoseconds.
    pub until_ns: Option<i64>,
    /// Most rows.
    pub limit: usize,
    /// Whether sealed content is searched and shown too.
    pub content: bool,
    /// One of the policy's purposes.
    pub purpose: Option<String>,
    /// Ticket or case the read is for.
    pub ticket: Option<String>,
    /// Protocol it came by.
    pub protocol: &'static str,
}

/// Rows on their way out. Writes the outcome to the ledger when drained or dropped.
pub struct Answer {
    stream: MaskedStream,
    receipt_index: u64,
    closing: Option<Closing>,
}

/// What is needed to record how a read ended.
struct Closing {
    engine: Arc<Engine>,
    event: Event,
    receipt_index: u64,
}

impl Closing {
    fn write(self, note: &'static str, outcome: &Outcome) {
        let Self { engine, mut event, receipt_index } = self;
        event.note = note.into();
        event.receipt = Some(receipt_index);
        event.rows = Some(outcome.rows);
        event.bytes = Some(outcome.bytes);
        event.revealed = Some(outcome.revealed_rows);
        event.subjects = Some(outcome.subjects.len() as u64);
        let subjects = outcome.subjects.iter().map(ToString::to_string).collect();
        let apart = Apart { literals: Vec::new(), subjects };
        let write = move || {
            if let Err(error) = engine.record(EntryKind::AccessCompleted, &event, &apart) {
                tracing::error!(%error, "the outcome of a read could not be recorded");
            }
        };
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) => drop(runtime.spawn_blocking(write)),
            Err(_no_runtime) => write(),
        }
    }
}

impl std::fmt::Debug for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Answer(receipt {}, [redacted])", self.receipt_index)
    }
}

impl Answer {
    /// Schema of the rows.
    #[must_use]
    pub fn schema(&self) -> SchemaRef {
        SchemaRef::clone(self.stream.schema())
    }

    /// Index of the ledger entry that was durable before the first row.
    #[must_use]
    pub fn receipt_index(&self) -> u64 {
        self.receipt_index
    }

    fn close(&mut self, note: &'static str) {
        if let Some(closing) = self.closing.take() {
            closing.write(note, &self.stream.outcome());
        }
    }
}

impl Stream for Answer {
    type Item = Result<RecordBatch, EngineError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let item = std::task::ready!(self.stream.poll_next_unpin(cx));
        match item {
            Some(Ok(batch)) => Poll::Ready(Some(Ok(batch))),
            Some(Err(error)) => {
                self.close("failed");
                Poll::Ready(Some(Err(error.into())))
            }
            None => {
                self.close("complete");
                Poll::Ready(None)
            }
        }
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        self.close("abandoned");
    }
}

impl Engine {
    /// Answers one SQL statement for `principal`.
    ///
    /// # Errors
    /// [`EngineError::Invalid`] for a statement that is not one read, [`EngineError::Denied`] when the policy refuses (the
    /// refusal is in the ledger), [`EngineError::Unavailable`] when the ledger is: then nothing is read.
    pub async fn query(
        self: &Arc<Self>,
        principal: &Principal,
        request: QueryRequest,
    ) -> Result<Answer, EngineError> {
        let statement = parse_statement(&request.sql)?;
        let ask = Ask {
            purpose: request.purpose,
            ticket: request.ticket,
            protocol: request.protocol,
            action: request.action,
        };
        self.read(principal, ask, statement).await
    }

    /// Answers a search: compiled to SQL, then the same way as [`Self::query`].
    ///
    /// # Errors
    /// As for [`Self::query`].
    pub async fn search(
        self: &Arc<Self>,
        principal: &Principal,
        request: SearchRequest,
    ) -> Result<Answer, EngineError> {
        let ask = request.ask();
        let grant = self.authorise(principal, &ask, &[request.stream.as_str()]).await?;
        let statement = search(&grant, &request.terms())?;
        self.run(grant, &ask, statement).await
    }

    async fn read(
        self: &Arc<Self>,
        principal: &Principal,
        ask: Ask,
        statement: Statement,
    ) -> Result<Answer, EngineError> {
        let policy = self.policy();
        let tables: Vec<&str> = match statement.kind() {
            StatementKind::ShowTables => {
                policy.readable_streams(&principal.role).map(|stream| stream.name()).collect()
            }
            StatementKind::Query | StatementKind::Explain | StatementKind::Describe => {
                statement.tables().iter().map(String::as_str).collect()
            }
        };
        let grant = self.authorise(principal, &ask, &tables).await?;
        self.run(grant, &ask, statement).await
    }

    /// receipt → plan and scan → answer.
    async fn run(
        self: &Arc<Self>,
        grant: Grant,
        ask: &Ask,
        statement: Statement,
    ) -> Result<Answer, EngineError> {
        let (event, receipt) = self.receipt(&grant, ask, &statement).await?;
        let receipt_index = receipt.index();
        let session = Session::open(self.queries(), grant, receipt)?;
        let stream = session.sql(&statement).await?;
        Ok(Answer {
            stream,
            receipt_index,
            closing: Some(Closing { engine: Arc::clone(self), event, receipt_index }),
        })
    }

    /// The policy's decision; a refusal is recorded before it is told.
    async fn authorise(
        self: &Arc<Self>,
        principal: &Principal,
        ask: &Ask,
        streams: &[&str],
    ) -> Result<Grant, EngineError> {
        let policy = self.policy();
        let request = AccessRequest {
            principal,
            streams,
            purpose: ask.purpose.as_deref(),
            ticket: ask.ticket.as_deref(),
            action: ask.action,
            now_ns: self.now_ns(),
        };
        match policy.authorize(&request) {
            Ok(grant) => Ok(grant),
            Err(denial) => {
                let mut event = ask.event(principal);
                event.streams = streams.iter().map(|&name| name.into()).collect();
                event.note = denial.to_string();
                self.record_async(EntryKind::AccessDenied, event, Apart::default()).await?;
                Err(denial.into())
            }
        }
    }

    /// The durable entry that must precede any row.
    async fn receipt(
        self: &Arc<Self>,
        grant: &Grant,
        ask: &Ask,
        statement: &Statement,
    ) -> Result<(Event, Receipt), EngineError> {
        let mut event = ask.event(grant.principal());
        event.statement = statement.text().into();
        event.streams = statement.tables().to_vec();
        event.columns = clear_columns(grant);
        let apart = Apart { literals: statement.literals().to_vec(), subjects: Vec::new() };
        let receipt = self.record_async(EntryKind::AccessGranted, event.clone(), apart).await?;
        event.columns.clear();
        event.statement.clear();
        Ok((event, receipt))
    }
}

/// The circumstances of a read.
struct Ask {
    purpose: Option<String>,
    ticket: Option<String>,
    protocol: &'static str,
    action: Permission,
}

impl Ask {
    fn event(&self, principal: &Principal) -> Event {
        let mut event = Event::of(principal);
        event.action = self.action.to_string();
        event.purpose.clone_from(&self.purpose);
        event.ticket.clone_from(&self.ticket);
        event.protocol = self.protocol.into();
        event
    }
}

/// `stream.column` of everything the grant shows.
fn clear_columns(grant: &Grant) -> Vec<String> {
    grant
        .streams()
        .iter()
        .flat_map(|stream| {
            stream
                .schema()
                .fields()
                .iter()
                .zip(stream.columns())
                .filter(|(_, access)| **access == ColumnAccess::Clear)
                .map(|(field, _)| format!("{}.{}", stream.schema().name(), field.name))
        })
        .collect()
}

impl SearchRequest {
    fn ask(&self) -> Ask {
        Ask {
            purpose: self.purpose.clone(),
            ticket: self.ticket.clone(),
            protocol: self.protocol,
            action: Permission::Read,
        }
    }

    fn terms(&self) -> Search<'_> {
        Search {
            stream: &self.stream,
            text: &self.text,
            from_ns: self.from_ns,
            until_ns: self.until_ns,
            limit: self.limit,
            content: self.content,
        }
    }
}

/// Batches a tail may be behind before some are left out.
const TAIL_BATCHES_MAX: usize = 256;

/// One thing a tail tells its reader.
#[derive(Debug)]
pub enum TailItem {
    /// New rows, masked for the reader.
    Rows(RecordBatch),
    /// The reader was too slow: this many batches were left out.
    Lagged(u64),
}

/// A live view of one stream. Writes its outcome to the ledger when dropped.
pub struct Tail {
    tail: loggia_query::Tail,
    feed: loggia_store::Subscription,
    pending: Option<MaskedStream>,
    receipt_index: u64,
    closing: Option<Closing>,
}

impl std::fmt::Debug for Tail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Tail(receipt {}, [redacted])", self.receipt_index)
    }
}

impl Engine {
    /// Opens a live view of one stream: the search applied to each batch as it becomes durable.
    ///
    /// # Errors
    /// As for [`Self::query`].
    pub async fn tail(
        self: &Arc<Self>,
        principal: &Principal,
        request: SearchRequest,
    ) -> Result<Tail, EngineError> {
        let ask = request.ask();
        let grant = self.authorise(principal, &ask, &[request.stream.as_str()]).await?;
        let statement = search_tail(&grant, &request.terms())?;
        let (event, receipt) = self.receipt(&grant, &ask, &statement).await?;
        let receipt_index = receipt.index();
        let feed = self.store().subscribe(TAIL_BATCHES_MAX);
        let tail = Session::open(self.queries(), grant, receipt)?.tail(&statement).await?;
        let closing = Some(Closing { engine: Arc::clone(self), event, receipt_index });
        Ok(Tail { tail, feed, pending: None, receipt_index, closing })
    }
}

impl Tail {
    /// Index of the ledger entry that was durable before the first row.
    #[must_use]
    pub fn receipt_index(&self) -> u64 {
        self.receipt_index
    }

    /// The next rows that match, or `None` when the store has closed.
    ///
    /// # Errors
    /// What the session reports, its expiry included; the tail is over then.
    pub async fn next(&mut self) -> Result<Option<TailItem>, EngineError> {
        loop {
            if let Some(rows) = &mut self.pending {
                match rows.next().await.transpose()? {
                    Some(rows) if rows.num_rows() > 0 => return Ok(Some(TailItem::Rows(rows))),
                    Some(_empty) => continue,
                    None => self.pending = None,
                }
            }
            match poll_fn(|cx| self.feed.poll_next(cx)).await {
                Some(TailEvent::Batch(sealed)) => self.pending = self.tail.batch(&sealed).await?,
                Some(TailEvent::Lagged(batches)) => return Ok(Some(TailItem::Lagged(batches))),
                None => return Ok(None),
            }
        }
    }
}

impl Drop for Tail {
    fn drop(&mut self) {
        if let Some(closing) = self.closing.take() {
            closing.write("tail", &self.tail.outcome());
        }
    }
}
