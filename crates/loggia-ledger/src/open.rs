//! Opening a ledger: make it if it is new, otherwise check that journal and checkpoint agree.
//!
//! The journal is read from its start. What the signed checkpoint and the signed head cover must be
//! there to the byte, or the ledger does not open; what lies behind may end in a torn frame, which
//! was never acknowledged and is cut.

use std::fs::{File, TryLockError};
use std::io;
use std::path::Path;

use crate::checkpoint::{Checkpoint, JournalHead};
use crate::durable::{self, io_error};
use crate::entry::Entry;
use crate::error::LedgerError;
use crate::journal::{self, Frame, Header, Index, Next, Reader};
use crate::note::Signer;
use crate::publish::{self, CHECKPOINT_FILE, HEAD_FILE, Published, VKEY_FILE};
use crate::sequence::State;
use crate::tree::Tree;

/// A ledger as found on disk, ready to go on.
pub(crate) struct Opened {
    /// Keeps other processes out for as long as it is open.
    pub(crate) lock: File,
    /// The tree that the checkpoint signs.
    pub(crate) tree: Tree,
    pub(crate) published: Published,
    pub(crate) state: State,
}

/// Opens the ledger in `dir`, or makes it.
pub(crate) fn open(dir: &Path, header: &Header, signer: &Signer) -> Result<Opened, LedgerError> {
    std::fs::create_dir_all(dir).map_err(|e| io_error("create", &dir.to_string_lossy(), e))?;
    let lock = lock(dir)?;
    durable::prepare(dir)?;
    let note = match durable::read_text(dir, CHECKPOINT_FILE) {
        Err(LedgerError::NotFound(_)) => create(dir, header, signer)?,
        other => other?,
    };
    check_vkey(dir, signer)?;
    let checkpoint = Checkpoint::verify(&note, signer.key()).map_err(in_file(CHECKPOINT_FILE))?;
    let head = JournalHead::verify(&durable::read_text(dir, HEAD_FILE)?, signer.key())
        .map_err(in_file(HEAD_FILE))?;
    if head.size < checkpoint.size {
        return Err(corrupt(HEAD_FILE, None, "it signs fewer entries than the checkpoint"));
    }
    let signed = Signed { published: Published { checkpoint, note }, head };
    replay(dir, lock, header, signed)
}

/// Takes the folder for this process.
fn lock(dir: &Path) -> Result<File, LedgerError> {
    let file = File::open(dir).map_err(|error| io_error("open", ".", error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            Err(LedgerError::InUse(dir.to_string_lossy().into_owned()))
        }
        Err(TryLockError::Error(error)) => Err(io_error("lock", ".", error)),
    }
}

/// Makes the files of an empty ledger, the checkpoint last; returns the checkpoint.
fn create(dir: &Path, header: &Header, signer: &Signer) -> Result<String, LedgerError> {
    match Reader::open(dir).map(|(found, mut reader)| (found, reader.next())) {
        Err(LedgerError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {}
        // Making it was cut short before the first entry could be taken.
        Ok((found, Ok(Next::End))) if found == *header => {}
        Err(error @ LedgerError::Io { .. }) => return Err(error),
        Ok((_, Err(error))) => return Err(io_error("read", journal::FILE, error)),
        Ok(_) | Err(_) => {
            return Err(corrupt(CHECKPOINT_FILE, None, "it is missing, and there are entries"));
        }
    }
    let empty = publish::sign(signer, &Tree::default())?;
    let head = JournalHead { size: 0, chain: header.chain() }.sign(signer)?;
    let files = [
        (VKEY_FILE, format!("{}\n", signer.key()).into_bytes()),
        (journal::FILE, header.to_bytes()),
        (HEAD_FILE, head.into_bytes()),
    ];
    let files = files.iter().map(|(name, bytes)| ((*name).to_owned(), bytes.as_slice()));
    durable::write_all(dir, files)?;
    durable::write_all(dir, [(CHECKPOINT_FILE.to_owned(), empty.note.as_bytes())])?;
    Ok(empty.note)
}

fn check_vkey(dir: &Path, signer: &Signer) -> Result<(), LedgerError> {
    let expected = format!("{}\n", signer.key());
    if durable::read_text(dir, VKEY_FILE)? == expected {
        return Ok(());
    }
    Err(LedgerError::invalid(format!(
        "the ledger in `{}` has another name or signing key than `{}`",
        dir.display(),
        signer.key()
    )))
}

/// What has been signed of this ledger.
struct Signed {
    published: Published,
    head: JournalHead,
}

/// Reads the journal and checks it against what was signed.
fn replay(dir: &Path, lock: File, header: &Header, signed: Signed) -> Result<Opened, LedgerError> {
    let Signed { published, head } = signed;
    let (found, mut reader) = Reader::open(dir)?;
    if found != *header {
        return Err(corrupt(journal::FILE, None, "it belongs to another ledger or shard"));
    }
    let checkpoint = &published.checkpoint;
    let signed_size = head.size;
    let mut tree = Tree::default();
    let mut state = State { index: Index::new(reader.mark()), pending: Vec::new() };
    loop {
        let seq = state.index.entries();
        if seq == checkpoint.size && tree.root() != checkpoint.root {
            let what = "the entries are not those that the checkpoint signs";
            return Err(corrupt(journal::FILE, None, what));
        }
        if seq == head.size && reader.mark().chain != head.chain {
            return Err(corrupt(journal::FILE, None, "the records are not those that were signed"));
        }
        match reader.next().map_err(|error| io_error("read", journal::FILE, error))? {
            Next::Frame(frame) => {
                check_frame(&frame, seq, header.shard)
                    .map_err(|what| corrupt(journal::FILE, Some(seq), &what))?;
                if seq < checkpoint.size {
                    // The tiles that become full here were written before the checkpoint.
                    tree.push(&frame.leaf, &mut drop);
                } else {
                    state.pending.push(frame.leaf);
                }
                state.index.push(reader.mark());
            }
            Next::Broken(what) if seq < signed_size => {
                return Err(corrupt(journal::FILE, Some(seq), what));
            }
            Next::End if seq < signed_size => {
                let what = format!("it ends here, but {signed_size} entries were signed");
                return Err(corrupt(journal::FILE, Some(seq), &what));
            }
            // A torn tail: it was not synced, so nobody was told that it exists.
            Next::Broken(_) | Next::End => return Ok(Opened { lock, tree, published, state }),
        }
    }
}

/// Checks that a frame holds the entry that belongs at its place; returns what does not fit.
pub(crate) fn check_frame(frame: &Frame, seq: u64, shard: u32) -> Result<Entry, String> {
    let entry = Entry::from_bytes(&frame.leaf).map_err(|error| error.to_string())?;
    if entry.seq != seq {
        return Err(format!("the entry says that its number is {}", entry.seq));
    }
    if entry.shard != shard {
        return Err(format!("the entry says that its shard is {}", entry.shard));
    }
    Ok(entry)
}

fn corrupt(file: &str, index: Option<u64>, what: &str) -> LedgerError {
    LedgerError::Corrupt { file: file.to_owned(), index, what: what.to_owned() }
}

fn in_file(file: &'static str) -> impl Fn(LedgerError) -> LedgerError {
    move |error| corrupt(file, None, &error.to_string())
}
