//! From ids to keys: finds the keys a batch needs and makes the missing ones.
//!
//! Cache first, then a read of the database, then one write transaction for all that is missing. Threads that need new keys at the
//! same time share a transaction (group commit), and every look-up is repeated inside it, so two threads never make
//! two keys for one person, and an erased person's id never gets a new key.

use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::{Connection, TransactionBehavior};

use crate::cache::{ConversationEntry, HeldKey, SubjectEntry};
use crate::database::{self, Id, KeyRow, Kind, LookupRow, Numbers};
use crate::epoch::Epoch;
use crate::error::{KeysError, Result};
use crate::secret::{KeyedHash, Secret, random_id};
use crate::store::KeyStore;

/// A person of the batch.
pub(crate) struct SubjectSlot {
    /// Keyed hash of the id, by which it is looked up.
    pub(crate) id: Id,
    /// Keyed hash of the id, by which it would be refused.
    pub(crate) grave: Id,
    pub(crate) state: SubjectState,
}

pub(crate) enum SubjectState {
    Pending,
    Known(SubjectEntry),
    Erased,
}

/// A conversation of the batch.
pub(crate) struct ConversationSlot {
    pub(crate) id: Id,
    pub(crate) grave: Id,
    /// Subject slot of a row that names both: the conversation is that person's.
    pub(crate) link: Option<usize>,
    /// Whether content without a subject is sealed under the conversation's key.
    pub(crate) wants_key: bool,
    pub(crate) state: ConversationState,
}

pub(crate) enum ConversationState {
    Pending,
    Known(ConversationEntry),
    Erased,
}

/// A stream-day of the batch.
pub(crate) struct DaySlot {
    pub(crate) name: String,
    pub(crate) key: Option<HeldKey>,
}

/// All keys a batch needs.
pub(crate) struct Request {
    pub(crate) tenant: String,
    pub(crate) now_ms: i64,
    pub(crate) subjects: Vec<SubjectSlot>,
    pub(crate) conversations: Vec<ConversationSlot>,
    pub(crate) days: Vec<DaySlot>,
}

impl Request {
    /// Whether every slot has what it needs.
    fn complete(&self) -> bool {
        self.subjects.iter().all(|slot| !matches!(slot.state, SubjectState::Pending))
            && self.conversations.iter().all(|slot| self.settled(slot))
            && self.days.iter().all(|slot| slot.key.is_some())
    }

    /// Whether a conversation has the key and the owner it needs.
    pub(crate) fn settled(&self, slot: &ConversationSlot) -> bool {
        match &slot.state {
            ConversationState::Pending => false,
            ConversationState::Erased => true,
            ConversationState::Known(entry) => {
                (entry.key.is_some() || !slot.wants_key)
                    && (entry.subject.is_some() || self.owner(slot).is_none())
            }
        }
    }

    /// The subject that a row of the batch gives the conversation to.
    fn owner(&self, slot: &ConversationSlot) -> Option<i64> {
        match &self.subjects.get(slot.link?)?.state {
            SubjectState::Known(entry) => Some(entry.seq),
            SubjectState::Pending | SubjectState::Erased => None,
        }
    }
}

/// A request waiting for its transaction; empty while it is being worked on.
enum Ticket {
    Waiting(Request),
    Taken,
    Done(Result<Request>),
}

/// Requests that wait for the next transaction; at most one per thread that seals.
#[derive(Default)]
pub(crate) struct Queue(Mutex<Vec<Arc<Mutex<Ticket>>>>);

impl KeyStore {
    /// Fills every slot of the request. `bury` fills in the graves, when something has to be written.
    pub(crate) fn resolve(
        &self,
        mut request: Request,
        bury: impl FnOnce(&mut Request),
    ) -> Result<Request> {
        let generation = self.fill_from_cache(&mut request);
        if request.complete() {
            return Ok(request);
        }
        {
            // Held until the keys are unwrapped, so that no epoch ends in between.
            let epoch = self.epoch();
            let reader = self.reader();
            let work = self.work(&reader, &epoch, false);
            work.fill(&mut request)?;
        }
        if !request.complete() {
            bury(&mut request);
            request = self.mint(request)?;
        }
        self.remember(generation, &request);
        Ok(request)
    }

    fn fill_from_cache(&self, request: &mut Request) -> u64 {
        let mut cache = self.cache().lock();
        for slot in &mut request.subjects {
            if let Some(entry) = cache.subject(&slot.id) {
                slot.state = SubjectState::Known(entry);
            }
        }
        for slot in &mut request.conversations {
            if let Some(entry) = cache.conversation(&slot.id) {
                slot.state = ConversationState::Known(entry);
            }
        }
        for slot in &mut request.days {
            slot.key = cache.named(&(Kind::StreamDay, request.tenant.clone(), slot.name.clone()));
        }
        cache.generation()
    }

    fn remember(&self, generation: u64, request: &Request) {
        let mut cache = self.cache().lock();
        for slot in &request.subjects {
            if let SubjectState::Known(entry) = &slot.state {
                cache.put_subject(generation, slot.id, entry.clone());
            }
        }
        for slot in &request.conversations {
            if let ConversationState::Known(entry) = &slot.state {
                cache.put_conversation(generation, slot.id, entry.clone());
            }
        }
        for slot in &request.days {
            if let Some(key) = &slot.key {
                let name = (Kind::StreamDay, request.tenant.clone(), slot.name.clone());
                cache.put_named(generation, name, key.clone());
            }
        }
    }

    fn work<'a>(&'a self, connection: &'a Connection, epoch: &'a Epoch, create: bool) -> Work<'a> {
        Work { connection, epoch, index: self.index(), numbers: self.numbers(), create }
    }

    /// Makes what is missing. Whoever gets the writer first works for all who wait.
    fn mint(&self, request: Request) -> Result<Request> {
        let ticket = Arc::new(Mutex::new(Ticket::Waiting(request)));
        lock(&self.queue().0).push(Arc::clone(&ticket));
        let mut writer = self.writer();
        if let Some(answer) = finished(&ticket) {
            return answer;
        }
        let tickets = std::mem::take(&mut *lock(&self.queue().0));
        let mut requests: Vec<Request> =
            tickets.iter().filter_map(|ticket| waiting(ticket)).collect();
        match self.mint_all(&mut writer, &mut requests) {
            Ok(()) => {
                for (ticket, request) in tickets.iter().zip(requests) {
                    *lock(ticket) = Ticket::Done(Ok(request));
                }
                finished(&ticket).unwrap_or(Err(LOST))
            }
            Err(error) => {
                // Nothing was committed, so nothing found in that transaction may be used.
                for ticket in &tickets {
                    *lock(ticket) = Ticket::Done(Err(LOST));
                }
                Err(error)
            }
        }
    }

    /// One transaction for all requests.
    fn mint_all(&self, writer: &mut Connection, requests: &mut [Request]) -> Result<()> {
        let epoch = self.epoch();
        let transaction = writer
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(KeysError::database("begin a transaction"))?;
        let work = self.work(&transaction, &epoch, true);
        for request in requests {
            work.fill(request)?;
            if !request.complete() {
                return Err(KeysError::Tampered {
                    what: "the key database (a look-up without key)",
                });
            }
        }
        transaction.commit().map_err(KeysError::database("store new keys"))
    }
}

const LOST: KeysError = KeysError::Unavailable { what: "new keys could not be stored" };

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Takes the request out of a waiting ticket.
fn waiting(ticket: &Mutex<Ticket>) -> Option<Request> {
    match std::mem::replace(&mut *lock(ticket), Ticket::Taken) {
        Ticket::Waiting(request) => Some(request),
        Ticket::Taken | Ticket::Done(_) => None,
    }
}

/// Takes the answer out of a finished ticket.
fn finished(ticket: &Mutex<Ticket>) -> Option<Result<Request>> {
    let mut held = lock(ticket);
    match std::mem::replace(&mut *held, Ticket::Taken) {
        Ticket::Done(answer) => Some(answer),
        other @ (Ticket::Waiting(_) | Ticket::Taken) => {
            *held = other;
            None
        }
    }
}

/// Looks slots up on one connection, and makes what is missing when `create` says so.
struct Work<'a> {
    connection: &'a Connection,
    epoch: &'a Epoch,
    index: &'a KeyedHash,
    numbers: &'a Numbers,
    create: bool,
}

impl Work<'_> {
    fn fill(&self, request: &mut Request) -> Result<()> {
        for at in 0..request.subjects.len() {
            self.fill_subject(request, at)?;
        }
        for at in 0..request.conversations.len() {
            self.fill_conversation(request, at)?;
        }
        let Request { days, tenant, now_ms, .. } = request;
        for slot in days.iter_mut().filter(|slot| slot.key.is_none()) {
            slot.key = self.named(Kind::StreamDay, tenant, &slot.name, *now_ms)?;
        }
        Ok(())
    }

    fn fill_subject(&self, request: &mut Request, at: usize) -> Result<()> {
        let Request { subjects, tenant, now_ms, .. } = request;
        let Some(slot) = subjects.get_mut(at) else { return Ok(()) };
        if !matches!(slot.state, SubjectState::Pending) {
            return Ok(());
        }
        if let Some(row) = database::lookup(self.connection, self.index, &slot.id)? {
            let (Some(handle), Some(key_id)) = (row.handle, row.key_id) else {
                return Err(KeysError::Tampered { what: "a look-up in the key database" });
            };
            let key = self.content_key(&key_id)?;
            slot.state = SubjectState::Known(SubjectEntry { seq: row.seq, handle, key });
        } else if self.create && database::is_suppressed(self.connection, &slot.grave)? {
            slot.state = SubjectState::Erased;
        } else if self.create {
            let seq = self.numbers.next_lookup();
            let key = self.new_content_key(Kind::Subject, tenant, seq, *now_ms)?;
            let handle = random_id()?;
            let row = LookupRow {
                seq,
                id: slot.id,
                kind: Kind::Subject,
                tenant: tenant.clone(),
                subject: Some(seq),
                handle: Some(handle),
                key_id: Some(key.id),
                grave: slot.grave,
                created_ms: *now_ms,
            };
            database::put_lookup(self.connection, self.index, &row)?;
            slot.state = SubjectState::Known(SubjectEntry { seq, handle, key });
        }
        Ok(())
    }

    fn fill_conversation(&self, request: &mut Request, at: usize) -> Result<()> {
        let Some(slot) = request.conversations.get(at) else { return Ok(()) };
        if request.settled(slot) {
            return Ok(());
        }
        let owner = request.owner(slot);
        let of_erased = slot
            .link
            .and_then(|link| request.subjects.get(link))
            .is_some_and(|subject| matches!(subject.state, SubjectState::Erased));
        let (tenant, now_ms) = (request.tenant.clone(), request.now_ms);
        let Some(slot) = request.conversations.get_mut(at) else { return Ok(()) };
        let found = database::lookup(self.connection, self.index, &slot.id)?;
        if found.is_none() && !self.create {
            return Ok(());
        }
        if found.is_none() && (of_erased || database::is_suppressed(self.connection, &slot.grave)?)
        {
            database::suppress(self.connection, self.index, &slot.grave, &tenant, now_ms)?;
            slot.state = ConversationState::Erased;
            return Ok(());
        }
        let is_new = found.is_none();
        let mut row = found.unwrap_or_else(|| LookupRow {
            seq: self.numbers.next_lookup(),
            id: slot.id,
            kind: Kind::Conversation,
            tenant: tenant.clone(),
            subject: None,
            handle: None,
            key_id: None,
            grave: slot.grave,
            created_ms: now_ms,
        });
        let before = (row.subject, row.key_id);
        let mut key = None;
        if self.create {
            row.subject = row.subject.or(owner);
        }
        if slot.wants_key {
            key = match row.key_id {
                Some(id) => Some(self.content_key(&id)?),
                None if self.create => {
                    Some(self.new_content_key(Kind::Conversation, &tenant, row.seq, now_ms)?)
                }
                None => None,
            };
            row.key_id = key.as_ref().map(|key| key.id);
        }
        if self.create && (is_new || before != (row.subject, row.key_id)) {
            database::put_lookup(self.connection, self.index, &row)?;
        }
        slot.state = ConversationState::Known(ConversationEntry { subject: row.subject, key });
        Ok(())
    }

    /// The content key a look-up names.
    fn content_key(&self, id: &Id) -> Result<HeldKey> {
        let row = database::key_by_id(self.connection, id)?
            .ok_or(KeysError::Tampered { what: "the key database (a look-up without key)" })?;
        let secret = unwrap_row(self.epoch, &row)?;
        Ok(HeldKey { id: *id, secret: Arc::new(secret) })
    }

    fn new_content_key(
        &self,
        kind: Kind,
        tenant: &str,
        owner: i64,
        now_ms: i64,
    ) -> Result<HeldKey> {
        let id = self.numbers.next_key()?;
        let (row, secret) = new_key(self.epoch, id, kind, tenant, None, Some(owner), now_ms)?;
        database::insert_key(self.connection, &row, self.epoch.number)?;
        Ok(HeldKey { id: row.id, secret: Arc::new(secret) })
    }

    fn named(&self, kind: Kind, tenant: &str, name: &str, now_ms: i64) -> Result<Option<HeldKey>> {
        if let Some(row) = database::key_by_name(self.connection, kind, tenant, name)? {
            let secret = Arc::new(unwrap_row(self.epoch, &row)?);
            return Ok(Some(HeldKey { id: row.id, secret }));
        }
        if !self.create {
            return Ok(None);
        }
        let id = self.numbers.next_key()?;
        let (row, secret) = new_key(self.epoch, id, kind, tenant, Some(name), None, now_ms)?;
        database::insert_key(self.connection, &row, self.epoch.number)?;
        Ok(Some(HeldKey { id: row.id, secret: Arc::new(secret) }))
    }
}

/// Unwraps a stored key.
pub(crate) fn unwrap_row(epoch: &Epoch, row: &KeyRow) -> Result<Secret> {
    epoch
        .unwrap(&row.wrapped, &row.description())
        .ok_or(KeysError::Tampered { what: "a wrapped key in the key database" })
}

/// A fresh random key and its row.
pub(crate) fn new_key(
    epoch: &Epoch,
    id: Id,
    kind: Kind,
    tenant: &str,
    name: Option<&str>,
    owner: Option<i64>,
    now_ms: i64,
) -> Result<(KeyRow, Secret)> {
    let secret = Secret::generate()?;
    let mut row = KeyRow {
        id,
        kind,
        tenant: tenant.to_owned(),
        name: name.map(ToOwned::to_owned),
        owner,
        wrapped: Vec::new(),
        created_ms: now_ms,
    };
    row.wrapped = epoch.wrap(&secret, &row.description())?;
    Ok((row, secret))
}

impl KeyStore {
    /// The key of that name; made when `create` says so, else `None` when there is none.
    pub(crate) fn named_key(
        &self,
        kind: Kind,
        tenant: &str,
        name: &str,
        create: bool,
    ) -> Result<Option<HeldKey>> {
        let cached = (kind, tenant.to_owned(), name.to_owned());
        let generation = {
            let mut cache = self.cache().lock();
            if let Some(key) = cache.named(&cached) {
                return Ok(Some(key));
            }
            cache.generation()
        };
        let now_ms = self.now_ms();
        let mut key = {
            let epoch = self.epoch();
            let reader = self.reader();
            let work = self.work(&reader, &epoch, false);
            work.named(kind, tenant, name, now_ms)?
        };
        if key.is_none() && create {
            let mut writer = self.writer();
            let epoch = self.epoch();
            let transaction = writer
                .transaction_with_behavior(TransactionBehavior::Immediate)
                .map_err(KeysError::database("begin a transaction"))?;
            let work = self.work(&transaction, &epoch, true);
            key = work.named(kind, tenant, name, now_ms)?;
            transaction.commit().map_err(KeysError::database("store a new key"))?;
        }
        if let Some(key) = &key {
            self.cache().lock().put_named(generation, cached, key.clone());
        }
        Ok(key)
    }
}

#[cfg(test)]
mod tests;
