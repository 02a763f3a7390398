//! The writer: gives entries their number and time, and makes them durable in groups.
//!
//! One thread owns the journal. It takes whatever waits in the queue, writes it with one call, syncs
//! once, and only then answers. A failed write or sync is final: what the disk then holds is unknown,
//! so the ledger takes nothing more until it has been opened, and so read, again.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use crossbeam_channel::{Receiver, Sender};

use crate::clock::Clock;
use crate::commitment::Commitment;
use crate::entry::{Entry, Hash, Receipt};
use crate::error::LedgerError;
use crate::journal::{Disk, Draft, Index, Mark};
use crate::kind::EntryKind;
use crate::merkle;
use crate::tree::Leaf;

/// The most entries that one sync makes durable.
const BATCH_ENTRIES_MAX: usize = 1024;

/// The size at which a group is written without waiting for more.
const BATCH_BYTES_MAX: usize = 4 << 20;

/// What the threads of one ledger share.
#[derive(Debug)]
pub(crate) struct Shared {
    state: Mutex<State>,
    /// The number of durable entries.
    size: AtomicU64,
    /// Why the ledger takes no more entries.
    stopped: OnceLock<String>,
}

/// What is durable.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) index: Index,
    /// The leaves that are durable and not yet in the published tree, in order.
    pub(crate) pending: Vec<Leaf>,
}

impl Shared {
    pub(crate) fn new(state: State) -> Self {
        let size = AtomicU64::new(state.index.entries());
        Self { state: Mutex::new(state), size, stopped: OnceLock::new() }
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        // The code under this lock only appends to lists and cannot leave them half done.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn size(&self) -> u64 {
        self.size.load(Ordering::Acquire)
    }

    /// Stops the ledger for good; the first reason stays.
    pub(crate) fn stop(&self, reason: impl Into<String>) {
        self.stopped.get_or_init(|| reason.into());
    }

    /// Fails when the ledger has been stopped.
    pub(crate) fn check(&self) -> Result<(), LedgerError> {
        match self.stopped.get() {
            Some(reason) => Err(LedgerError::Unavailable(reason.clone())),
            None => Ok(()),
        }
    }
}

/// One entry on its way to the journal.
pub(crate) struct Request {
    pub(crate) kind: EntryKind,
    pub(crate) policy: Hash,
    pub(crate) commitment: Commitment,
    pub(crate) object: Option<Hash>,
    pub(crate) draft: Draft,
    pub(crate) reply: Sender<Result<Receipt, LedgerError>>,
}

/// What the writer is asked to do.
pub(crate) enum Order {
    Append(Request),
    Stop,
}

/// The owner of the journal.
pub(crate) struct Writer {
    pub(crate) disk: Box<dyn Disk>,
    pub(crate) shared: Arc<Shared>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) shard: u32,
}

impl Writer {
    /// Serves orders until it is told to stop or nobody is left to give any.
    pub(crate) fn run(mut self, orders: &Receiver<Order>) {
        let mut going = true;
        while going {
            let Ok(first) = orders.recv() else { break };
            let mut group = Vec::new();
            let mut bytes = 0;
            let mut next = Some(first);
            while let Some(order) = next {
                let Order::Append(request) = order else {
                    going = false;
                    break;
                };
                bytes += request.draft.len();
                group.push(request);
                let full = group.len() >= BATCH_ENTRIES_MAX || bytes >= BATCH_BYTES_MAX;
                next = if full { None } else { orders.try_recv().ok() };
            }
            self.commit(group, bytes);
        }
        self.finish();
    }

    /// Writes a group, syncs once, and answers each.
    fn commit(&mut self, group: Vec<Request>, bytes: usize) {
        if group.is_empty() {
            return;
        }
        let (end, mut seq) = {
            let state = self.shared.state();
            (state.index.end(), state.index.entries())
        };
        let Mark { mut offset, mut chain } = end;
        let mut buffer = Vec::with_capacity(bytes + 16 * group.len());
        let mut done = Vec::with_capacity(group.len());
        for request in group {
            let entry = Entry {
                kind: request.kind,
                shard: self.shard,
                seq,
                time_ms: unix_ms(self.clock.now_ns()),
                policy: request.policy,
                commitment: request.commitment,
                object: request.object,
            };
            let leaf = entry.to_bytes();
            let frame = request.draft.complete(&leaf, &mut chain);
            offset += frame.len() as u64;
            buffer.extend_from_slice(&frame);
            done.push((leaf, Mark { offset, chain }, entry, request.reply));
            seq += 1;
        }
        let result = self.make_durable(&buffer);
        if result.is_ok() {
            let mut state = self.shared.state();
            for (leaf, mark, ..) in &done {
                state.index.push(*mark);
                state.pending.push(*leaf);
            }
            self.shared.size.store(seq, Ordering::Release);
        }
        for (leaf, _mark, entry, reply) in done {
            let answer = match &result {
                Ok(()) => Ok(Receipt::new(entry.seq, entry.time_ms, merkle::leaf_hash(&leaf))),
                Err(reason) => Err(LedgerError::Unavailable(reason.clone())),
            };
            // A caller that has gone away needs no answer.
            let _gone = reply.send(answer).is_err();
        }
    }

    fn make_durable(&mut self, buffer: &[u8]) -> Result<(), String> {
        if let Some(reason) = self.shared.stopped.get() {
            return Err(reason.clone());
        }
        let written = self.disk.append(buffer).and_then(|()| self.disk.sync());
        written.map_err(|error| {
            let reason = format!("writing the journal failed: {error}");
            self.shared.stop(reason.clone());
            reason
        })
    }

    /// Leaves the file without the zeros written ahead; after a failure it is left as it is.
    fn finish(mut self) {
        if self.shared.check().is_ok()
            && let Err(error) = self.disk.finish()
        {
            self.shared.stop(format!("closing the journal failed: {error}"));
        }
    }
}

/// Returns Unix milliseconds; a time before 1970 counts as 1970.
fn unix_ms(now_ns: i64) -> u64 {
    u64::try_from(now_ns / 1_000_000).unwrap_or(0)
}

#[cfg(test)]
mod tests;
