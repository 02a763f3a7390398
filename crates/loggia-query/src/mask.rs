//! Masking: the view of a stream that a grant shows, and the only thing SQL can name.
//!
//! A column the grant masks is a constant in the view, directly above the scan, so the stored column is not read and no
//! filter, sort, aggregate, plan or error can depend on it. Clear content becomes tokens (see `token`); hidden columns end here.

#![expect(clippy::wildcard_enum_match_arm, reason = "one form of expression needs no name")]

use std::sync::Arc;

use datafusion::common::{Column, Result, ScalarValue};
use datafusion::datasource::{TableProvider, ViewTable, provider_as_source};
use datafusion::logical_expr::{Expr, LogicalPlanBuilder};
use loggia_keys::becomes_text;
use loggia_policy::{Class, ColumnAccess, FieldSchema, FieldType, IMPLICIT_COLUMNS, StreamGrant};
use loggia_store::{BLOCK_COLUMN, ROW_COLUMN, WRITE_ID_COLUMN};

use crate::table::{PART_COLUMN, StreamTable};
use crate::token::{Nonce, sealed_cell};

/// What a reader sees in place of text they may not read. Other types show NULL.
pub const MASKED: &str = "‹masked›";

/// The view of `table` that `grant` shows.
pub(crate) fn view(
    grant: &StreamGrant,
    table: StreamTable,
    nonce: Nonce,
) -> Result<Arc<dyn TableProvider>> {
    let schema = grant.schema();
    let mut columns: Vec<Expr> = IMPLICIT_COLUMNS.iter().map(|name| stored(name)).collect();
    for (at, field) in schema.fields().iter().enumerate() {
        let shown = match (grant.column(at), field.class) {
            (ColumnAccess::Masked, _) => Expr::Literal(masked_value(field), None),
            (ColumnAccess::Clear, Class::Skeleton) => stored(&field.name),
            (ColumnAccess::Clear, Class::Content) => {
                let place = [PART_COLUMN, WRITE_ID_COLUMN, ROW_COLUMN, BLOCK_COLUMN].map(stored);
                sealed_cell(nonce, u16::try_from(at).unwrap_or(u16::MAX), &field.name, place)
            }
        };
        columns.push(match shown {
            plain @ Expr::Column(_) => plain,
            computed => computed.alias(&field.name),
        });
    }
    let plan = LogicalPlanBuilder::scan(schema.name(), provider_as_source(Arc::new(table)), None)?
        .project(columns)?
        .build()?;
    Ok(Arc::new(ViewTable::new(plan, None)))
}

/// Content fields that `grant` shows, with their position.
pub(crate) fn clear_content(grant: &StreamGrant) -> Vec<(u16, String)> {
    let fields = grant.schema().fields().iter().enumerate();
    fields
        .filter(|(at, field)| {
            field.class == Class::Content && grant.column(*at) == ColumnAccess::Clear
        })
        .filter_map(|(at, field)| Some((u16::try_from(at).ok()?, field.name.clone())))
        .collect()
}

/// The type SQL sees a field as.
pub(crate) fn sql_type(field: &FieldSchema) -> FieldType {
    if field.class == Class::Content || becomes_text(field.treatment) {
        FieldType::Text
    } else {
        field.kind
    }
}

fn stored(name: &str) -> Expr {
    Expr::Column(Column::from_name(name))
}

fn masked_value(field: &FieldSchema) -> ScalarValue {
    match sql_type(field) {
        FieldType::Text => ScalarValue::Utf8(Some(MASKED.to_owned())),
        FieldType::Int => ScalarValue::Int64(None),
        FieldType::Float => ScalarValue::Float64(None),
        FieldType::Bool => ScalarValue::Boolean(None),
        FieldType::Timestamp => ScalarValue::TimestampNanosecond(None, Some("UTC".into())),
    }
}

/// Arrow type of a field as SQL sees it, for listings.
pub(crate) fn type_name(kind: FieldType) -> &'static str {
    match kind {
        FieldType::Text => "text",
        FieldType::Int => "int",
        FieldType::Float => "float",
        FieldType::Bool => "bool",
        FieldType::Timestamp => "timestamp",
    }
}
