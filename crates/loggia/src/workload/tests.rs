//! The workload is deterministic, counts what it hands out, has right check digits, and looks like what it claims.

use std::collections::{BTreeMap, BTreeSet};

use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;

use super::personal::{Person, luhn_sum, remainder_97, secret};
use super::phrases::Language;
use super::rng::{Rng, Zipf};
use super::*;

fn config() -> WorkloadConfig {
    WorkloadConfig { users: 200, ..WorkloadConfig::default() }
}

fn load(seed: u64, total: u64, batch: usize) -> (Workload, Vec<Request>) {
    let mut workload = Workload::new(seed, config());
    let requests = workload.requests(total, batch).collect();
    (workload, requests)
}

/// Every attribute list of the request, one a record, span events included.
fn attributes(request: &Request) -> Vec<Vec<&KeyValue>> {
    match request {
        Request::Traces(request) => request
            .resource_spans
            .iter()
            .flat_map(|group| &group.scope_spans)
            .flat_map(|scope| &scope.spans)
            .map(|span| {
                span.attributes
                    .iter()
                    .chain(span.events.iter().flat_map(|event| &event.attributes))
                    .collect()
            })
            .collect(),
        Request::Logs(request) => request
            .resource_logs
            .iter()
            .flat_map(|group| &group.scope_logs)
            .flat_map(|scope| &scope.log_records)
            .map(|log| log.attributes.iter().collect())
            .collect(),
    }
}

fn text(attribute: &KeyValue) -> Option<&str> {
    let Value::StringValue(text) = attribute.value.as_ref()?.value.as_ref()? else { return None };
    Some(text)
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let bytes = |seed| load(seed, 3_000, 250).1.iter().map(Request::encode).collect::<Vec<_>>();
    assert_eq!(bytes(7), bytes(7));
    assert_ne!(bytes(7), bytes(8));
}

#[test]
fn counts_are_exact() {
    let (workload, requests) = load(1, 2_777, 100);
    let sum: usize = requests.iter().map(Request::records).sum();
    assert_eq!(sum, 2_777);
    let (spans, logs) = workload.counts();
    assert_eq!(spans + logs, 2_777);
    assert!(spans > 500 && logs > 500, "{spans} spans, {logs} logs");
    assert!(requests.iter().all(|request| request.records() <= 100));
    assert_eq!(
        requests.iter().map(|request| request.ndjson().lines().count()).sum::<usize>(),
        2_777
    );
}

#[test]
fn subjects_are_counted_as_their_ids_occur() {
    let (workload, requests) = load(2, 5_000, 500);
    let id_keys =
        ["user.id", "enduser.id", "langfuse.user.id", "traceloop.association.properties.user_id"];
    let mut found: BTreeMap<String, u64> = BTreeMap::new();
    for record in requests.iter().flat_map(attributes) {
        let ids: BTreeSet<&str> = record
            .iter()
            .filter(|attribute| id_keys.contains(&attribute.key.as_str()))
            .filter_map(|a| text(a))
            .collect();
        assert!(ids.len() < 2, "a record names one user");
        for id in ids {
            *found.entry(id.to_owned()).or_default() += 1;
        }
    }
    for rank in 0..=200 {
        let expected = found.remove(&workload.subject_id(rank)).unwrap_or(0);
        assert_eq!(workload.subject_records(rank), expected, "rank {rank}");
    }
    assert!(found.is_empty(), "ids of nobody");
    assert!(workload.subject_records(0) > 5 * workload.subject_records(50).max(1), "Zipf");
    let (rank, records) = workload.subject_with_about(40);
    assert_eq!(records, workload.subject_records(rank));
    assert!(records.abs_diff(40) < 15, "{records}");
}

#[test]
fn the_planted_texts_are_there_once() {
    let (workload, requests) = load(3, 4_000, 400);
    let all: String = requests.iter().map(Request::ndjson).collect();
    let planted = workload.planted();
    let count = |needle: &str| all.matches(needle).count();
    assert_eq!(count(&planted.log_line), 1);
    assert_eq!(count(&planted.sentence), 1);
    assert_eq!(count(&planted.secret), 1);
    assert_eq!(count(&planted.email), 1);
    assert!(count(&planted.subject) > 3);
    assert!(count(&planted.conversation) > 3);
    assert_eq!(workload.subject_id(200), planted.subject);
    assert!(workload.leaked_secrets().contains(&planted.secret));
    assert_eq!(format!("{planted:?}"), "Planted([redacted])");
}

#[test]
fn records_are_about_a_kilobyte() {
    let (_, requests) = load(4, 20_000, 1_000);
    let bytes: usize = requests.iter().map(|request| request.ndjson().len()).sum();
    let mean = bytes / 20_000;
    assert!((1_000..=1_120).contains(&mean), "mean {mean} bytes");
}

#[test]
fn ndjson_is_json() {
    let (_, requests) = load(5, 2_000, 500);
    for line in requests.iter().map(Request::ndjson).collect::<String>().lines() {
        let value: serde_json::Value = serde_json::from_str(line).unwrap();
        assert!(value.get("time").is_some_and(serde_json::Value::is_u64));
        assert!(value.get("service.name").is_some_and(serde_json::Value::is_string));
    }
}

#[test]
fn json_inside_attributes_is_json() {
    let (_, requests) = load(6, 4_000, 500);
    let json_keys = [
        "gen_ai.input.messages",
        "gen_ai.output.messages",
        "gen_ai.system_instructions",
        "gen_ai.retrieval.documents",
        "gen_ai.tool.call.arguments",
        "gen_ai.tool.call.result",
        "llm.invocation_parameters",
        "langfuse.observation.input",
    ];
    let mut seen = BTreeSet::new();
    for attribute in requests.iter().flat_map(attributes).flatten() {
        if let Some(key) = json_keys.iter().find(|key| **key == attribute.key) {
            let text = text(attribute).unwrap();
            assert!(serde_json::from_str::<serde_json::Value>(text).is_ok(), "{key}");
            seen.insert(*key);
        }
    }
    assert_eq!(seen.len(), json_keys.len(), "{seen:?}");
}

#[test]
fn all_conventions_services_and_languages_occur() {
    let (_, requests) = load(8, 10_000, 1_000);
    let all: String = requests.iter().map(Request::ndjson).collect();
    for needle in [
        "\"gen_ai.input.messages\"",
        "\"gen_ai.user.message.content\"",
        "\"llm.input_messages.1.message.content\"",
        "\"gen_ai.prompt.1.content\"",
        "\"langfuse.observation.input\"",
        "\"service.name\":\"gateway\"",
        "\"service.name\":\"billing\"",
        "\"exception.stacktrace\"",
        "Mein Name ist",
        "注文",
        "订单",
    ] {
        assert!(all.contains(needle), "{needle}");
    }
}

#[test]
fn plain_logs_carry_no_gen_ai_attribute_and_spans_do() {
    let (_, requests) = load(14, 4_000, 500);
    for request in &requests {
        let gen_ai = ["gen_ai.", "llm.", "langfuse."];
        let is_gen_ai = |record: &Vec<&KeyValue>| {
            record
                .iter()
                .any(|attribute| gen_ai.iter().any(|start| attribute.key.starts_with(start)))
        };
        let expected = request.path() == "/v1/traces";
        assert!(attributes(request).iter().all(|record| is_gen_ai(record) == expected));
    }
}

#[test]
fn event_time_passes_at_the_configured_rate() {
    let (workload, _) = load(9, 12_000, 1_000);
    let seconds = (workload.now_ns() - WorkloadConfig::default().start_ns) / 1_000_000_000;
    assert!((800..1_300).contains(&seconds), "{seconds} s for 12,000 records at 12 a second");
}

#[test]
fn json_form_is_what_otlp_says() {
    let (_, requests) = load(10, 200, 100);
    let json = requests.first().unwrap().encode_json().unwrap();
    let value: serde_json::Value = serde_json::from_slice(&json).unwrap();
    assert!(value.get("resourceSpans").or_else(|| value.get("resourceLogs")).is_some());
}

#[test]
fn check_digits_are_right() {
    let mut rng = Rng::new(11);
    for language in [Language::En, Language::De, Language::Fr, Language::Es, Language::Nl] {
        for _ in 0..200 {
            let person = Person::made_up(&mut rng, language);
            assert_eq!(luhn_sum(&person.card, false) % 10, 0, "card");
            let (head, tail) = person.iban.split_at(4);
            assert_eq!(remainder_97(tail.chars().chain(head.chars())), 1, "iban");
            assert!(person.email.contains("@") && person.email.is_ascii());
            assert_eq!(format!("{person:?}"), "Person([redacted])");
        }
    }
    assert_eq!(luhn_sum("4539 1488 0343 6467", false) % 10, 0);
    assert!(secret(&mut rng).len() >= 20);
}

#[test]
fn the_generator_is_fair() {
    let mut rng = Rng::new(12);
    let mut counts = [0_u32; 10];
    for _ in 0..100_000 {
        counts[usize::try_from(rng.below(10)).unwrap()] += 1;
    }
    assert!(counts.iter().all(|count| (9_500..10_500).contains(count)), "{counts:?}");
    assert_eq!(rng.below(0), 0);
    assert_eq!(rng.pick(&[]), "");

    let zipf = Zipf::new(100, 1.0);
    let mut ranks = [0_u32; 100];
    for _ in 0..100_000 {
        ranks[usize::try_from(zipf.rank(&mut rng)).unwrap()] += 1;
    }
    // 1 / H(100) = 0.1928
    assert!((18_500..20_100).contains(&ranks[0]), "{}", ranks[0]);
    assert!((9_000..10_300).contains(&ranks[1]), "{}", ranks[1]);
}

#[test]
fn edges() {
    let mut tiny = Workload::new(13, WorkloadConfig { users: 0, ..WorkloadConfig::default() });
    assert_eq!(tiny.next_request(0).records(), 1);
    let mut one = Workload::new(13, WorkloadConfig { users: 1, ..WorkloadConfig::default() });
    assert_eq!(one.requests(50, 7).map(|request| request.records()).sum::<usize>(), 50);
    assert_eq!(one.requests(0, 7).count(), 0);
}
