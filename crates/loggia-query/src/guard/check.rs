//! The walk over a parsed query: refuses what may not pass, bounds its size, collects the names it uses.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "names are collected from two forms; tables are a list of what passes"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    self, Expr, FunctionArguments, GroupByExpr, Ident, JoinConstraint, JoinOperator, LimitClause,
    ObjectName, Query, Select, SelectItem, SetExpr, TableFactor, Value, ValueWithSpan, Visitor,
    visit_relations,
};

use super::{bare_name, normal_ident, refused};
use crate::error::QueryError;

/// Deepest expression, in operators above a leaf.
const EXPRESSION_DEPTH_MAX: usize = 128;
/// Longest chain of `[…]` and `.field` behind one value.
const ACCESSES_MAX: usize = 16;
/// Most SELECTs in one statement.
const SELECTS_MAX: usize = 48;

/// Walks a query, refuses what may not pass and collects names.
#[derive(Default)]
pub(super) struct Check {
    pub(super) columns: BTreeSet<String>,
    pub(super) all_columns: bool,
    depth: usize,
    selects: usize,
    expanded: BTreeMap<String, usize>,
}

impl Check {
    /// Tables the query reads when each WITH is written out where it is used.
    pub(super) fn cost(&self, query: &Query) -> usize {
        let mut cost = 0_usize;
        let walk: ControlFlow<()> = visit_relations(query, |name| {
            let known = bare_name(name).ok().and_then(|name| self.expanded.get(&name).copied());
            cost = cost.saturating_add(known.unwrap_or(1));
            ControlFlow::Continue(())
        });
        debug_assert!(walk.is_continue(), "the walk never breaks");
        cost
    }

    fn name(&mut self, ident: &Ident) {
        self.columns.insert(normal_ident(ident));
    }
}

impl Visitor for Check {
    type Break = QueryError;

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<QueryError> {
        pass(check_query(query))
    }

    fn post_visit_query(&mut self, query: &Query) -> ControlFlow<QueryError> {
        for cte in query.with.iter().flat_map(|with| &with.cte_tables) {
            let cost = self.cost(&cte.query).max(1);
            let known = self.expanded.entry(normal_ident(&cte.alias.name)).or_default();
            *known = (*known).max(cost);
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<QueryError> {
        self.selects = self.selects.saturating_add(1);
        if self.selects > SELECTS_MAX {
            return ControlFlow::Break(QueryError::invalid(
                format!("the statement has more than {SELECTS_MAX} selects"),
                None,
            ));
        }
        for item in &select.projection {
            match item {
                SelectItem::Wildcard(_) | SelectItem::QualifiedWildcard(_, _) => {
                    self.all_columns = true;
                }
                SelectItem::UnnamedExpr(_)
                | SelectItem::ExprWithAlias { .. }
                | SelectItem::ExprWithAliases { .. } => {}
            }
        }
        for join in select.from.iter().flat_map(|from| &from.joins) {
            for column in join_columns(&join.join_operator) {
                if let Some(ident) = column.0.last().and_then(|part| part.as_ident()) {
                    self.name(ident);
                }
            }
        }
        pass(check_select(select))
    }

    fn pre_visit_table_factor(&mut self, table: &TableFactor) -> ControlFlow<QueryError> {
        pass(check_table(table))
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<QueryError> {
        self.depth = self.depth.saturating_add(1);
        if self.depth > EXPRESSION_DEPTH_MAX {
            let help = "a long list of alternatives is better written with IN";
            return ControlFlow::Break(QueryError::invalid(
                "an expression is nested too deeply",
                Some(help),
            ));
        }
        match expr {
            Expr::Identifier(ident) => self.name(ident),
            Expr::CompoundIdentifier(idents) => {
                if let Some(ident) = idents.last() {
                    self.name(ident);
                }
            }
            _ => {}
        }
        pass(check_expr(expr))
    }

    fn post_visit_expr(&mut self, _: &Expr) -> ControlFlow<QueryError> {
        self.depth = self.depth.saturating_sub(1);
        ControlFlow::Continue(())
    }

    fn pre_visit_value(&mut self, value: &ValueWithSpan) -> ControlFlow<QueryError> {
        match value.value {
            Value::Placeholder(_) => ControlFlow::Break(refused(
                "parameters are not supported: write the value as a literal",
            )),
            _ => ControlFlow::Continue(()),
        }
    }

    fn pre_visit_statement(&mut self, _: &ast::Statement) -> ControlFlow<QueryError> {
        ControlFlow::Break(refused("a query cannot contain another kind of statement"))
    }
}

fn check_query(query: &Query) -> Result<(), QueryError> {
    if query.with.as_ref().is_some_and(|with| with.recursive) {
        return Err(refused("WITH RECURSIVE is not supported"));
    }
    if !query.locks.is_empty() {
        return Err(refused(
            "FOR UPDATE and FOR SHARE are not supported: nothing here can be locked",
        ));
    }
    if query.for_clause.is_some()
        || query.settings.is_some()
        || query.format_clause.is_some()
        || !query.pipe_operators.is_empty()
    {
        return Err(refused("FOR, SETTINGS, FORMAT and pipe operators are not supported"));
    }
    match &query.limit_clause {
        Some(LimitClause::LimitOffset { limit_by, .. }) if !limit_by.is_empty() => {
            return Err(refused("LIMIT BY is not supported"));
        }
        Some(LimitClause::LimitOffset { .. } | LimitClause::OffsetCommaLimit { .. }) | None => {}
    }
    check_body(&query.body)
}

/// Follows the left spine of a set operation in a loop; right sides nest only as deep as the parser went.
fn check_body(body: &SetExpr) -> Result<(), QueryError> {
    let mut body = body;
    loop {
        match body {
            SetExpr::Select(_) | SetExpr::Query(_) | SetExpr::Values(_) => return Ok(()),
            SetExpr::SetOperation { left, right, .. } => {
                check_body(right)?;
                body = left;
            }
            SetExpr::Insert(_) | SetExpr::Update(_) | SetExpr::Delete(_) | SetExpr::Merge(_) => {
                return Err(refused("only queries can be run here"));
            }
            SetExpr::Table(_) => {
                return Err(refused(
                    "TABLE is not supported: write SELECT * FROM and the stream's name",
                ));
            }
        }
    }
}

fn check_select(select: &Select) -> Result<(), QueryError> {
    if select.into.is_some() {
        return Err(refused("SELECT INTO would write: only queries can be run here"));
    }
    let foreign = !select.lateral_views.is_empty()
        || select.prewhere.is_some()
        || !select.connect_by.is_empty()
        || !select.cluster_by.is_empty()
        || !select.distribute_by.is_empty()
        || !select.sort_by.is_empty()
        || select.value_table_mode.is_some()
        || select.top.is_some()
        || select.select_modifiers.is_some()
        || !select.optimizer_hints.is_empty();
    if foreign {
        return Err(refused(
            "the statement uses a clause of another SQL dialect that is not supported",
        ));
    }
    match &select.group_by {
        GroupByExpr::All(_) | GroupByExpr::Expressions(_, _) => {}
    }
    for join in select.from.iter().flat_map(|from| &from.joins) {
        check_join(&join.join_operator)?;
    }
    Ok(())
}

fn check_join(operator: &JoinOperator) -> Result<(), QueryError> {
    match operator {
        JoinOperator::Join(_)
        | JoinOperator::Inner(_)
        | JoinOperator::Left(_)
        | JoinOperator::LeftOuter(_)
        | JoinOperator::Right(_)
        | JoinOperator::RightOuter(_)
        | JoinOperator::FullOuter(_)
        | JoinOperator::CrossJoin(_)
        | JoinOperator::Semi(_)
        | JoinOperator::LeftSemi(_)
        | JoinOperator::RightSemi(_)
        | JoinOperator::Anti(_)
        | JoinOperator::LeftAnti(_)
        | JoinOperator::RightAnti(_) => Ok(()),
        JoinOperator::CrossApply
        | JoinOperator::OuterApply
        | JoinOperator::AsOf { .. }
        | JoinOperator::StraightJoin(_)
        | JoinOperator::ArrayJoin
        | JoinOperator::LeftArrayJoin
        | JoinOperator::InnerArrayJoin => Err(refused("this kind of join is not supported")),
    }
}

/// Columns named by USING.
fn join_columns(operator: &JoinOperator) -> &[ObjectName] {
    let constraint = match operator {
        JoinOperator::Join(constraint)
        | JoinOperator::Inner(constraint)
        | JoinOperator::Left(constraint)
        | JoinOperator::LeftOuter(constraint)
        | JoinOperator::Right(constraint)
        | JoinOperator::RightOuter(constraint)
        | JoinOperator::FullOuter(constraint)
        | JoinOperator::CrossJoin(constraint)
        | JoinOperator::Semi(constraint)
        | JoinOperator::LeftSemi(constraint)
        | JoinOperator::RightSemi(constraint)
        | JoinOperator::Anti(constraint)
        | JoinOperator::LeftAnti(constraint)
        | JoinOperator::RightAnti(constraint)
        | JoinOperator::AsOf { constraint, .. }
        | JoinOperator::StraightJoin(constraint) => constraint,
        JoinOperator::CrossApply
        | JoinOperator::OuterApply
        | JoinOperator::ArrayJoin
        | JoinOperator::LeftArrayJoin
        | JoinOperator::InnerArrayJoin => return &[],
    };
    match constraint {
        JoinConstraint::Using(columns) => columns,
        JoinConstraint::On(_) | JoinConstraint::Natural | JoinConstraint::None => &[],
    }
}

fn check_table(table: &TableFactor) -> Result<(), QueryError> {
    match table {
        TableFactor::Table {
            name,
            args,
            with_hints,
            version,
            with_ordinality,
            partitions,
            json_path,
            sample,
            index_hints,
            ..
        } => {
            if args.is_some() || *with_ordinality {
                return Err(refused("table functions are not supported"));
            }
            let plain = with_hints.is_empty()
                && version.is_none()
                && partitions.is_empty()
                && json_path.is_none()
                && sample.is_none()
                && index_hints.is_empty();
            if !plain {
                return Err(refused(
                    "samples, hints, versions and partitions of a table are not supported",
                ));
            }
            bare_name(name).map(|_| ())
        }
        TableFactor::Derived { lateral: true, .. } => Err(refused("LATERAL is not supported")),
        TableFactor::Derived { sample: Some(_), .. } => {
            Err(refused("samples of a table are not supported"))
        }
        TableFactor::Derived { lateral: false, sample: None, .. }
        | TableFactor::NestedJoin { .. } => Ok(()),
        _ => Err(refused("table functions are not supported")),
    }
}

fn check_expr(expr: &Expr) -> Result<(), QueryError> {
    match expr {
        Expr::Function(function) => {
            let plain = function.name.0.len() == 1
                && !function.uses_odbc_syntax
                && matches!(function.parameters, FunctionArguments::None);
            if plain { Ok(()) } else { Err(refused("functions are called by their plain name")) }
        }
        Expr::CompoundFieldAccess { access_chain, .. } if access_chain.len() > ACCESSES_MAX => {
            Err(QueryError::invalid("an expression is nested too deeply", None))
        }
        Expr::JsonAccess { .. }
        | Expr::MatchAgainst { .. }
        | Expr::Prefixed { .. }
        | Expr::Lambda(_) => Err(refused(
            "the statement uses an expression of another SQL dialect that is not supported",
        )),
        _ => Ok(()),
    }
}

fn pass(result: Result<(), QueryError>) -> ControlFlow<QueryError> {
    match result {
        Ok(()) => ControlFlow::Continue(()),
        Err(error) => ControlFlow::Break(error),
    }
}
