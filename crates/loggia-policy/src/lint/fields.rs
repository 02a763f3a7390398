//! Lints on streams and their fields.

use super::Lints;
use crate::compile::{CompiledStream, ResolvedField};
use crate::document::{At, StreamDoc};
use crate::policy::Policy;
use crate::registry::RegistryClass;
use crate::schema::{Category, Treatment};
use crate::suggest::did_you_mean;

pub(super) fn lint(policy: &Policy, lints: &mut Lints) {
    for (name, document) in policy.document.streams.iter() {
        let compiled = policy.streams.iter().find(|stream| stream.schema.name() == name.value);
        let Some(compiled) = compiled else { continue };
        stream(name, document, compiled, lints);
        for field in &compiled.fields {
            purposes(policy, field, document, lints);
            reach(field, lints);
            protection(field, lints);
        }
    }
}

fn stream(name: &At<String>, document: &StreamDoc, compiled: &CompiledStream, lints: &mut Lints) {
    let seals = compiled.fields.iter().any(|field| field.schema.treatment == Treatment::Seal);
    if seals && document.retention.content.is_none() {
        lints.error(
            "content_without_ceiling",
            &document.retention.skeleton,
            format!("stream `{}` seals content but does not say how long it is kept", name.value),
            "add `content: 30d` to `retention`",
        );
    }
    let retention = compiled.schema.retention();
    if let Some(content) = &document.retention.content {
        if retention.content_days > retention.skeleton_days {
            lints.error(
                "content_outlives_skeleton",
                content,
                format!("stream `{}` keeps content longer than its operational facts", name.value),
                "make `content` the shorter of the two",
            );
        }
        if !seals {
            lints.warn(
                "content_unused",
                content,
                format!("stream `{}` has a content retention but seals nothing", name.value),
                "remove `content`, or seal the fields that hold content",
            );
        }
    }
    if document.subject.is_none() {
        lints.warn(
            "stream_without_subject",
            name,
            format!(
                "stream `{}` names no subject, so nobody can be found or erased in it",
                name.value
            ),
            "add `subject:` with the field that holds the user's id, or `subject: none`",
        );
    }
    for (alias, owner) in &compiled.duplicate_aliases {
        lints.error(
            "duplicate_alias",
            alias,
            format!("`{}` already feeds field `{owner}`", alias.value),
            "remove it from one of the two fields",
        );
    }
    if compiled.fields.is_empty() {
        lints.error(
            "stream_without_fields",
            name,
            format!("stream `{}` lists no field, so only times are stored", name.value),
            "list the fields to keep",
        );
    }
}

fn purposes(policy: &Policy, field: &ResolvedField, document: &StreamDoc, lints: &mut Lints) {
    let name = &field.schema.name;
    if field.schema.treatment == Treatment::Drop {
        return;
    }
    if field.schema.purposes.is_empty() {
        lints.error(
            "field_without_purpose",
            &field.name,
            format!("field `{name}` is kept for no purpose, so nobody may read it"),
            "add `purposes: […]`, or drop the field",
        );
    }
    let stated = document.fields.get(name).map_or(&[][..], |field| field.purposes.as_slice());
    for purpose in stated {
        if policy.document.purposes.get(&purpose.value).is_none() {
            let near = did_you_mean(&purpose.value, policy.document.purposes.names());
            lints.error(
                "unknown_purpose",
                purpose,
                format!("field `{name}` is kept for `{}`, which is not a purpose", purpose.value),
                near.map_or_else(
                    || "declare it under `purposes`".to_owned(),
                    |near| format!("did you mean `{near}`?"),
                ),
            );
        }
    }
}

fn reach(field: &ResolvedField, lints: &mut Lints) {
    if field.from.is_empty() {
        lints.error(
            "unreachable_field",
            &field.name,
            format!("no attribute feeds field `{}`", field.schema.name),
            "add `from:` with the attribute names that hold it",
        );
    }
}

/// Fields that are treated more weakly than what they hold asks for.
fn protection(field: &ResolvedField, lints: &mut Lints) {
    let schema = &field.schema;
    let (name, treatment) = (&schema.name, schema.treatment);
    let class = field.registry_class;
    let secret = schema.category == Category::Secret || class == Some(RegistryClass::Secret);
    let stored = treatment != Treatment::Drop;
    if secret && stored {
        lints.error(
            "secret_kept",
            &field.name,
            format!("field `{name}` is prone to hold credentials and is stored"),
            "write `treatment: drop`",
        );
        return;
    }
    let content = schema.category == Category::Content
        || class.is_some_and(|class| class.category() == Category::Content);
    if content && stored && treatment != Treatment::Seal {
        lints.error(
            "content_not_sealed",
            &field.name,
            format!("field `{name}` holds content but is not sealed"),
            "write `treatment: seal`, so that it lives under its subject's key and its own clock",
        );
        return;
    }
    let person = schema.category == Category::Person || class == Some(RegistryClass::Person);
    if person && treatment == Treatment::Keep {
        lints.error(
            "person_kept",
            &field.name,
            format!("field `{name}` identifies people and is kept in clear"),
            "write `treatment: pseudonymise`, `generalise` or `drop`",
        );
    }
    let free_text = schema.category == Category::FreeText || class == Some(RegistryClass::FreeText);
    if free_text && treatment == Treatment::Keep && field.token {
        lints.warn(
            "free_text_as_token",
            &field.name,
            format!("field `{name}` holds free text but is declared a token"),
            "remove `format: token`, so that every value passes the detectors",
        );
    }
    let id = matches!(treatment, Treatment::Subject | Treatment::Pseudonymise);
    if free_text && id {
        lints.error(
            "free_text_as_id",
            &field.name,
            format!("field `{name}` holds free text but is used as an id"),
            "name an attribute that holds an id, or write `treatment: redact`",
        );
    }
    if treatment == Treatment::Keep
        && let Some(class) = class
        && let Some(stated) = understated(schema.category, class)
    {
        lints.warn(
            "category_understated",
            &field.name,
            format!(
                "field `{name}` is `{stated}`, but the registry knows its attributes as `{class}`"
            ),
            "leave `category` out, or say in `description` why it is less sensitive",
        );
    }
}

/// The stated category, when it is less sensitive than the registry's class.
fn understated(category: Category, class: RegistryClass) -> Option<&'static str> {
    let known = class.category();
    let rank = |category| match category {
        Category::Operational => 0,
        Category::Linkable => 1,
        Category::FreeText | Category::Person => 2,
        Category::Content => 3,
        Category::Secret => 4,
    };
    // Trace ids and the like are often kept as operational facts on purpose.
    let tolerated = category == Category::Operational && known == Category::Linkable;
    (rank(category) < rank(known) && !tolerated).then(|| crate::access::category_name(category))
}
