//! The writer thread: the only owner of the log, one commit point for every batch.
//!
//! It takes what waits in the bounded queue (so a group grows with the time the disk needs for the last one), writes and
//! syncs it once, makes it visible, and only then answers, in order. After a failed sync nothing is accepted any more.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, TryRecvError, bounded};
use loggia_keys::Sealed;

use crate::config::StoreConfig;
use crate::error::{Error, Result};
use crate::flush::FlushSignal;
use crate::health::{Health, describe};
use crate::memtable::{Committing, Load, Memtable};
use crate::wal::{Position, Wal};

/// A batch that is durable and visible. Only the writer thread makes one, after `fdatasync`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Committed {
    position: Position,
    write_id: [u8; 16],
    rows: usize,
}

impl Committed {
    /// Number of the log file the batch stands in.
    #[must_use]
    pub fn wal_seq(&self) -> u64 {
        self.position.seq
    }

    /// Number of the batch within its log file; with [`Self::wal_seq`] it orders all commits.
    #[must_use]
    pub fn counter(&self) -> u64 {
        self.position.counter
    }

    /// The write attempt that was committed.
    #[must_use]
    pub fn write_id(&self) -> [u8; 16] {
        self.write_id
    }

    /// Number of rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }
}

/// An append on its way: wait for it, or drop it, which does not take it back.
pub struct Pending {
    answer: Receiver<Result<Committed>>,
}

impl Pending {
    /// Blocks until the batch is durable and visible.
    ///
    /// # Errors
    /// Fails when it could not be made so; then it is not visible. After a failed sync it may reappear on reopening.
    pub fn wait(self) -> Result<Committed> {
        self.answer.recv().unwrap_or_else(|_closed| Err(Error::unavailable("the store is closed")))
    }
}

impl fmt::Debug for Pending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pending").finish_non_exhaustive()
    }
}

/// What a flush starts from: everything committed up to the end of log file `wal_seq`.
pub(crate) struct Frozen {
    pub(crate) wal_seq: u64,
    pub(crate) batches: Vec<Arc<Sealed>>,
}

pub(crate) enum Command {
    Append(Request),
    /// Ends the log file and sets the memtable apart.
    Freeze(Sender<Result<Frozen>>),
    /// Ends the log file and the thread.
    Close(Sender<Result<u64>>),
}

pub(crate) struct Request {
    body: Vec<u8>,
    sealed: Arc<Sealed>,
    answer: Sender<Result<Committed>>,
}

/// Makes the writer's command for an encoded batch, and the caller's end of it.
pub(crate) fn request(sealed: Sealed, body: Vec<u8>) -> (Command, Pending) {
    let (sender, answer) = bounded(1);
    (
        Command::Append(Request { body, sealed: Arc::new(sealed), answer: sender }),
        Pending { answer },
    )
}

pub(crate) struct Writer {
    pub(crate) config: StoreConfig,
    pub(crate) wal: Wal,
    pub(crate) memtable: Arc<Memtable>,
    pub(crate) health: Arc<Health>,
    pub(crate) commands: Receiver<Command>,
    pub(crate) flush: FlushSignal,
}

impl Writer {
    /// Serves commands until one closes the store or every sender is gone.
    pub(crate) fn run(mut self) {
        while let Ok(first) = self.commands.recv() {
            let (group, then) = self.gather(first);
            if !group.is_empty() {
                self.commit(group);
            }
            match then {
                Some(Command::Freeze(answer)) => reply(&answer, self.freeze()),
                Some(Command::Close(answer)) => return reply(&answer, self.finish()),
                Some(Command::Append(_)) | None => {}
            }
        }
    }

    /// Takes what waits, up to the group's limit or the first command of another kind.
    fn gather(&self, first: Command) -> (Vec<Request>, Option<Command>) {
        let mut group = Vec::new();
        let mut bytes = 0_usize;
        let mut next = Some(first);
        let mut waited = self.config.commit_delay_us == 0;
        while bytes < self.config.commit_bytes_max {
            let command = match next.take() {
                Some(command) => command,
                None => match self.commands.try_recv() {
                    Ok(command) => command,
                    Err(TryRecvError::Empty) if !waited => {
                        waited = true;
                        let delay = Duration::from_micros(self.config.commit_delay_us);
                        match self.commands.recv_timeout(delay) {
                            Ok(command) => command,
                            Err(_) => break,
                        }
                    }
                    Err(TryRecvError::Empty | TryRecvError::Disconnected) => break,
                },
            };
            match command {
                Command::Append(request) => {
                    bytes = bytes.saturating_add(request.body.len());
                    group.push(request);
                }
                control @ (Command::Freeze(_) | Command::Close(_)) => {
                    return (group, Some(control));
                }
            }
        }
        (group, None)
    }

    /// Write, sync, apply, answer.
    fn commit(&mut self, group: Vec<Request>) {
        let mut bodies = Vec::with_capacity(group.len());
        let mut batches = Vec::with_capacity(group.len());
        let mut answers = Vec::with_capacity(group.len());
        for request in group {
            batches.push(Committing { sealed: request.sealed, bytes: request.body.len() as u64 });
            bodies.push(request.body);
            answers.push(request.answer);
        }
        match self.make_visible(bodies, &batches) {
            Ok(positions) => {
                for ((answer, batch), position) in answers.iter().zip(&batches).zip(positions) {
                    let (write_id, rows) = (batch.sealed.write_id(), batch.sealed.rows());
                    reply(answer, Ok(Committed { position, write_id, rows }));
                }
            }
            Err(error) => {
                self.health.note(&error);
                batches.iter().for_each(|batch| self.memtable.release(batch.bytes));
                let what = describe(&error);
                for answer in answers {
                    reply(&answer, Err(Error::unavailable(what.as_str())));
                }
            }
        }
    }

    fn make_visible(
        &mut self,
        bodies: Vec<Vec<u8>>,
        batches: &[Committing],
    ) -> Result<Vec<Position>> {
        self.health.check()?;
        let positions = self.wal.append(bodies)?;
        self.config.reach("wal.durable")?;
        let load = self.memtable.publish(batches);
        self.config.reach("wal.visible")?;
        if is_due(&self.config, load) {
            self.flush.wake();
        }
        Ok(positions)
    }

    fn freeze(&mut self) -> Result<Frozen> {
        let wal_seq = self.finish()?;
        Ok(Frozen { wal_seq, batches: self.memtable.freeze() })
    }

    fn finish(&mut self) -> Result<u64> {
        self.health.check()?;
        self.wal.finish().inspect_err(|error| self.health.note(error))
    }
}

/// Whether enough is in memory for a flush; age is the flusher's matter.
pub(crate) fn is_due(config: &StoreConfig, load: Load) -> bool {
    load.rows >= config.flush_rows_max || load.bytes >= config.flush_bytes_max
}

fn reply<T>(answer: &Sender<T>, value: T) {
    // Whoever asked may have gone; the outcome stands all the same.
    if answer.send(value).is_err() {
        tracing::debug!("nobody waited for an answer of the log");
    }
}
