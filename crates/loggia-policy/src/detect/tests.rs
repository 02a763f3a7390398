//! Tests of the detectors: rows of positives and negatives per type, and properties over arbitrary text.

use super::*;

mod negatives;
mod positives;
mod properties;
mod redaction;

thread_local! {
    static DETECTOR: Detector = Detector::new(&DetectorConfig::default()).unwrap();
}

fn found(text: &str) -> Vec<(String, EntityKind)> {
    DETECTOR.with(|detector| {
        let mut scratch = Scratch::new();
        let findings = detector.detect(text, &mut scratch).unwrap();
        findings
            .iter()
            .map(|finding| (text.get(finding.start..finding.end).unwrap().to_owned(), finding.kind))
            .collect()
    })
}

/// Each row: a text with the expected findings of one kind in `⟦ ⟧`; nothing else may be found.
fn check(kind: EntityKind, rows: &[&str]) {
    let mut failures = Vec::new();
    for row in rows {
        let text = row.replace(['⟦', '⟧'], "");
        let want: Vec<(String, EntityKind)> = row
            .split('⟦')
            .skip(1)
            .filter_map(|part| part.split_once('⟧'))
            .map(|(value, _)| (value.to_owned(), kind))
            .collect();
        let got = found(&text);
        if got != want {
            failures.push(format!("{text:?}\n   want {want:?}\n   got  {got:?}"));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn settings_are_checked() {
    let parse = |json: &str| serde_json::from_str::<DetectorConfig>(json);
    assert!(parse(r#"{"of": []}"#).is_err());
    let off = parse(r#"{"off": ["PERSON"]}"#).unwrap();
    let detector = Detector::new(&off).unwrap();
    let mut scratch = Scratch::new();
    assert!(detector.detect("Dear Emma Watson,", &mut scratch).unwrap().is_empty());
    assert!(Detector::new(&parse(r#"{"off": ["SECRET"]}"#).unwrap()).is_err());
    assert!(Detector::new(&parse(r#"{"score_min": 101}"#).unwrap()).is_err());
    let small = Detector::new(&parse(r#"{"text_bytes_max": 8}"#).unwrap()).unwrap();
    assert_eq!(
        small.detect("123456789", &mut scratch),
        Err(DetectError::OverBudget { bytes: 9, bytes_max: 8 })
    );
}

#[test]
fn names_of_kinds_are_stable() {
    for kind in EntityKind::ALL {
        assert_eq!(EntityKind::from_name(kind.name()), Some(kind));
        assert_eq!(serde_json::to_string(&kind).unwrap(), format!("\"{kind}\""));
    }
}

#[test]
fn rules_of_secrets_are_grouped() {
    assert!(secret::rules_are_grouped());
}
