//! What the detectors find: kinds, findings and their counts.
//!
//! Guarantees: the names are those of the public corpus and never change; no type here holds text.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The kind of personal data or secret that a finding is.
#[derive(
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Debug,
    Serialize,
    Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum EntityKind {
    /// Name of a person.
    Person,
    /// E-mail address.
    Email,
    /// Telephone number.
    Phone,
    /// Payment card number.
    CreditCard,
    /// International bank account number.
    Iban,
    /// United States social security number.
    UsSsn,
    /// United Kingdom national insurance number.
    UkNino,
    /// National, tax, passport or licence number.
    IdNumber,
    /// IPv4 or IPv6 address.
    IpAddress,
    /// Hardware address of a network interface.
    MacAddress,
    /// Street address.
    Address,
    /// Date of birth.
    DateOfBirth,
    /// Address of a crypto wallet.
    Crypto,
    /// Domestic bank account, routing number or sort code.
    BankAccount,
    /// Health insurance or medical record number.
    MedicalId,
    /// Key, token, password or private key.
    Secret,
    /// Login name or handle.
    Username,
}

impl EntityKind {
    /// All kinds, in the order of the corpus.
    pub const ALL: [Self; 17] = [
        Self::Person,
        Self::Email,
        Self::Phone,
        Self::CreditCard,
        Self::Iban,
        Self::UsSsn,
        Self::UkNino,
        Self::IdNumber,
        Self::IpAddress,
        Self::MacAddress,
        Self::Address,
        Self::DateOfBirth,
        Self::Crypto,
        Self::BankAccount,
        Self::MedicalId,
        Self::Secret,
        Self::Username,
    ];

    /// Returns the name used in output and placeholders, for example `US_SSN`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Person => "PERSON",
            Self::Email => "EMAIL",
            Self::Phone => "PHONE",
            Self::CreditCard => "CREDIT_CARD",
            Self::Iban => "IBAN",
            Self::UsSsn => "US_SSN",
            Self::UkNino => "UK_NINO",
            Self::IdNumber => "ID_NUMBER",
            Self::IpAddress => "IP_ADDRESS",
            Self::MacAddress => "MAC_ADDRESS",
            Self::Address => "ADDRESS",
            Self::DateOfBirth => "DATE_OF_BIRTH",
            Self::Crypto => "CRYPTO",
            Self::BankAccount => "BANK_ACCOUNT",
            Self::MedicalId => "MEDICAL_ID",
            Self::Secret => "SECRET",
            Self::Username => "USERNAME",
        }
    }

    /// Returns the kind whose name is `name`.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Rank when two findings overlap: the higher wins.
    pub(super) const fn rank(self) -> u8 {
        match self {
            Self::Secret => 9,
            Self::CreditCard | Self::Iban | Self::Crypto => 8,
            Self::UsSsn | Self::UkNino | Self::Email => 7,
            Self::IdNumber | Self::MedicalId | Self::MacAddress | Self::IpAddress => 6,
            Self::BankAccount | Self::DateOfBirth => 5,
            Self::Phone => 4,
            Self::Address => 3,
            Self::Username => 2,
            Self::Person => 1,
        }
    }

    pub(super) const fn index(self) -> usize {
        self as usize
    }

    pub(super) const fn bit(self) -> u32 {
        1 << (self as u32)
    }
}

impl fmt::Display for EntityKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One span of personal data or secret: UTF-8 byte offsets, end exclusive, on character boundaries.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Finding {
    /// First byte.
    pub start: usize,
    /// First byte after it.
    pub end: usize,
    /// What it is.
    pub kind: EntityKind,
    /// How sure the detector is, 0 to 100.
    pub score: u8,
}

/// What a redaction replaced, by kind.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct RedactCounts {
    counts: [u32; 17],
    cut_bytes: usize,
}

impl RedactCounts {
    /// Returns the number of values of a kind that were replaced.
    pub fn get(&self, kind: EntityKind) -> u32 {
        self.counts.get(kind.index()).copied().unwrap_or(0)
    }

    /// Returns the number of all values that were replaced.
    pub fn total(&self) -> u32 {
        self.counts.iter().fold(0, |sum, count| sum.saturating_add(*count))
    }

    /// Returns the kinds that occurred, with their counts.
    pub fn iter(&self) -> impl Iterator<Item = (EntityKind, u32)> + '_ {
        EntityKind::ALL
            .into_iter()
            .map(|kind| (kind, self.get(kind)))
            .filter(|(_, count)| *count > 0)
    }

    /// Returns the bytes that were beyond the budget: not read, cut off, and replaced by `<CUT>`.
    pub fn cut_bytes(&self) -> usize {
        self.cut_bytes
    }

    /// Adds the counts of another redaction.
    pub fn merge(&mut self, other: &Self) {
        for (mine, theirs) in self.counts.iter_mut().zip(other.counts) {
            *mine = mine.saturating_add(theirs);
        }
        self.cut_bytes = self.cut_bytes.saturating_add(other.cut_bytes);
    }

    pub(super) fn add(&mut self, kind: EntityKind) {
        if let Some(count) = self.counts.get_mut(kind.index()) {
            *count = count.saturating_add(1);
        }
    }

    pub(super) fn cut(&mut self, bytes: usize) {
        self.cut_bytes = self.cut_bytes.saturating_add(bytes);
    }
}
