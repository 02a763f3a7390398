//! [`Store`]: one data directory, open for appending and reading.

mod recover;

use std::fmt;
use std::fs::File;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use crossbeam_channel::{Sender, TrySendError, bounded};
use loggia_keys::{BlockPlace, KeyStore, Sealed};
use loggia_ledger::{Clock, Ledger};
use loggia_policy::StreamSchema;
use parquet::encryption::decrypt::FileDecryptionProperties;
use zeroize::Zeroizing;

use crate::catalog::Catalog;
use crate::commit::{Command, Committed, Pending, Writer, request};
use crate::config::StoreConfig;
use crate::error::{Error, Result};
use crate::flush::{FlushCommand, FlushSignal, Flusher};
use crate::format::batch;
use crate::health::Health;
use crate::layout;
use crate::memtable::{Memtable, Snapshot};
use crate::segment::{ContentReader, SegmentInfo, decryption};
use crate::sidecar;
use crate::tail::Subscription;
use crate::verify::{self, VerifyReport};
use crate::wal::Wal;

pub(crate) use recover::{first_missing, lock_existing};

/// Commands waiting for the flush thread; more would only repeat the first.
const FLUSH_COMMANDS_MAX: usize = 16;

/// A log store in one directory. Dropping it stops its threads and leaves the directory as a crash would, which loses
/// nothing; [`Store::close`] leaves it so that every byte can be verified.
pub struct Store {
    config: StoreConfig,
    keys: Arc<KeyStore>,
    clock: Arc<dyn Clock>,
    memtable: Arc<Memtable>,
    catalog: Arc<Mutex<Option<Catalog>>>,
    health: Arc<Health>,
    writer: Sender<Command>,
    flusher: Sender<FlushCommand>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    /// Held, not used: the lock goes when the file is closed.
    /// Held until the store is shut down.
    lock: Mutex<Option<File>>,
}

impl Store {
    /// Opens the store in `config.dir`, or makes it: replays the log, cuts a torn tail, removes what a crash left behind.
    ///
    /// `schemas` are the streams of the policy in force; stored data of another policy stays readable, with the schema
    /// it was written under.
    ///
    /// # Errors
    /// Fails when another process has the store open, a stored file is damaged, or the disk refuses.
    pub fn open(
        config: StoreConfig,
        keys: Arc<KeyStore>,
        ledger: Arc<Ledger>,
        schemas: &[Arc<StreamSchema>],
        clock: Arc<dyn Clock>,
    ) -> Result<Self> {
        let recovered = recover::recover(&config, &keys, schemas, clock.as_ref())?;
        let memtable = Arc::new(recovered.memtable);
        let catalog = Arc::new(Mutex::new(Some(recovered.catalog)));
        let health = Arc::new(Health::default());
        let (writer, writer_commands) = bounded(config.queue_batches_max.max(1));
        let (flusher, flush_commands) = bounded(FLUSH_COMMANDS_MAX);
        let wal =
            Wal::new(config.clone(), Arc::clone(&keys), Arc::clone(&clock), recovered.next_wal_seq);
        let committing = Writer {
            config: config.clone(),
            wal,
            memtable: Arc::clone(&memtable),
            health: Arc::clone(&health),
            commands: writer_commands,
            flush: FlushSignal { commands: flusher.clone() },
        };
        let flushing = Flusher {
            config: config.clone(),
            keys: Arc::clone(&keys),
            ledger,
            clock: Arc::clone(&clock),
            memtable: Arc::clone(&memtable),
            catalog: Arc::clone(&catalog),
            health: Arc::clone(&health),
            writer: writer.clone(),
            commands: flush_commands,
            pending: None,
            settled: false,
        };
        let store = Self {
            config,
            keys,
            clock,
            memtable,
            catalog,
            health,
            writer,
            flusher,
            threads: Mutex::new(Vec::new()),
            lock: Mutex::new(Some(recovered.lock)),
        };
        store.spawn("loggia-wal", || committing.run())?;
        store.spawn("loggia-flush", || flushing.run())?;
        Ok(store)
    }

    /// Makes a sealed batch durable and visible; returns when it is both.
    ///
    /// # Errors
    /// [`Error::Busy`] when the queue or the memory budget is full, [`Error::Unavailable`] when the store cannot write.
    pub fn append(&self, sealed: Sealed) -> Result<Committed> {
        self.submit(sealed)?.wait()
    }

    /// Hands a sealed batch to the writer without waiting for the disk. Batches of one thread commit in their order.
    ///
    /// # Errors
    /// As [`Store::append`], for what is known at once.
    pub fn submit(&self, sealed: Sealed) -> Result<Pending> {
        self.health.check()?;
        let busy = Error::Busy { retry_after_ms: self.config.busy_retry_ms };
        if self.memtable.bytes() >= self.config.memory_bytes_max {
            return Err(busy);
        }
        let body = batch::encode(&sealed, self.config.batch_bytes_max)?;
        let bytes = body.len() as u64;
        let (command, pending) = request(sealed, body);
        // Counted before it is queued, so that what waits is within the budget too.
        self.memtable.reserve(bytes);
        let refused = match self.writer.try_send(command) {
            Ok(()) => return Ok(pending),
            Err(TrySendError::Full(_)) => busy,
            Err(TrySendError::Disconnected(_)) => Error::unavailable("the store is closed"),
        };
        self.memtable.release(bytes);
        Err(refused)
    }

    /// A consistent view of one stream: each committed record exactly once, in memory or in a segment.
    #[must_use]
    pub fn snapshot(&self, tenant: &str, stream: &str) -> Snapshot {
        self.memtable.snapshot(tenant, stream)
    }

    /// Tenants and streams that hold records.
    #[must_use]
    pub fn streams(&self) -> Vec<(String, String)> {
        self.memtable.streams()
    }

    /// Every batch committed from here on, of all streams; at most `batches_max` wait for a slow reader.
    #[must_use]
    pub fn subscribe(&self, batches_max: usize) -> Subscription {
        self.memtable.subscribe(batches_max)
    }

    /// A snapshot and every batch (of all streams) committed after it, without gap or overlap.
    #[must_use]
    pub fn follow(
        &self,
        tenant: &str,
        stream: &str,
        batches_max: usize,
    ) -> (Snapshot, Subscription) {
        self.memtable.follow(tenant, stream, batches_max)
    }

    /// Moves everything committed so far into segments.
    ///
    /// # Errors
    /// Fails when they cannot be written; the records stay in memory and in the log.
    pub fn flush(&self) -> Result<()> {
        let (answer, done) = bounded(1);
        let gone = || Error::unavailable("the store is closed");
        self.flusher.send(FlushCommand::Flush(answer)).map_err(|_gone| gone())?;
        done.recv().map_err(|_gone| gone())?
    }

    /// Opens a segment's content file, to read several blocks.
    ///
    /// # Errors
    /// Fails when the file or its key is gone, or the file is damaged.
    pub fn open_content(&self, segment: &Arc<SegmentInfo>) -> Result<ContentReader> {
        ContentReader::open(segment, || self.file_key(segment))
    }

    /// Reads one sealed block of a segment: its place, for the key store, and its bytes.
    ///
    /// # Errors
    /// As [`Store::open_content`], and when there is no such block.
    pub fn read_block(
        &self,
        segment: &Arc<SegmentInfo>,
        write_id: &[u8; 16],
        block: u32,
    ) -> Result<(BlockPlace, Vec<u8>)> {
        self.open_content(segment)?.read_block(write_id, block)
    }

    /// What a Parquet reader needs to open a segment's skeleton.
    ///
    /// # Errors
    /// Fails when the segment's key is gone.
    pub fn decryption(&self, segment: &SegmentInfo) -> Result<Arc<FileDecryptionProperties>> {
        decryption(&self.file_key(segment)?)
            .map_err(|source| Error::Parquet { file: segment.path().display().to_string(), source })
    }

    /// Whether appends are accepted; the reason when they are not.
    ///
    /// # Errors
    /// Fails with the reason.
    pub fn check_writable(&self) -> Result<()> {
        self.health.check()
    }

    /// Bytes in memory: queued, waiting for a flush or being flushed.
    #[must_use]
    pub fn memory_bytes(&self) -> u64 {
        self.memtable.bytes()
    }

    /// The data directory.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.config.dir
    }

    /// Flushes, then checks the catalog's rows and every segment while the store stays open. For every byte of every file, close the
    /// store and use [`crate::verify_dir`].
    ///
    /// # Errors
    /// Fails when the flush does; damage is in the report.
    pub fn verify(&self) -> Result<VerifyReport> {
        self.flush()?;
        let catalog = self.catalog.lock().unwrap_or_else(PoisonError::into_inner);
        let checked = catalog.as_ref().map_or(Ok(()), Catalog::recheck);
        drop(catalog);
        Ok(verify::verify_open(&self.config.dir, &self.keys, checked, &self.memtable.segments()))
    }

    /// [`Store::shut_down`] by the last owner.
    ///
    /// # Errors
    /// As [`Store::shut_down`].
    pub fn close(self) -> Result<()> {
        self.shut_down()
    }

    /// Stops writing and leaves every file complete and verifiable. Records in memory stay in the log, whose replay is the
    /// one way of recovery.
    ///
    /// # Errors
    /// Fails when something cannot be made durable; nothing acknowledged is lost then either.
    pub fn shut_down(&self) -> Result<()> {
        let wal_last = self.stop();
        self.config.reach("close.stopped")?;
        let catalog = self.catalog.lock().unwrap_or_else(PoisonError::into_inner).take();
        let wal_last = wal_last?;
        if let Some(catalog) = catalog {
            catalog.close(wal_last, self.clock.now_ns())?;
            self.config.reach("close.catalog")?;
            sidecar::write_sidecar(&self.config.dir.join(layout::CATALOG_FILE))?;
        }
        drop(self.lock.lock().unwrap_or_else(PoisonError::into_inner).take());
        Ok(())
    }

    /// The key of a live segment's file as hex, for another Parquet reader; `None` when no live segment lies at `path`.
    ///
    /// # Errors
    /// Fails when the key store does.
    pub fn segment_key_hex(&self, path: &Path) -> Result<Option<Zeroizing<String>>> {
        let named = path.file_name();
        let Some(segment) = self
            .memtable
            .segments()
            .into_iter()
            .find(|segment| segment.path().file_name() == named)
        else {
            return Ok(None);
        };
        let key = self.file_key(&segment)?;
        Ok(Some(key.with_bytes(|bytes| {
            let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
            Zeroizing::new(digits.filter_map(|digit| char::from_digit(digit.into(), 16)).collect())
        })))
    }

    fn file_key(&self, segment: &SegmentInfo) -> Result<loggia_keys::FileKey> {
        let (tenant, stream, day) = (segment.tenant(), segment.stream(), segment.day());
        Ok(self.keys.file_key(tenant, stream, day, segment.id().bytes(), false)?)
    }

    fn spawn(&self, name: &str, work: impl FnOnce() + Send + 'static) -> Result<()> {
        let thread = thread::Builder::new()
            .name(name.to_owned())
            .spawn(work)
            .map_err(|e| Error::io("start a thread for", &self.config.dir, e))?;
        self.threads.lock().unwrap_or_else(PoisonError::into_inner).push(thread);
        Ok(())
    }

    /// Ends both threads, the flusher first since it asks the writer; answers up to which file the log is complete.
    fn stop(&self) -> Result<u64> {
        let gone = || Error::unavailable("the store is closed");
        let (answer, ended) = bounded(1);
        let stopped = self
            .flusher
            .send(FlushCommand::Stop)
            .map_err(|_gone| gone())
            .and_then(|()| self.join_last())
            .and_then(|()| self.writer.send(Command::Close(answer)).map_err(|_gone| gone()))
            .and_then(|()| ended.recv().map_err(|_gone| gone())?);
        self.memtable.close_subscriptions();
        self.join_last()?;
        stopped
    }

    fn join_last(&self) -> Result<()> {
        let thread = self.threads.lock().unwrap_or_else(PoisonError::into_inner).pop();
        match thread.map(JoinHandle::join) {
            None | Some(Ok(())) => Ok(()),
            Some(Err(_panic)) => Err(Error::unavailable("a thread of the store has ended early")),
        }
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        let running = !self.threads.lock().unwrap_or_else(PoisonError::into_inner).is_empty();
        if running && let Err(error) = self.stop() {
            tracing::debug!(%error, "the store was dropped without a clean end");
        }
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").field("dir", &self.config.dir).finish_non_exhaustive()
    }
}
