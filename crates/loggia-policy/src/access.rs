//! Decisions on reading: a request in, a [`Grant`] or a [`Denial`] out.
//!
//! A grant has private fields and one maker, [`Policy::authorize`]: whoever holds one knows that the role may act, for a
//! declared purpose of its own, with the ticket it needs, and which columns it sees in clear. Anything in doubt is denied
//! or masked, and a stream one may not read does not exist.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use crate::document::{RoleDoc, TicketRule};
use crate::permission::{Permission, Principal};
use crate::policy::Policy;
use crate::schema::{Category, FieldSchema, PolicyDigest, StreamSchema};

/// How long a grant holds.
pub const GRANT_LIFETIME_NS: i64 = 15 * 60 * 1_000_000_000;
/// Longest ticket, in bytes.
pub const TICKET_BYTES_MAX: usize = 128;

/// A role: permissions, purposes, and what it sees in clear.
#[derive(Clone, Debug)]
pub struct Role {
    name: String,
    description: String,
    can: BTreeSet<Permission>,
    purposes: BTreeSet<String>,
    ticket: TicketRule,
    /// Named streams first, `"*"` last.
    pub(crate) access: Vec<StreamAccess>,
}

/// What a role sees of one stream, or of all others.
#[derive(Clone, Debug)]
pub(crate) struct StreamAccess {
    /// Name of the stream; `None` for all others.
    pub(crate) stream: Option<String>,
    /// Categories and field names, sorted.
    pub(crate) clear: BTreeSet<String>,
}

impl StreamAccess {
    /// Whether the role lists the field, by category or by name.
    pub(crate) fn lists(&self, field: &FieldSchema) -> bool {
        self.clear.contains(field.name.as_str())
            || self.clear.contains(category_name(field.category))
    }
}

impl Role {
    /// Name, as tokens carry it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Who has it, and what for.
    #[must_use]
    pub fn description(&self) -> &str {
        &self.description
    }

    /// What the role may do.
    #[must_use]
    pub fn permissions(&self) -> &BTreeSet<Permission> {
        &self.can
    }

    /// Purposes the role may read for.
    #[must_use]
    pub fn purposes(&self) -> &BTreeSet<String> {
        &self.purposes
    }

    /// Whether a read needs a ticket.
    #[must_use]
    pub fn ticket(&self) -> TicketRule {
        self.ticket
    }

    /// What the role sees of a stream; `None` when the stream does not exist for it.
    pub(crate) fn access_to(&self, stream: &str) -> Option<&StreamAccess> {
        let named = |access: &&StreamAccess| access.stream.as_deref() == Some(stream);
        let others = |access: &&StreamAccess| access.stream.is_none();
        self.access.iter().find(named).or_else(|| self.access.iter().find(others))
    }
}

/// Turns a role of the document into one that decides.
pub(crate) fn compile_role(name: &str, role: &RoleDoc) -> Role {
    let mut access: Vec<StreamAccess> = role
        .streams
        .iter()
        .map(|(stream, access)| StreamAccess {
            stream: (stream.value != "*").then(|| stream.value.clone()),
            clear: access.clear.iter().map(|item| item.value.clone()).collect(),
        })
        .collect();
    access.sort_by(|a, b| (a.stream.is_none(), &a.stream).cmp(&(b.stream.is_none(), &b.stream)));
    Role {
        name: name.to_owned(),
        description: role.description.clone().unwrap_or_default(),
        can: role.can.iter().map(|permission| permission.value).collect(),
        purposes: role.purposes.iter().map(|purpose| purpose.value.clone()).collect(),
        ticket: role.ticket,
        access,
    }
}

/// A wish to do something.
#[derive(Clone, Copy, Debug)]
pub struct AccessRequest<'a> {
    /// Who asks.
    pub principal: &'a Principal,
    /// Streams the action touches.
    pub streams: &'a [&'a str],
    /// Stated purpose.
    pub purpose: Option<&'a str>,
    /// Stated ticket.
    pub ticket: Option<&'a str>,
    /// What is to be done.
    pub action: Permission,
    /// Now, Unix nanoseconds.
    pub now_ns: i64,
}

/// Whether a column is seen as it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ColumnAccess {
    /// As it is.
    Clear,
    /// Not at all; its place stays.
    Masked,
}

/// What a grant opens of one stream.
#[derive(Clone, Debug)]
pub struct StreamGrant {
    schema: Arc<StreamSchema>,
    columns: Vec<ColumnAccess>,
}

impl StreamGrant {
    /// The stream.
    #[must_use]
    pub fn schema(&self) -> &Arc<StreamSchema> {
        &self.schema
    }

    /// Access per field of the schema; `time` and `ingest_time` are always clear.
    #[must_use]
    pub fn columns(&self) -> &[ColumnAccess] {
        &self.columns
    }

    /// Access to field `index`; masked when there is no such field.
    #[must_use]
    pub fn column(&self, index: usize) -> ColumnAccess {
        self.columns.get(index).copied().unwrap_or(ColumnAccess::Masked)
    }
}

/// Leave to act, for a while. Made only by [`Policy::authorize`].
#[derive(Clone, Debug)]
pub struct Grant {
    principal: Principal,
    action: Permission,
    purpose: Option<String>,
    ticket: Option<String>,
    streams: Vec<StreamGrant>,
    policy: PolicyDigest,
    expires_ns: i64,
}

impl Grant {
    /// Who may act.
    #[must_use]
    pub fn principal(&self) -> &Principal {
        &self.principal
    }

    /// Tenant whose records are meant.
    #[must_use]
    pub fn tenant(&self) -> &str {
        &self.principal.tenant
    }

    /// What may be done.
    #[must_use]
    pub fn action(&self) -> Permission {
        self.action
    }

    /// For which purpose; absent only for actions that touch no records.
    #[must_use]
    pub fn purpose(&self) -> Option<&str> {
        self.purpose.as_deref()
    }

    /// The ticket stated.
    #[must_use]
    pub fn ticket(&self) -> Option<&str> {
        self.ticket.as_deref()
    }

    /// Streams and what is seen of them, in the order of the request.
    #[must_use]
    pub fn streams(&self) -> &[StreamGrant] {
        &self.streams
    }

    /// What is seen of the named stream.
    #[must_use]
    pub fn stream(&self, name: &str) -> Option<&StreamGrant> {
        self.streams.iter().find(|grant| grant.schema.name() == name)
    }

    /// Digest of the policy that decided.
    #[must_use]
    pub fn policy(&self) -> PolicyDigest {
        self.policy
    }

    /// When the grant ends, Unix nanoseconds.
    #[must_use]
    pub fn expires_ns(&self) -> i64 {
        self.expires_ns
    }
}

/// A refusal. Its text is safe to show to whoever asked.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{reason}")]
pub struct Denial {
    /// Why.
    pub reason: DenialReason,
}

/// Why something was refused.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum DenialReason {
    /// The principal's role is not in the policy.
    UnknownRole,
    /// The role may not do this.
    NotPermitted(Permission),
    /// No purpose was stated.
    PurposeMissing,
    /// The purpose is not one the role may act for.
    PurposeNotAllowed,
    /// The role needs a ticket.
    TicketMissing,
    /// The ticket is empty, too long or not printable.
    TicketInvalid,
    /// There is no such stream, or it is not the role's to know.
    NoSuchStream,
}

impl DenialReason {
    /// A word for ledgers and metrics.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::UnknownRole => "unknown_role",
            Self::NotPermitted(_) => "not_permitted",
            Self::PurposeMissing => "purpose_missing",
            Self::PurposeNotAllowed => "purpose_not_allowed",
            Self::TicketMissing => "ticket_missing",
            Self::TicketInvalid => "ticket_invalid",
            Self::NoSuchStream => "no_such_stream",
        }
    }
}

impl fmt::Display for DenialReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownRole => f.write_str("the role of this sign-in is not in the policy"),
            Self::NotPermitted(permission) => write!(f, "your role may not `{permission}`"),
            Self::PurposeMissing => {
                f.write_str("state the purpose of this access (header `Loggia-Purpose`)")
            }
            Self::PurposeNotAllowed => f.write_str("your role may not act for this purpose"),
            Self::TicketMissing => {
                f.write_str("your role needs a ticket for this access (header `Loggia-Ticket`)")
            }
            Self::TicketInvalid => {
                write!(f, "a ticket has 1 to {TICKET_BYTES_MAX} printable characters")
            }
            Self::NoSuchStream => f.write_str("no such stream"),
        }
    }
}

impl Policy {
    /// Decides a request.
    ///
    /// # Errors
    /// A denial whose text is safe to show: an unknown stream and a forbidden one give the same answer, and so do an unknown
    /// purpose and a forbidden one.
    pub fn authorize(&self, request: &AccessRequest<'_>) -> Result<Grant, Denial> {
        let role = self.role(&request.principal.role).ok_or(denied(DenialReason::UnknownRole))?;
        if !role.can.contains(&request.action) {
            return Err(denied(DenialReason::NotPermitted(request.action)));
        }
        let needs_purpose = request.action.touches_records() || !request.streams.is_empty();
        let purpose = self.check_purpose(role, request.purpose, needs_purpose)?;
        let ticket = check_ticket(role, request.ticket, needs_purpose)?;
        let mut streams = Vec::with_capacity(request.streams.len());
        for name in request.streams {
            streams.push(self.open_stream(role, purpose, name)?);
        }
        Ok(Grant {
            principal: request.principal.clone(),
            action: request.action,
            purpose: purpose.map(str::to_owned),
            ticket: ticket.map(str::to_owned),
            streams,
            policy: self.digest,
            expires_ns: request.now_ns.saturating_add(GRANT_LIFETIME_NS),
        })
    }

    /// Whether the policy lets a role do something at all.
    #[must_use]
    pub fn permits(&self, role: &str, permission: Permission) -> bool {
        self.role(role).is_some_and(|role| role.can.contains(&permission))
    }

    /// Streams that exist for a role: those it may name in a request.
    pub fn readable_streams<'p>(
        &'p self,
        role: &str,
    ) -> impl Iterator<Item = &'p Arc<StreamSchema>> + use<'p> {
        let role = self.role(role);
        self.streams()
            .filter(move |stream| role.is_some_and(|role| role.access_to(stream.name()).is_some()))
    }

    fn check_purpose<'r>(
        &self,
        role: &Role,
        purpose: Option<&'r str>,
        needed: bool,
    ) -> Result<Option<&'r str>, Denial> {
        let Some(purpose) = purpose else {
            return if needed { Err(denied(DenialReason::PurposeMissing)) } else { Ok(None) };
        };
        let declared = self.purposes.iter().any(|known| known.name == purpose);
        if declared && role.purposes.contains(purpose) {
            Ok(Some(purpose))
        } else {
            Err(denied(DenialReason::PurposeNotAllowed))
        }
    }

    fn open_stream(
        &self,
        role: &Role,
        purpose: Option<&str>,
        name: &str,
    ) -> Result<StreamGrant, Denial> {
        let (Some(schema), Some(access)) = (self.stream(name), role.access_to(name)) else {
            return Err(denied(DenialReason::NoSuchStream));
        };
        let columns = schema
            .fields()
            .iter()
            .map(|field| {
                let bound = purpose.is_some_and(|purpose| kept_for(field, purpose));
                if bound && access.lists(field) {
                    ColumnAccess::Clear
                } else {
                    ColumnAccess::Masked
                }
            })
            .collect();
        Ok(StreamGrant { schema: Arc::clone(schema), columns })
    }
}

/// Whether a field is kept for a purpose.
pub(crate) fn kept_for(field: &FieldSchema, purpose: &str) -> bool {
    field.purposes.iter().any(|kept| kept == purpose)
}

fn check_ticket<'r>(
    role: &Role,
    ticket: Option<&'r str>,
    needed: bool,
) -> Result<Option<&'r str>, Denial> {
    match ticket {
        None if needed && role.ticket == TicketRule::Required => {
            Err(denied(DenialReason::TicketMissing))
        }
        None => Ok(None),
        Some(ticket) => {
            let printable = ticket.chars().all(|c| !c.is_control()) && !ticket.trim().is_empty();
            if printable && ticket.len() <= TICKET_BYTES_MAX {
                Ok(Some(ticket))
            } else {
                Err(denied(DenialReason::TicketInvalid))
            }
        }
    }
}

fn denied(reason: DenialReason) -> Denial {
    Denial { reason }
}

/// The category a `clear` item names, if it names one.
pub(crate) fn category_named(name: &str) -> Option<Category> {
    CATEGORIES.into_iter().find(|category| category_name(*category) == name)
}

/// All categories.
pub(crate) const CATEGORIES: [Category; 6] = [
    Category::Operational,
    Category::Linkable,
    Category::Person,
    Category::FreeText,
    Category::Content,
    Category::Secret,
];

/// The name policies use for a category.
pub(crate) fn category_name(category: Category) -> &'static str {
    match category {
        Category::Operational => "operational",
        Category::Linkable => "linkable",
        Category::Person => "person",
        Category::FreeText => "free_text",
        Category::Content => "content",
        Category::Secret => "secret",
    }
}

#[cfg(test)]
mod tests;
