//! The epoch key: wraps every stored key by AES-KWP, itself wrapped by the root in one small file, `epoch.key`.
//!
//! The file is in no backup. When an epoch closes, every key is wrapped again and the file is overwritten, so a copy of the
//! key database taken earlier is dead: that is what makes an erasure final. A wrapped key carries 16 bytes of a
//! digest over its row, so moving it to another row is noticed.

use std::path::{Path, PathBuf};

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::key_wrap::{AES_256, AesKek, KeyWrapPadded as _};
use zeroize::Zeroizing;

use crate::durable;
use crate::error::{KeysError, Result};
use crate::root::Root;
use crate::secret::{KEY_LEN, Secret, equal};

/// The current epoch key.
pub(crate) const EPOCH_FILE: &str = "epoch.key";
/// The next one, while an epoch is being closed.
pub(crate) const NEXT_FILE: &str = "epoch.key.next";
const MAGIC: &[u8; 8] = b"loggiaek";
const FORMAT: [u8; 8] = [1, 0, 0, 0, 0, 0, 0, 0];
const WRAPPED_KEK_LEN: usize = 40;
const FILE_LEN: usize = 8 + 8 + 8 + 8 + KEY_LEN + WRAPPED_KEK_LEN + 32;
/// Bytes of the row's digest wrapped with each key.
const BINDING_LEN: usize = 16;
/// What AES-KWP may need beyond its input.
const KWP_ROOM: usize = 15;

/// One epoch: its number, its start and its key.
pub(crate) struct Epoch {
    pub(crate) number: u64,
    pub(crate) started_ms: i64,
    kek: Secret,
}

/// Path of the current epoch's file.
pub(crate) fn current_path(dir: &Path) -> PathBuf {
    dir.join(EPOCH_FILE)
}

/// Path of the next epoch's file.
pub(crate) fn next_path(dir: &Path) -> PathBuf {
    dir.join(NEXT_FILE)
}

impl Epoch {
    /// A new epoch with a random key.
    pub(crate) fn generate(number: u64, started_ms: i64) -> Result<Self> {
        Ok(Self { number, started_ms, kek: Secret::generate()? })
    }

    /// Writes the epoch to `path` in one step.
    pub(crate) fn save(&self, path: &Path, root: &Root) -> Result<()> {
        durable::replace(path, &self.encode(root)?)
    }

    /// Reads the epoch at `path`; `None` when there is no such file.
    pub(crate) fn load(path: &Path, root: &Root) -> Result<Option<Self>> {
        let bytes = durable::read_small(path, FILE_LEN as u64)?;
        bytes.map(|bytes| Self::decode(&bytes, root)).transpose()
    }

    fn encode(&self, root: &Root) -> Result<Vec<u8>> {
        let mut out = Vec::with_capacity(FILE_LEN);
        out.extend_from_slice(MAGIC);
        out.extend_from_slice(&FORMAT);
        out.extend_from_slice(&self.number.to_le_bytes());
        out.extend_from_slice(&self.started_ms.to_le_bytes());
        out.extend_from_slice(&root.check);
        out.extend_from_slice(&kwp_wrap(&root.wrap, self.kek.expose())?);
        let mac = root.mac.tag(&out);
        out.extend_from_slice(&mac);
        Ok(out)
    }

    /// A file whose authentication holds was written under this root. If it does not hold, the root is wrong unless
    /// some part of the file still says it is the right one; then the file has been changed.
    fn decode(bytes: &[u8], root: &Root) -> Result<Self> {
        let tampered = || KeysError::Tampered { what: "the epoch key file" };
        let (body, mac) = bytes.split_last_chunk::<32>().ok_or_else(tampered)?;
        let parts = split(body).ok_or_else(tampered)?;
        let kek = kwp_unwrap(&root.wrap, parts.wrapped).and_then(|kek| Secret::from_slice(&kek));
        if !equal(mac, &root.mac.tag(body)) {
            let known = kek.is_some() || equal(parts.check, &root.check);
            return Err(if known { tampered() } else { KeysError::WrongRoot });
        }
        let kek = kek.ok_or_else(tampered)?;
        Ok(Self { number: parts.number, started_ms: parts.started_ms, kek })
    }

    /// Wraps a key for the row whose description is `row`.
    pub(crate) fn wrap(&self, secret: &Secret, row: &[u8]) -> Result<Vec<u8>> {
        let mut plain = Zeroizing::new([0_u8; KEY_LEN + BINDING_LEN]);
        let binding = binding(row);
        plain
            .iter_mut()
            .zip(secret.expose().iter().chain(&binding))
            .for_each(|(to, from)| *to = *from);
        kwp_wrap(&self.kek, plain.as_slice())
    }

    /// Unwraps a key of that row; `None` when it is not of this epoch, not of this row, or changed.
    pub(crate) fn unwrap(&self, wrapped: &[u8], row: &[u8]) -> Option<Secret> {
        let plain = kwp_unwrap(&self.kek, wrapped)?;
        let (key, bound) = plain.split_first_chunk::<KEY_LEN>()?;
        equal(bound, &binding(row)).then(|| Secret::from_slice(key)).flatten()
    }
}

/// Parts of the file before its authentication.
struct Parts<'a> {
    number: u64,
    started_ms: i64,
    check: &'a [u8; KEY_LEN],
    wrapped: &'a [u8],
}

fn split(body: &[u8]) -> Option<Parts<'_>> {
    let (magic, rest) = body.split_first_chunk::<8>()?;
    let (format, rest) = rest.split_first_chunk::<8>()?;
    let (number, rest) = rest.split_first_chunk::<8>()?;
    let (started, rest) = rest.split_first_chunk::<8>()?;
    let (check, wrapped) = rest.split_first_chunk::<KEY_LEN>()?;
    (magic == MAGIC && *format == FORMAT && wrapped.len() == WRAPPED_KEK_LEN).then(|| Parts {
        number: u64::from_le_bytes(*number),
        started_ms: i64::from_le_bytes(*started),
        check,
        wrapped,
    })
}

/// The first half of SHA-256 over a row's description.
fn binding(row: &[u8]) -> [u8; BINDING_LEN] {
    let mut out = [0_u8; BINDING_LEN];
    out.iter_mut().zip(digest(&SHA256, row).as_ref()).for_each(|(to, from)| *to = *from);
    out
}

/// AES-256-KWP (SP 800-38F, RFC 5649).
pub(crate) fn kwp_wrap(kek: &Secret, plain: &[u8]) -> Result<Vec<u8>> {
    let failed = || KeysError::Crypto { what: "wrap a key" };
    let mut out = vec![0_u8; plain.len().saturating_add(KWP_ROOM)];
    let length = AesKek::new(&AES_256, kek.expose())
        .and_then(|kek| kek.wrap_with_padding(plain, &mut out).map(|wrapped| wrapped.len()))
        .map_err(|_unspecified| failed())?;
    out.truncate(length);
    Ok(out)
}

/// Undoes [`kwp_wrap`]; `None` when the wrapped bytes are not what it made under this key.
pub(crate) fn kwp_unwrap(kek: &Secret, wrapped: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let mut out = Zeroizing::new(vec![0_u8; wrapped.len()]);
    let length = AesKek::new(&AES_256, kek.expose())
        .and_then(|kek| kek.unwrap_with_padding(wrapped, &mut out).map(|plain| plain.len()))
        .ok()?;
    out.truncate(length);
    Some(out)
}

#[cfg(test)]
mod tests;
