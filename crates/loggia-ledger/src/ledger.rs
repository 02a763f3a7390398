//! One ledger directory, open for appending: the door of this crate.
//!
//! Two threads work behind it: the writer makes entries durable in groups, the publisher signs.
//! Reading goes to the files and disturbs neither.

use std::fmt;
use std::fs::File;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use crossbeam_channel::{SendTimeoutError, Sender, bounded};

use crate::checkpoint::{self, Checkpoint};
use crate::clock::Clock;
use crate::durable;
use crate::entry::{Entry, Hash, NewEntry, RECORD_BYTES_MAX, Receipt};
use crate::error::LedgerError;
use crate::journal::{Disk, Draft, Header, JournalFile};
use crate::kind::EntryKind;
use crate::merkle::{self, Nodes as _};
use crate::note::Signer;
use crate::open;
use crate::proof;
use crate::publish::{CHECKPOINT_FILE, Command, Current, Published, Publisher};
use crate::read::Entries;
use crate::sequence::{Order, Request, Shared, Writer};
use crate::tile::{TileNodes, TilePath};
use crate::verify::{self, VerifyFailure, VerifyReport};

/// The most entries that may be durable but not yet in the tree before appends are refused.
const PENDING_ENTRIES_MAX: usize = 1 << 20;

/// What can be set about a ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerConfig {
    /// The name of the log: a URL without its scheme.
    pub origin: String,
    /// The number of the shard; it stands in each entry.
    pub shard: u32,
    /// How many appends may wait for the writer.
    pub queue_appends_max: usize,
    /// How long an append waits for a place in the queue before it is refused.
    pub queue_wait_ms: u64,
    /// How often durable entries are brought into the tree and signed.
    pub sign_interval_ms: u64,
}

impl LedgerConfig {
    /// Returns the defaults for a log of this name.
    #[must_use]
    pub fn new(origin: &str) -> Self {
        Self {
            origin: origin.to_owned(),
            shard: 0,
            queue_appends_max: 4096,
            queue_wait_ms: 2000,
            sign_interval_ms: 400,
        }
    }
}

/// One ledger directory, open for appending.
///
/// It can be shared between threads. Dropping it closes it, but only [`Ledger::close`] tells whether
/// that went well.
pub struct Ledger {
    dir: PathBuf,
    header: Header,
    signer: Arc<Signer>,
    queue_wait: Duration,
    orders: Sender<Order>,
    commands: Sender<Command>,
    shared: Arc<Shared>,
    current: Arc<Current>,
    gate: Arc<Mutex<()>>,
    /// Empty once the ledger is closed.
    running: Mutex<Option<Running>>,
}

/// What ends when the ledger is closed.
struct Running {
    writer: JoinHandle<()>,
    publisher: JoinHandle<()>,
    /// Keeps other processes out.
    _lock: File,
}

impl Ledger {
    /// Opens the ledger in `dir`, or makes it, with the defaults.
    ///
    /// # Errors
    /// As [`Ledger::open_with`].
    pub fn open(
        dir: &Path,
        origin: &str,
        seed: &[u8; 32],
        clock: Arc<dyn Clock>,
    ) -> Result<Self, LedgerError> {
        Self::open_with(dir, &LedgerConfig::new(origin), seed, clock)
    }

    /// Opens the ledger in `dir`, or makes it.
    ///
    /// The journal is read and compared with what was signed. A torn tail is cut; entries that were
    /// durable but not yet signed are signed now.
    ///
    /// # Errors
    /// Fails when the files are not those that were signed, the key or name is another one, another
    /// process has the ledger open, or the disk refuses.
    pub fn open_with(
        dir: &Path,
        config: &LedgerConfig,
        seed: &[u8; 32],
        clock: Arc<dyn Clock>,
    ) -> Result<Self, LedgerError> {
        checkpoint::check_origin(&config.origin)?;
        let signer = Arc::new(Signer::new(&config.origin, seed)?);
        let header = Header { shard: config.shard, origin: config.origin.clone() };
        let opened = open::open(dir, &header, &signer)?;
        let disk = Box::new(JournalFile::open(dir, opened.state.index.end().offset)?);
        let parts = Parts { dir: dir.to_path_buf(), header, signer, opened, disk, clock };
        let ledger = Self::start(parts, config)?;
        ledger.publish()?;
        Ok(ledger)
    }

    /// Starts the two threads.
    fn start(parts: Parts, config: &LedgerConfig) -> Result<Self, LedgerError> {
        let Parts { dir, header, signer, opened, disk, clock } = parts;
        let shared = Arc::new(Shared::new(opened.state));
        let current = Arc::new(Current::new(opened.published));
        let gate = Arc::new(Mutex::new(()));
        let (orders, take_orders) = bounded(config.queue_appends_max.max(1));
        let (commands, take_commands) = bounded(16);
        let shard = header.shard;
        let writer = Writer { disk, shared: Arc::clone(&shared), clock, shard };
        let publisher = Publisher {
            dir: dir.clone(),
            signer: Arc::clone(&signer),
            tree: opened.tree,
            shared: Arc::clone(&shared),
            current: Arc::clone(&current),
            gate: Arc::clone(&gate),
        };
        let interval = Duration::from_millis(config.sign_interval_ms.max(1));
        let writer = spawn("ledger-writer", move || writer.run(&take_orders))?;
        let publisher = spawn("ledger-publisher", move || publisher.run(&take_commands, interval))?;
        let running = Mutex::new(Some(Running { writer, publisher, _lock: opened.lock }));
        let queue_wait = Duration::from_millis(config.queue_wait_ms);
        Ok(Self {
            dir,
            header,
            signer,
            queue_wait,
            orders,
            commands,
            shared,
            current,
            gate,
            running,
        })
    }

    /// Appends an entry and returns once it is on disk.
    ///
    /// # Errors
    /// Fails when the entry cannot be taken ([`LedgerError::Invalid`]), when too many wait
    /// ([`LedgerError::Busy`]), and always after a failed write ([`LedgerError::Unavailable`]).
    pub fn append(&self, entry: NewEntry<'_>) -> Result<Receipt, LedgerError> {
        self.shared.check()?;
        check_new(&entry)?;
        if self.shared.state().pending.len() >= PENDING_ENTRIES_MAX {
            return Err(self.busy());
        }
        let (reply, answer) = bounded(1);
        let NewEntry { kind, policy, commitment, object, record } = entry;
        let draft = Draft::new(record);
        let request = Request { kind, policy, commitment, object, draft, reply };
        match self.orders.send_timeout(Order::Append(request), self.queue_wait) {
            Ok(()) => {}
            Err(SendTimeoutError::Timeout(_)) => return Err(self.busy()),
            Err(SendTimeoutError::Disconnected(_)) => return Err(closed()),
        }
        answer.recv().map_err(|_dropped| closed())?
    }

    fn busy(&self) -> LedgerError {
        let wait = u64::try_from(self.queue_wait.as_millis()).unwrap_or(u64::MAX);
        LedgerError::Busy { retry_after_ms: wait.max(100) }
    }

    /// Returns how many entries are on disk.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.shared.size()
    }

    /// Brings everything that is on disk into the tree, signs it and returns the checkpoint.
    ///
    /// # Errors
    /// Fails when the ledger is closed or a write fails or has failed.
    pub fn checkpoint(&self) -> Result<String, LedgerError> {
        Ok(self.publish()?.note.clone())
    }

    /// Returns the newest checkpoint without making one; it is half a second old at most.
    #[must_use]
    pub fn latest_checkpoint(&self) -> String {
        self.current.get().note.clone()
    }

    fn publish(&self) -> Result<Arc<Published>, LedgerError> {
        self.shared.check()?;
        let (reply, answer) = bounded(1);
        self.commands.send(Command::Publish(reply)).map_err(|_gone| closed())?;
        answer.recv().map_err(|_dropped| closed())?
    }

    /// Returns the verifier key of the ledger, as `name+id+key`.
    #[must_use]
    pub fn vkey(&self) -> String {
        self.signer.key().to_string()
    }

    /// Returns the name of the log.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.header.origin
    }

    /// Reads a published file by its path in the format: `checkpoint`, `tile/…`.
    ///
    /// # Errors
    /// Fails with [`LedgerError::NotFound`] for everything that is not such a file.
    pub fn tile(&self, path: &str) -> Result<Vec<u8>, LedgerError> {
        if path == CHECKPOINT_FILE {
            return Ok(self.latest_checkpoint().into_bytes());
        }
        let path: TilePath = path.parse()?;
        durable::read(&self.dir, &path.to_string())
    }

    /// Reads one entry with its sealed record.
    ///
    /// # Errors
    /// Fails when there is no such entry or the journal is damaged.
    pub fn read(&self, index: u64) -> Result<(Entry, Vec<u8>), LedgerError> {
        self.iterate(index..index.saturating_add(1))?
            .next()
            .unwrap_or_else(|| Err(LedgerError::NotFound(format!("there is no entry {index}"))))
    }

    /// Reads entries with their sealed records, in order; the range is cut to what is on disk.
    ///
    /// # Errors
    /// Fails when the journal cannot be opened; damage found later is an item.
    pub fn iterate(&self, range: Range<u64>) -> Result<Entries, LedgerError> {
        let place = {
            let state = self.shared.state();
            state.index.seek(range.start)
        };
        let left = range.end.min(self.size()).saturating_sub(range.start);
        match place {
            Some((mark, skip)) if left > 0 => {
                Entries::open(&self.dir, &self.header, &mark, range.start, skip, left)
            }
            _ => Ok(Entries::empty()),
        }
    }

    /// Returns the inclusion proof of an entry as the text of a `.tlog-proof` file.
    ///
    /// An entry that is not signed yet is signed first.
    ///
    /// # Errors
    /// Fails when there is no such entry or a tile is damaged.
    pub fn prove(&self, index: u64) -> Result<String, LedgerError> {
        if index >= self.size() {
            return Err(LedgerError::NotFound(format!("there is no entry {index}")));
        }
        let mut published = self.current.get();
        if index >= published.checkpoint.size {
            published = self.publish()?;
        }
        let Checkpoint { size, root, .. } = published.checkpoint;
        let mut nodes = TileNodes::new(&self.dir, size);
        let hashes = merkle::prove_inclusion(&mut nodes, index, size)?;
        let leaf = nodes.node(0, index)?;
        if !merkle::verify_inclusion(&leaf, index, size, &hashes, &root) {
            return Err(tiles_damaged(index));
        }
        Ok(proof::write(index, &hashes, &published.note))
    }

    /// Returns the proof that the log of `old_size` entries is a prefix of the newest checkpoint,
    /// which is returned with it.
    ///
    /// # Errors
    /// Fails when the newest checkpoint has fewer entries or a tile is damaged.
    pub fn prove_consistency(&self, old_size: u64) -> Result<(Vec<Hash>, String), LedgerError> {
        let published = self.current.get();
        let Checkpoint { size, root, .. } = published.checkpoint;
        let mut nodes = TileNodes::new(&self.dir, size);
        let hashes = merkle::prove_consistency(&mut nodes, old_size, size)?;
        let old_root = merkle::root(&mut nodes, old_size)?;
        if !merkle::verify_consistency(old_size, &old_root, size, &root, &hashes) {
            return Err(tiles_damaged(old_size));
        }
        Ok((hashes, published.note.clone()))
    }

    /// Verifies every file of the open ledger; signing waits meanwhile, appending does not.
    ///
    /// # Errors
    /// Names the file and the entry of the first problem.
    pub fn verify(&self) -> Result<VerifyReport, VerifyFailure> {
        self.publish().map_err(|error| VerifyFailure::new(CHECKPOINT_FILE, None, error))?;
        let _held = self.gate.lock().unwrap_or_else(PoisonError::into_inner);
        let size = self.size();
        verify::verify(&self.dir, Some(&self.vkey()), Some(size))
    }

    /// Signs what is on disk and stops. Closing twice is no error.
    ///
    /// # Errors
    /// Fails when the last write does, or one before did.
    pub fn close(&self) -> Result<(), LedgerError> {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(Running { writer, publisher, _lock }) = running else { return Ok(()) };
        // Whether the threads are still there to hear it shows when they are joined.
        let _writer_gone = self.orders.send(Order::Stop).is_err();
        let writer = writer.join();
        let (reply, answer) = bounded(1);
        let _publisher_gone = self.commands.send(Command::Stop(reply)).is_err();
        let published = answer.recv();
        let publisher = publisher.join();
        self.shared.stop("it is closed");
        if writer.is_err() || publisher.is_err() {
            return Err(LedgerError::internal("a thread of the ledger ended by itself"));
        }
        published.map_err(|_dropped| closed())?.map(drop)
    }
}

impl Drop for Ledger {
    fn drop(&mut self) {
        // Nothing is lost when this fails: the journal holds all, and the next open signs it.
        let _reported_by_close_only = self.close().is_err();
    }
}

impl fmt::Debug for Ledger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ledger")
            .field("dir", &self.dir)
            .field("vkey", &self.vkey())
            .field("size", &self.size())
            .finish_non_exhaustive()
    }
}

/// What the threads are made of.
struct Parts {
    dir: PathBuf,
    header: Header,
    signer: Arc<Signer>,
    opened: open::Opened,
    disk: Box<dyn Disk>,
    clock: Arc<dyn Clock>,
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, LedgerError> {
    Builder::new().name(name.to_owned()).spawn(work).map_err(|source| LedgerError::Io {
        action: "start",
        file: format!("thread {name}"),
        source,
    })
}

fn check_new(entry: &NewEntry<'_>) -> Result<(), LedgerError> {
    if let EntryKind::Unknown(code) = entry.kind {
        return Err(LedgerError::invalid(format!("entry kind {code} is not known")));
    }
    if entry.record.len() > RECORD_BYTES_MAX {
        return Err(LedgerError::invalid(format!(
            "a record of {} bytes is larger than {RECORD_BYTES_MAX}",
            entry.record.len()
        )));
    }
    if entry.object == Some([0; 32]) {
        return Err(LedgerError::invalid("an object digest of zeros stands for no object"));
    }
    Ok(())
}

fn closed() -> LedgerError {
    LedgerError::Unavailable("it is closed".into())
}

fn tiles_damaged(index: u64) -> LedgerError {
    LedgerError::Corrupt {
        file: "tile".into(),
        index: Some(index),
        what: "the tiles do not lead to the signed root; verify the ledger".into(),
    }
}

const _: () = {
    const fn shared_between_threads<T: Send + Sync>() {}
    shared_between_threads::<Ledger>();
};

#[cfg(test)]
mod tests;
