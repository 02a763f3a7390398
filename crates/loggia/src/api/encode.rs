//! Rows as NDJSON, JSON, CSV or Parquet. Takes only what comes out of an [`Answer`], so nothing unmasked can be encoded.

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use futures::{Stream, StreamExt as _, TryStreamExt as _};
use loggia_engine::Answer;

use super::problem::Problem;

/// Header that names the ledger entry written before the first row.
const RECEIPT: HeaderName = HeaderName::from_static("loggia-receipt");

/// How rows are written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Encoding {
    /// One JSON object a line.
    Ndjson,
    /// One JSON document: `{"columns": […], "rows": […]}`.
    Json,
    /// Comma-separated values with a header line.
    Csv,
    /// An Apache Parquet file, zstd.
    Parquet,
}

impl Encoding {
    /// The one the client's `Accept` asks for; JSON where it does not say.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let accept =
            headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or("");
        [Self::Ndjson, Self::Csv, Self::Parquet]
            .into_iter()
            .find(|encoding| accept.contains(encoding.media_type()))
            .unwrap_or(Self::Json)
    }

    /// Its media type.
    #[must_use]
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Ndjson => "application/x-ndjson",
            Self::Json => "application/json",
            Self::Csv => "text/csv",
            Self::Parquet => "application/vnd.apache.parquet",
        }
    }
}

/// The HTTP answer of a read. The first batch is awaited before the status is sent, so that an early failure has a proper one.
pub(crate) async fn respond(answer: Answer, encoding: Encoding) -> Result<Response, Problem> {
    let receipt = answer.receipt_index();
    let schema = answer.schema();
    let rows = answer.map(|batch| batch.map_err(Problem::from));
    let body = match encoding {
        Encoding::Ndjson | Encoding::Csv => stream_body(rows, encoding).await?,
        Encoding::Json | Encoding::Parquet => {
            let batches: Vec<RecordBatch> = rows.try_collect().await?;
            let bytes =
                encode_rows(&schema, &batches, encoding).map_err(|_e| Problem::internal())?;
            Body::from(bytes)
        }
    };
    let mut response = body.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(encoding.media_type()));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(RECEIPT, HeaderValue::from(receipt));
    Ok(response)
}

async fn stream_body(
    mut rows: impl Stream<Item = Result<RecordBatch, Problem>> + Unpin + Send + 'static,
    encoding: Encoding,
) -> Result<Body, Problem> {
    let first = rows.next().await.transpose()?;
    let head = futures::stream::iter(first.map(Ok));
    let mut with_header = true;
    let chunks = head.chain(rows).map(move |batch| {
        let batch = batch.map_err(|problem| std::io::Error::other(problem.detail().to_owned()))?;
        let bytes = match encoding {
            Encoding::Csv => csv(std::slice::from_ref(&batch), with_header),
            Encoding::Ndjson | Encoding::Json | Encoding::Parquet => {
                ndjson(std::slice::from_ref(&batch))
            }
        };
        with_header = false;
        bytes.map(Bytes::from).map_err(std::io::Error::other)
    });
    Ok(Body::from_stream(chunks))
}

/// Encodes rows that an [`Answer`] gave.
///
/// # Errors
/// When a column's type has no form in the encoding.
pub fn encode_rows(
    schema: &SchemaRef,
    batches: &[RecordBatch],
    encoding: Encoding,
) -> Result<Vec<u8>, Box<dyn std::error::Error + Send + Sync>> {
    Ok(match encoding {
        Encoding::Ndjson => ndjson(batches)?,
        Encoding::Csv => csv(batches, true)?,
        Encoding::Parquet => parquet_file(schema, batches)?,
        Encoding::Json => {
            let columns: Vec<_> = schema
                .fields()
                .iter()
                .map(|field| {
                    serde_json::json!({ "name": field.name(), "type": field.data_type().to_string() })
                })
                .collect();
            let mut bytes = br#"{"columns":"#.to_vec();
            serde_json::to_writer(&mut bytes, &columns)?;
            bytes.extend_from_slice(br#","rows":"#);
            let mut writer = arrow::json::WriterBuilder::new()
                .with_explicit_nulls(true)
                .build::<_, arrow::json::writer::JsonArray>(bytes);
            writer.write_batches(&batches.iter().collect::<Vec<_>>())?;
            writer.finish()?;
            let mut bytes = writer.into_inner();
            if batches.iter().all(|batch| batch.num_rows() == 0) && !bytes.ends_with(b"]") {
                bytes.extend_from_slice(b"[]");
            }
            bytes.push(b'}');
            bytes
        }
    })
}

fn ndjson(batches: &[RecordBatch]) -> Result<Vec<u8>, arrow::error::ArrowError> {
    let mut writer = arrow::json::WriterBuilder::new()
        .with_explicit_nulls(true)
        .build::<_, arrow::json::writer::LineDelimited>(Vec::new());
    writer.write_batches(&batches.iter().collect::<Vec<_>>())?;
    writer.finish()?;
    Ok(writer.into_inner())
}

fn csv(batches: &[RecordBatch], header: bool) -> Result<Vec<u8>, arrow::error::ArrowError> {
    let mut bytes = Vec::new();
    let mut writer = arrow::csv::WriterBuilder::new().with_header(header).build(&mut bytes);
    for batch in batches {
        writer.write(batch)?;
    }
    drop(writer);
    Ok(bytes)
}

fn parquet_file(
    schema: &SchemaRef,
    batches: &[RecordBatch],
) -> Result<Vec<u8>, parquet::errors::ParquetError> {
    let properties = parquet::file::properties::WriterProperties::builder()
        .set_compression(parquet::basic::Compression::ZSTD(parquet::basic::ZstdLevel::default()))
        .build();
    let mut bytes = Vec::new();
    let mut writer = parquet::arrow::ArrowWriter::try_new(
        &mut bytes,
        SchemaRef::clone(schema),
        Some(properties),
    )?;
    for batch in batches {
        writer.write(batch)?;
    }
    writer.close()?;
    Ok(bytes)
}
