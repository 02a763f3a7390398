//! What the builder guarantees: undone rejections, shared slices, escaped names.

use super::*;

fn key_list(attrs: &[Attr<'_>]) -> Vec<String> {
    attrs.iter().map(|attr| attr.key.to_string()).collect()
}

#[test]
fn scopes_share_their_resource() {
    let limits = Limits::default();
    let mut builder = Builder::new(0, &limits).unwrap();
    let resource =
        builder.resource(|sink| sink.push("service.name".into(), Value::Int(1))).unwrap();
    let mut ids = Vec::new();
    for name in ["a", "b", "c"] {
        let bad = builder.scope(resource, |_| Err(Fault::Utf8)).unwrap();
        builder.record(Kind::Log, 1, bad, |_| Ok(None)).unwrap();
        let scope = builder.scope(resource, |sink| sink.push(name.into(), Value::Null)).unwrap();
        for _ in 0..2 {
            builder
                .record(Kind::Log, 1, scope, |sink| {
                    sink.push("own".into(), Value::Bool(true))?;
                    Ok(Some(5))
                })
                .unwrap();
        }
        ids.push(scope.0.unwrap());
    }
    let batch = builder.finish();
    assert_eq!(batch.len(), 6);
    assert_eq!(batch.shared_count(), 4);
    assert_eq!(batch.rejected().iter().map(|r| r.position()).collect::<Vec<_>>(), [0, 3, 6]);
    let seen: Vec<_> = batch.records().map(|record| record.shared_id()).collect();
    assert_eq!(seen, ids.iter().flat_map(|id| [*id, *id]).collect::<Vec<_>>());
    for (record, scope) in batch.records().zip(["a", "a", "b", "b", "c", "c"]) {
        assert_eq!(key_list(record.shared()), ["service.name", scope]);
        assert_eq!(key_list(record.own()), ["own"]);
    }
}

#[test]
fn a_rejected_record_leaves_nothing() {
    let limits = Limits::default();
    let mut builder = Builder::new(0, &limits).unwrap();
    builder
        .record(Kind::Span, 1, SharedId::NONE, |sink| {
            sink.push("a".into(), Value::Null)?;
            Err(Fault::Id)
        })
        .unwrap();
    let batch = builder.finish();
    assert!(batch.is_empty() && batch.attrs.is_empty());
    assert_eq!(batch.rejection_summary(), "record 0: trace or span id is malformed");
}

#[test]
fn many_rejections_are_summed_up() {
    let limits = Limits::default();
    let mut builder = Builder::new(0, &limits).unwrap();
    for _ in 0..7 {
        builder.record(Kind::Log, 1, SharedId::NONE, |_| Err(Fault::Utf8)).unwrap();
    }
    let summary = builder.finish().rejection_summary();
    assert!(summary.starts_with("record 0: text is not valid utf-8; record 1"));
    assert!(summary.ends_with("; and 2 more"));
}
