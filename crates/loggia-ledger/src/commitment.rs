//! Salted commitments to payloads, so that erasing a payload leaves nothing to guess from.
//!
//! A leaf carries `C = HMAC-SHA-256(r, payload)` where the blind `r` is 32 random bytes that live
//! only inside the sealed payload record. As long as `r` is secret, `C` hides the payload; once the
//! record is erased, `C` is 32 random-looking bytes and the tree still verifies. The mistake this
//! avoids: a plain hash of a personal value, which anyone can find again by trial.

use std::fmt;

use aws_lc_rs::hmac;
use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use zeroize::{Zeroize as _, ZeroizeOnDrop};

use crate::error::LedgerError;

/// A commitment to a payload; public, it is part of the leaf.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Commitment([u8; 32]);

impl Commitment {
    /// Takes the bytes of a commitment, for instance out of a leaf.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Returns the bytes of the commitment.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Tells whether this commits to `payload` under `blind`, in constant time.
    #[must_use]
    pub fn opens_to(&self, blind: &Blind, payload: &[u8]) -> bool {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &blind.0);
        hmac::verify(&key, payload, &self.0).is_ok()
    }
}

impl fmt::Debug for Commitment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Commitment({})", crate::entry::Hex(&self.0))
    }
}

/// The secret random key of one commitment: for the sealed record of that entry and nowhere else.
///
/// It is wiped from memory on drop, cannot be cloned and prints nothing.
#[derive(ZeroizeOnDrop)]
pub struct Blind([u8; 32]);

impl Blind {
    /// Takes the bytes of a blind out of an opened record.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Returns the bytes, to be sealed into the record.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for Blind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Blind([redacted])")
    }
}

/// Commits to `payload` with a fresh random blind.
///
/// # Errors
/// Fails when the system's random number generator does.
pub fn commit(payload: &[u8]) -> Result<(Commitment, Blind), LedgerError> {
    let mut bytes = [0_u8; 32];
    SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|_unspecified| LedgerError::internal("the system gave no random bytes"))?;
    let blind = Blind(bytes);
    bytes.zeroize();
    let key = hmac::Key::new(hmac::HMAC_SHA256, &blind.0);
    let tag = hmac::sign(&key, payload);
    let mut commitment = [0_u8; 32];
    // An HMAC-SHA-256 tag is 32 bytes by definition.
    commitment.copy_from_slice(tag.as_ref());
    Ok((Commitment(commitment), blind))
}

#[cfg(test)]
mod tests;
