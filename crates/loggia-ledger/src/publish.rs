//! The publisher: brings durable entries into the tree, writes the tiles and signs.
//!
//! One thread owns the tree. The order of a publication is the order in which a crash leaves it
//! sound: tiles, then the signed head of the journal, then the checkpoint, which is the commit point.
//! Whatever a crash leaves undone is done again from the journal on the next open.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, select, tick};

use crate::checkpoint::{Checkpoint, JournalHead};
use crate::durable;
use crate::error::LedgerError;
use crate::note::Signer;
use crate::sequence::Shared;
use crate::tree::{TileFile, Tree};

/// The name of the checkpoint in its folder, as the format has it.
pub(crate) const CHECKPOINT_FILE: &str = "checkpoint";

/// The name of the signed head of the journal.
pub(crate) const HEAD_FILE: &str = "journal.head";

/// The name of the file that holds the verifier key.
pub(crate) const VKEY_FILE: &str = "vkey";

/// How many entries become tiles in one go; this bounds the memory that a publication needs.
const STEP_ENTRIES_MAX: usize = 16_384;

/// The newest checkpoint.
#[derive(Debug)]
pub(crate) struct Published {
    pub(crate) checkpoint: Checkpoint,
    pub(crate) note: String,
}

/// Where the newest checkpoint is kept for readers.
#[derive(Debug)]
pub(crate) struct Current(RwLock<Arc<Published>>);

impl Current {
    pub(crate) fn new(published: Published) -> Self {
        Self(RwLock::new(Arc::new(published)))
    }

    pub(crate) fn get(&self) -> Arc<Published> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn set(&self, published: Published) -> Arc<Published> {
        let published = Arc::new(published);
        let mut current = self.0.write().unwrap_or_else(PoisonError::into_inner);
        *current = Arc::clone(&published);
        published
    }
}

/// What the publisher is asked to do.
pub(crate) enum Command {
    /// Publish what is durable now and answer.
    Publish(Sender<Result<Arc<Published>, LedgerError>>),
    /// Publish one last time, answer and end.
    Stop(Sender<Result<Arc<Published>, LedgerError>>),
}

/// The owner of the tree.
pub(crate) struct Publisher {
    pub(crate) dir: PathBuf,
    pub(crate) signer: Arc<Signer>,
    pub(crate) tree: Tree,
    pub(crate) shared: Arc<Shared>,
    pub(crate) current: Arc<Current>,
    /// Held while files change, so that a verifier of the open ledger can hold it too.
    pub(crate) gate: Arc<Mutex<()>>,
}

impl Publisher {
    /// Publishes every `interval` and on command until told to stop.
    pub(crate) fn run(mut self, commands: &Receiver<Command>, interval: Duration) {
        let ticks = tick(interval);
        loop {
            let command = select! {
                recv(commands) -> command => match command {
                    Ok(command) => Some(command),
                    Err(_nobody_left) => break,
                },
                recv(ticks) -> _tick => None,
            };
            match command {
                None => {
                    // A failure stops the ledger; the next append or checkpoint reports it.
                    let _reported_later = self.publish().is_err();
                }
                Some(Command::Publish(reply)) => {
                    let _gone = reply.send(self.publish()).is_err();
                }
                Some(Command::Stop(reply)) => {
                    let _gone = reply.send(self.publish()).is_err();
                    break;
                }
            }
        }
    }

    /// Publishes everything that is durable; a failure stops the ledger.
    pub(crate) fn publish(&mut self) -> Result<Arc<Published>, LedgerError> {
        let gate = Arc::clone(&self.gate);
        let _held = gate.lock().unwrap_or_else(PoisonError::into_inner);
        self.shared.check()?;
        self.publish_pending().inspect_err(|error| {
            self.shared.stop(format!("publishing failed: {error}"));
        })
    }

    fn publish_pending(&mut self) -> Result<Arc<Published>, LedgerError> {
        let (leaves, head) = {
            let mut state = self.shared.state();
            let leaves = std::mem::take(&mut state.pending);
            let end = state.index.end();
            (leaves, JournalHead { size: state.index.entries(), chain: end.chain })
        };
        if leaves.is_empty() {
            return Ok(self.current.get());
        }
        let mut replaced = Vec::new();
        for step in leaves.chunks(STEP_ENTRIES_MAX) {
            let mut files = Vec::new();
            for leaf in step {
                self.tree.push(leaf, &mut |file| files.push(file));
            }
            replaced.extend(files.iter().map(|file| file.path.partial_dir()));
            self.write_tiles(&files)?;
        }
        self.write_tiles(&self.tree.partials())?;
        if head.size != self.tree.size() {
            return Err(LedgerError::internal("the tree and the journal have different sizes"));
        }
        let published = self.sign(&head)?;
        // Partial tiles go when the full one is there and signed; readers fall back to that.
        replaced.iter().try_for_each(|folder| durable::remove_folder(&self.dir, folder))?;
        Ok(published)
    }

    fn write_tiles(&self, files: &[TileFile]) -> Result<(), LedgerError> {
        let files = files.iter().map(|file| (file.path.to_string(), file.bytes.as_slice()));
        durable::write_all(&self.dir, files)
    }

    /// Signs the journal's head and the tree; the checkpoint taking its place is the commit point.
    fn sign(&self, head: &JournalHead) -> Result<Arc<Published>, LedgerError> {
        let before = durable::read_text(&self.dir, CHECKPOINT_FILE)?;
        if before != self.current.get().note {
            return Err(LedgerError::Corrupt {
                file: CHECKPOINT_FILE.into(),
                index: None,
                what: "somebody else wrote it while the ledger was open".into(),
            });
        }
        let published = sign(&self.signer, &self.tree)?;
        write_signed(&self.dir, HEAD_FILE, &head.sign(&self.signer)?)?;
        write_signed(&self.dir, CHECKPOINT_FILE, &published.note)?;
        Ok(self.current.set(published))
    }
}

/// Signs a tree.
pub(crate) fn sign(signer: &Signer, tree: &Tree) -> Result<Published, LedgerError> {
    let origin = signer.key().name().to_owned();
    let checkpoint = Checkpoint { origin, size: tree.size(), root: tree.root() };
    let note = checkpoint.sign(signer)?;
    Ok(Published { checkpoint, note })
}

fn write_signed(dir: &std::path::Path, name: &str, note: &str) -> Result<(), LedgerError> {
    durable::write_all(dir, [(name.to_owned(), note.as_bytes())])
}
