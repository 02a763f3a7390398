//! Search: words, phrases and `field:value` terms, compiled to a [`Statement`] that passes the same guard as SQL.
//!
//! Words look into the clear text columns of the stream; sealed content only when asked for, since that opens every record in
//! the time range. A masked field cannot be searched at all. Newest records come first.
//!
//! ```text
//! level:error service:chat "timed out" -retry model:gpt* latency_ms:>2000 trace_id:*
//! ```

use datafusion::arrow::temporal_conversions::timestamp_ns_to_datetime;
use loggia_policy::{
    Class, ColumnAccess, FieldSchema, FieldType, Grant, IMPLICIT_COLUMNS, StreamGrant, Treatment,
};

use crate::error::QueryError;
use crate::guard::{Statement, parse_statement};
use crate::mask::sql_type;

#[cfg(test)]
mod tests;

/// Most terms of one search.
const TERMS_MAX: usize = 32;
/// Most records one search returns.
const LIMIT_MAX: usize = 10_000;
/// Names people type, and the names policies give the same thing.
const ALIASES: &[(&str, &[&str])] = &[
    ("level", &["severity", "level"]),
    ("severity", &["level", "severity"]),
    ("service", &["service_name", "service"]),
    ("message", &["body", "msg", "message"]),
    ("msg", &["message", "body"]),
    ("body", &["message", "body"]),
    ("trace", &["trace_id"]),
    ("span", &["span_id"]),
    ("model", &["request_model", "response_model", "model"]),
];

/// What to look for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Search<'a> {
    /// Stream to look in.
    pub stream: &'a str,
    /// Terms, as typed.
    pub text: &'a str,
    /// Earliest event time, Unix nanoseconds.
    pub from_ns: Option<i64>,
    /// Event time from which on nothing is wanted, Unix nanoseconds.
    pub until_ns: Option<i64>,
    /// Most records to return.
    pub limit: usize,
    /// Whether to look into and return sealed content.
    pub content: bool,
}

/// Compiles a search to the statement that answers it under `grant`.
///
/// # Errors
/// [`QueryError::NotFound`] for a stream outside the grant, [`QueryError::Invalid`] when a term cannot be understood.
pub fn search(grant: &Grant, search: &Search<'_>) -> Result<Statement, QueryError> {
    let limit = search.limit.clamp(1, LIMIT_MAX);
    let order = format!(" ORDER BY \"time\" DESC LIMIT {limit}");
    parse_statement(&(compile(grant, search)? + &order))
}

/// Compiles a search to the statement that follows it: no order and no limit, rows as they come.
///
/// # Errors
/// As for [`search`].
pub fn search_tail(grant: &Grant, search: &Search<'_>) -> Result<Statement, QueryError> {
    parse_statement(&compile(grant, search)?)
}

fn compile(grant: &Grant, search: &Search<'_>) -> Result<String, QueryError> {
    let stream = grant
        .stream(search.stream)
        .ok_or_else(|| QueryError::NotFound(search.stream.to_owned()))?;
    let columns = Columns { stream, content: search.content };
    let mut conditions = Vec::new();
    for (bound, op) in [(search.from_ns, ">="), (search.until_ns, "<")] {
        if let Some(ns) = bound {
            conditions.push(format!("\"time\" {op} {}", time_literal(ns)?));
        }
    }
    let terms = terms(search.text)?;
    if terms.len() > TERMS_MAX {
        return Err(QueryError::invalid(format!("a search has at most {TERMS_MAX} terms"), None));
    }
    for term in &terms {
        conditions.push(columns.condition(term)?);
    }
    let mut sql = format!("SELECT {} FROM {}", columns.selected().join(", "), ident(search.stream));
    if !conditions.is_empty() {
        sql.push_str(" WHERE ");
        sql.push_str(&conditions.join(" AND "));
    }
    Ok(sql)
}

/// One term as typed.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Term {
    negated: bool,
    field: Option<String>,
    value: String,
    /// Whether the value was in quotes: then `*` and `>` mean themselves.
    quoted: bool,
}

/// Splits at white space outside quotes.
fn terms(text: &str) -> Result<Vec<Term>, QueryError> {
    let mut terms = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let (term, after) = next_term(rest)?;
        terms.extend(term);
        rest = after.trim_start();
    }
    Ok(terms)
}

fn next_term(text: &str) -> Result<(Option<Term>, &str), QueryError> {
    let (negated, text) = match text.strip_prefix('-') {
        Some(rest) if rest.starts_with(|next: char| !next.is_whitespace()) => (true, rest),
        Some(_) | None => (false, text),
    };
    let field_end = text.find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '.' | '@')));
    let (field, text) = match field_end.and_then(|end| text.split_at_checked(end)) {
        Some((field, after)) if !field.is_empty() && after.starts_with(':') && after.len() > 1 => {
            (Some(field), after.strip_prefix(':').unwrap_or(after))
        }
        Some(_) | None => (None, text),
    };
    let (value, quoted, rest) = match text.strip_prefix('"') {
        Some(open) => {
            let help = "close it, or leave both quotes out";
            let (value, rest) = open
                .split_once('"')
                .ok_or_else(|| QueryError::invalid("a quote is not closed", Some(help)))?;
            (value, true, rest)
        }
        None => {
            let (value, rest) = text
                .split_at_checked(text.find(char::is_whitespace).unwrap_or(text.len()))
                .unwrap_or((text, ""));
            (value, false, rest)
        }
    };
    let term = (!value.is_empty() || field.is_some()).then(|| Term {
        negated,
        field: field.map(str::to_owned),
        value: value.to_owned(),
        quoted,
    });
    Ok((term, rest))
}

/// The columns of the stream as this search may use them.
struct Columns<'a> {
    stream: &'a StreamGrant,
    content: bool,
}

impl Columns<'_> {
    fn fields(&self) -> impl Iterator<Item = (ColumnAccess, &FieldSchema)> {
        self.stream
            .schema()
            .fields()
            .iter()
            .enumerate()
            .map(|(at, field)| (self.stream.column(at), field))
    }

    /// Clear fields, content among them only if asked for.
    fn clear(&self) -> impl Iterator<Item = &FieldSchema> {
        self.fields()
            .filter(|(access, field)| {
                *access == ColumnAccess::Clear && (self.content || field.class == Class::Skeleton)
            })
            .map(|(_, field)| field)
    }

    fn selected(&self) -> Vec<String> {
        let [time, _] = IMPLICIT_COLUMNS;
        std::iter::once(ident(time)).chain(self.clear().map(|field| ident(&field.name))).collect()
    }

    fn condition(&self, term: &Term) -> Result<String, QueryError> {
        let condition = match &term.field {
            Some(name) => match self.find(name)? {
                Some(field) => Self::field_condition(field, term)?,
                // `https://…` and the like: a colon does not make a field.
                None => self.word_condition(&format!("{name}:{}", term.value)),
            },
            None => self.word_condition(&term.value),
        };
        // A row without the value is not one that has it.
        Ok(if term.negated { format!("NOT coalesce({condition}, false)") } else { condition })
    }

    /// The field a name means; an error when it is one that may not be searched.
    fn find(&self, name: &str) -> Result<Option<&FieldSchema>, QueryError> {
        let wanted = name.to_lowercase();
        let aliases =
            ALIASES.iter().find(|(alias, _)| *alias == wanted).map_or(&[][..], |(_, names)| *names);
        let candidates = std::iter::once(wanted.as_str()).chain(aliases.iter().copied());
        for candidate in candidates {
            let found = self.fields().find(|(_, field)| field.name.to_lowercase() == candidate);
            match found {
                Some((ColumnAccess::Masked, field)) => {
                    let message = format!(
                        "`{}` is masked for this role and purpose, so it cannot be searched",
                        field.name
                    );
                    return Err(QueryError::invalid(message, None));
                }
                Some((ColumnAccess::Clear, field))
                    if field.class == Class::Content && !self.content =>
                {
                    let help =
                        "ask for content explicitly: every record in the time range is then opened";
                    let message = format!(
                        "`{}` is sealed content, which this search leaves closed",
                        field.name
                    );
                    return Err(QueryError::invalid(message, Some(help)));
                }
                Some((ColumnAccess::Clear, field)) => return Ok(Some(field)),
                None => {}
            }
        }
        Ok(None)
    }

    fn field_condition(field: &FieldSchema, term: &Term) -> Result<String, QueryError> {
        let column = ident(&field.name);
        if term.value == "*" && !term.quoted {
            return Ok(format!("{column} IS NOT NULL"));
        }
        let (op, value) =
            if term.quoted { ("=", term.value.as_str()) } else { comparison(&term.value) };
        match sql_type(field) {
            FieldType::Text => Ok(match (op, value.split_once('*')) {
                ("=", Some(_)) if !term.quoted => {
                    format!("lower({column}) LIKE {}", literal(&pattern(value)))
                }
                ("=", _) => format!("lower({column}) = {}", literal(&value.to_lowercase())),
                (op, _) => format!("{column} {op} {}", literal(value)),
            }),
            FieldType::Int | FieldType::Float => {
                let number: f64 =
                    value.parse().map_err(|_number| wrong(field, value, "a number"))?;
                if !number.is_finite() {
                    return Err(wrong(field, value, "a number"));
                }
                Ok(format!("{column} {op} {value}"))
            }
            FieldType::Bool => match value {
                "true" | "false" => Ok(format!("{column} {op} {value}")),
                _ => Err(wrong(field, value, "true or false")),
            },
            FieldType::Timestamp => Ok(format!("{column} {op} {}", literal(value))),
        }
    }

    /// A word is in any of the texts.
    fn word_condition(&self, word: &str) -> String {
        let texts = self.clear().filter(|field| {
            sql_type(field) == FieldType::Text
                && !matches!(field.treatment, Treatment::Subject | Treatment::Pseudonymise)
        });
        let word = literal(word);
        let parts: Vec<String> = texts
            .map(|field| format!("coalesce(contains_ci({}, {word}), false)", ident(&field.name)))
            .collect();
        if parts.is_empty() { "false".to_owned() } else { format!("({})", parts.join(" OR ")) }
    }
}

fn comparison(value: &str) -> (&str, &str) {
    for op in [">=", "<=", ">", "<"] {
        if let Some(rest) = value.strip_prefix(op) {
            return (op, rest);
        }
    }
    ("=", value)
}

/// `*` as LIKE's `%`, everything else as itself.
fn pattern(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for c in value.to_lowercase().chars() {
        match c {
            '*' => out.push('%'),
            '%' | '_' | '\\' => {
                out.push('\\');
                out.push(c);
            }
            other => out.push(other),
        }
    }
    out
}

fn wrong(field: &FieldSchema, value: &str, wanted: &str) -> QueryError {
    QueryError::invalid(
        format!("`{}` is compared with {wanted}, not with `{value}`", field.name),
        None,
    )
}

fn ident(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn literal(value: &str) -> String {
    format!("'{}'", value.replace('\'', "''"))
}

fn time_literal(ns: i64) -> Result<String, QueryError> {
    let time = timestamp_ns_to_datetime(ns)
        .ok_or_else(|| QueryError::invalid("a time is out of range", None))?;
    Ok(literal(&format!("{time}Z")))
}
