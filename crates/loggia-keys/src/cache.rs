//! Unwrapped keys in memory: bounded, at most a minute old, and purged at once by an erasure.
//!
//! A thread that read a key before an erasure must not put it back afterwards: every erasure starts a new generation, and what was
//! read in an older one is not remembered.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lru::LruCache;

use crate::database::{Id, Kind};
use crate::secret::{KeyedHash, Secret};

/// Longest time a key stays here without being unwrapped again.
const TTL_NS: i64 = 60_000_000_000;
const SUBJECTS_MAX: usize = 65_536;
const CONVERSATIONS_MAX: usize = 65_536;
const KEYS_MAX: usize = 65_536;
const NAMED_MAX: usize = 4_096;
const HASHERS_MAX: usize = 4_096;

/// A key with its id.
#[derive(Clone)]
pub(crate) struct HeldKey {
    pub(crate) id: Id,
    pub(crate) secret: Arc<Secret>,
}

/// A person: handle and current key.
#[derive(Clone)]
pub(crate) struct SubjectEntry {
    /// Sequence number of the look-up.
    pub(crate) seq: i64,
    pub(crate) handle: Id,
    pub(crate) key: HeldKey,
}

/// A conversation: the subject it belongs to, and its own key, as far as known.
#[derive(Clone)]
pub(crate) struct ConversationEntry {
    /// Sequence number of the subject's look-up.
    pub(crate) subject: Option<i64>,
    pub(crate) key: Option<HeldKey>,
}

/// Names a key that has a name.
pub(crate) type Name = (Kind, String, String);

struct Aged<T> {
    value: T,
    since_ns: i64,
}

struct Inner {
    generation: u64,
    subjects: LruCache<Id, Aged<SubjectEntry>>,
    conversations: LruCache<Id, Aged<ConversationEntry>>,
    keys: LruCache<Id, Aged<Arc<Secret>>>,
    named: LruCache<Name, Aged<HeldKey>>,
    /// Keyed hashes of a tenant: no erasure destroys them, so they may stay.
    hashers: LruCache<Name, Arc<KeyedHash>>,
}

/// The cache of one key store.
pub(crate) struct Cache {
    inner: Mutex<Inner>,
    now_ns: AtomicI64,
}

/// The cache while locked.
pub(crate) struct Session<'a> {
    inner: MutexGuard<'a, Inner>,
    now_ns: i64,
}

impl Cache {
    pub(crate) fn new(now_ns: i64) -> Self {
        let room = |limit: usize| NonZeroUsize::new(limit).unwrap_or(NonZeroUsize::MIN);
        let inner = Inner {
            generation: 0,
            subjects: LruCache::new(room(SUBJECTS_MAX)),
            conversations: LruCache::new(room(CONVERSATIONS_MAX)),
            keys: LruCache::new(room(KEYS_MAX)),
            named: LruCache::new(room(NAMED_MAX)),
            hashers: LruCache::new(room(HASHERS_MAX)),
        };
        Self { inner: Mutex::new(inner), now_ns: AtomicI64::new(now_ns) }
    }

    /// Learns the time.
    pub(crate) fn hear(&self, now_ns: i64) {
        self.now_ns.store(now_ns, Ordering::Relaxed);
    }

    /// The time last heard.
    pub(crate) fn now_ns(&self) -> i64 {
        self.now_ns.load(Ordering::Relaxed)
    }

    /// Locks the cache for a few look-ups.
    pub(crate) fn lock(&self) -> Session<'_> {
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        Session { inner, now_ns: self.now_ns() }
    }

    /// Drops every key that is older than its time.
    pub(crate) fn expire(&self) {
        let Session { mut inner, now_ns } = self.lock();
        inner.subjects.retain(|_, entry| fresh(entry, now_ns));
        inner.conversations.retain(|_, entry| fresh(entry, now_ns));
        inner.keys.retain(|_, entry| fresh(entry, now_ns));
        inner.named.retain(|_, entry| fresh(entry, now_ns));
    }
}

/// Whether an entry may still be used. A clock set back by more than the time to live makes it old too.
fn fresh<T>(entry: &Aged<T>, now_ns: i64) -> bool {
    now_ns.abs_diff(entry.since_ns) <= TTL_NS.unsigned_abs()
}

fn get<K: std::hash::Hash + Eq, T: Clone>(
    cache: &mut LruCache<K, Aged<T>>,
    key: &K,
    now_ns: i64,
) -> Option<T> {
    let found = cache.get(key)?;
    if fresh(found, now_ns) {
        return Some(found.value.clone());
    }
    cache.pop(key);
    None
}

impl Session<'_> {
    /// The generation what is read from now on belongs to.
    pub(crate) fn generation(&self) -> u64 {
        self.inner.generation
    }

    pub(crate) fn subject(&mut self, id: &Id) -> Option<SubjectEntry> {
        get(&mut self.inner.subjects, id, self.now_ns)
    }

    pub(crate) fn conversation(&mut self, id: &Id) -> Option<ConversationEntry> {
        get(&mut self.inner.conversations, id, self.now_ns)
    }

    pub(crate) fn key(&mut self, id: &Id) -> Option<Arc<Secret>> {
        get(&mut self.inner.keys, id, self.now_ns)
    }

    pub(crate) fn named(&mut self, name: &Name) -> Option<HeldKey> {
        get(&mut self.inner.named, name, self.now_ns)
    }

    pub(crate) fn hasher(&mut self, name: &Name) -> Option<Arc<KeyedHash>> {
        self.inner.hashers.get(name).cloned()
    }

    pub(crate) fn put_hasher(&mut self, name: Name, hasher: Arc<KeyedHash>) {
        self.inner.hashers.put(name, hasher);
    }

    pub(crate) fn put_subject(&mut self, generation: u64, id: Id, entry: SubjectEntry) {
        if generation == self.inner.generation {
            let since_ns = self.now_ns;
            self.inner.subjects.put(id, Aged { value: entry, since_ns });
        }
    }

    pub(crate) fn put_conversation(&mut self, generation: u64, id: Id, entry: ConversationEntry) {
        if generation == self.inner.generation {
            let since_ns = self.now_ns;
            self.inner.conversations.put(id, Aged { value: entry, since_ns });
        }
    }

    pub(crate) fn put_key(&mut self, generation: u64, id: Id, secret: Arc<Secret>) {
        if generation == self.inner.generation {
            let since_ns = self.now_ns;
            self.inner.keys.put(id, Aged { value: secret, since_ns });
        }
    }

    pub(crate) fn put_named(&mut self, generation: u64, name: Name, key: HeldKey) {
        if generation == self.inner.generation {
            let since_ns = self.now_ns;
            self.inner.named.put(name, Aged { value: key, since_ns });
        }
    }

    /// Forgets the look-ups and keys of an erasure, and whatever is being read right now.
    pub(crate) fn purge(&mut self, lookups: &[Id], keys: &[Id]) {
        self.inner.generation = self.inner.generation.wrapping_add(1);
        for id in lookups {
            self.inner.subjects.pop(id);
            self.inner.conversations.pop(id);
        }
        for id in keys {
            self.inner.keys.pop(id);
        }
    }
}

#[cfg(test)]
mod tests;
