//! Where in a plan sealed content is opened: as late as it can be.
//!
//! The views deliver tokens (see `token`). This module follows each token column up the plan. Passing a column on, under
//! whatever name, keeps it a token; any other use (filter, function, sort or group key, join key, DISTINCT, aggregate,
//! subquery) puts a [`Reveal`] node directly below the node that uses it. What is still a token at the root is opened in
//! the answer's stream. So content is opened for the rows that survive, and a query that only filters and sorts by clear
//! columns opens exactly the rows it returns. Expressions over content above `ORDER BY … LIMIT` are computed after the limit.
//!
//! INVARIANT: no expression of a rewritten plan computes with a token; a node kind this module does not know is refused.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "forms of expressions that matter are listed; every other one counts as a use"
)]

use std::collections::BTreeSet;
use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TreeNode as _, TreeNodeRecursion};
use datafusion::common::{Column, DFSchema, JoinType, Result, plan_err};
use datafusion::logical_expr::expr::{Exists, InSubquery, SetComparison};
use datafusion::logical_expr::{
    Distinct, Expr, Extension, Limit, LogicalPlan, Projection, Sort, SortExpr, Subquery,
};

use crate::reveal::Reveal;
use crate::token::is_sealed_cell;
use crate::unseal::Unsealer;

/// A plan, and which of its output columns are tokens.
pub(crate) struct Marked {
    pub(crate) plan: LogicalPlan,
    pub(crate) sealed: Vec<bool>,
}

/// Puts the reveals of `plan` in place.
pub(crate) fn place_reveals(plan: LogicalPlan, unsealer: &Arc<Unsealer>) -> Result<Marked> {
    Placer { unsealer }.rewrite(plan)
}

struct Placer<'a> {
    unsealer: &'a Arc<Unsealer>,
}

impl Placer<'_> {
    fn rewrite(&self, plan: LogicalPlan) -> Result<Marked> {
        if let LogicalPlan::Limit(limit) = plan {
            return match Topped::of(limit) {
                Ok(topped) => self.rewrite_topped(topped),
                Err(limit) => self.rewrite_plain(LogicalPlan::Limit(limit)),
            };
        }
        self.rewrite_plain(plan)
    }

    fn rewrite_plain(&self, plan: LogicalPlan) -> Result<Marked> {
        let children = plan
            .inputs()
            .into_iter()
            .map(|child| self.rewrite(child.clone()))
            .collect::<Result<Vec<_>>>()?;
        self.place(plan, children)
    }

    /// Puts `children` under `plan`, opening first what `plan` itself uses.
    fn place(&self, plan: LogicalPlan, children: Vec<Marked>) -> Result<Marked> {
        let plan = self.rewrite_subqueries(plan)?;
        let used = used_columns(&plan)?;
        let mut children = children;
        for child in &mut children {
            let open = uses(&plan, child, &used);
            self.reveal(child, &open);
        }
        if let LogicalPlan::Union(_) = plan {
            self.align(&mut children);
        }
        let (mut next, inputs): (Vec<LogicalPlan>, Vec<Vec<bool>>) =
            children.into_iter().map(|child| (child.plan, child.sealed)).unzip();
        next.reverse();
        let plan = plan
            .map_children(|old| {
                Ok(next.pop().map_or_else(|| Transformed::no(old), Transformed::yes))
            })?
            .data;
        let sealed = sealed_outputs(&plan, &inputs)?;
        Ok(Marked { plan, sealed })
    }

    /// A subquery's result is compared or computed with: all of it is opened at its root.
    fn rewrite_subqueries(&self, plan: LogicalPlan) -> Result<LogicalPlan> {
        let rewritten = plan.map_subqueries(|subquery| {
            let LogicalPlan::Subquery(subquery) = subquery else {
                return plan_err!("a subquery has an unexpected form");
            };
            let mut inner = self.rewrite(Arc::unwrap_or_clone(subquery.subquery))?;
            self.reveal_all(&mut inner);
            // The optimiser turns subqueries into joins and wants to see their output expressions at the root.
            let plan = match inner.plan {
                opened @ LogicalPlan::Extension(_) => {
                    let columns = opened.schema().columns().into_iter().map(Expr::Column).collect();
                    LogicalPlan::Projection(Projection::try_new(columns, Arc::new(opened))?)
                }
                plain => plain,
            };
            let subquery = Subquery { subquery: Arc::new(plan), ..subquery };
            Ok(Transformed::yes(LogicalPlan::Subquery(subquery)))
        })?;
        Ok(rewritten.data)
    }

    /// Opens the columns at `open` above the child.
    fn reveal(&self, child: &mut Marked, open: &BTreeSet<usize>) {
        let schema = child.plan.schema();
        let columns: Vec<Column> = open
            .iter()
            .filter(|at| child.sealed.get(**at) == Some(&true))
            .map(|at| Column::from(schema.qualified_field(*at)))
            .collect();
        if columns.is_empty() {
            return;
        }
        for at in open {
            if let Some(sealed) = child.sealed.get_mut(*at) {
                *sealed = false;
            }
        }
        let input = std::mem::take(&mut child.plan);
        let node = Arc::new(Reveal::new(input, columns, Arc::clone(self.unsealer)));
        child.plan = LogicalPlan::Extension(Extension { node });
    }

    fn reveal_all(&self, child: &mut Marked) {
        let all = (0..child.sealed.len()).collect();
        self.reveal(child, &all);
    }

    /// A position of a UNION stays a token only if every input has one there.
    fn align(&self, children: &mut [Marked]) {
        let width = children.iter().map(|child| child.sealed.len()).min().unwrap_or_default();
        let mixed: BTreeSet<usize> = (0..width)
            .filter(|at| children.iter().any(|child| child.sealed.get(*at) != Some(&true)))
            .collect();
        for child in children {
            self.reveal(child, &mixed);
        }
    }

    /// `LIMIT` over `ORDER BY` over a projection: what the projection computes from content waits until after the limit.
    fn rewrite_topped(&self, topped: Topped) -> Result<Marked> {
        let Topped { limit, top, sort, low } = topped;
        let input = self.rewrite(low.input.as_ref().clone())?;
        let Some(split) = Split::of(&low, &sort.expr, &input)? else {
            let low = self.place(LogicalPlan::Projection(low), vec![input])?;
            let sort = self.place(LogicalPlan::Sort(sort), vec![low])?;
            let sort = self.under_top(top, sort)?;
            return self.place(LogicalPlan::Limit(limit), vec![sort]);
        };
        let low = self.project(split.low, input)?;
        let sort = self.place(LogicalPlan::Sort(sort), vec![low])?;
        let limit = self.place(LogicalPlan::Limit(limit), vec![sort])?;
        let high = self.project(split.high, limit)?;
        self.under_top(top, high)
    }

    fn project(&self, expr: Vec<Expr>, input: Marked) -> Result<Marked> {
        let projection = Projection::try_new(expr, Arc::new(input.plan.clone()))?;
        self.place(LogicalPlan::Projection(projection), vec![input])
    }

    fn under_top(&self, top: Option<Projection>, child: Marked) -> Result<Marked> {
        match top {
            Some(top) => self.place(LogicalPlan::Projection(top), vec![child]),
            None => Ok(child),
        }
    }
}

/// `Limit` (over a projection of bare columns) over `Sort` over `Projection`, taken apart.
struct Topped {
    limit: Limit,
    top: Option<Projection>,
    sort: Sort,
    low: Projection,
}

impl Topped {
    /// Recognises the shape, or gives the limit back.
    fn of(limit: Limit) -> Result<Self, Limit> {
        let (top, under) = match limit.input.as_ref() {
            LogicalPlan::Projection(top) if top.expr.iter().all(|expr| bare(expr).is_some()) => {
                (Some(top.clone()), Arc::clone(&top.input))
            }
            _ => (None, Arc::clone(&limit.input)),
        };
        let LogicalPlan::Sort(sort) = under.as_ref() else { return Err(limit) };
        let LogicalPlan::Projection(low) = sort.input.as_ref() else { return Err(limit) };
        Ok(Self { top, sort: sort.clone(), low: low.clone(), limit })
    }
}

/// A projection in two: what is needed to sort, and what can wait for the rows that remain.
struct Split {
    low: Vec<Expr>,
    high: Vec<Expr>,
}

impl Split {
    /// Splits `projection`; `None` when nothing can wait or the sort needs it.
    fn of(projection: &Projection, sort: &[SortExpr], input: &Marked) -> Result<Option<Self>> {
        let mut waits = Vec::with_capacity(projection.expr.len());
        for expr in &projection.expr {
            let mut used = BTreeSet::new();
            collect_used(expr, &mut used)?;
            let late = bare(expr).is_none()
                && !is_sealed_cell(unalias(expr))
                && positions(&used, input.plan.schema())
                    .iter()
                    .any(|at| input.sealed.get(*at) == Some(&true));
            if late && has_subquery(expr)? {
                return Ok(None);
            }
            waits.push(late);
        }
        let mut keys = BTreeSet::new();
        for key in sort {
            collect_used(&key.expr, &mut keys)?;
        }
        let keyed = positions(&keys, &projection.schema);
        if !waits.contains(&true) || keyed.iter().any(|at| waits.get(*at) == Some(&true)) {
            return Ok(None);
        }
        let mut low = Vec::new();
        let mut high = Vec::new();
        let mut carried: Vec<Column> = Vec::new();
        for (at, (expr, late)) in projection.expr.iter().zip(waits).enumerate() {
            let (qualifier, field) = projection.schema.qualified_field(at);
            if !late {
                low.push(expr.clone());
                high.push(Expr::Column(Column::new(qualifier.cloned(), field.name())));
                continue;
            }
            let moved = expr.clone().transform(|expr| match expr {
                Expr::Column(column) => {
                    let number =
                        carried.iter().position(|known| *known == column).unwrap_or_else(|| {
                            carried.push(column);
                            carried.len().saturating_sub(1)
                        });
                    Ok(Transformed::yes(Expr::Column(Column::from_name(carried_name(number)))))
                }
                other => Ok(Transformed::no(other)),
            })?;
            high.push(match moved.data {
                named @ Expr::Alias(_) => named,
                plain => plain.alias_qualified(qualifier.cloned(), field.name()),
            });
        }
        low.extend(
            carried
                .into_iter()
                .enumerate()
                .map(|(number, column)| Expr::Column(column).alias(carried_name(number))),
        );
        Ok(Some(Self { low, high }))
    }
}

fn carried_name(number: usize) -> String {
    format!("__late_{number}")
}

/// Columns that the node's own expressions compute with.
fn used_columns(plan: &LogicalPlan) -> Result<BTreeSet<Column>> {
    let mut used = BTreeSet::new();
    let passes_bare_columns = matches!(plan, LogicalPlan::Projection(_));
    plan.apply_expressions(|expr| {
        let passed_on =
            passes_bare_columns && (bare(expr).is_some() || is_sealed_cell(unalias(expr)));
        if !passed_on {
            collect_used(expr, &mut used)?;
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(used)
}

/// Columns of the node's input that an expression refers to, those its subqueries reach out for among them.
fn collect_used(expr: &Expr, used: &mut BTreeSet<Column>) -> Result<()> {
    used.extend(expr.column_refs().into_iter().cloned());
    expr.apply(|expr| {
        if let Some(subquery) = subquery_of(expr) {
            subquery.subquery.apply_with_subqueries(|plan| {
                plan.apply_expressions(|expr| {
                    expr.apply(|expr| {
                        if let Expr::OuterReferenceColumn(_, column) = expr {
                            used.insert(column.clone());
                        }
                        Ok(TreeNodeRecursion::Continue)
                    })
                })
            })?;
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(())
}

fn subquery_of(expr: &Expr) -> Option<&Subquery> {
    match expr {
        Expr::ScalarSubquery(subquery)
        | Expr::Exists(Exists { subquery, .. })
        | Expr::InSubquery(InSubquery { subquery, .. })
        | Expr::SetComparison(SetComparison { subquery, .. }) => Some(subquery),
        _ => None,
    }
}

fn has_subquery(expr: &Expr) -> Result<bool> {
    expr.exists(|expr| Ok(subquery_of(expr).is_some()))
}

/// Positions of `child` that `plan` uses.
fn uses(plan: &LogicalPlan, child: &Marked, used: &BTreeSet<Column>) -> BTreeSet<usize> {
    match plan {
        // Both compare or unfold whole rows.
        LogicalPlan::Distinct(_) | LogicalPlan::Unnest(_) => (0..child.sealed.len()).collect(),
        _ => positions(used, child.plan.schema()),
    }
}

/// Every position a column may mean: a name that is not clearly one column counts as all that bear it.
fn positions(columns: &BTreeSet<Column>, schema: &DFSchema) -> BTreeSet<usize> {
    let mut found = BTreeSet::new();
    for column in columns {
        match (&column.relation, schema.maybe_index_of_column(column)) {
            (Some(_), Some(at)) => {
                found.insert(at);
            }
            (Some(_) | None, _) => {
                let named = schema
                    .fields()
                    .iter()
                    .enumerate()
                    .filter(|(_, field)| *field.name() == column.name);
                found.extend(named.map(|(at, _)| at));
            }
        }
    }
    found
}

/// Which outputs of `plan` are tokens, given those of its inputs.
fn sealed_outputs(plan: &LogicalPlan, children: &[Vec<bool>]) -> Result<Vec<bool>> {
    let width = plan.schema().fields().len();
    let none = vec![false; width];
    let passed = || children.first().cloned().unwrap_or_default();
    let sealed = match plan {
        LogicalPlan::Projection(projection) => {
            let (schema, sealed) = (projection.input.schema(), passed());
            projection
                .expr
                .iter()
                .map(|expr| is_sealed_cell(unalias(expr)) || passes_token(expr, schema, &sealed))
                .collect()
        }
        LogicalPlan::Filter(_)
        | LogicalPlan::Sort(_)
        | LogicalPlan::Limit(_)
        | LogicalPlan::SubqueryAlias(_)
        | LogicalPlan::Repartition(_) => passed(),
        LogicalPlan::Window(_) => {
            let mut sealed = passed();
            sealed.resize(width, false);
            sealed
        }
        LogicalPlan::Join(join) => join_outputs(join.join_type, children, width),
        LogicalPlan::Union(_) => (0..width)
            .map(|at| {
                !children.is_empty() && children.iter().all(|child| child.get(at) == Some(&true))
            })
            .collect(),
        LogicalPlan::Aggregate(_)
        | LogicalPlan::Distinct(Distinct::All(_) | Distinct::On(_))
        | LogicalPlan::Unnest(_)
        | LogicalPlan::TableScan(_)
        | LogicalPlan::EmptyRelation(_)
        | LogicalPlan::Values(_) => none,
        LogicalPlan::Subquery(_)
        | LogicalPlan::Statement(_)
        | LogicalPlan::Explain(_)
        | LogicalPlan::Analyze(_)
        | LogicalPlan::Extension(_)
        | LogicalPlan::Dml(_)
        | LogicalPlan::Ddl(_)
        | LogicalPlan::Copy(_)
        | LogicalPlan::DescribeTable(_)
        | LogicalPlan::RecursiveQuery(_) => {
            return plan_err!("this kind of query is not supported");
        }
    };
    if sealed.len() == width {
        Ok(sealed)
    } else {
        plan_err!("the columns of the query do not add up")
    }
}

fn join_outputs(join_type: JoinType, children: &[Vec<bool>], width: usize) -> Vec<bool> {
    let side = |at: usize| children.get(at).cloned().unwrap_or_default();
    let mut sealed = match join_type {
        JoinType::Inner | JoinType::Left | JoinType::Right | JoinType::Full => {
            let mut both = side(0);
            both.extend(side(1));
            both
        }
        JoinType::LeftSemi | JoinType::LeftAnti | JoinType::LeftMark => side(0),
        JoinType::RightSemi | JoinType::RightAnti | JoinType::RightMark => side(1),
    };
    // A mark join adds one flag to its side.
    sealed.resize(width, false);
    sealed
}

/// Whether a projected expression hands a token of the input on.
fn passes_token(expr: &Expr, input: &DFSchema, sealed: &[bool]) -> bool {
    let Some(column) = bare(expr) else { return false };
    let columns = BTreeSet::from([column.clone()]);
    positions(&columns, input).iter().any(|at| sealed.get(*at) == Some(&true))
}

/// The column an expression merely passes on, under whatever name.
fn bare(expr: &Expr) -> Option<&Column> {
    match unalias(expr) {
        Expr::Column(column) => Some(column),
        _ => None,
    }
}

fn unalias(expr: &Expr) -> &Expr {
    let mut expr = expr;
    while let Expr::Alias(alias) = expr {
        expr = &alias.expr;
    }
    expr
}
