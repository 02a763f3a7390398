//! [`Engine`]: the parts wired together, and their order of opening and closing.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use loggia_keys::{KeyStatus, KeyStore, RootSecret};
use loggia_ledger::{Clock, EntryKind, Ledger, Receipt};
use loggia_policy::{Permission, PlaceholderBook, Policy, Principal, Severity};
use loggia_query::{QueryLimits, QueryService};
use loggia_store::{Store, StoreConfig};
use serde::Serialize;
use zeroize::Zeroizing;

use crate::admit::IngestOutcome;
use crate::audit::{self, Apart, AuditEntry, Event};
use crate::error::EngineError;
use crate::statics::Statics;
use crate::tokens::{NewToken, TokenInfo, TokenRequest, TokenStore};

/// Conversations whose placeholder numbers are remembered at once.
const PLACEHOLDER_CONVERSATIONS_MAX: usize = 100_000;

/// Where the store lives and how it is opened. Plain data; defaults in [`EngineConfig::new`].
#[derive(Debug)]
pub struct EngineConfig {
    /// Directory of the store.
    pub dir: PathBuf,
    /// Text of the policy to run under.
    pub policy_yaml: String,
    /// What opens the key store.
    pub root: RootSecret,
    /// Name the ledger signs as: a schema-less URL.
    pub origin: String,
    /// Storage settings.
    pub store: StoreConfig,
    /// Limits of one query.
    pub limits: QueryLimits,
}

impl EngineConfig {
    /// Defaults for a store in `dir`, whose root key is a file beside its keys.
    #[must_use]
    pub fn new(dir: impl Into<PathBuf>, policy_yaml: impl Into<String>) -> Self {
        let dir = dir.into();
        Self {
            root: RootSecret::File(dir.join("keys").join("root.key")),
            store: StoreConfig::new(dir.join("data")),
            dir,
            policy_yaml: policy_yaml.into(),
            origin: "loggia.local/ledger".into(),
            limits: QueryLimits::default(),
        }
    }
}

/// What a new store hands to its owner, once.
#[derive(Debug)]
pub struct InitOutcome {
    /// One token per requested principal, in order.
    pub tokens: Vec<NewToken>,
    /// Verifier key of the ledger: keep it outside the store.
    pub vkey: String,
}

/// A short account of a running store.
#[derive(Clone, Debug, Serialize)]
pub struct Status {
    /// Digest of the policy in force, hex.
    pub policy: String,
    /// Rows accepted since start.
    pub rows_accepted: u64,
    /// Rows refused since start.
    pub rows_refused: u64,
    /// Entries in the ledger.
    pub ledger_size: u64,
}

/// A governed log store. Cheap to share in an `Arc`; [`Engine::close`] ends it cleanly.
pub struct Engine {
    dir: PathBuf,
    clock: Arc<dyn Clock>,
    policy: Arc<Policy>,
    placeholders: PlaceholderBook,
    keys: Arc<KeyStore>,
    ledger: Arc<Ledger>,
    store: Arc<Store>,
    queries: Arc<QueryService>,
    tokens: TokenStore,
    statics: Statics,
    rows_accepted: AtomicU64,
    rows_refused: AtomicU64,
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").field("dir", &self.dir).finish_non_exhaustive()
    }
}

impl Engine {
    /// Makes a new store: keys, ledger, catalog, and one token for each of `tokens`. Nothing may be there yet.
    ///
    /// # Errors
    /// [`EngineError::Invalid`] when the directory holds a store already or the policy does not parse.
    pub fn init(
        config: &EngineConfig,
        tokens: &[TokenRequest],
        clock: &Arc<dyn Clock>,
    ) -> Result<InitOutcome, EngineError> {
        parse_policy(&config.policy_yaml)?;
        let keys_dir = keys_dir(&config.dir);
        if keys_dir.join("keys.db").exists() {
            return Err(EngineError::Invalid(format!(
                "`{}` holds a store already; name another directory or open this one with `loggia serve`",
                config.dir.display()
            )));
        }
        std::fs::create_dir_all(&keys_dir)
            .map_err(|error| EngineError::unavailable("the data directory", error))?;
        KeyStore::create(&keys_dir, &config.root, clock.now_ns())?.close()?;
        let engine = Self::open(config, clock)?;
        let tokens = tokens
            .iter()
            .map(|request| engine.make_token(&Event::system("init"), request))
            .collect::<Result<_, _>>()?;
        let vkey = engine.ledger.vkey();
        engine.close()?;
        Ok(InitOutcome { tokens, vkey })
    }

    /// Opens a store and replays what its write-ahead log holds.
    ///
    /// # Errors
    /// A wrong root, a damaged file (named in the message) or a policy that does not parse.
    pub fn open(config: &EngineConfig, clock: &Arc<dyn Clock>) -> Result<Self, EngineError> {
        let policy = Arc::new(parse_policy(&config.policy_yaml)?);
        let keys = Arc::new(KeyStore::open(&keys_dir(&config.dir), &config.root, clock.now_ns())?);
        let seed = keys.signing_seed("ledger")?;
        let ledger_dir = config.dir.join("ledger");
        let ledger = Arc::new(Ledger::open(&ledger_dir, &config.origin, &seed, Arc::clone(clock))?);
        let store = Arc::new(Store::open(
            config.store.clone(),
            Arc::clone(&keys),
            Arc::clone(&ledger),
            &policy.streams().cloned().collect::<Vec<_>>(),
            Arc::clone(clock),
        )?);
        let queries = Arc::new(QueryService::new(
            Arc::clone(&store),
            Arc::clone(&keys),
            config.limits,
            Arc::clone(clock),
        )?);
        let tokens = TokenStore::open(&config.dir.join("access.db"))?;
        let statics = Statics::open(&config.dir);
        let engine = Self {
            dir: config.dir.clone(),
            clock: Arc::clone(clock),
            policy,
            placeholders: PlaceholderBook::new(random_key()?, PLACEHOLDER_CONVERSATIONS_MAX),
            keys,
            ledger,
            store,
            queries,
            tokens,
            statics,
            rows_accepted: AtomicU64::new(0),
            rows_refused: AtomicU64::new(0),
        };
        engine.adopt_policy(&config.policy_yaml)?;
        engine.statics.begin(&engine.dir)?;
        engine.record(EntryKind::ServerStarted, &Event::system("opened"), &Apart::default())?;
        Ok(engine)
    }

    /// Ends cleanly: what is in memory stays in the write-ahead log, the ledger is signed, and every database is digested so
    /// that [`crate::verify_dir`] can check each byte.
    ///
    /// # Errors
    /// When a file cannot be written; the store then opens by replay, as after a crash.
    pub fn close(&self) -> Result<(), EngineError> {
        self.record(EntryKind::ServerStopped, &Event::system("closed"), &Apart::default())?;
        self.store.shut_down()?;
        self.ledger.close()?;
        self.tokens.checkpoint()?;
        self.keys.checkpoint()?;
        self.statics.finish(&self.dir, &self.keys, self.now_ns())
    }

    /// Housekeeping, to be called about every ten seconds: ages key caches, so that none outlives its minute.
    pub fn tick(&self) {
        self.keys.tick(self.now_ns());
    }

    /// Writes what is in memory to segments now.
    ///
    /// # Errors
    /// What the store reports.
    pub fn flush(&self) -> Result<(), EngineError> {
        Ok(self.store.flush()?)
    }

    /// The policy in force.
    #[must_use]
    pub fn policy(&self) -> &Arc<Policy> {
        &self.policy
    }

    /// A short account of the store.
    #[must_use]
    pub fn status(&self) -> Status {
        Status {
            policy: self.policy.digest().to_string(),
            rows_accepted: self.rows_accepted.load(Ordering::Relaxed),
            rows_refused: self.rows_refused.load(Ordering::Relaxed),
            ledger_size: self.ledger.size(),
        }
    }

    /// Counts and ages of the keys.
    ///
    /// # Errors
    /// [`EngineError::Denied`] without `keys.manage`; what the key store reports.
    pub fn keys_status(&self, principal: &Principal) -> Result<KeyStatus, EngineError> {
        self.require(principal, Permission::KeysManage)?;
        Ok(self.keys.status()?)
    }

    /// Closes the current key epoch: every key is wrapped anew and the old epoch key is destroyed.
    ///
    /// # Errors
    /// [`EngineError::Denied`] without `keys.manage`; what the key store reports.
    pub fn rotate_keys(&self, principal: &Principal) -> Result<KeyStatus, EngineError> {
        self.require(principal, Permission::KeysManage)?;
        self.keys.rotate_epoch(self.now_ns())?;
        let mut event = Event::of(principal);
        event.note = "epoch rotated".into();
        self.record(EntryKind::KeyEvent, &event, &Apart::default())?;
        Ok(self.keys.status()?)
    }

    /// Who a token belongs to.
    ///
    /// # Errors
    /// [`EngineError::Unauthenticated`] for every kind of wrong token alike.
    pub fn authenticate(&self, token: &str) -> Result<Principal, EngineError> {
        self.tokens.authenticate(token, self.now_ns())
    }

    /// Records that somebody failed to sign in. `from` is the peer's address.
    ///
    /// # Errors
    /// When the ledger is unavailable.
    pub fn record_failed_sign_in(&self, from: &str) -> Result<(), EngineError> {
        let mut event = Event { note: "no valid credential".into(), ..Event::default() };
        event.protocol = from.into();
        self.record(EntryKind::SignInFailed, &event, &Apart::default()).map(drop)
    }

    /// Makes a token.
    ///
    /// # Errors
    /// [`EngineError::Denied`] without `tokens.manage`, [`EngineError::Invalid`] for an unknown role or another tenant.
    pub fn create_token(
        &self,
        principal: &Principal,
        request: &TokenRequest,
    ) -> Result<NewToken, EngineError> {
        self.require(principal, Permission::TokensManage)?;
        if request.tenant != principal.tenant {
            return Err(EngineError::Invalid(
                "a token can only be made for your own tenant".into(),
            ));
        }
        self.make_token(&Event::of(principal), request)
    }

    fn make_token(&self, by: &Event, request: &TokenRequest) -> Result<NewToken, EngineError> {
        if !self.policy.roles().iter().any(|role| role.name() == request.role) {
            let known: Vec<&str> =
                self.policy.roles().iter().map(loggia_policy::Role::name).collect();
            return Err(EngineError::Invalid(format!(
                "there is no role `{}` in the policy; it has {}",
                request.role,
                known.join(", ")
            )));
        }
        let made = self.tokens.create(request, self.now_ns())?;
        let mut event = by.clone();
        event.note = format!("{} for {} as {}", made.info.id, request.principal, request.role);
        self.record(EntryKind::TokenCreated, &event, &Apart::default())?;
        Ok(made)
    }

    /// Tokens of the principal's tenant.
    ///
    /// # Errors
    /// [`EngineError::Denied`] without `tokens.manage`.
    pub fn list_tokens(&self, principal: &Principal) -> Result<Vec<TokenInfo>, EngineError> {
        self.require(principal, Permission::TokensManage)?;
        self.tokens.list(&principal.tenant)
    }

    /// Revokes a token at once.
    ///
    /// # Errors
    /// [`EngineError::NotFound`] when the tenant has no such live token.
    pub fn revoke_token(&self, principal: &Principal, id: &str) -> Result<(), EngineError> {
        self.require(principal, Permission::TokensManage)?;
        if !self.tokens.revoke(&principal.tenant, id, self.now_ns())? {
            return Err(EngineError::NotFound("there is no live token with this id".into()));
        }
        let mut event = Event::of(principal);
        event.note = id.into();
        self.record(EntryKind::TokenRevoked, &event, &Apart::default()).map(drop)
    }

    /// The newest `limit` ledger entries before index `before` (exclusive; `None` for the end), newest first.
    ///
    /// # Errors
    /// [`EngineError::Denied`] without `ledger.read`. Reading the ledger is itself recorded.
    pub fn ledger_entries(
        &self,
        principal: &Principal,
        before: Option<u64>,
        limit: u64,
    ) -> Result<Vec<AuditEntry>, EngineError> {
        self.require(principal, Permission::LedgerRead)?;
        let mut event = Event::of(principal);
        event.action = Permission::LedgerRead.to_string();
        self.record(EntryKind::LedgerRead, &event, &Apart::default())?;
        let end = before.unwrap_or(u64::MAX).min(self.ledger.size());
        let start = end.saturating_sub(limit);
        (start..end).rev().map(|index| audit::open_entry(&self.ledger, &self.keys, index)).collect()
    }

    /// The ledger itself: checkpoints, tiles and proofs hold no personal data and are public to whoever may connect.
    #[must_use]
    pub fn ledger(&self) -> &Arc<Ledger> {
        &self.ledger
    }

    /// The inclusion proof of entry `index`, as a tlog-proof file.
    ///
    /// # Errors
    /// [`EngineError::NotFound`] past the end of the ledger.
    pub fn prove(&self, index: u64) -> Result<String, EngineError> {
        if index >= self.ledger.size() {
            return Err(EngineError::NotFound(
                "the ledger has no entry with this index yet".into(),
            ));
        }
        Ok(self.ledger.prove(index)?)
    }

    /// Refuses, and records the refusal, unless the principal's role has `permission`.
    ///
    /// # Errors
    /// [`EngineError::Denied`].
    pub fn check(&self, principal: &Principal, permission: Permission) -> Result<(), EngineError> {
        self.require(principal, permission)
    }

    /// The engine's time, Unix nanoseconds.
    #[must_use]
    pub fn clock_ns(&self) -> i64 {
        self.now_ns()
    }

    /// The key of one segment file as hex, for another Parquet reader. Recorded in the ledger.
    ///
    /// For the operator who holds the root: there is no way to this over the network.
    ///
    /// # Errors
    /// [`EngineError::NotFound`] when no live segment has this path.
    pub fn segment_file_key(&self, path: &Path) -> Result<Zeroizing<String>, EngineError> {
        let key = self.store.segment_key_hex(path)?.ok_or_else(|| {
            EngineError::NotFound(format!(
                "`{}` is not a live segment of this store",
                path.display()
            ))
        })?;
        let event = Event::system("the key of a segment file was shown to the operator");
        self.record(EntryKind::KeyEvent, &event, &Apart::default())?;
        Ok(key)
    }

    /// [`Self::check`] for the engine's own steps.
    pub(crate) fn require(
        &self,
        principal: &Principal,
        permission: Permission,
    ) -> Result<(), EngineError> {
        if self.policy.permits(&principal.role, permission) {
            return Ok(());
        }
        let mut event = Event::of(principal);
        event.action = permission.to_string();
        event.note = "the role does not have the permission".into();
        self.record(EntryKind::AccessDenied, &event, &Apart::default())?;
        Err(EngineError::Denied(format!(
            "your role may not do this: it needs the permission `{permission}`"
        )))
    }

    pub(crate) fn record(
        &self,
        kind: EntryKind,
        event: &Event,
        apart: &Apart,
    ) -> Result<Receipt, EngineError> {
        let now_ns = self.now_ns();
        audit::record(&self.ledger, &self.keys, kind, self.policy.digest(), event, apart, now_ns)
    }

    /// [`Self::record`] off the async threads: it waits for the disk.
    pub(crate) async fn record_async(
        self: &Arc<Self>,
        kind: EntryKind,
        event: Event,
        apart: Apart,
    ) -> Result<Receipt, EngineError> {
        let engine = Arc::clone(self);
        tokio::task::spawn_blocking(move || engine.record(kind, &event, &apart))
            .await
            .map_err(|error| EngineError::unavailable("the ledger", error))?
    }

    pub(crate) fn count(&self, outcome: &IngestOutcome) {
        self.rows_accepted.fetch_add(outcome.accepted as u64, Ordering::Relaxed);
        self.rows_refused.fetch_add(outcome.refused_rows() as u64, Ordering::Relaxed);
    }

    pub(crate) fn now_ns(&self) -> i64 {
        self.clock.now_ns()
    }

    pub(crate) fn placeholders(&self) -> &PlaceholderBook {
        &self.placeholders
    }

    pub(crate) fn keys(&self) -> &Arc<KeyStore> {
        &self.keys
    }

    pub(crate) fn store(&self) -> &Arc<Store> {
        &self.store
    }

    pub(crate) fn queries(&self) -> &Arc<QueryService> {
        &self.queries
    }

    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    /// Keeps the text of each policy that was ever in force, and says in the ledger when another one takes over.
    fn adopt_policy(&self, yaml: &str) -> Result<(), EngineError> {
        let digest = self.policy.digest();
        if self.statics.keep_policy(&self.dir, &digest.to_string(), yaml)? {
            let event = Event::system(format!("policy {digest} in force"));
            self.record(EntryKind::PolicyChanged, &event, &Apart::default())?;
        }
        Ok(())
    }
}

pub(crate) fn keys_dir(dir: &Path) -> PathBuf {
    dir.join("keys")
}

fn parse_policy(yaml: &str) -> Result<Policy, EngineError> {
    let policy = Policy::parse(yaml)
        .map_err(|error| EngineError::Invalid(format!("the policy: {error}")))?;
    match policy.lint().into_iter().find(|lint| lint.severity == Severity::Error) {
        None => Ok(policy),
        Some(lint) => Err(EngineError::Invalid(format!(
            "the policy cannot be enforced: {lint}; `loggia policy check` shows all findings"
        ))),
    }
}

fn random_key() -> Result<[u8; 32], EngineError> {
    let mut key = [0; 32];
    SystemRandom::new()
        .fill(&mut key)
        .map_err(|_unspecified| EngineError::unavailable("randomness", "the system gave none"))?;
    Ok(key)
}
