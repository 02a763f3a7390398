//! Segments of another time: bringing columns written under an older schema into today's.
//!
//! Columns are matched by name. One that a segment lacks is NULL; one whose type has changed since is converted value by value,
//! and a value that does not convert is NULL rather than the end of every query that touches it.

use std::sync::Arc;

use datafusion::arrow::compute::can_cast_types;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::tree_node::{Transformed, TreeNode as _};
use datafusion::common::{Result, ScalarValue};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::{Column, Literal, TryCastExpr};
use datafusion::physical_expr_adapter::{PhysicalExprAdapter, PhysicalExprAdapterFactory};

/// Makes the adapters of segments.
#[derive(Debug)]
pub(crate) struct ByName;

impl PhysicalExprAdapterFactory for ByName {
    fn create(&self, today: SchemaRef, written: SchemaRef) -> Result<Arc<dyn PhysicalExprAdapter>> {
        Ok(Arc::new(Adapter { today, written }))
    }
}

#[derive(Debug)]
struct Adapter {
    today: SchemaRef,
    written: SchemaRef,
}

impl Adapter {
    fn column(&self, column: &Column) -> Result<Option<Arc<dyn PhysicalExpr>>> {
        let today = self.today.field_with_name(column.name())?.data_type();
        let found = self.written.column_with_name(column.name());
        Ok(match found {
            Some((at, field)) if field.data_type() == today => {
                (at != column.index()).then(|| Arc::new(Column::new(column.name(), at)) as _)
            }
            Some((at, field)) if can_cast_types(field.data_type(), today) => {
                let written = Arc::new(Column::new(column.name(), at));
                Some(Arc::new(TryCastExpr::new(written, today.clone())))
            }
            Some(_) | None => Some(Arc::new(Literal::new(ScalarValue::try_new_null(today)?))),
        })
    }
}

impl PhysicalExprAdapter for Adapter {
    fn rewrite(&self, expr: Arc<dyn PhysicalExpr>) -> Result<Arc<dyn PhysicalExpr>> {
        let rewritten = expr.transform(|expr| {
            let replaced = match expr.downcast_ref::<Column>() {
                Some(column) => self.column(column)?,
                None => None,
            };
            Ok(replaced.map_or_else(|| Transformed::no(expr), Transformed::yes))
        })?;
        Ok(rewritten.data)
    }
}
