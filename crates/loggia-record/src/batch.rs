//! The record model: a flat batch, in which records are ranges of one attribute list.
//!
//! Guarantees: a batch keeps to its [`Limits`]; a rejected record leaves no attribute behind;
//! resource and scope attributes are stored once per scope and the same `shared_id` means the same
//! slice; `Debug` prints no content.

use std::borrow::Cow;
use std::fmt;

use crate::error::{DecodeError, Fault, Rejection};
use crate::intrinsic;
use crate::limits::Limits;

/// What sort of record it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A log record, an event or a line.
    Log,
    /// A span of a trace, with its events folded in.
    Span,
}

/// One named value.
#[derive(Clone, PartialEq)]
pub struct Attr<'a> {
    /// The name as the sender wrote it, or an [`intrinsic`].
    pub key: Cow<'a, str>,
    /// The value.
    pub value: Value<'a>,
}

/// A value as it came in, not yet admitted by any policy.
#[derive(Clone, PartialEq)]
pub enum Value<'a> {
    /// Present without a value.
    Null,
    /// A truth value.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number with a fraction.
    Float(f64),
    /// Text.
    Str(Cow<'a, str>),
    /// Bytes.
    Bytes(Cow<'a, [u8]>),
    /// An array or a key-value list, as compact JSON text.
    Json(Cow<'a, str>),
}

impl<'a> Value<'a> {
    /// The text of a `Str` or a `Json` value.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Str(text) | Self::Json(text) => Some(text),
            Self::Null | Self::Bool(_) | Self::Int(_) | Self::Float(_) | Self::Bytes(_) => None,
        }
    }

    /// The name of the type, for reports of what was refused.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int",
            Self::Float(_) => "float",
            Self::Str(_) => "string",
            Self::Bytes(_) => "bytes",
            Self::Json(_) => "json",
        }
    }

    pub(crate) fn str(text: impl Into<Cow<'a, str>>) -> Self {
        Self::Str(text.into())
    }

    fn owned_bytes(&self) -> usize {
        match self {
            Self::Str(Cow::Owned(text)) | Self::Json(Cow::Owned(text)) => text.len(),
            Self::Bytes(Cow::Owned(bytes)) => bytes.len(),
            Self::Str(Cow::Borrowed(_))
            | Self::Json(Cow::Borrowed(_))
            | Self::Bytes(Cow::Borrowed(_))
            | Self::Null
            | Self::Bool(_)
            | Self::Int(_)
            | Self::Float(_) => 0,
        }
    }
}

impl fmt::Debug for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}([redacted])", self.type_name())
    }
}

impl fmt::Debug for Attr<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Attr({:?})", self.value)
    }
}

/// The records of one request.
pub struct Batch<'a> {
    attrs: Vec<Attr<'a>>,
    records: Vec<Entry>,
    shared: Vec<Span>,
    rejected: Vec<Rejection>,
}

/// A range of `Batch::attrs`.
#[derive(Clone, Copy)]
struct Span {
    start: u32,
    end: u32,
}

struct Entry {
    event_time_ns: Option<i64>,
    own: Span,
    shared_id: u32,
    kind: Kind,
}

impl<'a> Batch<'a> {
    /// How many records were read.
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether no record was read.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// The records, in the order of the request.
    pub fn records(&self) -> impl Iterator<Item = RecordView<'_, 'a>> {
        self.records.iter().map(|entry| RecordView { batch: self, entry })
    }

    /// The records that were left out, in the order of the request.
    pub fn rejected(&self) -> &[Rejection] {
        &self.rejected
    }

    /// How many different `shared_id`s there can be: all are below this number.
    pub fn shared_count(&self) -> usize {
        self.shared.len()
    }

    /// One line for a partial-success answer: how many were rejected and why the first few were.
    /// Empty when none was.
    pub fn rejection_summary(&self) -> String {
        const SHOWN: usize = 5;
        let mut summary = String::new();
        for (i, rejection) in self.rejected.iter().take(SHOWN).enumerate() {
            summary.push_str(if i == 0 { "" } else { "; " });
            summary.push_str(&rejection.to_string());
        }
        let more = self.rejected.len().saturating_sub(SHOWN);
        if more > 0 {
            summary.push_str(&format!("; and {more} more"));
        }
        summary
    }

    fn slice(&self, span: Span) -> &[Attr<'a>] {
        let (Ok(start), Ok(end)) = (usize::try_from(span.start), usize::try_from(span.end)) else {
            return &[];
        };
        self.attrs.get(start..end).unwrap_or(&[])
    }
}

impl fmt::Debug for Batch<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Batch")
            .field("records", &self.records.len())
            .field("rejected", &self.rejected)
            .finish_non_exhaustive()
    }
}

/// One record of a batch.
#[derive(Clone, Copy)]
pub struct RecordView<'b, 'a> {
    batch: &'b Batch<'a>,
    entry: &'b Entry,
}

impl<'b, 'a> RecordView<'b, 'a> {
    /// What sort of record it is.
    pub fn kind(&self) -> Kind {
        self.entry.kind
    }

    /// When it happened (a span: when it began), in Unix nanoseconds, if the sender said so.
    pub fn event_time_ns(&self) -> Option<i64> {
        self.entry.event_time_ns
    }

    /// The record's own attributes, then its intrinsics. A key may occur more than once, for
    /// instance when a span has several events of one name; the order is the sender's.
    pub fn own(&self) -> &'b [Attr<'a>] {
        self.batch.slice(self.entry.own)
    }

    /// The attributes of its resource, then of its scope.
    pub fn shared(&self) -> &'b [Attr<'a>] {
        let id = usize::try_from(self.entry.shared_id).unwrap_or(usize::MAX);
        self.batch.shared.get(id).map_or(&[], |span| self.batch.slice(*span))
    }

    /// Names the slice `shared()` returns, within this batch.
    pub fn shared_id(&self) -> u32 {
        self.entry.shared_id
    }
}

impl fmt::Debug for RecordView<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecordView").field("kind", &self.kind()).finish_non_exhaustive()
    }
}

/// Builds a batch within its limits.
pub(crate) struct Builder<'a, 'l> {
    batch: Batch<'a>,
    limits: &'l Limits,
    copied_bytes: usize,
}

impl<'a, 'l> Builder<'a, 'l> {
    /// Starts a batch for a request of so many bytes.
    pub(crate) fn new(request_bytes: usize, limits: &'l Limits) -> Result<Self, DecodeError> {
        if request_bytes > limits.batch_bytes_max {
            return Err(DecodeError::TooLarge { what: "bytes", limit: limits.batch_bytes_max });
        }
        // A guess that typical records do not outgrow; it is less memory than the request itself.
        let attrs = (request_bytes / 64).min(limits.attrs_per_batch_max);
        let records = (request_bytes / 512).min(limits.records_max);
        let batch = Batch {
            attrs: Vec::with_capacity(attrs),
            records: Vec::with_capacity(records),
            shared: vec![Span { start: 0, end: 0 }],
            rejected: Vec::new(),
        };
        Ok(Self { batch, limits, copied_bytes: 0 })
    }

    pub(crate) fn finish(self) -> Batch<'a> {
        self.batch
    }

    /// Adds the record that `read` reads, or a rejection at its position. `read` returns the event
    /// time.
    pub(crate) fn record(
        &mut self,
        kind: Kind,
        bytes: usize,
        shared: SharedId,
        read: impl FnOnce(&mut Sink<'a, '_>) -> Result<Option<i64>, Fault>,
    ) -> Result<(), DecodeError> {
        let position = self.batch.records.len().saturating_add(self.batch.rejected.len());
        self.record_at(count(position), kind, bytes, shared, read)
    }

    /// The same, for a format that counts its positions itself.
    pub(crate) fn record_at(
        &mut self,
        position: u32,
        kind: Kind,
        bytes: usize,
        shared: SharedId,
        read: impl FnOnce(&mut Sink<'a, '_>) -> Result<Option<i64>, Fault>,
    ) -> Result<(), DecodeError> {
        let seen = self.batch.records.len().saturating_add(self.batch.rejected.len());
        if seen >= self.limits.records_max {
            return Err(DecodeError::TooLarge { what: "records", limit: self.limits.records_max });
        }
        let start = self.batch.attrs.len();
        let outcome = if bytes > self.limits.record_bytes_max {
            Err(Fault::RecordTooLarge)
        } else {
            shared.0.and_then(|id| Ok((id, read(&mut self.sink(bytes))?)))
        };
        match outcome {
            Ok((shared_id, event_time_ns)) => {
                let own = self.span_from(start)?;
                self.batch.records.push(Entry { event_time_ns, own, shared_id, kind });
            }
            Err(fault) => {
                self.batch.attrs.truncate(start);
                self.batch.rejected.push(Rejection::new(position, fault));
            }
        }
        Ok(())
    }

    /// Reads the attributes of a resource, which [`Builder::scope`] then shares out.
    pub(crate) fn resource(
        &mut self,
        read: impl FnOnce(&mut Sink<'a, '_>) -> Result<(), Fault>,
    ) -> Result<Resource, DecodeError> {
        let start = self.batch.attrs.len();
        match read(&mut self.sink(0)) {
            Ok(()) => Ok(Resource(Ok(self.span_from(start)?))),
            Err(fault) => {
                self.batch.attrs.truncate(start);
                Ok(Resource(Err(fault)))
            }
        }
    }

    /// Reads the attributes of a scope and joins them to its resource's. The first scope of a
    /// resource continues the resource's slice; a later one copies it.
    pub(crate) fn scope(
        &mut self,
        resource: Resource,
        read: impl FnOnce(&mut Sink<'a, '_>) -> Result<(), Fault>,
    ) -> Result<SharedId, DecodeError> {
        let span = match resource.0 {
            Ok(span) => span,
            Err(fault) => return Ok(SharedId(Err(fault))),
        };
        let undo = self.batch.attrs.len();
        let start = if count(undo) == span.end {
            usize::try_from(span.start).unwrap_or(undo)
        } else {
            self.copy(span)?;
            undo
        };
        if let Err(fault) = read(&mut self.sink(0)) {
            self.batch.attrs.truncate(undo);
            return Ok(SharedId(Err(fault)));
        }
        let span = self.span_from(start)?;
        let id = count(self.batch.shared.len());
        self.batch.shared.push(span);
        Ok(SharedId(Ok(id)))
    }

    /// Copies the attributes of a resource to the end. Values that borrow cost nothing; what owns
    /// is counted, so that many small scopes under one large resource cannot fill the memory.
    fn copy(&mut self, span: Span) -> Result<(), DecodeError> {
        let (Ok(start), Ok(end)) = (usize::try_from(span.start), usize::try_from(span.end)) else {
            return Ok(());
        };
        let owned: usize = self.batch.slice(span).iter().map(|attr| attr.value.owned_bytes()).sum();
        self.copied_bytes = self.copied_bytes.saturating_add(owned);
        if self.copied_bytes > self.limits.batch_bytes_max {
            let limit = self.limits.batch_bytes_max;
            return Err(DecodeError::TooLarge { what: "bytes of resource attributes", limit });
        }
        // INVARIANT: a span never reaches past the attributes, so that this cannot panic.
        self.batch.attrs.extend_from_within(start..end);
        self.span_from(0).map(|_all| ())
    }

    fn span_from(&self, start: usize) -> Result<Span, DecodeError> {
        let end = self.batch.attrs.len();
        if end > self.limits.attrs_per_batch_max {
            let limit = self.limits.attrs_per_batch_max;
            return Err(DecodeError::TooLarge { what: "attributes", limit });
        }
        match (u32::try_from(start), u32::try_from(end)) {
            (Ok(start), Ok(end)) => Ok(Span { start, end }),
            (Err(_), _) | (_, Err(_)) => {
                let limit = usize::try_from(u32::MAX).unwrap_or(usize::MAX);
                Err(DecodeError::TooLarge { what: "attributes", limit })
            }
        }
    }

    fn sink(&mut self, record_bytes: usize) -> Sink<'a, '_> {
        let start = self.batch.attrs.len();
        let end = start.saturating_add(self.limits.attrs_per_record_max);
        let names_left = record_bytes.saturating_mul(16).saturating_add(4096);
        Sink { attrs: &mut self.batch.attrs, start, end, names_left, limits: self.limits }
    }
}

/// Positions and ids are bounded by `records_max`, and saturate beyond what 32 bits hold.
fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

/// A resource that was read, or why it could not be: then none of its records can be kept.
#[derive(Clone, Copy)]
pub(crate) struct Resource(Result<Span, Fault>);

/// What a record shares with others, or why it could not be read.
#[derive(Clone, Copy)]
pub(crate) struct SharedId(Result<u32, Fault>);

impl SharedId {
    /// No resource and no scope.
    pub(crate) const NONE: Self = Self(Ok(0));
}

/// Where one record's attributes go.
pub(crate) struct Sink<'a, 'b> {
    attrs: &'b mut Vec<Attr<'a>>,
    start: usize,
    end: usize,
    names_left: usize,
    limits: &'b Limits,
}

impl<'a> Sink<'a, '_> {
    /// Adds an attribute named by the sender.
    #[inline]
    pub(crate) fn push(&mut self, key: Cow<'a, str>, value: Value<'a>) -> Result<(), Fault> {
        if self.attrs.len() >= self.end {
            return Err(Fault::TooManyAttributes);
        }
        let key = if key.starts_with('@') { escape(&key) } else { key };
        self.attrs.push(Attr { key, value });
        Ok(())
    }

    /// Adds an intrinsic. There are few, so that they do not count towards the limit.
    #[inline]
    pub(crate) fn intrinsic(&mut self, key: &'static str, value: Value<'a>) {
        self.attrs.push(Attr { key: Cow::Borrowed(key), value });
    }

    /// How many attributes there are, as a mark for [`Sink::fold_event`].
    pub(crate) fn mark(&self) -> usize {
        self.attrs.len()
    }

    /// Makes the attributes since `mark` those of a span's event: a key that is not namespaced
    /// gets the event's name before it.
    pub(crate) fn fold_event(&mut self, mark: usize, event: &str) -> Result<(), Fault> {
        if event.is_empty() {
            return Ok(());
        }
        for attr in self.attrs.iter_mut().skip(mark.max(self.start)) {
            if !is_namespaced(&attr.key) {
                let key = join(&mut self.names_left, event, &attr.key)?;
                attr.key = if key.starts_with('@') { escape(&key) } else { Cow::Owned(key) };
            }
        }
        Ok(())
    }

    /// Makes the dotted name of a value within another.
    pub(crate) fn dotted(&mut self, outer: &str, inner: &str) -> Result<String, Fault> {
        join(&mut self.names_left, outer, inner)
    }

    pub(crate) fn depth_max(&self) -> usize {
        self.limits.depth()
    }
}

/// Joins two names. What all joined names of a record take up is bounded by a multiple of the
/// record's size, so that one long outer name cannot be repeated for thousands of short inner ones.
fn join(names_left: &mut usize, outer: &str, inner: &str) -> Result<String, Fault> {
    let len = outer.len().saturating_add(inner.len()).saturating_add(1);
    *names_left = names_left.checked_sub(len).ok_or(Fault::NamesTooLong)?;
    Ok(format!("{outer}.{inner}"))
}

fn is_namespaced(key: &str) -> bool {
    key.contains('.') || key.starts_with("gen_ai") || key.starts_with("exception")
}

#[cold]
fn escape<'a>(key: &str) -> Cow<'a, str> {
    Cow::Owned(format!("{}{key}", intrinsic::ESCAPE))
}

#[cfg(test)]
mod tests;
