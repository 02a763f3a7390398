//! Keys handed to the store: [`FrameKey`] for one WAL segment, [`FileKey`] for one segment file.
//!
//! A `FrameKey` uses each counter once: it only goes up, and a key opened from a segment found on disk can open but
//! never seal, so a crash and a retry cannot repeat a nonce with other bytes.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use aws_lc_rs::aead::{Aad, LessSafeKey, NONCE_LEN, Nonce};
use zeroize::Zeroizing;

use crate::error::{KeysError, Result};
use crate::secret::{KEY_LEN, Secret, fill_random};

/// Bytes an AEAD tag adds.
pub(crate) const TAG_LEN: usize = 16;

/// What a WAL segment's header carries so that its key can be found again. Opaque, and holds no key material: it
/// names a key in the key store, which is why it outlives a change of epoch and dies with [`crate::KeyStore::forget_wal_key`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WrappedKey(pub(crate) Vec<u8>);

impl WrappedKey {
    /// The bytes to store.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Gives the bytes away.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }
}

/// The key of one WAL segment: AES-256-GCM with the frame's counter as nonce.
pub struct FrameKey {
    cipher: LessSafeKey,
    /// Lowest counter not used yet; `None` when the key was opened from a segment on disk.
    next: Option<AtomicU64>,
}

impl FrameKey {
    /// A key for a new segment.
    pub(crate) fn sealing(secret: &Secret) -> Result<Self> {
        Ok(Self { cipher: secret.cipher()?, next: Some(AtomicU64::new(0)) })
    }

    /// A key for a segment found on disk.
    pub(crate) fn opening(secret: &Secret) -> Result<Self> {
        Ok(Self { cipher: secret.cipher()?, next: None })
    }

    /// Encrypts a frame; the answer is 16 bytes longer. Counters must rise from call to call.
    pub fn seal(&self, counter: u64, aad: &[u8], plaintext: &[u8]) -> Result<Vec<u8>> {
        let mut frame = Vec::with_capacity(plaintext.len().saturating_add(TAG_LEN));
        frame.extend_from_slice(plaintext);
        self.seal_in_place(counter, aad, &mut frame)?;
        Ok(frame)
    }

    /// Encrypts a frame where it is and appends its tag.
    pub fn seal_in_place(&self, counter: u64, aad: &[u8], frame: &mut Vec<u8>) -> Result<()> {
        self.claim(counter)?;
        self.cipher
            .seal_in_place_append_tag(counter_nonce(counter), Aad::from(aad), frame)
            .map_err(|_unspecified| KeysError::Crypto { what: "encrypt a frame" })
    }

    /// Decrypts a frame; fails when the frame, its counter or its associated data is another.
    pub fn open(&self, counter: u64, aad: &[u8], sealed: &[u8]) -> Result<Vec<u8>> {
        let mut frame = sealed.to_vec();
        let length = self
            .cipher
            .open_in_place(counter_nonce(counter), Aad::from(aad), &mut frame)
            .map_err(|_unspecified| KeysError::Tampered { what: "a write-ahead log frame" })?
            .len();
        frame.truncate(length);
        Ok(frame)
    }

    /// Takes `counter` so that it is never used again.
    fn claim(&self, counter: u64) -> Result<()> {
        let Some(next) = &self.next else {
            return Err(KeysError::Invalid {
                what: "a log segment found on disk cannot be appended to; start a new one",
            });
        };
        let after = counter.checked_add(1).ok_or(KeysError::Invalid {
            what: "the frame counter is used up; start a new log segment",
        })?;
        next.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |lowest| {
            (counter >= lowest).then_some(after)
        })
        .map(|_previous| ())
        .map_err(|_previous| KeysError::Invalid { what: "a frame counter was used twice" })
    }
}

impl fmt::Debug for FrameKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FrameKey([redacted])")
    }
}

/// The key of one segment file, derived from its stream-day key.
pub struct FileKey(pub(crate) Secret);

impl FileKey {
    /// Shows the key's bytes to the Parquet writer or reader.
    pub fn with_bytes<T>(&self, use_key: impl FnOnce(&[u8; KEY_LEN]) -> T) -> T {
        use_key(self.0.expose())
    }

    /// Encrypts a small part that goes beside the file, such as its block index: random nonce, then ciphertext and tag.
    pub fn seal(&self, aad: &[u8], plaintext: &[u8]) -> Result<Vec<u8>> {
        let mut nonce = [0_u8; NONCE_LEN];
        fill_random(&mut nonce)?;
        let mut sealed = Zeroizing::new(plaintext.to_vec());
        self.side_cipher()?
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(aad),
                &mut *sealed,
            )
            .map_err(|_unspecified| KeysError::Crypto { what: "encrypt a file part" })?;
        let mut out = Vec::with_capacity(sealed.len().saturating_add(NONCE_LEN));
        out.extend_from_slice(&nonce);
        out.extend_from_slice(&sealed);
        Ok(out)
    }

    /// Decrypts what [`Self::seal`] made with the same associated data.
    pub fn open(&self, aad: &[u8], sealed: &[u8]) -> Result<Vec<u8>> {
        let tampered = KeysError::Tampered { what: "an encrypted part of a segment file" };
        let Some((nonce, body)) = sealed.split_first_chunk::<NONCE_LEN>() else {
            return Err(tampered);
        };
        let mut plain = body.to_vec();
        let length = self
            .side_cipher()?
            .open_in_place(Nonce::assume_unique_for_key(*nonce), Aad::from(aad), &mut plain)
            .map_err(|_unspecified| tampered)?
            .len();
        plain.truncate(length);
        Ok(plain)
    }

    /// A key of its own for the parts beside the file: the file's key itself is Parquet's alone.
    fn side_cipher(&self) -> Result<LessSafeKey> {
        self.0.derive(&[], b"loggia/v1/file-part")?.cipher()
    }
}

impl fmt::Debug for FileKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FileKey([redacted])")
    }
}

/// The 96-bit nonce of a counter: four zero bytes, then the counter in big-endian order.
pub(crate) fn counter_nonce(counter: u64) -> Nonce {
    let mut nonce = [0_u8; NONCE_LEN];
    nonce.iter_mut().skip(4).zip(counter.to_be_bytes()).for_each(|(to, from)| *to = from);
    Nonce::assume_unique_for_key(nonce)
}

#[cfg(test)]
mod tests;
