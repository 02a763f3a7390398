//! The statement guard: from SQL text to a [`Statement`] that reads and does nothing else.
//!
//! Guarantees, before anything is planned: exactly one statement; a query (SELECT, WITH, UNION…), a plain EXPLAIN of one,
//! or one of the safe listings SHOW TABLES, SHOW COLUMNS FROM and DESCRIBE, which are answered from the grant; no clause
//! that writes, locks, samples, calls a table function or names a file or a foreign schema; size, depth and the number
//! of tables after expansion of WITH are bounded, so that planning is cheap and cannot exhaust the stack.
//! It extracts what a receipt needs: streams, columns named, the text with `?` for every literal, and the literals apart.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "lists of what passes: a form that a later parser adds is refused"
)]

use std::collections::BTreeSet;
use std::fmt;
use std::ops::ControlFlow;

use datafusion::common::TableReference;
use datafusion::sql::parser::Statement as PlannerStatement;
use datafusion::sql::resolve::resolve_table_references;
use datafusion::sql::sqlparser::ast::{
    self, DescribeAlias, Ident, ObjectName, Query, Value, ValueWithSpan, Visit as _, VisitMut,
    VisitorMut,
};
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::parser::{Parser, ParserError};
use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan, Tokenizer};

use crate::error::QueryError;
use check::Check;

mod check;
#[cfg(test)]
mod tests;

/// Largest statement in bytes.
const SQL_BYTES_MAX: usize = 64 * 1024;
/// Most tokens of a statement; bounds the depth of any tree the parser can build.
const TOKENS_MAX: usize = 6_000;
/// Deepest nesting the parser follows.
const PARSER_DEPTH_MAX: usize = 40;
/// Most tables of the plan once every WITH is written out.
const TABLES_MAX: usize = 64;

/// What kind of answer a [`Statement`] asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StatementKind {
    /// Rows.
    Query,
    /// The logical plan of a query; nothing is read.
    Explain,
    /// The names of the streams the grant covers.
    ShowTables,
    /// The columns of one stream as the grant shows them.
    Describe,
}

/// One checked statement. Made only by [`parse_statement`].
#[derive(Clone)]
pub struct Statement {
    kind: StatementKind,
    query: Option<Box<Query>>,
    tables: Vec<String>,
    columns: Vec<String>,
    all_columns: bool,
    text: String,
    literals: Vec<String>,
}

impl Statement {
    /// Kind of answer asked for.
    #[must_use]
    pub fn kind(&self) -> StatementKind {
        self.kind
    }

    /// Streams the statement names, sorted, each once.
    #[must_use]
    pub fn tables(&self) -> &[String] {
        &self.tables
    }

    /// Names used as columns (aliases among them), sorted, each once.
    #[must_use]
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// Whether a wildcard asks for every column.
    #[must_use]
    pub fn all_columns(&self) -> bool {
        self.all_columns
    }

    /// The statement in one normal form, with `?` for every literal and no comments.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The literals, in the order of the `?`. They may hold personal data: seal them.
    #[must_use]
    pub fn literals(&self) -> &[String] {
        &self.literals
    }

    /// The query to plan, when there is one.
    pub(crate) fn query(&self) -> Option<&Query> {
        self.query.as_deref()
    }
}

impl fmt::Debug for Statement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Statement({}, literals [redacted])", self.text)
    }
}

/// Reads one statement and checks that it only reads.
///
/// # Errors
/// [`QueryError::Invalid`] with line and column when it cannot be read or exceeds a limit, [`QueryError::Refused`] when it
/// is of a kind that never passes, [`QueryError::NotFound`] when it names a table outside the streams' own namespace.
pub fn parse_statement(sql: &str) -> Result<Statement, QueryError> {
    match parse_one(sql)? {
        ast::Statement::Query(query) => checked(StatementKind::Query, query),
        ast::Statement::Explain {
            describe_alias,
            analyze,
            verbose,
            query_plan,
            estimate,
            statement,
            format,
            options,
        } => {
            if describe_alias != DescribeAlias::Explain
                || analyze
                || verbose
                || query_plan
                || estimate
                || format.is_some()
                || options.is_some()
            {
                return Err(refused("only plain EXPLAIN of a query is possible"));
            }
            match *statement {
                ast::Statement::Query(query) => checked(StatementKind::Explain, query),
                _ => Err(refused("only a query can be explained")),
            }
        }
        ast::Statement::ShowTables { show_options, .. } => {
            if show_options.show_in.is_some() || show_options.filter_position.is_some() {
                return Err(refused("SHOW TABLES takes no clauses"));
            }
            Ok(listing(StatementKind::ShowTables, None))
        }
        ast::Statement::ShowColumns { show_options, .. } => {
            let name = show_options.show_in.and_then(|place| place.parent_name);
            let name =
                name.ok_or_else(|| refused("say SHOW COLUMNS FROM and the stream's name"))?;
            Ok(listing(StatementKind::Describe, Some(bare_name(&name)?)))
        }
        ast::Statement::ExplainTable { table_name, .. } => {
            Ok(listing(StatementKind::Describe, Some(bare_name(&table_name)?)))
        }
        _ => Err(refused(
            "only queries can be run here: SELECT, WITH, EXPLAIN, SHOW TABLES, SHOW COLUMNS FROM, DESCRIBE",
        )),
    }
}

fn parse_one(sql: &str) -> Result<ast::Statement, QueryError> {
    if sql.len() > SQL_BYTES_MAX {
        return Err(QueryError::invalid(
            format!("the statement is longer than {SQL_BYTES_MAX} bytes"),
            None,
        ));
    }
    let dialect = GenericDialect {};
    let tokens = Tokenizer::new(&dialect, sql).tokenize_with_location().map_err(|error| {
        QueryError::Invalid {
            message: lower(&error.message),
            line: Some(error.location.line),
            column: Some(error.location.column),
            help: None,
        }
    })?;
    if tokens.iter().filter(|token| !matches!(token.token, Token::Whitespace(_))).count()
        > TOKENS_MAX
    {
        return Err(QueryError::invalid(
            format!("the statement has more than {TOKENS_MAX} tokens"),
            None,
        ));
    }
    let end = tokens.iter().rfind(|token| !matches!(token.token, Token::Whitespace(_))).cloned();
    let mut parser = Parser::new(&dialect)
        .with_recursion_limit(PARSER_DEPTH_MAX)
        .with_tokens_with_locations(tokens);
    let mut statements =
        parser.parse_statements().map_err(|error| syntax_error(&error, end.as_ref()))?;
    match (statements.pop(), statements.is_empty()) {
        (Some(statement), true) => Ok(statement),
        (None, _) => Err(QueryError::invalid("the statement is empty", None)),
        (Some(_), false) => Err(refused("one statement at a time")),
    }
}

/// Takes line and column out of the parser's message, or points at the end of the statement.
fn syntax_error(error: &ParserError, end: Option<&TokenWithSpan>) -> QueryError {
    let text = match error {
        ParserError::TokenizerError(text) | ParserError::ParserError(text) => text.as_str(),
        ParserError::RecursionLimitExceeded => {
            return QueryError::invalid("the statement is nested too deeply", None);
        }
    };
    let located = text.rsplit_once(" at Line: ").and_then(|(message, place)| {
        let (line, column) = place.split_once(", Column: ")?;
        Some((message, line.trim().parse().ok()?, column.trim().parse().ok()?))
    });
    let (message, line, column) = match (located, end) {
        (Some((message, line, column)), _) => (message, Some(line), Some(column)),
        (None, Some(end)) => (text, Some(end.span.end.line), Some(end.span.end.column)),
        (None, None) => (text, None, None),
    };
    let help = message.contains("found: EOF").then(|| "the statement ends too early".to_owned());
    QueryError::Invalid { message: lower(message), line, column, help }
}

fn listing(kind: StatementKind, table: Option<String>) -> Statement {
    let text = match &table {
        Some(table) => format!("DESCRIBE {table}"),
        None => "SHOW TABLES".to_owned(),
    };
    let tables = table.into_iter().collect();
    Statement {
        kind,
        query: None,
        tables,
        columns: Vec::new(),
        all_columns: false,
        text,
        literals: Vec::new(),
    }
}

fn checked(kind: StatementKind, query: Box<Query>) -> Result<Statement, QueryError> {
    let mut check = Check::default();
    if let ControlFlow::Break(error) = query.visit(&mut check) {
        return Err(error);
    }
    let tables = streams(&query)?;
    if check.cost(&query) > TABLES_MAX {
        return Err(QueryError::invalid(
            format!("the statement reads more than {TABLES_MAX} tables once WITH is written out"),
            None,
        ));
    }
    let mut normal = query.clone();
    let mut literals = Literals::default();
    if let ControlFlow::Break(never) = VisitMut::visit(normal.as_mut(), &mut literals) {
        match never {}
    }
    let prefix = if kind == StatementKind::Explain { "EXPLAIN " } else { "" };
    Ok(Statement {
        kind,
        tables,
        columns: check.columns.into_iter().collect(),
        all_columns: check.all_columns,
        text: format!("{prefix}{normal}"),
        literals: literals.found,
        query: Some(query),
    })
}

/// Streams the query reads: its table names that no WITH defines. They must be bare names.
fn streams(query: &Query) -> Result<Vec<String>, QueryError> {
    let statement =
        PlannerStatement::Statement(Box::new(ast::Statement::Query(Box::new(query.clone()))));
    let (tables, _) = resolve_table_references(&statement, true)
        .map_err(|error| QueryError::from_planning(&error))?;
    let mut names = BTreeSet::new();
    for table in tables {
        match table {
            TableReference::Bare { table } => {
                names.insert(table.to_string());
            }
            TableReference::Partial { .. } | TableReference::Full { .. } => {
                return Err(QueryError::NotFound(table.to_string()));
            }
        }
    }
    Ok(names.into_iter().collect())
}

/// Moves every literal out of a query and leaves `?` in its place.
#[derive(Default)]
struct Literals {
    found: Vec<String>,
}

impl VisitorMut for Literals {
    type Break = std::convert::Infallible;

    fn pre_visit_value(&mut self, value: &mut ValueWithSpan) -> ControlFlow<Self::Break> {
        match &value.value {
            Value::Null => {}
            other => {
                self.found.push(other.clone().into_string().unwrap_or_else(|| other.to_string()));
                value.value = Value::Placeholder("?".to_owned());
            }
        }
        ControlFlow::Continue(())
    }
}

/// The only name part, normalised; a qualified name is outside the streams' namespace.
fn bare_name(name: &ObjectName) -> Result<String, QueryError> {
    match name.0.as_slice() {
        [part] => match part.as_ident() {
            Some(ident) => Ok(normal_ident(ident)),
            None => Err(refused("a stream is named by a plain name")),
        },
        _ => Err(QueryError::NotFound(name.to_string())),
    }
}

/// Unquoted names are lower case, as the planner reads them.
fn normal_ident(ident: &Ident) -> String {
    if ident.quote_style.is_some() { ident.value.clone() } else { ident.value.to_lowercase() }
}

fn refused(why: &str) -> QueryError {
    QueryError::Refused(why.to_owned())
}

/// Lower-cases the first letter of a message, as the house writes them.
fn lower(message: &str) -> String {
    let mut chars = message.trim().chars();
    chars.next().map(|first| first.to_lowercase().chain(chars).collect()).unwrap_or_default()
}
