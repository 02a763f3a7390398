//! One field of the document with its defaults filled in.
//!
//! What the author writes wins; then the registry speaks for the attributes that feed the field, the most sensitive of
//! them first; then the category. A text nobody classified is treated as leaky.

use crate::document::{At, Document, FieldDoc, Format, GeneraliseTo, StreamDoc};
use crate::error::PolicyError;
use crate::patterns::PatternError;
use crate::registry::{Registry, RegistryClass, is_gen_ai_name};
use crate::schema::{Category, Class, FieldSchema, FieldType, Treatment};

use super::at;

/// A field with nothing left open.
#[derive(Clone, Debug)]
pub(crate) struct ResolvedField {
    /// Its name and place in the document.
    pub(crate) name: At<String>,
    /// What downstream sees (not at all, when the treatment is `drop`).
    pub(crate) schema: FieldSchema,
    /// Most sensitive class among the attributes that feed it.
    pub(crate) registry_class: Option<RegistryClass>,
    /// Attribute names, the preferred first.
    pub(crate) from: Vec<At<String>>,
    /// Whether values are short ids or names.
    pub(crate) token: bool,
    /// How values are made coarser, for treatment `generalise`.
    pub(crate) generalise: Option<Generalise>,
}

/// How a value is made coarser.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Generalise {
    /// IP address to /24 or /48.
    Network,
    /// Time to day.
    Date,
    /// Number to the lower end of a bucket of this width.
    Bucket(u32),
}

impl ResolvedField {
    /// Sort key of columns: stored before dropped, clear before sealed, by sensitivity, by name.
    pub(crate) fn order(&self) -> (bool, bool, Category, &str) {
        (
            self.schema.treatment == Treatment::Drop,
            self.schema.class == Class::Content,
            self.schema.category,
            &self.schema.name,
        )
    }
}

/// Fills in the defaults of one field.
pub(super) fn resolve(
    document: &Document,
    registry: &Registry,
    stream: &StreamDoc,
    name: &At<String>,
    field: &FieldDoc,
) -> Result<ResolvedField, PolicyError> {
    let is = |wanted: Option<&At<String>>| wanted.is_some_and(|id| id.value == name.value);
    let (is_subject, is_conversation) =
        (is(stream.subject_field()), is(stream.conversation.as_ref()));
    let (registry_class, registry_kind) = look_up(registry, field);
    let used_class = registry_class.filter(|_| document.registry.is_some());

    let kind = field.kind.as_ref().map(|kind| kind.value);
    let kind = kind.or(registry_kind.filter(|_| document.registry.is_some()));
    let kind = kind.unwrap_or(FieldType::Text);
    let category = match (&field.category, used_class) {
        (Some(stated), _) => stated.value,
        (None, _) if is_subject => Category::Person,
        (None, _) if is_conversation => Category::Linkable,
        (None, Some(class)) => class.category(),
        (None, None) if kind == FieldType::Text => Category::FreeText,
        (None, None) => Category::Operational,
    };
    let by_class = used_class.filter(|class| class.category() == category).map(|class| {
        let stated = document.registry.as_ref().and_then(|choice| choice.defaults.get(class));
        stated.map_or_else(|| class.treatment(), |stated| stated.value)
    });
    let treatment = match &field.treatment {
        Some(stated) => stated.value,
        None if is_subject => Treatment::Subject,
        None if is_conversation => Treatment::Pseudonymise,
        None => by_class.unwrap_or_else(|| default_treatment(category)),
    };
    check_kind(name, kind, treatment)?;
    let token = check_format(name, field, kind)?;
    let generalise = generalise(name, field, kind, treatment)?;
    let schema = FieldSchema {
        name: name.value.clone(),
        kind,
        category,
        treatment,
        class: if treatment == Treatment::Seal { Class::Content } else { Class::Skeleton },
        purposes: purposes(field),
        basis: basis(document, field),
        description: field.description.clone().unwrap_or_default(),
    };
    let from = field.from.0.clone();
    Ok(ResolvedField { name: name.clone(), schema, registry_class, from, token, generalise })
}

/// What the registry says of the attributes that feed a field: the most sensitive class, and the type that those it knows
/// agree on.
fn look_up(registry: &Registry, field: &FieldDoc) -> (Option<RegistryClass>, Option<FieldType>) {
    let mut scratch = String::new();
    let mut class: Option<RegistryClass> = None;
    let mut kind: Option<FieldType> = None;
    for alias in &field.from.0 {
        let known = registry.find(&alias.value, &mut scratch);
        let found = match known {
            Some(known) => Some(known.class),
            None if is_gen_ai_name(&alias.value) => Some(RegistryClass::Content),
            None => None,
        };
        class = [class, found].into_iter().flatten().min_by_key(|class| class.sensitivity());
        let Some(found) = known.map(|known| known.kind) else { continue };
        kind = match kind {
            None => Some(found),
            Some(earlier) if earlier == found => Some(earlier),
            Some(FieldType::Int | FieldType::Float)
                if matches!(found, FieldType::Int | FieldType::Float) =>
            {
                Some(FieldType::Float)
            }
            Some(_) => Some(FieldType::Text),
        };
    }
    (class, class.and(kind))
}

/// Treatment of a field by its category alone.
fn default_treatment(category: Category) -> Treatment {
    match category {
        Category::Operational => Treatment::Keep,
        Category::Linkable | Category::Person => Treatment::Pseudonymise,
        Category::FreeText => Treatment::Redact,
        Category::Content => Treatment::Seal,
        Category::Secret => Treatment::Drop,
    }
}

/// Some treatments only make sense for text.
fn check_kind(name: &At<String>, kind: FieldType, treatment: Treatment) -> Result<(), PolicyError> {
    let word = match treatment {
        Treatment::Redact => "redact",
        Treatment::Pseudonymise => "pseudonymise",
        Treatment::Subject => "subject",
        Treatment::Seal => "seal",
        Treatment::Keep | Treatment::Drop | Treatment::Generalise => return Ok(()),
    };
    if kind == FieldType::Text {
        return Ok(());
    }
    Err(at(
        name,
        format!("field `{}` has treatment `{word}`, which works on text", name.value),
        "write `type: text`, or another treatment",
    ))
}

fn check_format(name: &At<String>, field: &FieldDoc, kind: FieldType) -> Result<bool, PolicyError> {
    match &field.format {
        None => Ok(false),
        Some(At { value: Format::Token, .. }) if kind == FieldType::Text => Ok(true),
        Some(format) => Err(at(
            format,
            format!("field `{}` has a text format but is not text", name.value),
            "remove `format`, or write `type: text`",
        )),
    }
}

/// The way a value is made coarser: as stated, else what suits the type.
fn generalise(
    name: &At<String>,
    field: &FieldDoc,
    kind: FieldType,
    treatment: Treatment,
) -> Result<Option<Generalise>, PolicyError> {
    if treatment != Treatment::Generalise {
        return match &field.generalise {
            None => Ok(None),
            Some(options) => Err(at(
                &options.to,
                format!("field `{}` has `generalise` options but another treatment", name.value),
                "write `treatment: generalise`, or remove `generalise`",
            )),
        };
    }
    let stated = field.generalise.as_ref().map(|options| options.to.value);
    let size = field.generalise.as_ref().and_then(|options| options.size.as_ref());
    match (stated, kind) {
        (None | Some(GeneraliseTo::Network), FieldType::Text) => Ok(Some(Generalise::Network)),
        (None | Some(GeneraliseTo::Date), FieldType::Timestamp)
        | (Some(GeneraliseTo::Date), FieldType::Text) => Ok(Some(Generalise::Date)),
        (Some(GeneraliseTo::Bucket), FieldType::Int | FieldType::Float) => match size {
            Some(size) if size.value > 0 => Ok(Some(Generalise::Bucket(size.value))),
            Some(_) | None => Err(at(
                name,
                format!("field `{}` has no bucket width", name.value),
                "write `generalise: {to: bucket, size: 10}`",
            )),
        },
        (None, FieldType::Int | FieldType::Float) => Err(at(
            name,
            format!("field `{}` does not say how its numbers are made coarser", name.value),
            "write `generalise: {to: bucket, size: 10}`",
        )),
        (
            None | Some(GeneraliseTo::Network | GeneraliseTo::Date | GeneraliseTo::Bucket),
            FieldType::Bool
            | FieldType::Text
            | FieldType::Int
            | FieldType::Float
            | FieldType::Timestamp,
        ) => Err(at(
            name,
            format!("field `{}` cannot be made coarser in this way", name.value),
            "text becomes a network or a date, a timestamp a date, a number a bucket",
        )),
    }
}

fn purposes(field: &FieldDoc) -> Vec<String> {
    let mut names: Vec<String> = field.purposes.iter().map(|name| name.value.clone()).collect();
    names.sort();
    names.dedup();
    names
}

/// The field's own basis, else those of its purposes.
fn basis(document: &Document, field: &FieldDoc) -> String {
    if let Some(stated) = &field.basis {
        return stated.clone();
    }
    let mut bases: Vec<&str> = field
        .purposes
        .iter()
        .filter_map(|name| document.purposes.get(&name.value))
        .filter_map(|purpose| purpose.basis.as_deref())
        .collect();
    bases.sort_unstable();
    bases.dedup();
    bases.join(", ")
}

/// Message and help for a text that is not a pattern.
pub(super) fn pattern_help(text: &str, reason: PatternError) -> (String, &'static str) {
    match reason {
        PatternError::Empty => (
            format!("`{text}` has an empty part"),
            "write an attribute name, such as gen_ai.request.model",
        ),
        PatternError::PartialSegment => (
            format!("`{text}` has a `*` that is not a whole part, or one at both ends"),
            "`a.*.b` matches an index, `a.*` anything below, `*.b` any name that ends so",
        ),
        PatternError::MatchesAll => (
            format!("`{text}` matches every name"),
            "list the names: what is not listed must be refused",
        ),
        PatternError::TooLong => (
            format!("`{}…` is too long", text.chars().take(40).collect::<String>()),
            "shorten it to 256 bytes",
        ),
    }
}
