//! The flush thread: moves what is in memory into segments, and the log behind it away.
//!
//! Steps, each with a fault point: freeze (end the log file, set the memtable apart) → announce the files → write and sync
//! them → publish in one catalog transaction (the commit point) → swap the snapshots → remove the drained log files →
//! ledger. A failure before the commit point leaves memory and log as they were; the next try starts over with new files.
//! What fails after it is done again later, by the same code.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_lc_rs::rand;
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, TrySendError, bounded};
use loggia_keys::KeyStore;
use loggia_ledger::{Clock, EntryKind, Ledger, NewEntry};

use crate::catalog::{Catalog, PendingFile};
use crate::commit::{Command, Frozen, is_due};
use crate::config::StoreConfig;
use crate::durable;
use crate::error::{Error, Result};
use crate::format::bytes::Put as _;
use crate::health::{Health, describe};
use crate::layout::{self, SegmentId};
use crate::memtable::Memtable;
use crate::segment::{Day, NewSegment, SegmentEntry, SegmentInfo, split_by_day, write_segment};
use crate::sidecar::hex;
use crate::wal;

/// Label under which the ledger records of this crate are sealed.
pub const LEDGER_LABEL: &str = "loggia/v1/ledger/segment";

/// How often the age of what is in memory is looked at.
const AGE_CHECK: Duration = Duration::from_millis(250);
const NANOS_PER_MS: i64 = 1_000_000;

pub(crate) enum FlushCommand {
    /// Look whether a flush is due.
    Check,
    /// Flush now, and answer.
    Flush(Sender<Result<()>>),
    Stop,
}

/// The writer's way to wake the flush thread, which never blocks it.
#[derive(Clone)]
pub(crate) struct FlushSignal {
    pub(crate) commands: Sender<FlushCommand>,
}

impl FlushSignal {
    pub(crate) fn wake(&self) {
        match self.commands.try_send(FlushCommand::Check) {
            // Full: it is awake already. Gone: the store is closing.
            Ok(()) | Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {}
        }
    }
}

pub(crate) struct Flusher {
    pub(crate) config: StoreConfig,
    pub(crate) keys: Arc<KeyStore>,
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) memtable: Arc<Memtable>,
    pub(crate) catalog: Arc<Mutex<Option<Catalog>>>,
    pub(crate) health: Arc<Health>,
    pub(crate) writer: Sender<Command>,
    pub(crate) commands: Receiver<FlushCommand>,
    /// Frozen by an earlier try that did not get to its commit point.
    pub(crate) pending: Option<Frozen>,
    /// Whether everything that follows the commit points so far has been done.
    pub(crate) settled: bool,
}

impl Flusher {
    /// Serves commands until told to stop.
    pub(crate) fn run(mut self) {
        let mut wait = Duration::ZERO;
        loop {
            let outcome = match self.commands.recv_timeout(wait) {
                Ok(FlushCommand::Flush(answer)) => {
                    let outcome = self.flush_all();
                    let failed = outcome.is_err();
                    if answer.send(outcome).is_err() {
                        tracing::debug!("nobody waited for the flush");
                    }
                    if failed { Err(()) } else { Ok(()) }
                }
                Ok(FlushCommand::Check) | Err(RecvTimeoutError::Timeout) => self.flush_if_due(),
                Ok(FlushCommand::Stop) | Err(RecvTimeoutError::Disconnected) => return,
            };
            wait = match outcome {
                Ok(()) => AGE_CHECK,
                Err(()) => Duration::from_millis(self.config.flush_retry_ms),
            };
        }
    }

    fn flush_if_due(&mut self) -> Result<(), ()> {
        if self.health.check().is_err() {
            return Ok(());
        }
        if !self.settled {
            self.settle();
        }
        let load = self.memtable.load();
        let age_ns = load.oldest_ns.map_or(0, |oldest| self.clock.now_ns().saturating_sub(oldest));
        let age_max_ns = i64::try_from(self.config.flush_age_ms)
            .unwrap_or(i64::MAX)
            .saturating_mul(NANOS_PER_MS);
        let old = load.oldest_ns.is_some() && age_ns >= age_max_ns;
        if self.pending.is_none() && !old && !is_due(&self.config, load) {
            return Ok(());
        }
        self.flush_all().map_err(|error| {
            tracing::warn!(reason = describe(&error), "a flush failed and will be tried again");
        })
    }

    /// Flushes what is in memory now, and first what an earlier try left.
    fn flush_all(&mut self) -> Result<()> {
        self.health.check()?;
        if let Some(frozen) = self.pending.take() {
            self.flush(frozen)?;
        }
        let frozen = self.freeze()?;
        self.flush(frozen)
    }

    fn freeze(&self) -> Result<Frozen> {
        let (answer, frozen) = bounded(1);
        let gone = || Error::unavailable("the store is closed");
        self.writer.send(Command::Freeze(answer)).map_err(|_gone| gone())?;
        frozen.recv().map_err(|_gone| gone())?
    }

    /// The steps of a flush.
    fn flush(&mut self, frozen: Frozen) -> Result<()> {
        if !frozen.batches.is_empty() {
            let segments = match self.publish(&frozen) {
                Ok(segments) => segments,
                Err(error) => {
                    self.health.note(&error);
                    self.pending = Some(frozen);
                    return Err(error);
                }
            };
            self.stop_at("flush.published")?;
            self.memtable.swap(segments);
            self.stop_at("flush.swapped")?;
        }
        self.settle();
        self.health.check()
    }

    /// Up to and including the commit point.
    fn publish(&self, frozen: &Frozen) -> Result<Vec<Arc<SegmentInfo>>> {
        self.config.reach("flush.frozen")?;
        let now_ns = self.clock.now_ns();
        let days = split_by_day(&frozen.batches)?;
        let files = days.iter().map(|day| announced(day, now_ns)).collect::<Result<Vec<_>>>()?;
        self.with_catalog(|catalog| catalog.announce(&files))?;
        let published = self.publish_files(frozen.wal_seq, &days, &files, now_ns);
        if published.as_ref().is_err_and(|error| !error.is_fatal()) {
            self.clean_up(&files);
        }
        published
    }

    fn publish_files(
        &self,
        wal_seq: u64,
        days: &[Day],
        files: &[PendingFile],
        now_ns: i64,
    ) -> Result<Vec<Arc<SegmentInfo>>> {
        self.config.reach("flush.announced")?;
        let segments = self.write_all(days, files, now_ns)?;
        let infos = segments
            .iter()
            .map(|new| {
                let schema = Arc::clone(&new.schema);
                SegmentInfo::new(&self.config.dir, new.entry.clone(), schema).map(Arc::new)
            })
            .collect::<Result<Vec<_>>>()?;
        self.config.reach("flush.written")?;
        // INVARIANT: nothing can fail between the commit and the return, or the try would be taken for a failed one.
        self.with_catalog(|catalog| catalog.publish(&segments, wal_seq, now_ns))?;
        Ok(infos)
    }

    /// A fault point behind the commit point: it can stop the store, not undo what was committed.
    fn stop_at(&self, point: &'static str) -> Result<()> {
        self.config.reach(point).inspect_err(|error| self.health.fail(error))
    }

    fn write_all(
        &self,
        days: &[Day],
        files: &[PendingFile],
        now_ns: i64,
    ) -> Result<Vec<NewSegment>> {
        let mut out = Vec::with_capacity(days.len());
        for (day, file) in days.iter().zip(files) {
            self.config.reach("flush.write")?;
            let key =
                self.keys.file_key(&file.tenant, &file.stream, &file.day, &file.id.0, true)?;
            let rows_max = self.config.row_group_rows_max;
            out.push(write_segment(&self.config.dir, day, file.id, &key, rows_max, now_ns)?);
        }
        Ok(out)
    }

    /// Removes the files of a try that failed; what cannot be removed now is removed on the next open.
    fn clean_up(&self, files: &[PendingFile]) {
        let removed = remove_announced(&self.config.dir, files)
            .and_then(|()| self.with_catalog(|catalog| catalog.withdraw(files)));
        if let Err(error) = removed {
            tracing::warn!(reason = describe(&error), "files of a failed flush were left behind");
        }
    }

    /// What follows a commit point: drained log files go, the ledger is told. Tried again until it is done, also by the next open.
    fn settle(&mut self) {
        let settled = self.remove_drained().and_then(|()| self.tell_ledger());
        self.settled = settled.is_ok();
        if let Err(error) = settled {
            self.health.note(&error);
            tracing::warn!(reason = describe(&error), "work after a flush will be tried again");
        }
    }

    fn remove_drained(&self) -> Result<()> {
        let flushed = self.with_catalog(|catalog| Ok(catalog.position().wal_flushed))?;
        remove_drained(&self.config, &self.keys, flushed)
    }

    fn tell_ledger(&self) -> Result<()> {
        let waiting = self.with_catalog(|catalog| catalog.without_ledger_entry())?;
        for entry in waiting {
            let now_ns = self.clock.now_ns();
            let index = publish_entry(&self.keys, &self.ledger, &entry, now_ns)?;
            self.config.reach("flush.ledger")?;
            self.with_catalog(|catalog| catalog.set_ledger_index(&entry, index, now_ns))?;
            self.memtable.note_ledger_index(&entry, index);
        }
        Ok(())
    }

    fn with_catalog<T>(&self, work: impl FnOnce(&mut Catalog) -> Result<T>) -> Result<T> {
        let mut guard = self.catalog.lock().unwrap_or_else(PoisonError::into_inner);
        guard.as_mut().map_or_else(|| Err(Error::unavailable("the store is closed")), work)
    }
}

/// Chooses the id of a new segment.
fn announced(day: &Day, now_ns: i64) -> Result<PendingFile> {
    let mut random = [0; 10];
    rand::fill(&mut random)
        .map_err(|_unspecified| Error::unavailable("the system has no randomness"))?;
    Ok(PendingFile {
        id: SegmentId::new(now_ns, random),
        tenant: day.tenant.clone(),
        stream: day.schema.name().to_owned(),
        day: day.day.clone(),
    })
}

/// Removes files that were announced and never published, finished or not.
pub(crate) fn remove_announced(root: &Path, files: &[PendingFile]) -> Result<()> {
    for file in files {
        let dir = root.join(layout::day_dir(&file.tenant, &file.stream, &file.day)?);
        let (parquet, content) = layout::segment_files(&dir, file.id);
        for path in [parquet, content] {
            let mut temp = path.clone().into_os_string();
            temp.push(".");
            temp.push(durable::TEMP_SUFFIX);
            durable::remove(&path)?;
            durable::remove(temp.as_ref())?;
        }
        if dir.is_dir() {
            durable::sync_dir(&dir)?;
        }
    }
    Ok(())
}

/// Removes log files that are in segments: first their keys, then the files.
pub(crate) fn remove_drained(config: &StoreConfig, keys: &KeyStore, flushed: u64) -> Result<()> {
    let drained: Vec<u64> =
        wal::list(&config.dir)?.into_iter().filter(|seq| *seq <= flushed).collect();
    for seq in &drained {
        config.reach("flush.drain")?;
        let path = config.dir.join(layout::wal_file(*seq));
        // A damaged header hides which key to forget; the file itself goes all the same.
        match wal::read_header(&config.dir, *seq) {
            Ok(header) => keys.forget_wal_key(&header.wrapped_key)?,
            Err(error) => {
                tracing::warn!(reason = describe(&error), "the key of a drained log file stays");
            }
        }
        durable::remove(&path)?;
    }
    if !drained.is_empty() {
        durable::sync_dir(&config.dir.join(layout::WAL_DIR))?;
    }
    Ok(())
}

/// Writes the ledger entry of a published segment. The object is SHA-256 of the two files' digests end to end; the record
/// holds the blind of the commitment (32 bytes), then the payload.
fn publish_entry(
    keys: &KeyStore,
    ledger: &Ledger,
    entry: &SegmentEntry,
    now_ns: i64,
) -> Result<u64> {
    let payload = payload_of(entry);
    let (commitment, blind) = loggia_ledger::commit(payload.as_bytes())?;
    let mut record = Vec::with_capacity(payload.len().saturating_add(32));
    record.put(blind.as_bytes());
    record.put(payload.as_bytes());
    let sealed = keys.seal_blob(LEDGER_LABEL, commitment.as_bytes(), &record, now_ns)?;
    let receipt = ledger.append(NewEntry {
        kind: EntryKind::SegmentPublished,
        policy: entry.policies.last().map(|policy| policy.0).unwrap_or_default(),
        commitment,
        object: Some(object_digest(entry)),
        record: &sealed,
    })?;
    Ok(receipt.index())
}

/// What the ledger knows a segment by.
pub(crate) fn object_digest(entry: &SegmentEntry) -> [u8; 32] {
    let both = [entry.sha256, entry.content_sha256].concat();
    crate::format::schema::digest_of(&both)
}

/// Counts and digests, never content. Names come from the policy and were checked there; what JSON escapes is escaped.
fn payload_of(entry: &SegmentEntry) -> String {
    let policies: Vec<String> =
        entry.policies.iter().map(|policy| format!("\"{policy}\"")).collect();
    format!(
        concat!(
            r#"{{"segment":"{}","tenant":{},"stream":{},"day":"{}","rows":{},"bytes":{},"content_bytes":{},"#,
            r#""time_min_ns":{},"time_max_ns":{},"sha256":"{}","content_sha256":"{}","policies":[{}]}}"#
        ),
        entry.id,
        json_string(&entry.tenant),
        json_string(&entry.stream),
        entry.day,
        entry.rows,
        entry.bytes,
        entry.content_bytes,
        entry.time_min_ns,
        entry.time_max_ns,
        hex(&entry.sha256),
        hex(&entry.content_sha256),
        policies.join(",")
    )
}

fn json_string(text: &str) -> String {
    let mut out = String::with_capacity(text.len().saturating_add(2));
    out.push('"');
    for char in text.chars() {
        match char {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            char if char < ' ' => out.push_str(&format!("\\u{:04x}", u32::from(char))),
            char => out.push(char),
        }
    }
    out.push('"');
    out
}
