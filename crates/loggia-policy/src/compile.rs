//! From document to [`Policy`]: names checked, defaults filled in, look-ups built.
//!
//! Guarantees that a compiled policy has one meaning: every name is valid and unique, each source feeds one stream, each
//! subject and conversation is a field that can be one. What is merely unwise is left to `lint`.

mod fields;

use std::sync::Arc;

use crate::access::{Role, compile_role};
use crate::canonical;
use crate::detect::{Detector, DetectorConfig, EntityKind};
use crate::document::{At, DetectorsDoc, Document, Mode, NO_SUBJECT, Source, StreamDoc};
use crate::error::PolicyError;
use crate::patterns::{Pattern, PatternMap};
use crate::policy::{Policy, Purpose};
use crate::registry::Registry;
use crate::schema::{FieldType, IMPLICIT_COLUMNS, Retention, StreamSchema, Treatment};

pub(crate) use fields::{Generalise, ResolvedField};

/// Version of the document format.
const FORMAT_VERSION: u32 = 1;
/// Most streams of one policy.
const STREAMS_MAX: usize = 256;
/// Most fields of one stream; columns are numbered in 16 bits.
const FIELDS_MAX: usize = 1_000;
/// Longest name of a stream, field, role or purpose, in bytes.
const NAME_BYTES_MAX: usize = 63;

/// One stream, ready to admit records.
#[derive(Clone, Debug)]
pub(crate) struct CompiledStream {
    pub(crate) schema: Arc<StreamSchema>,
    pub(crate) source: Option<Source>,
    pub(crate) mode: Mode,
    /// Stored fields in the schema's order, then dropped ones.
    pub(crate) fields: Vec<ResolvedField>,
    /// Attribute names to `fields`.
    pub(crate) targets: PatternMap<Target>,
    /// Whether some alias names the body of one kind of event.
    pub(crate) event_bodies: bool,
    /// Aliases given twice.
    pub(crate) duplicate_aliases: Vec<DuplicateAlias>,
}

/// An alias that another field has already, and that field's name.
pub(crate) type DuplicateAlias = (At<String>, String);

/// Where an attribute goes: a field, and how much the field prefers this name (0 is best).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Target {
    pub(crate) field: u16,
    pub(crate) rank: u16,
}

/// Streams by the records they take, as indexes.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct Routes {
    pub(crate) genai: Option<usize>,
    pub(crate) logs: Option<usize>,
    pub(crate) spans: Option<usize>,
}

/// Parses, checks and compiles a document.
pub(crate) fn compile(yaml: &str) -> Result<Policy, PolicyError> {
    let document: Document = serde_saphyr::from_str_with_options(yaml, yaml_1_2())
        .map_err(|error| PolicyError::from_yaml(&error, yaml))?;
    check_version(&document.version)?;
    let registry = Registry::gen_ai();
    let purposes = compile_purposes(&document)?;
    let streams = compile_streams(&document, &registry)?;
    let routes = route(&streams);
    let roles = compile_roles(&document)?;
    let detector = Detector::new(&detector_config(&document.detectors)).map_err(|error| {
        PolicyError::new(0, 0, error.to_string(), "see `detectors` in docs/policy.md")
    })?;
    let digest = canonical::digest(&document, &streams, &roles);
    Ok(Policy { document, digest, registry, purposes, streams, routes, roles, detector })
}

fn check_version(version: &At<u32>) -> Result<(), PolicyError> {
    if version.value == FORMAT_VERSION {
        return Ok(());
    }
    Err(PolicyError::new(
        version.line,
        version.column,
        format!("document version `{}` is not known", version.value),
        format!("write `version: {FORMAT_VERSION}`"),
    ))
}

fn compile_purposes(document: &Document) -> Result<Vec<Purpose>, PolicyError> {
    let mut purposes = Vec::new();
    for (name, purpose) in document.purposes.iter() {
        check_name(name, "purpose", true)?;
        purposes.push(Purpose {
            name: name.value.clone(),
            description: purpose.description.clone(),
            basis: purpose.basis.clone().unwrap_or_default(),
        });
    }
    purposes.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(purposes)
}

fn compile_roles(document: &Document) -> Result<Vec<Role>, PolicyError> {
    let mut roles = Vec::new();
    for (name, role) in document.roles.iter() {
        check_name(name, "role", true)?;
        roles.push(compile_role(&name.value, role));
    }
    roles.sort_by(|a, b| a.name().cmp(b.name()));
    Ok(roles)
}

fn compile_streams(
    document: &Document,
    registry: &Registry,
) -> Result<Vec<CompiledStream>, PolicyError> {
    let mut streams = Vec::new();
    let mut taken: Vec<(Source, &str)> = Vec::new();
    for (name, stream) in document.streams.iter() {
        check_name(name, "stream", false)?;
        if streams.len() >= STREAMS_MAX {
            return Err(at(name, format!("more than {STREAMS_MAX} streams"), "merge some streams"));
        }
        if let Some(source) = &stream.source {
            if let Some((_, other)) = taken.iter().find(|(used, _)| *used == source.value) {
                return Err(at(
                    source,
                    format!("stream `{}` takes the same records as `{other}`", name.value),
                    "give each source to one stream; a stream without `source` takes records sent to it by name",
                ));
            }
            taken.push((source.value, &name.value));
        }
        streams.push(compile_stream(document, registry, name, stream)?);
    }
    streams.sort_by(|a: &CompiledStream, b| a.schema.name().cmp(b.schema.name()));
    Ok(streams)
}

fn compile_stream(
    document: &Document,
    registry: &Registry,
    name: &At<String>,
    stream: &StreamDoc,
) -> Result<CompiledStream, PolicyError> {
    let mut resolved = Vec::new();
    for (field_name, field) in stream.fields.iter() {
        check_field_name(field_name)?;
        if resolved.len() >= FIELDS_MAX {
            return Err(at(
                field_name,
                format!("more than {FIELDS_MAX} fields"),
                "split the stream",
            ));
        }
        resolved.push(fields::resolve(document, registry, stream, field_name, field)?);
    }
    // INVARIANT: the order of columns follows from the meaning of the document alone, never from the order in which it
    // was written, so that one digest means one order.
    resolved.sort_by(|a, b| a.order().cmp(&b.order()));
    let stored: Vec<_> = resolved
        .iter()
        .filter(|field| field.schema.treatment != Treatment::Drop)
        .map(|field| field.schema.clone())
        .collect();
    let position = |wanted: &At<String>| stored.iter().position(|field| field.name == wanted.value);
    let subject = match stream.subject_field() {
        Some(wanted) => Some(position(wanted).ok_or_else(|| missing(wanted, "subject", stream))?),
        None => None,
    };
    let conversation = match &stream.conversation {
        Some(wanted) => {
            Some(position(wanted).ok_or_else(|| missing(wanted, "conversation", stream))?)
        }
        None => None,
    };
    check_ids(stream, &resolved)?;
    let retention = retention(stream, &resolved)?;
    let description = stream.description.clone().unwrap_or_default();
    let (targets, duplicate_aliases) = targets(&resolved)?;
    let event_bodies = resolved
        .iter()
        .flat_map(|field| &field.from)
        .any(|alias| alias.value.len() > "@body".len() && alias.value.ends_with(".@body"));
    let schema = StreamSchema::new(
        name.value.clone(),
        description,
        stored,
        subject,
        conversation,
        retention,
    );
    Ok(CompiledStream {
        schema: Arc::new(schema),
        source: stream.source.as_ref().map(|source| source.value),
        mode: stream.mode,
        fields: resolved,
        targets,
        event_bodies,
        duplicate_aliases,
    })
}

/// Look-up from attribute names to fields, and the aliases that came twice.
fn targets(
    fields: &[ResolvedField],
) -> Result<(PatternMap<Target>, Vec<DuplicateAlias>), PolicyError> {
    let mut map = PatternMap::default();
    let mut duplicates = Vec::new();
    for (index, field) in fields.iter().enumerate() {
        for (rank, alias) in field.from.iter().enumerate() {
            let pattern = Pattern::parse(&alias.value).map_err(|reason| {
                let (message, help) = fields::pattern_help(&alias.value, reason);
                at(alias, message, help)
            })?;
            let target = Target {
                field: u16::try_from(index).unwrap_or(u16::MAX),
                rank: u16::try_from(rank).unwrap_or(u16::MAX),
            };
            if let Some(earlier) = map.insert(pattern, target) {
                let owner = fields
                    .get(usize::from(earlier.field))
                    .map_or_else(String::new, |field| field.schema.name.clone());
                duplicates.push((alias.clone(), owner));
            }
        }
    }
    Ok((map, duplicates))
}

/// Checks that ids are declared where they are used, and used where they are declared.
fn check_ids(stream: &StreamDoc, fields: &[ResolvedField]) -> Result<(), PolicyError> {
    for field in fields {
        let name = &field.schema.name;
        let is_subject = stream.subject_field().is_some_and(|subject| subject.value == *name);
        let treated_as_subject = field.schema.treatment == Treatment::Subject;
        if is_subject && !treated_as_subject {
            return Err(at(
                &field.name,
                format!("field `{name}` is the stream's subject but has another treatment"),
                "leave `treatment` out, or write `treatment: subject`",
            ));
        }
        if treated_as_subject && !is_subject {
            return Err(at(
                &field.name,
                format!("field `{name}` has treatment `subject` but is not the stream's subject"),
                format!("write `subject: {name}` in the stream, or `treatment: pseudonymise` here"),
            ));
        }
        let is_conversation =
            stream.conversation.as_ref().is_some_and(|wanted| wanted.value == *name);
        let usable = matches!(field.schema.treatment, Treatment::Pseudonymise | Treatment::Keep)
            && field.schema.kind == FieldType::Text;
        if is_conversation && !usable {
            return Err(at(
                &field.name,
                format!("field `{name}` is the stream's conversation but cannot be compared"),
                "give it `type: text` and `treatment: pseudonymise`",
            ));
        }
    }
    Ok(())
}

fn missing(wanted: &At<String>, what: &str, stream: &StreamDoc) -> PolicyError {
    let near = crate::suggest::did_you_mean(&wanted.value, stream.fields.names());
    let help = match near {
        Some(near) if near != wanted.value => format!("did you mean `{near}`?"),
        Some(_) => "its field is dropped; give it another treatment".to_owned(),
        None => format!("list it under `fields`, or remove `{what}`"),
    };
    at(wanted, format!("{what} `{}` is not a stored field of this stream", wanted.value), help)
}

fn retention(stream: &StreamDoc, fields: &[ResolvedField]) -> Result<Retention, PolicyError> {
    let skeleton_days = days(&stream.retention.skeleton)?;
    let stated = stream.retention.content.as_ref().map(days).transpose()?;
    let seals = fields.iter().any(|field| field.schema.treatment == Treatment::Seal);
    // Without a ceiling of its own (lint: `content_without_ceiling`) content never outlives the skeleton.
    let content_days = if seals { stated.unwrap_or(skeleton_days) } else { 0 };
    Ok(Retention { skeleton_days, content_days })
}

/// Days of `180d`, `26w` or `1y`.
fn days(text: &At<String>) -> Result<u32, PolicyError> {
    let bad = || {
        at(
            text,
            format!("`{}` is not a number of days", text.value),
            "write days, weeks or years of 365 days, for instance 30d, 26w or 1y",
        )
    };
    let mut chars = text.value.chars();
    let unit = match chars.next_back() {
        Some('d') => 1,
        Some('w') => 7,
        Some('y') => 365,
        _ => return Err(bad()),
    };
    let digits = chars.as_str();
    if digits.is_empty() || digits.len() > 5 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(bad());
    }
    let number: u32 = digits.parse().map_err(|_error| bad())?;
    number.checked_mul(unit).filter(|days| *days > 0).ok_or_else(bad)
}

fn route(streams: &[CompiledStream]) -> Routes {
    let find = |source| streams.iter().position(|stream| stream.source == Some(source));
    Routes { genai: find(Source::Genai), logs: find(Source::Logs), spans: find(Source::Spans) }
}

/// Settings of the detectors: everything on, save what the policy switches off.
pub(crate) fn detector_config(detectors: &DetectorsDoc) -> DetectorConfig {
    let switches = [
        (detectors.person, EntityKind::Person),
        (detectors.email, EntityKind::Email),
        (detectors.phone, EntityKind::Phone),
        (detectors.credit_card, EntityKind::CreditCard),
        (detectors.iban, EntityKind::Iban),
        (detectors.us_ssn, EntityKind::UsSsn),
        (detectors.uk_nino, EntityKind::UkNino),
        (detectors.id_number, EntityKind::IdNumber),
        (detectors.ip_address, EntityKind::IpAddress),
        (detectors.mac_address, EntityKind::MacAddress),
        (detectors.address, EntityKind::Address),
        (detectors.date_of_birth, EntityKind::DateOfBirth),
        (detectors.crypto, EntityKind::Crypto),
        (detectors.bank_account, EntityKind::BankAccount),
        (detectors.medical_id, EntityKind::MedicalId),
        (detectors.username, EntityKind::Username),
    ];
    let off = switches
        .into_iter()
        .filter(|(switch, _)| *switch == Some(false))
        .map(|(_, kind)| kind)
        .collect();
    DetectorConfig { off, ..DetectorConfig::default() }
}

/// Field names are column names: not reserved, and not words that `clear` gives another meaning.
fn check_field_name(name: &At<String>) -> Result<(), PolicyError> {
    check_name(name, "field", false)?;
    let text = name.value.as_str();
    if IMPLICIT_COLUMNS.contains(&text) {
        return Err(at(
            name,
            format!("field name `{text}` is reserved"),
            "every stream has `time` and `ingest_time` by itself; remove the field or rename it",
        ));
    }
    if text == NO_SUBJECT {
        return Err(at(name, "field name `none` is reserved", "rename the field"));
    }
    if crate::access::category_named(text).is_some() {
        return Err(at(
            name,
            format!("field name `{text}` is the name of a category"),
            "rename the field, so that `clear` lists stay clear",
        ));
    }
    Ok(())
}

/// Names are lower-case words, so that they work as SQL identifiers, in paths and in URLs.
fn check_name(name: &At<String>, what: &str, dashes: bool) -> Result<(), PolicyError> {
    let text = name.value.as_str();
    let starts = text.bytes().next().is_some_and(|byte| byte.is_ascii_lowercase());
    let fits = text.len() <= NAME_BYTES_MAX
        && text.bytes().all(|byte| {
            byte.is_ascii_lowercase()
                || byte.is_ascii_digit()
                || byte == b'_'
                || (dashes && byte == b'-')
        });
    if starts && fits {
        return Ok(());
    }
    Err(at(
        name,
        format!("`{text}` cannot be the name of a {what}"),
        format!(
            "use a-z, 0-9 and _{}, a letter first, at most {NAME_BYTES_MAX} characters",
            if dashes { " or -" } else { "" }
        ),
    ))
}

/// An error at a value's place.
fn at<T>(place: &At<T>, message: impl Into<String>, help: impl Into<String>) -> PolicyError {
    PolicyError::new(place.line, place.column, message, help)
}

/// YAML 1.2: only `true` and `false` are booleans, so that a field may be called `n`, `y`, `on` or `no`.
fn yaml_1_2() -> serde_saphyr::Options {
    serde_saphyr::options! { strict_booleans: true }
}
