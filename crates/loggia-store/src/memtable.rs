//! What is committed but not yet in segments, together with the segments: one state, so that a snapshot sees each record once.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use loggia_keys::Sealed;

use crate::segment::{SegmentEntry, SegmentInfo};
use crate::tail::{Broadcast, Subscription};

/// A consistent view of one stream: each committed record is in exactly one of the two lists.
#[derive(Clone, Default)]
pub struct Snapshot {
    /// Batches in memory, in order of commit.
    pub memory: Vec<Arc<Sealed>>,
    /// Segments on disk, in order of publication.
    pub segments: Vec<Arc<SegmentInfo>>,
}

impl Snapshot {
    /// Rows in memory and in segments.
    #[must_use]
    pub fn rows(&self) -> u64 {
        let memory = self.memory.iter().map(|batch| batch.rows() as u64).sum::<u64>();
        self.segments.iter().map(|segment| segment.rows()).sum::<u64>().saturating_add(memory)
    }
}

impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Snapshot({} batches, {} segments)", self.memory.len(), self.segments.len())
    }
}

/// A committed batch with what it costs.
pub(crate) struct Committing {
    pub(crate) sealed: Arc<Sealed>,
    pub(crate) bytes: u64,
}

/// How much is waiting for a flush.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct Load {
    pub(crate) rows: u64,
    pub(crate) bytes: u64,
    /// When the oldest waiting batch was received.
    pub(crate) oldest_ns: Option<i64>,
}

/// The state of all streams.
#[derive(Default)]
pub(crate) struct Memtable {
    state: RwLock<State>,
    /// Bytes queued, waiting and being flushed; read by every append.
    bytes: AtomicU64,
}

#[derive(Default)]
struct State {
    /// By tenant, then stream.
    streams: BTreeMap<String, BTreeMap<String, StreamState>>,
    load: Load,
    frozen_bytes: u64,
    broadcast: Broadcast,
}

#[derive(Default)]
struct StreamState {
    active: Vec<Arc<Sealed>>,
    frozen: Vec<Arc<Sealed>>,
    segments: Vec<Arc<SegmentInfo>>,
}

impl Memtable {
    /// Counts the bytes of a batch that is on its way.
    pub(crate) fn reserve(&self, bytes: u64) {
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Takes back what was counted for a batch that was refused.
    pub(crate) fn release(&self, bytes: u64) {
        self.bytes.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// Makes committed batches visible, all at once and in order, and offers them to subscribers. Their bytes have been
    /// counted by [`Memtable::reserve`].
    pub(crate) fn publish(&self, batches: &[Committing]) -> Load {
        let mut state = self.write();
        for batch in batches {
            let sealed = &batch.sealed;
            state.load.rows = state.load.rows.saturating_add(sealed.rows() as u64);
            state.load.bytes = state.load.bytes.saturating_add(batch.bytes);
            let received = sealed.ingest_time_ns();
            state.load.oldest_ns =
                Some(state.load.oldest_ns.map_or(received, |oldest| oldest.min(received)));
            state.stream(sealed.tenant(), sealed.stream()).active.push(Arc::clone(sealed));
            state.broadcast.send(sealed);
        }
        state.load
    }

    /// Sets apart everything committed so far, for a flush; it stays visible. Must not be called before
    /// [`Memtable::swap`] has taken the last frozen batches away.
    pub(crate) fn freeze(&self) -> Vec<Arc<Sealed>> {
        let mut state = self.write();
        let load = std::mem::take(&mut state.load);
        state.frozen_bytes = state.frozen_bytes.saturating_add(load.bytes);
        let mut out = Vec::new();
        for stream in state.streams.values_mut().flat_map(BTreeMap::values_mut) {
            out.extend(stream.active.iter().map(Arc::clone));
            let active = std::mem::take(&mut stream.active);
            stream.frozen.extend(active);
        }
        out
    }

    /// Replaces the frozen batches by the segments they were written to.
    pub(crate) fn swap(&self, segments: Vec<Arc<SegmentInfo>>) {
        let mut state = self.write();
        self.bytes.fetch_sub(state.frozen_bytes, Ordering::Relaxed);
        state.frozen_bytes = 0;
        for stream in state.streams.values_mut().flat_map(BTreeMap::values_mut) {
            stream.frozen = Vec::new();
        }
        for segment in segments {
            let stream = state.stream(segment.tenant(), segment.stream());
            stream.segments.push(segment);
        }
    }

    pub(crate) fn snapshot(&self, tenant: &str, stream: &str) -> Snapshot {
        self.read().snapshot(tenant, stream)
    }

    /// A snapshot and what follows it, without gap or overlap.
    pub(crate) fn follow(
        &self,
        tenant: &str,
        stream: &str,
        batches_max: usize,
    ) -> (Snapshot, Subscription) {
        let mut state = self.write();
        let subscription = state.broadcast.subscribe(batches_max);
        (state.snapshot(tenant, stream), subscription)
    }

    pub(crate) fn subscribe(&self, batches_max: usize) -> Subscription {
        self.write().broadcast.subscribe(batches_max)
    }

    pub(crate) fn close_subscriptions(&self) {
        self.write().broadcast.close();
    }

    /// Tenants and streams that hold anything, in order.
    pub(crate) fn streams(&self) -> Vec<(String, String)> {
        let state = self.read();
        let of_tenant = |(tenant, streams): (&String, &BTreeMap<String, StreamState>)| {
            streams.keys().map(|stream| (tenant.clone(), stream.clone())).collect::<Vec<_>>()
        };
        state.streams.iter().flat_map(of_tenant).collect()
    }

    /// All segments of all streams.
    pub(crate) fn segments(&self) -> Vec<Arc<SegmentInfo>> {
        let state = self.read();
        let streams = state.streams.values().flat_map(BTreeMap::values);
        streams.flat_map(|stream| stream.segments.iter().map(Arc::clone)).collect()
    }

    /// Completes what a segment's catalog row got later.
    pub(crate) fn note_ledger_index(&self, entry: &SegmentEntry, index: u64) {
        let state = self.read();
        let stream =
            state.streams.get(&entry.tenant).and_then(|streams| streams.get(&entry.stream));
        let segment = stream.and_then(|stream| {
            stream.segments.iter().rev().find(|segment| segment.id() == entry.id)
        });
        if let Some(segment) = segment {
            segment.ledger_index.get_or_init(|| index);
        }
    }

    pub(crate) fn load(&self) -> Load {
        self.read().load
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    fn read(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn stream(&mut self, tenant: &str, stream: &str) -> &mut StreamState {
        self.streams.entry(tenant.to_owned()).or_default().entry(stream.to_owned()).or_default()
    }

    fn snapshot(&self, tenant: &str, stream: &str) -> Snapshot {
        let Some(state) = self.streams.get(tenant).and_then(|streams| streams.get(stream)) else {
            return Snapshot::default();
        };
        Snapshot {
            memory: state.frozen.iter().chain(&state.active).map(Arc::clone).collect(),
            segments: state.segments.iter().map(Arc::clone).collect(),
        }
    }
}
