//! The root secret: 32 random bytes in a file only its owner can read, or a passphrase stretched by Argon2id.
//!
//! The root itself wraps nothing: three keys are derived from it, one to wrap the epoch key, one to recognise the root, one to
//! authenticate the small files. Losing the root means losing the logs.

use std::fmt;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use argon2::{Algorithm, Argon2, Block, Params, Version};
use zeroize::{Zeroize as _, Zeroizing};

use crate::durable;
use crate::error::{KeysError, Result};
use crate::secret::{KEY_LEN, KeyedHash, Secret, equal, fill_random};

/// Name of the file with the passphrase's parameters.
pub(crate) const KDF_FILE: &str = "root.kdf";
const KDF_MAGIC: &[u8; 8] = b"loggiakd";
const KDF_FORMAT: u8 = 1;
const KDF_ARGON2ID: u8 = 1;
const SALT_LEN: usize = 16;
const KDF_LEN: usize = 8 + 4 + 12 + SALT_LEN + KEY_LEN;
/// 64 MiB, 3 passes, one lane.
const COST: Cost = Cost { memory_kib: 64 * 1024, passes: 3, lanes: 1 };
/// Bounds for a stored cost: below, guessing would be cheap; above, opening would exhaust the machine.
const COST_MIN: Cost = Cost { memory_kib: 19 * 1024, passes: 2, lanes: 1 };
const COST_MAX: Cost = Cost { memory_kib: 1024 * 1024, passes: 16, lanes: 16 };
/// Shortest passphrase accepted, in characters.
const PASSPHRASE_CHARS_MIN: usize = 15;

/// Where the root secret comes from.
pub enum RootSecret {
    /// A file of 32 random bytes, readable by its owner alone; made on `create` when it is not there.
    File(PathBuf),
    /// A passphrase, stretched by Argon2id.
    Passphrase(Zeroizing<String>),
}

impl fmt::Debug for RootSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "File({})", path.display()),
            Self::Passphrase(_) => f.write_str("Passphrase([redacted])"),
        }
    }
}

/// The keys derived from the root secret.
pub(crate) struct Root {
    /// Wraps the epoch key.
    pub(crate) wrap: Secret,
    /// Says whether a root is the right one, without saying what it is.
    pub(crate) check: [u8; KEY_LEN],
    /// Authenticates `epoch.key` and `keys.sum`.
    pub(crate) mac: KeyedHash,
}

impl Root {
    fn derive(secret: &Secret) -> Result<Self> {
        let mut check = [0_u8; KEY_LEN];
        secret.derive_into(&[], b"loggia/v1/root-check", &mut check)?;
        Ok(Self {
            wrap: secret.derive(&[], b"loggia/v1/root-wrap")?,
            check,
            mac: secret.derive(&[], b"loggia/v1/root-mac")?.hasher(),
        })
    }

    /// Makes the root of a new key store.
    pub(crate) fn create(dir: &Path, root: &RootSecret) -> Result<Self> {
        match root {
            RootSecret::File(path) => {
                if !path.exists() {
                    durable::write_new(path, Secret::generate()?.expose())?;
                }
                Self::derive(&read_key_file(path)?)
            }
            RootSecret::Passphrase(passphrase) => {
                if passphrase.chars().count() < PASSPHRASE_CHARS_MIN {
                    return Err(KeysError::Invalid {
                        what: "the passphrase is too short; use at least 15 characters",
                    });
                }
                let mut salt = [0_u8; SALT_LEN];
                fill_random(&mut salt)?;
                let root = Self::derive(&stretch(passphrase, &salt, COST)?)?;
                durable::write_new(&dir.join(KDF_FILE), &encode_kdf(COST, &salt, &root.check))?;
                Ok(root)
            }
        }
    }

    /// Opens the root of an existing key store.
    pub(crate) fn open(dir: &Path, root: &RootSecret) -> Result<Self> {
        match root {
            RootSecret::File(path) => Self::derive(&read_key_file(path)?),
            RootSecret::Passphrase(passphrase) => {
                let path = dir.join(KDF_FILE);
                let bytes = durable::read_small(&path, KDF_LEN as u64)?
                    .ok_or(KeysError::Missing { path })?;
                let (cost, salt, verifier) = decode_kdf(&bytes)
                    .ok_or(KeysError::Tampered { what: "the passphrase file `root.kdf`" })?;
                let root = Self::derive(&stretch(passphrase, &salt, cost)?)?;
                if equal(&verifier, &root.check) { Ok(root) } else { Err(KeysError::WrongRoot) }
            }
        }
    }
}

/// Reads the key file, refusing one that others can read.
fn read_key_file(path: &Path) -> Result<Secret> {
    let bytes = durable::read_small(path, KEY_LEN as u64)?
        .ok_or_else(|| KeysError::Missing { path: path.to_path_buf() })?;
    check_mode(path)?;
    Secret::from_slice(&bytes)
        .ok_or(KeysError::Tampered { what: "the root key file (it is not 32 bytes long)" })
}

/// Fails when anyone but the owner may touch the file.
pub(crate) fn check_mode(path: &Path) -> Result<()> {
    let mode = std::fs::metadata(path)
        .map_err(KeysError::io("read the permissions of", path))?
        .permissions()
        .mode()
        & 0o7777;
    if mode & 0o077 == 0 {
        Ok(())
    } else {
        Err(KeysError::Exposed { path: path.to_path_buf(), mode })
    }
}

/// Cost of stretching a passphrase.
#[derive(Clone, Copy)]
struct Cost {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
}

impl Cost {
    fn within_bounds(self) -> bool {
        (COST_MIN.memory_kib..=COST_MAX.memory_kib).contains(&self.memory_kib)
            && (COST_MIN.passes..=COST_MAX.passes).contains(&self.passes)
            && (COST_MIN.lanes..=COST_MAX.lanes).contains(&self.lanes)
    }
}

/// Argon2id version 1.3.
fn stretch(passphrase: &str, salt: &[u8; SALT_LEN], cost: Cost) -> Result<Secret> {
    let failed = || KeysError::Crypto { what: "stretch the passphrase" };
    let params = Params::new(cost.memory_kib, cost.passes, cost.lanes, Some(KEY_LEN))
        .map_err(|_invalid| failed())?;
    let mut memory = vec![Block::default(); params.block_count()];
    let mut out = Zeroizing::new([0_u8; KEY_LEN]);
    let answer = Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into_with_memory(
            passphrase.as_bytes(),
            salt,
            out.as_mut_slice(),
            &mut memory,
        );
    memory.iter_mut().for_each(|block| block.zeroize());
    answer.map_err(|_invalid| failed())?;
    Secret::from_slice(out.as_slice()).ok_or_else(failed)
}

fn encode_kdf(cost: Cost, salt: &[u8; SALT_LEN], verifier: &[u8; KEY_LEN]) -> Vec<u8> {
    let mut out = Vec::with_capacity(KDF_LEN);
    out.extend_from_slice(KDF_MAGIC);
    out.extend_from_slice(&[KDF_FORMAT, KDF_ARGON2ID, 0, 0]);
    for number in [cost.memory_kib, cost.passes, cost.lanes] {
        out.extend_from_slice(&number.to_le_bytes());
    }
    out.extend_from_slice(salt);
    out.extend_from_slice(verifier);
    out
}

fn decode_kdf(bytes: &[u8]) -> Option<(Cost, [u8; SALT_LEN], [u8; KEY_LEN])> {
    let (magic, rest) = bytes.split_first_chunk::<8>()?;
    let (head, rest) = rest.split_first_chunk::<4>()?;
    let (memory, rest) = rest.split_first_chunk::<4>()?;
    let (passes, rest) = rest.split_first_chunk::<4>()?;
    let (lanes, rest) = rest.split_first_chunk::<4>()?;
    let (salt, rest) = rest.split_first_chunk::<SALT_LEN>()?;
    let verifier = <[u8; KEY_LEN]>::try_from(rest).ok()?;
    let cost = Cost {
        memory_kib: u32::from_le_bytes(*memory),
        passes: u32::from_le_bytes(*passes),
        lanes: u32::from_le_bytes(*lanes),
    };
    let known = magic == KDF_MAGIC && *head == [KDF_FORMAT, KDF_ARGON2ID, 0, 0];
    (known && cost.within_bounds()).then_some((cost, *salt, verifier))
}

#[cfg(test)]
mod tests;
