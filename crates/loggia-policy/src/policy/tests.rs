//! Documents: what is refused and how it is said, the digest, the published schema, the samples.

use std::fmt::Write as _;
use std::io::Write as _;

use proptest::prelude::*;

use super::Policy;

pub(crate) const GEN_AI: &str = include_str!("../../../../policies/gen-ai.yaml");
const MINIMAL: &str = include_str!("../../../../policies/minimal.yaml");

#[test]
fn samples_are_policies_without_lints() {
    for (name, yaml) in [("gen-ai", GEN_AI), ("minimal", MINIMAL)] {
        let policy = Policy::parse(yaml).unwrap_or_else(|error| panic!("{name}: {error}"));
        let lints: Vec<String> = policy.lint().iter().map(ToString::to_string).collect();
        assert_eq!(lints, Vec::<String>::new(), "{name}");
    }
}

#[test]
fn the_sample_compiles_as_documented() {
    let policy = Policy::parse(GEN_AI).unwrap();
    let mut text = String::new();
    for schema in policy.streams() {
        let subject = schema.subject().and_then(|index| schema.fields().get(index));
        let conversation = schema.conversation().and_then(|index| schema.fields().get(index));
        let retention = schema.retention();
        writeln!(
            text,
            "{} ({} d / {} d) subject={:?} conversation={:?}",
            schema.name(),
            retention.skeleton_days,
            retention.content_days,
            subject.map(|field| &field.name),
            conversation.map(|field| &field.name),
        )
        .unwrap();
        for field in schema.fields() {
            writeln!(
                text,
                "  {:<16} {:<6} {:<12} {:<13} {}",
                field.name,
                format!("{:?}", field.kind),
                format!("{:?}", field.category),
                format!("{:?}", field.treatment),
                field.purposes.join(" "),
            )
            .unwrap();
        }
    }
    insta::assert_snapshot!(text);
}

/// Replaces one line of a small valid policy, and shows what the author is told.
fn parse_error(from: &str, to: &str) -> String {
    assert!(MINIMAL.contains(from), "{from}");
    let yaml = MINIMAL.replacen(from, to, 1);
    match Policy::parse(&yaml) {
        Ok(_) => format!("{to:?}\n  is accepted\n"),
        Err(error) => format!("{to:?}\n  {error}\n"),
    }
}

#[test]
fn parse_errors_say_where_and_what_to_do() {
    let severity = "severity: { from: \"@severity\", format: token, purposes: [debugging] }";
    let field = |text: &str| parse_error(severity, text);
    let mut text = String::new();
    for part in [
        parse_error("purposes:", "purpose:"),
        parse_error("retention: { skeleton: 30d }", "retension: { skeleton: 30d }"),
        parse_error("retention: { skeleton: 30d }", "mode: watch"),
        parse_error("retention: { skeleton: 30d }", "retention: { skeleton: 30 }"),
        parse_error("retention: { skeleton: 30d }", "retention: { skeleton: 0d }"),
        parse_error("retention: { skeleton: 30d }", "retention: { content: 3d }"),
        parse_error("    retention: { skeleton: 30d }\n", ""),
        parse_error("version: 1", "version: 2"),
        parse_error("version: 1", "version: one"),
        parse_error("registry: gen-ai", "registry: genai"),
        parse_error("registry: gen-ai", "registry: { name: gen-ai, defaults: { contnet: drop } }"),
        parse_error("source: logs", "source: log"),
        parse_error("subject: none", "subject: message"),
        parse_error("subject: none", "subject: mesage"),
        parse_error("subject: none", "conversation: user"),
        parse_error("app:", "App:"),
        parse_error("can: [ingest]", "can: [ingets]"),
        parse_error("can: [ingest]", "can: ingest"),
        parse_error("can: [ingest]", "can: [ingest]\n    can: [read]"),
        parse_error("can: [ingest]", "\tcan: [ingest]"),
        parse_error("\"@severity\"", "@severity"),
        parse_error("\"@severity\"", "[severity, severity_*]"),
        parse_error("\"@severity\"", "\"*\""),
        parse_error("\"@severity\"", "{ a: b }"),
        field("severity: { from: x, treatment: hash }"),
        field("severity: { from: x, treatmnet: keep }"),
        field("severity: { from: x, type: int, treatment: seal }"),
        field("severity: { from: x, type: int, format: token }"),
        field("severity: { from: x, type: int, treatment: generalise }"),
        field("severity: { from: x, type: bool, treatment: generalise }"),
        field("severity: { from: x, generalise: { to: date } }"),
        field("severity: { from: x, treatment: subject }"),
        field("time: { from: x }"),
        field("content: { from: x }"),
        field("Severity: { from: x }"),
        parse_error("roles:", "detectors: { emial: false }\nroles:"),
        parse_error("roles:", "detectors: { email: maybe }\nroles:"),
        parse_error("roles:", "  bad: [unclosed\nroles:"),
        parse_error(
            "roles:",
            "  b: { source: logs, retention: { skeleton: 1d }, fields: {} }\nroles:",
        ),
    ] {
        text.push_str(&part);
    }
    text.push_str(&format!("empty\n  {}\n", Policy::parse("").unwrap_err()));
    insta::assert_snapshot!(text);
}

#[test]
fn the_published_schema_is_the_code_s_own() {
    let mut own = serde_json::to_string_pretty(&Policy::json_schema()).unwrap();
    own.push('\n');
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/formats/policy.schema.json");
    let published = std::fs::read_to_string(path).unwrap_or_default();
    if published != own {
        // Leave the new schema beside the old one, to be looked at and put in its place.
        let mut file = std::fs::File::create(format!("{path}.new")).unwrap();
        file.write_all(own.as_bytes()).unwrap();
        panic!(
            "docs/formats/policy.schema.json is out of date: compare it with policy.schema.json.new"
        );
    }
}

#[test]
fn the_digest_follows_meaning() {
    let digest = |yaml: &str| Policy::parse(yaml).unwrap().digest().to_string();
    let base = digest(MINIMAL);
    assert_eq!(base.len(), 64);
    for (from, to, same) in [
        ("roles:", "# a comment\nroles:", true),
        ("30d", "  30d", true),
        ("skeleton: 30d", "skeleton: 31d", false),
        ("purposes: [debugging]", "purposes: [ debugging ]", true),
        ("controller: { name: Example Ltd,", "controller: { name: Example Inc,", false),
        ("source: logs", "source: logs\n    mode: enforce", true),
        ("source: logs", "source: logs\n    mode: observe", false),
        ("from: \"@body\"", "from: [\"@body\"]", true),
        (
            "from: \"@body\"",
            "type: text, category: free_text, treatment: redact, from: \"@body\"",
            true,
        ),
        ("from: \"@body\"", "from: [\"@body\", line]", false),
        ("clear: [operational, free_text]", "clear: [free_text, operational]", true),
        ("clear: [operational, free_text]", "clear: [operational]", false),
        ("roles:", "detectors: { email: true }\nroles:", true),
        ("roles:", "detectors: { email: false }\nroles:", false),
        ("registry: gen-ai", "registry: { name: gen-ai }", true),
        ("registry: gen-ai", "registry: { name: gen-ai, defaults: { free_text: drop } }", false),
    ] {
        assert!(MINIMAL.contains(from), "{from}");
        assert_eq!(digest(&MINIMAL.replacen(from, to, 1)) == base, same, "{to}");
    }
    insta::assert_snapshot!(base, @"81c59cb92a6db95881724fa81a1edd1d90a420a4803feaedb8e78285938f616c");
}

/// The sample's mappings as lines, to be put in any order.
fn reordered(yaml: &str, seed: u64) -> String {
    let value: serde_json::Value = serde_saphyr::from_str(yaml).unwrap();
    let mut out = String::new();
    write_shuffled(&value, &mut seed.wrapping_mul(2).wrapping_add(1), &mut out);
    out
}

/// JSON is YAML; keys come in an order that follows from the seed.
fn write_shuffled(value: &serde_json::Value, seed: &mut u64, out: &mut String) {
    match value {
        serde_json::Value::Object(map) => {
            let mut entries: Vec<_> = map.iter().collect();
            for last in (1..entries.len()).rev() {
                *seed = seed
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1_442_695_040_888_963_407);
                entries.swap(last, usize::try_from(*seed >> 33).unwrap() % (last + 1));
            }
            out.push('{');
            for (position, (key, value)) in entries.into_iter().enumerate() {
                if position > 0 {
                    out.push_str(", ");
                }
                write!(out, "{}: ", serde_json::Value::String(key.clone())).unwrap();
                write_shuffled(value, seed, out);
            }
            out.push('}');
        }
        serde_json::Value::Array(items) => {
            out.push('[');
            for (position, item) in items.iter().enumerate() {
                if position > 0 {
                    out.push_str(", ");
                }
                write_shuffled(item, seed, out);
            }
            out.push(']');
        }
        serde_json::Value::Null
        | serde_json::Value::Bool(_)
        | serde_json::Value::Number(_)
        | serde_json::Value::String(_) => write!(out, "{value}").unwrap(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn the_digest_and_the_columns_are_stable_under_reordering(seed in any::<u64>()) {
        let base = Policy::parse(GEN_AI).unwrap();
        let other = Policy::parse(&reordered(GEN_AI, seed)).unwrap();
        prop_assert_eq!(base.digest(), other.digest());
        prop_assert!(base.streams().eq(other.streams()));
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in "\\PC{0,200}") {
        if let Err(error) = Policy::parse(&text) {
            prop_assert!(!error.message.contains('\n'));
        }
    }

    #[test]
    fn no_cut_of_the_sample_makes_the_parser_panic(end in 0..GEN_AI.len()) {
        if let Some(text) = GEN_AI.get(..end) {
            drop(Policy::parse(text));
        }
    }
}
