//! Lints on roles: what they can see without need, and powers that should not meet.

use super::Lints;
use crate::access::{CATEGORIES, Role, category_name, category_named, kept_for};
use crate::document::{At, RoleDoc, StreamAccessDoc, TicketRule};
use crate::permission::Permission;
use crate::policy::Policy;
use crate::schema::{Category, FieldSchema};
use crate::suggest::did_you_mean;

pub(super) fn lint(policy: &Policy, lints: &mut Lints) {
    for (name, document) in policy.document.roles.iter() {
        let Some(role) = policy.role(&name.value) else { continue };
        purposes(policy, name, document, role, lints);
        for (stream, access) in document.streams.iter() {
            streams(policy, name, stream, access, role, lints);
        }
        content(policy, name, role, lints);
        separation(policy, name, role, lints);
    }
}

fn purposes(
    policy: &Policy,
    name: &At<String>,
    document: &RoleDoc,
    role: &Role,
    lints: &mut Lints,
) {
    for purpose in &document.purposes {
        if policy.document.purposes.get(&purpose.value).is_none() {
            let near = did_you_mean(&purpose.value, policy.document.purposes.names());
            lints.error(
                "unknown_purpose",
                purpose,
                format!(
                    "role `{}` reads for `{}`, which is not a purpose",
                    name.value, purpose.value
                ),
                near.map_or_else(
                    || "declare it under `purposes`".to_owned(),
                    |near| format!("did you mean `{near}`?"),
                ),
            );
        }
    }
    let touches = role.permissions().iter().any(|permission| permission.touches_records());
    if touches && role.purposes().is_empty() {
        lints.error(
            "role_without_purpose",
            name,
            format!("role `{}` may touch records but has no purpose to do so", name.value),
            "add `purposes: […]`, or remove the permission",
        );
    }
    let reads = role.permissions().contains(&Permission::Read)
        || role.permissions().contains(&Permission::Export);
    if reads && role.access.is_empty() {
        lints.warn(
            "role_without_streams",
            name,
            format!("role `{}` may read, but no stream", name.value),
            "add `streams: {\"*\": {clear: [operational]}}`, or remove `read`",
        );
    }
    if !reads && !role.access.is_empty() && !touches {
        lints.warn(
            "streams_without_read",
            name,
            format!("role `{}` lists streams but may not read", name.value),
            "add `read` to `can`, or remove `streams`",
        );
    }
}

fn streams(
    policy: &Policy,
    name: &At<String>,
    stream: &At<String>,
    access: &StreamAccessDoc,
    role: &Role,
    lints: &mut Lints,
) {
    let all = stream.value == "*";
    if !all && policy.stream(&stream.value).is_none() {
        let near = did_you_mean(&stream.value, policy.document.streams.names());
        lints.error(
            "unknown_stream",
            stream,
            format!("role `{}` reads `{}`, which is not a stream", name.value, stream.value),
            near.map_or_else(
                || "name a stream of this policy, or \"*\"".to_owned(),
                |near| format!("did you mean `{near}`?"),
            ),
        );
        return;
    }
    let fields: Vec<&FieldSchema> = policy
        .streams()
        .filter(|schema| all || schema.name() == stream.value)
        .flat_map(|schema| schema.fields())
        .collect();
    for item in &access.clear {
        let category = category_named(&item.value);
        let meant: Vec<&&FieldSchema> = fields
            .iter()
            .filter(|field| field.name == item.value || Some(field.category) == category)
            .collect();
        if category.is_none() && meant.is_empty() {
            let words = fields.iter().map(|field| field.name.as_str());
            let near = did_you_mean(&item.value, words.chain(CATEGORIES.map(category_name)));
            lints.error(
                "unknown_column",
                item,
                format!(
                    "role `{}` clears `{}`, which is no field or category",
                    name.value, item.value
                ),
                near.map_or_else(
                    || format!("categories: {}", CATEGORIES.map(category_name).join(", ")),
                    |near| format!("did you mean `{near}`?"),
                ),
            );
            continue;
        }
        let useful = meant
            .iter()
            .any(|field| role.purposes().iter().any(|purpose| kept_for(field, purpose)));
        if !meant.is_empty() && !useful {
            lints.warn(
                "clear_without_purpose",
                item,
                format!(
                    "role `{}` clears `{}`, but nothing of it is kept for the role's purposes",
                    name.value, item.value
                ),
                "remove it, or give the role the purpose it needs",
            );
        }
    }
}

/// Fields a role sees in clear for some purpose of its own.
fn cleared<'p>(policy: &'p Policy, role: &'p Role) -> impl Iterator<Item = &'p FieldSchema> {
    policy
        .streams()
        .filter_map(|schema| role.access_to(schema.name()).map(|access| (schema, access)))
        .flat_map(|(schema, access)| {
            schema.fields().iter().filter(move |field| access.lists(field))
        })
        .filter(|field| role.purposes().iter().any(|purpose| kept_for(field, purpose)))
}

fn content(policy: &Policy, name: &At<String>, role: &Role, lints: &mut Lints) {
    let reads = role.permissions().contains(&Permission::Read)
        || role.permissions().contains(&Permission::Export);
    if !reads {
        return;
    }
    let sees = |category| cleared(policy, role).any(|field| field.category == category);
    if sees(Category::Content) && role.ticket() != TicketRule::Required {
        lints.warn(
            "content_without_ticket",
            name,
            format!("role `{}` sees content without a ticket", name.value),
            "write `ticket: required`, so that each reading of content has a reason on file",
        );
    }
    if sees(Category::Secret) {
        lints.error(
            "secret_in_clear",
            name,
            format!("role `{}` sees fields prone to hold credentials", name.value),
            "remove `secret` from `clear`, and drop such fields",
        );
    }
}

/// Powers that one role should not have together.
fn separation(policy: &Policy, name: &At<String>, role: &Role, lints: &mut Lints) {
    let can = |permission| role.permissions().contains(&permission);
    let reads = can(Permission::Read) || can(Permission::Export);
    let content = reads && cleared(policy, role).any(|field| field.category == Category::Content);
    let administers = can(Permission::TokensManage) || can(Permission::KeysManage);
    if administers && content {
        lints.error(
            "separation_of_duties",
            name,
            format!("role `{}` administers tokens or keys and sees content", name.value),
            "split it into two roles: who administers must not read content",
        );
    }
    if can(Permission::SubjectErase) && content {
        lints.warn(
            "separation_of_duties",
            name,
            format!("role `{}` erases people and sees their content", name.value),
            "split it into two roles, so that nobody can read and then erase the traces",
        );
    }
    if can(Permission::LedgerRead) && administers {
        lints.warn(
            "separation_of_duties",
            name,
            format!("role `{}` administers tokens or keys and audits accesses", name.value),
            "give `ledger.read` to a role of its own",
        );
    }
    if can(Permission::Ingest) && reads {
        lints.warn(
            "separation_of_duties",
            name,
            format!("role `{}` sends records and reads them", name.value),
            "give agents a role that can only `ingest`",
        );
    }
}
