//! Answers as clients of the official types read them.

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceResponse;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use prost::Message as _;

use super::*;

#[test]
fn partial_success() {
    let long = "x".repeat(300);
    for (rejected, message) in [(0, ""), (0, "a warning"), (3, ""), (70_000, "bad"), (1, &long)] {
        let bytes = export_response_protobuf(rejected, message);
        let logs = ExportLogsServiceResponse::decode(bytes.as_slice()).unwrap();
        let traces = ExportTraceServiceResponse::decode(bytes.as_slice()).unwrap();
        let expected = (rejected > 0 || !message.is_empty())
            .then(|| (i64::try_from(rejected).unwrap(), message.to_owned()));
        assert_eq!(
            logs.partial_success.map(|p| (p.rejected_log_records, p.error_message)),
            expected
        );
        assert_eq!(traces.partial_success.map(|p| (p.rejected_spans, p.error_message)), expected);
    }
    assert!(export_response_protobuf(0, "").is_empty());
    assert_eq!(export_response_json(Kind::Log, 0, ""), "{}");
    assert_eq!(
        export_response_json(Kind::Log, 2, "a \"b\""),
        r#"{"partialSuccess":{"rejectedLogRecords":"2","errorMessage":"a \"b\""}}"#
    );
    assert_eq!(
        export_response_json(Kind::Span, 2, ""),
        r#"{"partialSuccess":{"rejectedSpans":"2","errorMessage":""}}"#
    );
}

#[test]
fn status() {
    #[derive(Clone, PartialEq, prost::Message)]
    struct Status {
        #[prost(int32, tag = "1")]
        code: i32,
        #[prost(string, tag = "2")]
        message: String,
    }
    let bytes = status_protobuf(StatusCode::Unavailable, "busy");
    let expected = Status { code: 14, message: "busy".to_owned() };
    assert_eq!(Status::decode(bytes.as_slice()).unwrap(), expected);
    let text = status_json(StatusCode::InvalidArgument, "bad\n");
    assert_eq!(text, r#"{"code":3,"message":"bad\n"}"#);
}
