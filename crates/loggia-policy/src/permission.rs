//! [`Permission`]: what a role may do, and [`Principal`]: who asks.

use std::fmt;

use schemars::JsonSchema;
use serde::Deserialize;

/// An action a role may be allowed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Deserialize, JsonSchema)]
pub enum Permission {
    /// Send records.
    #[serde(rename = "ingest")]
    Ingest,
    /// Query, search and tail.
    #[serde(rename = "read")]
    Read,
    /// Take results away in bulk.
    #[serde(rename = "export")]
    Export,
    /// Learn whether, and how much, is kept about a person.
    #[serde(rename = "subject.find")]
    SubjectFind,
    /// Erase a person.
    #[serde(rename = "subject.erase")]
    SubjectErase,
    /// Make and revoke tokens.
    #[serde(rename = "tokens.manage")]
    TokensManage,
    /// Read the ledger of accesses.
    #[serde(rename = "ledger.read")]
    LedgerRead,
    /// Read the policy.
    #[serde(rename = "policy.read")]
    PolicyRead,
    /// Rotate keys and see their status.
    #[serde(rename = "keys.manage")]
    KeysManage,
    /// Verify stored files.
    #[serde(rename = "store.verify")]
    StoreVerify,
    /// Read metrics.
    #[serde(rename = "metrics.read")]
    MetricsRead,
}

impl Permission {
    /// All permissions, in the order of the documentation.
    pub const ALL: [Self; 11] = [
        Self::Ingest,
        Self::Read,
        Self::Export,
        Self::SubjectFind,
        Self::SubjectErase,
        Self::TokensManage,
        Self::LedgerRead,
        Self::PolicyRead,
        Self::KeysManage,
        Self::StoreVerify,
        Self::MetricsRead,
    ];

    /// The name policies use.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ingest => "ingest",
            Self::Read => "read",
            Self::Export => "export",
            Self::SubjectFind => "subject.find",
            Self::SubjectErase => "subject.erase",
            Self::TokensManage => "tokens.manage",
            Self::LedgerRead => "ledger.read",
            Self::PolicyRead => "policy.read",
            Self::KeysManage => "keys.manage",
            Self::StoreVerify => "store.verify",
            Self::MetricsRead => "metrics.read",
        }
    }

    /// Whether the action touches stored records, so that it needs a purpose (and a ticket where the role says so).
    #[must_use]
    pub fn touches_records(self) -> bool {
        match self {
            Self::Read | Self::Export | Self::SubjectFind | Self::SubjectErase => true,
            Self::Ingest
            | Self::TokensManage
            | Self::LedgerRead
            | Self::PolicyRead
            | Self::KeysManage
            | Self::StoreVerify
            | Self::MetricsRead => false,
        }
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Who asks, as authentication established it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Principal {
    /// Stable id of the person or program.
    pub id: String,
    /// Name of its role.
    pub role: String,
    /// Tenant it belongs to.
    pub tenant: String,
    /// Token it came with.
    pub token_id: Option<String>,
}
