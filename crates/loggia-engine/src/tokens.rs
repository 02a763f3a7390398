//! API tokens: made once, shown once, kept only as a hash.
//!
//! Form: `lgk_` + 12 characters of id + `_` + 43 characters of secret (32 random bytes, base64url) + 6 characters of checksum
//! (CRC-32 in base 62), so that a scanner recognises one and a typing error is told from a wrong token. The secret has
//! 256 bits of entropy, so a plain SHA-256 is kept (OWASP ASVS 5, 6.5.2) and compared in constant time.

use std::path::Path;
use std::sync::Mutex;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use loggia_policy::Principal;
use rusqlite::{Connection, OptionalExtension as _, params};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::error::EngineError;

const PREFIX: &str = "lgk_";
const ID_LEN: usize = 12;
const SECRET_LEN: usize = 43;
const CHECK_LEN: usize = 6;
const TOKEN_LEN: usize = PREFIX.len() + ID_LEN + 1 + SECRET_LEN + CHECK_LEN;
const DAY_NS: i64 = 86_400_000_000_000;
/// Longest life of a token, days.
pub(crate) const LIFETIME_DAYS_MAX: u32 = 365;
const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// What a new token is for.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenRequest {
    /// Who will use it: a person or a service.
    pub principal: String,
    /// A role of the policy.
    pub role: String,
    /// Tenant; `default` when left out.
    #[serde(default = "default_tenant")]
    pub tenant: String,
    /// Days until it expires, 1 to 365; 90 when left out.
    #[serde(default = "default_days")]
    pub days: u32,
}

fn default_tenant() -> String {
    "default".into()
}

fn default_days() -> u32 {
    90
}

/// A token just made. The text is shown this once.
#[derive(Serialize)]
pub struct NewToken {
    /// The token itself.
    pub token: String,
    /// What is kept of it.
    #[serde(flatten)]
    pub info: TokenInfo,
}

impl std::fmt::Debug for NewToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewToken").field("token", &"[redacted]").field("info", &self.info).finish()
    }
}

/// A token without its secret.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq, Eq)]
pub struct TokenInfo {
    /// Public id.
    pub id: String,
    /// Who it belongs to.
    pub principal: String,
    /// Role.
    pub role: String,
    /// Tenant.
    pub tenant: String,
    /// Unix milliseconds.
    pub created_ms: i64,
    /// Unix milliseconds.
    pub expires_ms: i64,
    /// Unix milliseconds of the revocation, when revoked.
    pub revoked_ms: Option<i64>,
}

/// The token table, `access.db`.
pub(crate) struct TokenStore {
    db: Mutex<Connection>,
}

impl std::fmt::Debug for TokenStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TokenStore([redacted])")
    }
}

impl TokenStore {
    pub(crate) fn open(path: &Path) -> Result<Self, EngineError> {
        let db = Connection::open(path)?;
        db.execute_batch(
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA secure_delete=ON;
             CREATE TABLE IF NOT EXISTS tokens(
               id TEXT PRIMARY KEY, hash BLOB NOT NULL, principal TEXT NOT NULL, role TEXT NOT NULL,
               tenant TEXT NOT NULL, created_ms INTEGER NOT NULL, expires_ms INTEGER NOT NULL,
               revoked_ms INTEGER) STRICT;",
        )?;
        Ok(Self { db: Mutex::new(db) })
    }

    pub(crate) fn create(
        &self,
        request: &TokenRequest,
        now_ns: i64,
    ) -> Result<NewToken, EngineError> {
        check_request(request)?;
        let (id, token) = mint()?;
        let created_ms = now_ns / 1_000_000;
        let info = TokenInfo {
            id,
            principal: request.principal.clone(),
            role: request.role.clone(),
            tenant: request.tenant.clone(),
            created_ms,
            expires_ms: (now_ns + i64::from(request.days) * DAY_NS) / 1_000_000,
            revoked_ms: None,
        };
        self.lock()?.execute(
            "INSERT INTO tokens VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, NULL)",
            params![
                info.id,
                hash_of(&token).as_ref(),
                info.principal,
                info.role,
                info.tenant,
                info.created_ms,
                info.expires_ms
            ],
        )?;
        Ok(NewToken { token: token.to_string(), info })
    }

    /// The principal of a live token. Every failure is the same answer.
    pub(crate) fn authenticate(&self, token: &str, now_ns: i64) -> Result<Principal, EngineError> {
        let id = well_formed(token).ok_or(EngineError::Unauthenticated)?;
        let found = self
            .lock()?
            .query_row(
                "SELECT hash, principal, role, tenant, expires_ms, revoked_ms FROM tokens WHERE id = ?1",
                [id],
                |row| {
                    Ok((
                        row.get::<_, Vec<u8>>(0)?,
                        row.get::<_, String>(1)?,
                        row.get::<_, String>(2)?,
                        row.get::<_, String>(3)?,
                        row.get::<_, i64>(4)?,
                        row.get::<_, Option<i64>>(5)?,
                    ))
                },
            )
            .optional()?;
        let Some((hash, principal, role, tenant, expires_ms, revoked_ms)) = found else {
            return Err(EngineError::Unauthenticated);
        };
        let matches = verify_slices_are_equal(hash_of(token).as_ref(), &hash).is_ok();
        if !matches || revoked_ms.is_some() || expires_ms <= now_ns / 1_000_000 {
            return Err(EngineError::Unauthenticated);
        }
        Ok(Principal { id: principal, role, tenant, token_id: Some(id.into()) })
    }

    pub(crate) fn list(&self, tenant: &str) -> Result<Vec<TokenInfo>, EngineError> {
        let db = self.lock()?;
        let mut rows = db.prepare(
            "SELECT id, principal, role, tenant, created_ms, expires_ms, revoked_ms
             FROM tokens WHERE tenant = ?1 ORDER BY created_ms, id",
        )?;
        let infos = rows.query_map([tenant], |row| {
            Ok(TokenInfo {
                id: row.get(0)?,
                principal: row.get(1)?,
                role: row.get(2)?,
                tenant: row.get(3)?,
                created_ms: row.get(4)?,
                expires_ms: row.get(5)?,
                revoked_ms: row.get(6)?,
            })
        })?;
        Ok(infos.collect::<Result<_, _>>()?)
    }

    /// Revokes a token of `tenant`; `false` when there is no such live token.
    pub(crate) fn revoke(&self, tenant: &str, id: &str, now_ns: i64) -> Result<bool, EngineError> {
        let changed = self.lock()?.execute(
            "UPDATE tokens SET revoked_ms = ?3 WHERE tenant = ?1 AND id = ?2 AND revoked_ms IS NULL",
            params![tenant, id, now_ns / 1_000_000],
        )?;
        Ok(changed > 0)
    }

    /// Moves everything into the main file, so that it can be digested.
    pub(crate) fn checkpoint(&self) -> Result<(), EngineError> {
        self.lock()?.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        Ok(())
    }

    fn lock(&self) -> Result<std::sync::MutexGuard<'_, Connection>, EngineError> {
        self.db.lock().map_err(|_poisoned| {
            EngineError::unavailable("the token store", "a thread failed while it held the lock")
        })
    }
}

fn check_request(request: &TokenRequest) -> Result<(), EngineError> {
    let printable = |text: &str, what: &str| {
        let fine = !text.is_empty()
            && text.len() <= 128
            && text.chars().all(|c| c.is_ascii_alphanumeric() || "._@:+-".contains(c));
        if fine {
            return Ok(());
        }
        Err(EngineError::Invalid(format!(
            "`{what}` must be 1 to 128 of the characters A-Z a-z 0-9 . _ @ : + -"
        )))
    };
    printable(&request.principal, "principal")?;
    printable(&request.tenant, "tenant")?;
    if request.days == 0 || request.days > LIFETIME_DAYS_MAX {
        return Err(EngineError::Invalid(format!(
            "`days` must be between 1 and {LIFETIME_DAYS_MAX}"
        )));
    }
    Ok(())
}

/// A new token and its id.
fn mint() -> Result<(String, Zeroizing<String>), EngineError> {
    let random = SystemRandom::new();
    let mut raw = Zeroizing::new([0_u8; 32 + ID_LEN]);
    random
        .fill(raw.as_mut())
        .map_err(|_unspecified| EngineError::unavailable("randomness", "the system gave none"))?;
    let (secret, id_bytes) = raw.split_at(32);
    let id: String = id_bytes.iter().map(|byte| base62_digit(u32::from(*byte))).collect();
    let secret = Zeroizing::new(URL_SAFE_NO_PAD.encode(secret));
    let body = Zeroizing::new(format!("{PREFIX}{id}_{}", secret.as_str()));
    let token = Zeroizing::new(format!("{}{}", body.as_str(), check_of(body.as_bytes())));
    Ok((id, token))
}

fn hash_of(token: &str) -> aws_lc_rs::digest::Digest {
    digest(&SHA256, token.as_bytes())
}

/// The id of a token whose form and checksum are right.
fn well_formed(token: &str) -> Option<&str> {
    if token.len() != TOKEN_LEN || !token.is_ascii() {
        return None;
    }
    let rest = token.strip_prefix(PREFIX)?;
    let (id, rest) = rest.split_at_checked(ID_LEN)?;
    if !id.bytes().all(|byte| byte.is_ascii_alphanumeric()) || !rest.starts_with('_') {
        return None;
    }
    let (body, check) = token.split_at_checked(TOKEN_LEN - CHECK_LEN)?;
    (check_of(body.as_bytes()) == check).then_some(id)
}

/// CRC-32 (ISO-HDLC) of `body` as six base-62 digits.
fn check_of(body: &[u8]) -> String {
    let mut crc = u32::MAX;
    for byte in body {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0xEDB8_8320 } else { crc >> 1 };
        }
    }
    let mut rest = !crc;
    let mut digits = ['0'; CHECK_LEN];
    for digit in digits.iter_mut().rev() {
        *digit = base62_digit(rest);
        rest /= 62;
    }
    digits.iter().collect()
}

fn base62_digit(value: u32) -> char {
    BASE62.get((value % 62) as usize).map_or('0', |byte| char::from(*byte))
}

#[cfg(test)]
mod tests;
