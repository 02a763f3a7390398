//! Keys for the other crates: WAL segments, segment files, ledger payloads, seeds, pseudonyms, random bytes.

use aws_lc_rs::aead::Aad;
use rusqlite::TransactionBehavior;
use zeroize::Zeroizing;

use crate::calendar;
use crate::database::{self, Kind};
use crate::error::{KeysError, Result};
use crate::frame::{FileKey, FrameKey, TAG_LEN, WrappedKey, counter_nonce};
use crate::resolve::{new_key, unwrap_row};
use crate::secret::{KEY_LEN, Secret, cipher, equal, fill_random, label, prefixed, push_field};
use crate::store::KeyStore;

/// Format of what a WAL segment's header stores.
const WAL_KEY_FORMAT: u8 = 1;
/// Format of a sealed payload.
const BLOB_FORMAT: u8 = 1;
const ID_LEN: usize = 16;

impl KeyStore {
    /// A key for a new WAL segment, and what its header stores.
    pub fn wal_key(&self) -> Result<(FrameKey, WrappedKey)> {
        let mut writer = self.writer();
        let epoch = self.epoch();
        let transaction = writer
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(KeysError::database("begin a transaction"))?;
        let (row, secret) =
            new_key(&epoch, self.numbers().next_key()?, Kind::Wal, "", None, None, self.now_ms())?;
        database::insert_key(&transaction, &row, epoch.number)?;
        transaction.commit().map_err(KeysError::database("store a new key"))?;
        let mut header = vec![WAL_KEY_FORMAT];
        header.extend_from_slice(&row.id);
        Ok((FrameKey::sealing(&secret)?, WrappedKey(header)))
    }

    /// The key of a WAL segment found on disk. It opens frames and never seals: a segment found on disk is replayed, not
    /// appended to.
    pub fn open_wal_key(&self, wrapped: &[u8]) -> Result<FrameKey> {
        let id = wal_key_id(wrapped)?;
        let epoch = self.epoch();
        let row = database::key_by_id(&self.reader(), &id)?.ok_or(KeysError::KeyDestroyed)?;
        if row.kind != Kind::Wal {
            return Err(KeysError::Tampered { what: "the header of a log segment" });
        }
        FrameKey::opening(&unwrap_row(&epoch, &row)?)
    }

    /// Destroys the key of a WAL segment that has been drained: every copy of the segment is unreadable from now on.
    pub fn forget_wal_key(&self, wrapped: &[u8]) -> Result<()> {
        let id = wal_key_id(wrapped)?;
        let writer = self.writer();
        match database::key_by_id(&writer, &id)? {
            Some(row) if row.kind == Kind::Wal => {
                database::delete_key(&writer, &id).map(|_gone| ())
            }
            Some(_) => Err(KeysError::Tampered { what: "the header of a log segment" }),
            None => Ok(()),
        }
    }

    /// The key of a segment file, derived from the key of its stream and day (`YYYY-MM-DD`). That key is made when it is
    /// missing and `create` says so; otherwise its absence means that the day has expired.
    pub fn file_key(
        &self,
        tenant: &str,
        stream: &str,
        day: &str,
        file_id: &[u8; 16],
        create: bool,
    ) -> Result<FileKey> {
        let name = day_key_name(stream, day)?;
        let key = self
            .named_key(Kind::StreamDay, tenant, &name, create)?
            .ok_or(KeysError::KeyDestroyed)?;
        let info = label(&[
            b"loggia/v1/pme",
            tenant.as_bytes(),
            stream.as_bytes(),
            day.as_bytes(),
            file_id,
        ]);
        key.secret.derive(file_id, &info).map(FileKey)
    }

    /// The pseudonym of a value within a domain of a tenant: the same value gives the same text, elsewhere another.
    pub fn pseudonym(&self, tenant: &str, domain: &str, value: &str) -> Result<String> {
        let hasher = self.hasher(Kind::Pseudonym, tenant, domain)?;
        Ok(prefixed("p_", &hasher.short(value.as_bytes())))
    }

    /// Seals a small payload, such as a ledger record, under the key of its label and the month of `now_ns`. It opens
    /// only with the same label and context.
    pub fn seal_blob(
        &self,
        name: &str,
        context: &[u8],
        plaintext: &[u8],
        now_ns: i64,
    ) -> Result<Vec<u8>> {
        let shard = format!("{name}/{}", calendar::month_text(now_ns));
        let key = self
            .named_key(Kind::Blob, "", &shard, true)?
            .ok_or(KeysError::Unavailable { what: "a new key could not be stored" })?;
        let mut salt = [0_u8; ID_LEN];
        fill_random(&mut salt)?;
        let derived = BlobKey::derive(&key.secret, &salt, name)?;
        let mut body = Zeroizing::new(Vec::with_capacity(plaintext.len().saturating_add(TAG_LEN)));
        body.extend_from_slice(plaintext);
        derived
            .cipher()?
            .seal_in_place_append_tag(
                counter_nonce(0),
                Aad::from(blob_place(name, &key.id, context)),
                &mut *body,
            )
            .map_err(|_unspecified| KeysError::Crypto { what: "encrypt a payload" })?;
        let mut out = vec![BLOB_FORMAT];
        out.extend_from_slice(&key.id);
        out.extend_from_slice(&salt);
        out.extend_from_slice(derived.commitment());
        out.extend_from_slice(&body);
        Ok(out)
    }

    /// Opens what [`Self::seal_blob`] sealed under the same label and context.
    pub fn open_blob(
        &self,
        name: &str,
        context: &[u8],
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>> {
        let tampered = || KeysError::Tampered { what: "a sealed payload" };
        let ([format], rest) = sealed.split_first_chunk::<1>().ok_or_else(tampered)?;
        let (id, rest) = rest.split_first_chunk::<ID_LEN>().ok_or_else(tampered)?;
        let (salt, rest) = rest.split_first_chunk::<ID_LEN>().ok_or_else(tampered)?;
        let (commitment, body) = rest.split_first_chunk::<KEY_LEN>().ok_or_else(tampered)?;
        if *format != BLOB_FORMAT {
            return Err(tampered());
        }
        let secret = self.content_secret(id, |row| row.kind == Kind::Blob)?;
        let derived = BlobKey::derive(&secret, salt, name)?;
        if !equal(commitment, derived.commitment()) {
            return Err(tampered());
        }
        let mut plain = Zeroizing::new(body.to_vec());
        let length = derived
            .cipher()?
            .open_in_place(
                counter_nonce(0),
                Aad::from(blob_place(name, id, context)),
                plain.as_mut_slice(),
            )
            .map_err(|_unspecified| tampered())?
            .len();
        plain.truncate(length);
        Ok(plain)
    }

    /// A stable random 32-byte seed for `name`, kept wrapped like every key.
    pub fn signing_seed(&self, name: &str) -> Result<Zeroizing<[u8; KEY_LEN]>> {
        let key = self
            .named_key(Kind::Seed, "", name, true)?
            .ok_or(KeysError::Unavailable { what: "a new key could not be stored" })?;
        Ok(Zeroizing::new(*key.secret.expose()))
    }

    /// Random bytes of the system's generator, for tokens and keys that live in memory only.
    pub fn random<const N: usize>() -> Result<Zeroizing<[u8; N]>> {
        let mut out = Zeroizing::new([0_u8; N]);
        fill_random(out.as_mut_slice())?;
        Ok(out)
    }
}

/// Name of a stream-day key.
pub(crate) fn day_key_name(stream: &str, day: &str) -> Result<String> {
    if calendar::is_day(day) {
        Ok(format!("{stream}/{day}"))
    } else {
        Err(KeysError::Invalid { what: "a day must be written as YYYY-MM-DD" })
    }
}

fn wal_key_id(wrapped: &[u8]) -> Result<[u8; ID_LEN]> {
    match wrapped.split_first() {
        Some((&WAL_KEY_FORMAT, id)) => <[u8; ID_LEN]>::try_from(id).ok(),
        Some(_) | None => None,
    }
    .ok_or(KeysError::Tampered { what: "the header of a log segment" })
}

/// The key of one payload, and the commitment to it.
struct BlobKey(Zeroizing<[u8; 2 * KEY_LEN]>);

impl BlobKey {
    fn derive(secret: &Secret, salt: &[u8; ID_LEN], name: &str) -> Result<Self> {
        let info = label(&[b"loggia/v1/blob", name.as_bytes()]);
        let mut material = Zeroizing::new([0_u8; 2 * KEY_LEN]);
        secret.derive_into(salt, &info, material.as_mut_slice())?;
        Ok(Self(material))
    }

    fn cipher(&self) -> Result<aws_lc_rs::aead::LessSafeKey> {
        cipher(self.0.first_chunk::<KEY_LEN>().map_or(&[][..], |key| key.as_slice()))
    }

    fn commitment(&self) -> &[u8] {
        self.0.last_chunk::<KEY_LEN>().map_or(&[][..], |bytes| bytes.as_slice())
    }
}

/// What a payload is bound to.
fn blob_place(name: &str, key_id: &[u8; ID_LEN], context: &[u8]) -> Vec<u8> {
    let mut out = label(&[b"loggia/v1/blob", &[BLOB_FORMAT], name.as_bytes(), key_id]);
    push_field(&mut out, context);
    out
}

#[cfg(test)]
mod tests;
