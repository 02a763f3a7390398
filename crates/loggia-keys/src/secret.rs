//! Secrets in memory, and the derivations made from them: HKDF, keyed hashes, length-prefixed labels.
//!
//! A [`Secret`] is zeroed when dropped and has no `Debug`, `Clone`, `Display` or serialisation, so that it cannot leave by
//! accident. Labels are length-prefixed: no two different lists of fields give the same bytes.

use aws_lc_rs::aead::{AES_256_GCM, LessSafeKey, UnboundKey};
use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use aws_lc_rs::{constant_time, hkdf, hmac};
use zeroize::Zeroizing;

use crate::error::{KeysError, Result};

/// Length of every key here.
pub(crate) const KEY_LEN: usize = 32;

/// 256 secret bits, zeroed on drop.
pub(crate) struct Secret(Zeroizing<[u8; KEY_LEN]>);

impl Secret {
    /// A fresh random secret.
    pub(crate) fn generate() -> Result<Self> {
        let mut bytes = Zeroizing::new([0_u8; KEY_LEN]);
        fill_random(bytes.as_mut_slice())?;
        Ok(Self(bytes))
    }

    /// Takes the secret out of a buffer; `None` unless it is 32 bytes long.
    pub(crate) fn from_slice(bytes: &[u8]) -> Option<Self> {
        let mut secret = Zeroizing::new([0_u8; KEY_LEN]);
        if bytes.len() != KEY_LEN {
            return None;
        }
        secret.copy_from_slice(bytes);
        Some(Self(secret))
    }

    /// The bytes, for the cipher.
    pub(crate) fn expose(&self) -> &[u8; KEY_LEN] {
        &self.0
    }

    /// HKDF-SHA-256 of this secret, filling `out`.
    pub(crate) fn derive_into(&self, salt: &[u8], info: &[u8], out: &mut [u8]) -> Result<()> {
        hkdf_sha256(self.expose(), salt, info, out)
    }

    /// One derived secret.
    pub(crate) fn derive(&self, salt: &[u8], info: &[u8]) -> Result<Self> {
        let mut bytes = Zeroizing::new([0_u8; KEY_LEN]);
        self.derive_into(salt, info, bytes.as_mut_slice())?;
        Ok(Self(bytes))
    }

    /// The keyed hash with this secret.
    pub(crate) fn hasher(&self) -> KeyedHash {
        KeyedHash(hmac::Key::new(hmac::HMAC_SHA256, self.expose()))
    }

    /// AES-256-GCM under this secret.
    pub(crate) fn cipher(&self) -> Result<LessSafeKey> {
        cipher(self.expose())
    }
}

/// HMAC-SHA-256 under one key.
pub(crate) struct KeyedHash(hmac::Key);

impl KeyedHash {
    /// The whole tag.
    pub(crate) fn tag(&self, message: &[u8]) -> [u8; 32] {
        let mut out = [0_u8; 32];
        out.copy_from_slice(hmac::sign(&self.0, message).as_ref());
        out
    }

    /// The first 128 bits of the tag.
    pub(crate) fn short(&self, message: &[u8]) -> [u8; 16] {
        let mut out = [0_u8; 16];
        out.iter_mut().zip(self.tag(message)).for_each(|(to, from)| *to = from);
        out
    }
}

/// Fills a buffer from the system's generator.
pub(crate) fn fill_random(out: &mut [u8]) -> Result<()> {
    SystemRandom::new()
        .fill(out)
        .map_err(|_unspecified| KeysError::Crypto { what: "make random bytes" })
}

/// 128 random bits.
pub(crate) fn random_id() -> Result<[u8; 16]> {
    let mut id = [0_u8; 16];
    fill_random(&mut id)?;
    Ok(id)
}

/// AES-256-GCM under 32 key bytes.
pub(crate) fn cipher(key: &[u8]) -> Result<LessSafeKey> {
    UnboundKey::new(&AES_256_GCM, key)
        .map(LessSafeKey::new)
        .map_err(|_unspecified| KeysError::Crypto { what: "set up a cipher" })
}

/// Compares in constant time.
pub(crate) fn equal(a: &[u8], b: &[u8]) -> bool {
    constant_time::verify_slices_are_equal(a, b).is_ok()
}

/// HKDF-SHA-256 (RFC 5869), extract and expand.
pub(crate) fn hkdf_sha256(ikm: &[u8], salt: &[u8], info: &[u8], out: &mut [u8]) -> Result<()> {
    struct Length(usize);
    impl hkdf::KeyType for Length {
        fn len(&self) -> usize {
            self.0
        }
    }
    let failed = KeysError::Crypto { what: "derive a key" };
    let prk = hkdf::Salt::new(hkdf::HKDF_SHA256, salt).extract(ikm);
    let info = [info];
    let Ok(okm) = prk.expand(&info, Length(out.len())) else { return Err(failed) };
    okm.fill(out).map_err(|_unspecified| failed)
}

/// Joins fields unambiguously: each as a 32-bit little-endian length and its bytes.
pub(crate) fn label(fields: &[&[u8]]) -> Vec<u8> {
    let mut out =
        Vec::with_capacity(fields.iter().map(|field| field.len().saturating_add(4)).sum());
    for field in fields {
        push_field(&mut out, field);
    }
    out
}

/// Appends one length-prefixed field.
pub(crate) fn push_field(out: &mut Vec<u8>, field: &[u8]) {
    // Fields are names, ids and small contexts: far below 4 GiB; saturating keeps the function total.
    out.extend_from_slice(&u32::try_from(field.len()).unwrap_or(u32::MAX).to_le_bytes());
    out.extend_from_slice(field);
}

/// Lower-case `base64url` text of 16 bytes behind a two-letter prefix, 24 characters in all.
pub(crate) fn prefixed(prefix: &str, bytes: &[u8; 16]) -> String {
    use base64::Engine as _;
    let mut text = String::with_capacity(prefix.len().saturating_add(22));
    text.push_str(prefix);
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode_string(bytes, &mut text);
    text
}

#[cfg(test)]
pub(crate) mod tests;
