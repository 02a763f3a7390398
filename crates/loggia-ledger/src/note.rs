//! Signed notes (C2SP signed-note): a text, a blank line, and one or more signature lines.
//!
//! Only Ed25519 is implemented, as a plain signature (type 1) and as a witness's cosignature (type 4).
//! Signatures under keys that the verifier does not know are ignored, as the format asks.

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::entry::Hex;
use crate::error::LedgerError;
use crate::merkle::sha256;

/// The largest note that is read.
const NOTE_BYTES_MAX: usize = 1 << 20;

/// The most signature lines that are read; the format asks for 16 at least.
const SIGNATURES_MAX: usize = 64;

/// What starts a signature line: an em dash and a space.
const SIGNATURE_START: &str = "\u{2014} ";

/// What a key signs, as the format numbers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyUse {
    /// Notes: a plain Ed25519 signature over the text.
    Note = 1,
    /// Checkpoints seen by a witness: Ed25519 over the text and a time.
    Cosignature = 4,
}

impl KeyUse {
    const fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            1 => Some(Self::Note),
            4 => Some(Self::Cosignature),
            _ => None,
        }
    }
}

/// A public key with its name: what a verifier must know beforehand (a "vkey").
#[derive(Clone, PartialEq, Eq)]
pub struct VerifierKey {
    name: String,
    key_use: KeyUse,
    public: [u8; 32],
}

impl VerifierKey {
    pub(crate) fn new(name: &str, key_use: KeyUse, public: [u8; 32]) -> Result<Self, LedgerError> {
        check_name(name)?;
        Ok(Self { name: name.to_owned(), key_use, public })
    }

    /// Returns the name of the key; for a log this is its origin.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    pub(crate) const fn key_use(&self) -> KeyUse {
        self.key_use
    }

    fn id(&self) -> [u8; 4] {
        let hash = sha256(&[self.name.as_bytes(), b"\n", &[self.key_use as u8], &self.public]);
        let [a, b, c, d, ..] = hash;
        [a, b, c, d]
    }

    pub(crate) fn accepts(&self, message: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&ED25519, self.public).verify(message, signature).is_ok()
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut key = vec![self.key_use as u8];
        key.extend_from_slice(&self.public);
        write!(f, "{}+{}+{}", self.name, Hex(&self.id()), STANDARD.encode(key))
    }
}

impl fmt::Debug for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerifierKey({self})")
    }
}

impl FromStr for VerifierKey {
    type Err = LedgerError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = |what: &str| {
            LedgerError::invalid(format!("`{}` is no verifier key: {what}", text.escape_debug()))
        };
        let mut parts = text.splitn(3, '+');
        let (Some(name), Some(_id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(wrong("it needs three parts, name+id+key"));
        };
        let key = STANDARD.decode(key).map_err(|_bad| wrong("the key is not base64"))?;
        let Some((&algorithm, public)) = key.split_first() else {
            return Err(wrong("the key is empty"));
        };
        let key_use = KeyUse::from_byte(algorithm)
            .ok_or_else(|| wrong("only Ed25519 keys of type 1 or 4 are known"))?;
        let public = public.try_into().map_err(|_size| wrong("the key needs 32 bytes"))?;
        let parsed = Self::new(name, key_use, public)?;
        // One spelling only: this also checks that the id fits name and key.
        if parsed.to_string() == text { Ok(parsed) } else { Err(wrong("the id does not fit")) }
    }
}

/// Checks a key name or origin: not empty, no spaces, no plus sign, no control characters.
pub(crate) fn check_name(name: &str) -> Result<(), LedgerError> {
    let forbidden = |c: char| c == '+' || c.is_whitespace() || c.is_control();
    if name.is_empty() || name.len() > 255 || name.contains(forbidden) {
        return Err(LedgerError::invalid(format!(
            "`{}` cannot name a log: it needs 1 to 255 bytes without spaces, `+` or control characters",
            name.escape_debug()
        )));
    }
    Ok(())
}

/// The private key of a log, with its name.
pub(crate) struct Signer {
    pair: Ed25519KeyPair,
    key: VerifierKey,
}

impl Signer {
    pub(crate) fn new(name: &str, seed: &[u8; 32]) -> Result<Self, LedgerError> {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed)
            .map_err(|_rejected| LedgerError::invalid("the signing seed was rejected"))?;
        let public = pair
            .public_key()
            .as_ref()
            .try_into()
            .map_err(|_size| LedgerError::internal("an Ed25519 public key has 32 bytes"))?;
        let key = VerifierKey::new(name, KeyUse::Note, public)?;
        Ok(Self { pair, key })
    }

    pub(crate) const fn key(&self) -> &VerifierKey {
        &self.key
    }

    /// Returns the note: `text`, which must end in a newline, and the signature.
    pub(crate) fn sign(&self, text: &str) -> Result<String, LedgerError> {
        let signature = self
            .pair
            .try_sign(text.as_bytes())
            .map_err(|_unspecified| LedgerError::internal("signing failed"))?;
        let mut blob = self.key.id().to_vec();
        blob.extend_from_slice(signature.as_ref());
        let line = SignatureLine { name: self.key.name.clone(), blob };
        Ok(format!("{text}\n{line}\n"))
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signer({}, [redacted])", self.key)
    }
}

/// One signature line of a note.
#[derive(Debug)]
pub(crate) struct SignatureLine {
    name: String,
    /// Four bytes of key id, then the signature.
    blob: Vec<u8>,
}

impl SignatureLine {
    /// Returns the signature if this line was made by the key named.
    fn signature_of(&self, key: &VerifierKey) -> Option<&[u8]> {
        let (id, signature) = self.blob.split_first_chunk::<4>()?;
        (self.name == key.name && *id == key.id()).then_some(signature)
    }
}

impl fmt::Display for SignatureLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{SIGNATURE_START}{} {}", self.name, STANDARD.encode(&self.blob))
    }
}

/// A note taken apart; its text means nothing until a known key has been checked.
#[derive(Debug)]
pub(crate) struct Note<'a> {
    text: &'a str,
    signatures: Vec<SignatureLine>,
}

impl<'a> Note<'a> {
    /// Takes a note apart; takes only what a writer that follows the format can have written.
    pub(crate) fn parse(note: &'a str) -> Result<Self, LedgerError> {
        let wrong = |what: &str| LedgerError::invalid(format!("this is no signed note: {what}"));
        if note.len() > NOTE_BYTES_MAX {
            return Err(wrong("it is too large"));
        }
        if note.chars().any(|c| c < ' ' && c != '\n') {
            return Err(wrong("it holds control characters"));
        }
        let (head, lines) = note.rsplit_once("\n\n").ok_or_else(|| wrong("no blank line"))?;
        let text = note.get(..=head.len()).ok_or_else(|| wrong("no text"))?;
        let lines =
            lines.strip_suffix('\n').ok_or_else(|| wrong("it does not end in a newline"))?;
        let signatures: Vec<SignatureLine> = lines
            .split('\n')
            .map(|line| parse_line(line).ok_or_else(|| wrong("a signature line is malformed")))
            .take(SIGNATURES_MAX + 1)
            .collect::<Result<_, _>>()?;
        if signatures.len() > SIGNATURES_MAX {
            return Err(wrong("it has too many signatures"));
        }
        Ok(Self { text, signatures })
    }

    /// Returns the text if the note carries a signature of `key`, and every one it carries is good.
    pub(crate) fn verify(&self, key: &VerifierKey) -> Result<&'a str, LedgerError> {
        let mut signatures =
            self.signatures.iter().filter_map(|line| line.signature_of(key)).peekable();
        if signatures.peek().is_none() {
            return Err(LedgerError::invalid(format!("the note is not signed by `{key}`")));
        }
        if key.key_use == KeyUse::Note
            && signatures.all(|signature| key.accepts(self.text.as_bytes(), signature))
        {
            return Ok(self.text);
        }
        Err(LedgerError::invalid(format!("the signature of `{key}` is wrong")))
    }

    /// Returns the text without saying that anybody signed it.
    pub(crate) const fn unverified_text(&self) -> &'a str {
        self.text
    }

    /// Returns the names of the keys other than `key` that have signed, unchecked.
    pub(crate) fn signers_other_than(&self, key: &VerifierKey) -> impl Iterator<Item = &str> {
        let others = self.signatures.iter().filter(|line| line.signature_of(key).is_none());
        others.map(|line| line.name.as_str())
    }

    /// Returns the signatures made by `key`, unchecked.
    pub(crate) fn signatures_of<'k>(
        &'k self,
        key: &'k VerifierKey,
    ) -> impl Iterator<Item = &'k [u8]> {
        self.signatures.iter().filter_map(|line| line.signature_of(key))
    }
}

impl fmt::Display for Note<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.text)?;
        self.signatures.iter().try_for_each(|line| writeln!(f, "{line}"))
    }
}

fn parse_line(line: &str) -> Option<SignatureLine> {
    let (name, blob) = line.strip_prefix(SIGNATURE_START)?.split_once(' ')?;
    check_name(name).ok()?;
    let blob = STANDARD.decode(blob).ok()?;
    (blob.len() > 4).then(|| SignatureLine { name: name.to_owned(), blob })
}

#[cfg(test)]
mod tests;
