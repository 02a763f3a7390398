//! A stream's schema as stored with its data, and how it is attached again.
//!
//! What is stored says how to read the bytes (names, types, treatments, order). It does not say who may read them: purposes
//! and bases come from the policy in force, by field name. A field the policy no longer lists has no purpose, hence no
//! reader, until the policy lists it again.

use std::collections::BTreeMap;
use std::sync::Arc;

use aws_lc_rs::digest;
use loggia_policy::{Category, Class, FieldSchema, FieldType, Retention, StreamSchema, Treatment};

use super::bytes::{Cursor, Put as _};
use crate::error::{Error, Result};

/// SHA-256 of an encoded schema: batches of one schema share a segment.
pub(crate) type SchemaDigest = [u8; 32];

const NONE: u16 = u16::MAX;

/// Encodes `schema`.
pub(crate) fn encode(schema: &StreamSchema) -> Result<Vec<u8>> {
    check(schema)?;
    let mut out = Vec::with_capacity(64 + schema.fields().len() * 32);
    out.put_str(schema.name());
    out.put_u16(index(Some(schema.fields().len())));
    for field in schema.fields() {
        out.put_str(&field.name);
        out.put(&[
            kind_code(field.kind),
            category_code(field.category),
            treatment_code(field.treatment),
            class_code(field.class),
        ]);
    }
    out.put_u16(index(schema.subject()));
    out.put_u16(index(schema.conversation()));
    out.put_u32(schema.retention().skeleton_days);
    out.put_u32(schema.retention().content_days);
    Ok(out)
}

/// Digest of an encoded schema.
pub(crate) fn digest_of(encoded: &[u8]) -> SchemaDigest {
    let mut out = [0; 32];
    out.copy_from_slice(digest::digest(&digest::SHA256, encoded).as_ref());
    out
}

/// The schemas of the policy in force, to attach to stored data by stream name.
#[derive(Default)]
pub(crate) struct Catalogue {
    current: BTreeMap<String, Arc<StreamSchema>>,
    known: BTreeMap<SchemaDigest, Arc<StreamSchema>>,
}

impl Catalogue {
    pub(crate) fn new(schemas: &[Arc<StreamSchema>]) -> Result<Self> {
        let mut out = Self::default();
        for schema in schemas {
            out.known.insert(digest_of(&encode(schema)?), Arc::clone(schema));
            out.current.insert(schema.name().to_owned(), Arc::clone(schema));
        }
        Ok(out)
    }

    /// The schema that `encoded` describes: the policy's own where it is the same, else one rebuilt from the stored form.
    pub(crate) fn attach(&mut self, encoded: &[u8]) -> Option<Arc<StreamSchema>> {
        let digest = digest_of(encoded);
        if let Some(schema) = self.known.get(&digest) {
            return Some(Arc::clone(schema));
        }
        let name = Cursor::new(encoded).str()?;
        let schema = Arc::new(decode(encoded, self.current.get(name).map(Arc::as_ref))?);
        self.known.insert(digest, Arc::clone(&schema));
        Some(schema)
    }
}

/// Reads an encoded schema; purposes, basis and descriptions are taken from `current` by field name.
fn decode(encoded: &[u8], current: Option<&StreamSchema>) -> Option<StreamSchema> {
    let mut cursor = Cursor::new(encoded);
    let name = cursor.str()?.to_owned();
    let count = usize::from(cursor.u16()?);
    let mut fields = Vec::with_capacity(count.min(encoded.len()));
    for _ in 0..count {
        let name = cursor.str()?.to_owned();
        let [kind, category, treatment, class] = cursor.array()?;
        let meaning = current.and_then(|schema| schema.field(&name)).map(|(_, field)| field);
        fields.push(FieldSchema {
            kind: kind_from(kind)?,
            category: category_from(category)?,
            treatment: treatment_from(treatment)?,
            class: class_from(class)?,
            purposes: meaning.map(|field| field.purposes.clone()).unwrap_or_default(),
            basis: meaning.map(|field| field.basis.clone()).unwrap_or_default(),
            description: meaning.map(|field| field.description.clone()).unwrap_or_default(),
            name,
        });
    }
    let subject = position(cursor.u16()?, count)?;
    let conversation = position(cursor.u16()?, count)?;
    let retention = Retention { skeleton_days: cursor.u32()?, content_days: cursor.u32()? };
    let description = current.map(|schema| schema.description().to_owned()).unwrap_or_default();
    cursor
        .is_empty()
        .then(|| StreamSchema::new(name, description, fields, subject, conversation, retention))
}

/// Refuses a schema that the formats cannot hold.
fn check(schema: &StreamSchema) -> Result<()> {
    let fits = |text: &str| !text.is_empty() && text.len() < usize::from(u16::MAX);
    let names_fit = schema.fields().iter().all(|field| fits(&field.name));
    if !names_fit || !fits(schema.name()) || schema.fields().len() >= usize::from(NONE) {
        let name = schema.name();
        return Err(Error::invalid(format!("the schema of stream `{name}` is too large to store")));
    }
    Ok(())
}

fn index(position: Option<usize>) -> u16 {
    position.and_then(|position| u16::try_from(position).ok()).unwrap_or(NONE)
}

/// Outer `None`: the index is out of range.
#[expect(clippy::option_option, reason = "absent and damaged are different answers")]
fn position(index: u16, count: usize) -> Option<Option<usize>> {
    if index == NONE {
        return Some(None);
    }
    let index = usize::from(index);
    (index < count).then_some(Some(index))
}

/// Defines both directions between an enum and its stored code, so that they cannot drift apart.
macro_rules! codes {
    ($to:ident, $from:ident, $type:ident { $($variant:ident = $code:literal),+ $(,)? }) => {
        pub(crate) fn $to(value: $type) -> u8 {
            match value { $($type::$variant => $code),+ }
        }
        pub(crate) fn $from(code: u8) -> Option<$type> {
            match code { $($code => Some($type::$variant),)+ _ => None }
        }
    };
}

codes!(kind_code, kind_from, FieldType { Text = 1, Int = 2, Float = 3, Bool = 4, Timestamp = 5 });
codes!(category_code, category_from, Category {
    Operational = 1, Linkable = 2, Person = 3, FreeText = 4, Content = 5, Secret = 6,
});
codes!(treatment_code, treatment_from, Treatment {
    Keep = 1, Drop = 2, Redact = 3, Pseudonymise = 4, Generalise = 5, Subject = 6, Seal = 7,
});
codes!(class_code, class_from, Class { Skeleton = 1, Content = 2 });
