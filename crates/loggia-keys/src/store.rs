//! [`KeyStore`]: the directory of keys: making, opening, closing it, and what its other parts share.
//!
//! One process at a time holds it (`keys.lock`): caches and the change of epoch rely on that. Locks are taken in the order
//! writer, epoch, reader, cache.

use std::fmt;
use std::fs::{File, OpenOptions, TryLockError};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use rusqlite::Connection;

use crate::cache::Cache;
use crate::database::{self, Id, Kind, Numbers};
use crate::durable;
use crate::epoch::{self, Epoch};
use crate::error::{KeysError, Result};
use crate::resolve::{Queue, new_key, unwrap_row};
use crate::root::{Root, RootSecret};
use crate::secret::{KeyedHash, label};
use crate::verify;

const LOCK_FILE: &str = "keys.lock";
const NANOS_PER_MS: i64 = 1_000_000;

/// The keys of one store.
pub struct KeyStore {
    dir: PathBuf,
    root_file: Option<PathBuf>,
    root: Root,
    epoch: RwLock<Epoch>,
    writer: Mutex<Connection>,
    reader: Mutex<Connection>,
    queue: Queue,
    cache: Cache,
    index: KeyedHash,
    numbers: Numbers,
    /// An erasure could not empty the database's log because a reader was in the way; the next occasion does.
    checkpoint_due: AtomicBool,
    /// The database was not as it was closed last time.
    changed_while_closed: bool,
    _lock: File,
}

/// The keyed hashes of one tenant.
pub(crate) struct TenantHashers {
    lookup: Arc<KeyedHash>,
    grave: Arc<KeyedHash>,
}

/// What a keyed hash is taken of.
#[derive(Clone, Copy)]
pub(crate) enum Whose {
    Subject,
    Conversation,
}

impl Whose {
    fn message(self, id: &str) -> Vec<u8> {
        let domain: &[u8] = match self {
            Self::Subject => b"subject",
            Self::Conversation => b"conversation",
        };
        label(&[domain, id.as_bytes()])
    }
}

impl TenantHashers {
    /// Keyed hash by which an id is looked up.
    pub(crate) fn lookup(&self, whose: Whose, id: &str) -> Id {
        self.lookup.short(&whose.message(id))
    }

    /// Keyed hash by which an erased id is refused: another key than the look-up's, so that the list of the erased
    /// outlives a change of look-up keys.
    pub(crate) fn grave(&self, whose: Whose, id: &str) -> Id {
        self.grave.short(&whose.message(id))
    }
}

impl KeyStore {
    /// Makes a key store in `dir`, which must hold none. A root key file that is not there is made too.
    pub fn create(dir: &Path, root: &RootSecret, now_ns: i64) -> Result<Self> {
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(dir)
            .map_err(KeysError::io("create the directory", dir))?;
        let lock = lock(dir)?;
        for path in [database::path(dir), epoch::current_path(dir)] {
            if path.exists() {
                return Err(KeysError::Exists { path });
            }
        }
        let keys = Root::create(dir, root)?;
        let now_ms = now_ns.div_euclid(NANOS_PER_MS);
        let first = Epoch::generate(1, now_ms)?;
        first.save(&epoch::current_path(dir), &keys)?;
        let writer = database::create(dir)?;
        let id = Numbers::after(&writer)?.next_key()?;
        let (row, _index) = new_key(&first, id, Kind::Index, "", Some(""), None, now_ms)?;
        let failed = "store its first key";
        let start = writer.unchecked_transaction().map_err(KeysError::database(failed))?;
        database::insert_key(&start, &row, first.number)?;
        database::set_epoch(&start, first.number)?;
        start.commit().map_err(KeysError::database(failed))?;
        Self::assemble(dir, root, keys, first, writer, lock, false, now_ns)
    }

    /// Opens the key store in `dir`. Finishes a change of epoch that a crash cut short.
    pub fn open(dir: &Path, root: &RootSecret, now_ns: i64) -> Result<Self> {
        let path = database::path(dir);
        if !path.exists() {
            return Err(KeysError::Missing { path });
        }
        let lock = lock(dir)?;
        let keys = Root::open(dir, root)?;
        let writer = database::open(dir)?;
        let epoch = settle(dir, &keys, database::epoch(&writer)?)?;
        let changed = !verify::sum_holds(dir, &keys)?;
        Self::assemble(dir, root, keys, epoch, writer, lock, changed, now_ns)
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "the two ways of starting end here, each with all parts"
    )]
    fn assemble(
        dir: &Path,
        root: &RootSecret,
        keys: Root,
        epoch: Epoch,
        writer: Connection,
        lock: File,
        changed_while_closed: bool,
        now_ns: i64,
    ) -> Result<Self> {
        let index = database::key_by_name(&writer, Kind::Index, "", "")?
            .ok_or(KeysError::Tampered { what: "the key database (its index key)" })?;
        let index = unwrap_row(&epoch, &index)?.hasher();
        Ok(Self {
            dir: dir.to_path_buf(),
            root_file: match root {
                RootSecret::File(path) => Some(path.clone()),
                RootSecret::Passphrase(_) => None,
            },
            root: keys,
            epoch: RwLock::new(epoch),
            numbers: Numbers::after(&writer)?,
            reader: Mutex::new(database::connect(dir)?),
            writer: Mutex::new(writer),
            queue: Queue::default(),
            cache: Cache::new(now_ns),
            index,
            checkpoint_due: AtomicBool::new(false),
            changed_while_closed,
            _lock: lock,
        })
    }

    /// Tells the time, so that cached keys grow old on an idle server too.
    pub fn tick(&self, now_ns: i64) {
        self.cache.hear(now_ns);
        self.cache.expire();
        if self.checkpoint_due.load(Ordering::Relaxed) {
            // An error here comes again, and is told, when the store is closed.
            drop(self.checkpoint());
        }
    }

    /// Moves everything into the database file and empties its log.
    pub fn checkpoint(&self) -> Result<()> {
        let writer = self.writer();
        self.empty_log(&writer)
    }

    /// Closes the key store cleanly: log emptied, and a sum left by which the next start sees any change.
    pub fn close(self) -> Result<()> {
        self.checkpoint()?;
        let Self { dir, root, writer, reader, .. } = self;
        for connection in [reader, writer] {
            connection
                .into_inner()
                .unwrap_or_else(PoisonError::into_inner)
                .close()
                .map_err(|(_connection, error)| KeysError::database("close")(error))?;
        }
        verify::write_sum(&dir, &root)
    }

    /// Empties the database's log while no reader of ours is in the way.
    pub(crate) fn empty_log(&self, writer: &Connection) -> Result<()> {
        let reader = self.reader();
        let emptied = database::truncate_log(writer)?;
        drop(reader);
        self.checkpoint_due.store(!emptied, Ordering::Relaxed);
        Ok(())
    }

    /// The keyed hashes of a tenant, their keys made at first use.
    pub(crate) fn tenant_hashers(&self, tenant: &str) -> Result<TenantHashers> {
        Ok(TenantHashers {
            lookup: self.hasher(Kind::Lookup, tenant, "")?,
            grave: self.hasher(Kind::Graveyard, tenant, "")?,
        })
    }

    /// The keyed hashes of a tenant that has data; `None` for one that has none, and nothing is made for it.
    pub(crate) fn known_tenant(&self, tenant: &str) -> Result<Option<TenantHashers>> {
        match self.named_key(Kind::Lookup, tenant, "", false)? {
            Some(_) => self.tenant_hashers(tenant).map(Some),
            None => Ok(None),
        }
    }

    /// The keyed hash of that kind, tenant and name, its key made at first use.
    pub(crate) fn hasher(&self, kind: Kind, tenant: &str, name: &str) -> Result<Arc<KeyedHash>> {
        let cached = (kind, tenant.to_owned(), name.to_owned());
        if let Some(hasher) = self.cache.lock().hasher(&cached) {
            return Ok(hasher);
        }
        let key = self
            .named_key(kind, tenant, name, true)?
            .ok_or(KeysError::Unavailable { what: "a new key could not be stored" })?;
        let hasher = Arc::new(key.secret.hasher());
        self.cache.lock().put_hasher(cached, Arc::clone(&hasher));
        Ok(hasher)
    }

    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    pub(crate) fn root(&self) -> &Root {
        &self.root
    }

    pub(crate) fn root_file(&self) -> Option<&Path> {
        self.root_file.as_deref()
    }

    pub(crate) fn changed_while_closed(&self) -> bool {
        self.changed_while_closed
    }

    pub(crate) fn index(&self) -> &KeyedHash {
        &self.index
    }

    pub(crate) fn numbers(&self) -> &Numbers {
        &self.numbers
    }

    pub(crate) fn cache(&self) -> &Cache {
        &self.cache
    }

    pub(crate) fn queue(&self) -> &Queue {
        &self.queue
    }

    /// The time last heard, in milliseconds.
    pub(crate) fn now_ms(&self) -> i64 {
        self.cache.now_ns().div_euclid(NANOS_PER_MS)
    }

    pub(crate) fn writer(&self) -> MutexGuard<'_, Connection> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn reader(&self) -> MutexGuard<'_, Connection> {
        self.reader.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn epoch(&self) -> RwLockReadGuard<'_, Epoch> {
        self.epoch.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn epoch_mut(&self) -> RwLockWriteGuard<'_, Epoch> {
        self.epoch.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for KeyStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyStore({}, [redacted])", self.dir.display())
    }
}

/// Takes the key store for this process.
fn lock(dir: &Path) -> Result<File> {
    let path = dir.join(LOCK_FILE);
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(&path)
        .map_err(KeysError::io("open", &path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(KeysError::InUse { path: dir.to_path_buf() }),
        Err(TryLockError::Error(source)) => Err(KeysError::Io { what: "lock", path, source }),
    }
}

/// Finds the key of the epoch the database is in, and finishes or undoes a change of epoch that was cut short.
///
/// The order of a change is: `epoch.key.next` written; database committed in the new epoch; `epoch.key.next` renamed over
/// `epoch.key`. So the database alone says which of the two is right.
pub(crate) fn settle(dir: &Path, root: &Root, stored: u64) -> Result<Epoch> {
    let (current, next) = (epoch::current_path(dir), epoch::next_path(dir));
    let present = Epoch::load(&current, root)?;
    if let Some(epoch) = present.filter(|epoch| epoch.number == stored) {
        durable::remove(&next)?;
        return Ok(epoch);
    }
    match Epoch::load(&next, root)? {
        Some(epoch) if epoch.number == stored => {
            durable::rename_over(&next, &current)?;
            Ok(epoch)
        }
        Some(_) => Err(KeysError::Tampered { what: "the epoch key (it is not the database's)" }),
        None if current.exists() => {
            Err(KeysError::Tampered { what: "the epoch key (it is not the database's)" })
        }
        None => Err(KeysError::Missing { path: current }),
    }
}

#[cfg(test)]
mod tests;
