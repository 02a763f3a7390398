//! Rows in Arrow's form: the one shape that segments are written in and queries read, from memory and from disk alike.
//!
//! Columns: `time`, `ingest_time`, each clear field of the schema in its order, then three hidden ones that lead from a row
//! to its sealed content: `_write_id`, `_row` and `_block`.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanBuilder, FixedSizeBinaryBuilder, Float64Builder, Int64Builder, RecordBatch,
    StringBuilder, TimestampNanosecondArray, TimestampNanosecondBuilder, UInt32Array,
    UInt32Builder,
};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use loggia_keys::{NO_BLOCK, Sealed, becomes_text};
use loggia_policy::{
    Class, Column, ColumnData, FieldSchema, FieldType, IMPLICIT_COLUMNS, StreamSchema,
};

use crate::error::{Error, Result};

/// Hidden column: the write attempt of the row, 16 bytes.
pub const WRITE_ID_COLUMN: &str = "_write_id";
/// Hidden column: the row's number within its write attempt.
pub const ROW_COLUMN: &str = "_row";
/// Hidden column: the number of the block that holds the row's content; null when it has none.
pub const BLOCK_COLUMN: &str = "_block";

const UTC: &str = "UTC";
const WRITE_ID_BYTES: i32 = 16;

/// A row of a list of batches: which batch, which row of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct RowRef {
    pub(crate) batch: u32,
    pub(crate) row: u32,
}

/// Arrow schema of a stream's segments and of [`to_arrow`].
#[must_use]
pub fn arrow_schema(schema: &StreamSchema) -> SchemaRef {
    let implicit = IMPLICIT_COLUMNS.iter().map(|name| Field::new(*name, timestamp(), false));
    let fields = clear_fields(schema)
        .map(|(_, field)| Field::new(field.name.as_str(), arrow_type(field), true));
    let hidden = [
        Field::new(WRITE_ID_COLUMN, DataType::FixedSizeBinary(WRITE_ID_BYTES), false),
        Field::new(ROW_COLUMN, DataType::UInt32, false),
        Field::new(BLOCK_COLUMN, DataType::UInt32, true),
    ];
    Arc::new(Schema::new(implicit.chain(fields).chain(hidden).collect::<Vec<_>>()))
}

/// The rows of a batch in Arrow's form, in the order they were admitted.
///
/// # Errors
/// Fails when the columns do not fit the schema, which a [`Sealed`] rules out.
pub fn to_arrow(sealed: &Sealed) -> Result<RecordBatch> {
    let rows = u32::try_from(sealed.rows()).map_err(too_many_rows)?;
    let rows: Vec<_> = (0..rows).map(|row| RowRef { batch: 0, row }).collect();
    gather(sealed.schema(), &[sealed], &rows)
}

/// The rows `rows` of `batches`, in that order; all batches must follow `schema`.
pub(crate) fn gather(
    schema: &StreamSchema,
    batches: &[&Sealed],
    rows: &[RowRef],
) -> Result<RecordBatch> {
    let mut arrays: Vec<ArrayRef> = Vec::with_capacity(schema.fields().len().saturating_add(5));
    let origin = |at: &RowRef| batches.get(at.batch as usize).copied();
    let times = rows.iter().map(|at| origin(at)?.times().get(at.row as usize).copied());
    arrays.push(required_times(times)?);
    arrays.push(required_times(rows.iter().map(|at| origin(at).map(Sealed::ingest_time_ns)))?);
    for (place, (_, field)) in clear_fields(schema).enumerate() {
        // INVARIANT: the clear columns of a `Sealed` are those of its schema in order, see `Sealed::restore`.
        let columns: Vec<_> = batches
            .iter()
            .map(|batch| batch.skeleton().get(place).map(|(_, column)| column))
            .collect();
        arrays.push(gather_column(&arrow_type(field), &columns, rows));
    }
    let mut write_ids = FixedSizeBinaryBuilder::with_capacity(rows.len(), WRITE_ID_BYTES);
    for at in rows {
        write_ids.append_value(origin(at).map(Sealed::write_id).unwrap_or_default())?;
    }
    arrays.push(Arc::new(write_ids.finish()));
    arrays.push(Arc::new(UInt32Array::from_iter_values(rows.iter().map(|at| at.row))));
    let blocks = rows.iter().map(|at| {
        let block = *origin(at)?.row_blocks().get(at.row as usize)?;
        (block != NO_BLOCK).then_some(block)
    });
    let mut hidden = UInt32Builder::with_capacity(rows.len());
    blocks.for_each(|block| hidden.append_option(block));
    arrays.push(Arc::new(hidden.finish()));
    Ok(RecordBatch::try_new(arrow_schema(schema), arrays)?)
}

/// Fields that are stored in clear columns, with their index in the schema.
fn clear_fields(schema: &StreamSchema) -> impl Iterator<Item = (usize, &FieldSchema)> {
    schema.fields().iter().enumerate().filter(|(_, field)| field.class == Class::Skeleton)
}

fn gather_column(kind: &DataType, columns: &[Option<&Column>], rows: &[RowRef]) -> ArrayRef {
    let present = |at: &RowRef| {
        let column = columns.get(at.batch as usize).copied().flatten()?;
        (column.validity().get(at.row as usize) == Some(&true))
            .then_some((column.data(), at.row as usize))
    };
    /// Appends the values of one variant; a value of another variant would be null, and cannot occur.
    macro_rules! fill {
        ($builder:expr, $($variant:ident)|+, $get:expr) => {{
            let mut builder = $builder;
            for at in rows {
                builder.append_option(match present(at) {
                    $(Some((ColumnData::$variant(values), row)))|+ => $get(values, row),
                    _ => None,
                });
            }
            Arc::new(builder.finish()) as ArrayRef
        }};
    }
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "a column of another type is null; the types are ours, see arrow_type"
    )]
    match kind {
        DataType::Int64 => {
            fill!(Int64Builder::with_capacity(rows.len()), Int, |values: &Vec<i64>, row: usize| {
                values.get(row).copied()
            })
        }
        DataType::Float64 => {
            fill!(
                Float64Builder::with_capacity(rows.len()),
                Float,
                |values: &Vec<f64>, row: usize| values.get(row).copied()
            )
        }
        DataType::Boolean => {
            fill!(
                BooleanBuilder::with_capacity(rows.len()),
                Bool,
                |values: &Vec<bool>, row: usize| values.get(row).copied()
            )
        }
        DataType::Timestamp(_, _) => fill!(
            TimestampNanosecondBuilder::with_capacity(rows.len()).with_timezone(UTC),
            Timestamp,
            |values: &Vec<i64>, row: usize| values.get(row).copied()
        ),
        _ => {
            let mut builder =
                StringBuilder::with_capacity(rows.len(), rows.len().saturating_mul(16));
            for at in rows {
                builder.append_option(match present(at) {
                    Some((ColumnData::Text(values), row)) => values.get(row),
                    _ => None,
                });
            }
            Arc::new(builder.finish())
        }
    }
}

fn required_times(times: impl Iterator<Item = Option<i64>>) -> Result<ArrayRef> {
    let times =
        times.collect::<Option<Vec<_>>>().ok_or_else(|| Error::invalid("a row without a time"))?;
    Ok(Arc::new(TimestampNanosecondArray::from(times).with_timezone(UTC)))
}

fn arrow_type(field: &FieldSchema) -> DataType {
    if becomes_text(field.treatment) {
        return DataType::Utf8;
    }
    match field.kind {
        FieldType::Text => DataType::Utf8,
        FieldType::Int => DataType::Int64,
        FieldType::Float => DataType::Float64,
        FieldType::Bool => DataType::Boolean,
        FieldType::Timestamp => timestamp(),
    }
}

fn timestamp() -> DataType {
    DataType::Timestamp(TimeUnit::Nanosecond, Some(UTC.into()))
}

pub(crate) fn too_many_rows(_: std::num::TryFromIntError) -> Error {
    Error::invalid("more rows than a batch can number")
}
