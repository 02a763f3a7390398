//! Rules about one Rust file: its head, its size, its messages.

use super::Finding;

/// Lines of production code at which a file needs a reason, and at which it is too long.
const LINES_WARN: usize = 600;
const LINES_MAX: usize = 1000;

/// Tables of data may be long: nobody reads them from top to bottom.
const TABLES: [&str; 4] = [
    "crates/loggia-policy/src/registry",
    "crates/loggia-policy/src/detect/tables",
    "crates/loggia-policy/src/detect/names",
    "crates/loggia/src/workload/phrases.rs",
];

/// Macros whose last string is a log message.
const LOG_MACROS: [&str; 5] = ["error!(", "warn!(", "info!(", "debug!(", "trace!("];

/// Checks one file.
pub(super) fn check(path: &str, text: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    findings.extend(head(path, text));
    findings.extend(size(path, text));
    findings.extend(messages(path, text));
    if !is_test(path) {
        findings.extend(leftovers(path, text));
    }
    findings
}

/// True when a doc comment of this text holds an example that rustdoc would run.
pub(super) fn has_doc_example(text: &str) -> bool {
    let mut inside = false;
    let mut found = false;
    for line in text.lines() {
        let line = line.trim_start();
        let Some(comment) = line.strip_prefix("///").or_else(|| line.strip_prefix("//!")) else {
            inside = false;
            continue;
        };
        let Some(language) = comment.trim().strip_prefix("```") else { continue };
        found |= !inside && ["", "rust", "no_run", "should_panic"].contains(&language);
        inside = !inside;
    }
    found
}

fn is_test(path: &str) -> bool {
    path.ends_with("tests.rs") || path.contains("/tests/") || path.starts_with("tests/")
}

fn head(path: &str, text: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    let comment: String = text.lines().take_while(|line| line.starts_with("//!")).collect();
    if comment.trim_start_matches("//!").trim().len() < 12 {
        findings.push(Finding::error(
            path,
            1,
            "open the file with `//!`: what it is for, what it guarantees",
        ));
    }
    // the simulation is for tests only and needs no reason
    let library =
        path.starts_with("crates/") && path.ends_with("src/lib.rs") && !path.contains("loggia-sim");
    if library && !comment.to_lowercase().contains("reason") {
        findings.push(Finding::error(
            path,
            1,
            "say in `//!` which of the five reasons makes this a crate",
        ));
    }
    findings
}

fn size(path: &str, text: &str) -> Vec<Finding> {
    let lines = text.lines().count();
    if is_test(path) || TABLES.iter().any(|table| path.starts_with(table)) || lines <= LINES_WARN {
        return Vec::new();
    }
    if lines > LINES_MAX {
        return vec![Finding::error(
            path,
            0,
            format!("{lines} lines: split it (at most {LINES_MAX})"),
        )];
    }
    vec![Finding::warning(path, 0, format!("{lines} lines: more than {LINES_WARN} needs a reason"))]
}

/// Macros and words that say that something is unfinished; the macros in pieces, so that this file passes its own check.
fn leftovers(path: &str, text: &str) -> Vec<Finding> {
    let words = ["todo", "unimplemented", "dbg"].map(|name| format!("{name}!("));
    let notes = ["FIX", "XX"].iter().zip(["ME", "X"]).map(|(a, b)| format!("{a}{b}"));
    let all: Vec<String> =
        words.into_iter().chain(notes).chain([format!("#[{}]", "ignore")]).collect();
    let mut findings = Vec::new();
    for (number, line) in text.lines().enumerate() {
        for word in all.iter().filter(|word| line.contains(word.as_str())) {
            findings.push(Finding::error(path, number + 1, format!("`{word}` is left behind")));
        }
    }
    findings
}

fn messages(path: &str, text: &str) -> Vec<Finding> {
    if is_test(path) {
        return Vec::new();
    }
    let mut findings = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.trim_start();
        let message = if let Some(rest) = line.strip_prefix("#[error(\"") {
            Some(first_string(rest))
        } else if LOG_MACROS.iter().any(|start| starts_macro(line, start)) {
            // one-line log calls only: the message is the last string
            line.rsplit_once("\")")
                .map(|(before, _)| before.rsplit_once('"').map_or(before, |(_, last)| last))
        } else {
            None
        };
        let Some(complaint) = message.and_then(badly_styled) else { continue };
        findings.push(Finding::error(path, number + 1, complaint));
    }
    findings
}

fn starts_macro(line: &str, start: &str) -> bool {
    line.strip_prefix("tracing::").unwrap_or(line).starts_with(start)
}

/// The text up to the closing quote.
fn first_string(rest: &str) -> &str {
    let mut escaped = false;
    for (at, byte) in rest.bytes().enumerate() {
        match byte {
            b'"' if !escaped => return rest.get(..at).unwrap_or(rest),
            b'\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    rest
}

/// What is wrong with a message: it starts with a capital (an acronym may), or ends with a full stop.
fn badly_styled(message: &str) -> Option<&'static str> {
    let mut letters = message.chars();
    let (first, second) = (letters.next(), letters.next());
    let capital = first.is_some_and(char::is_uppercase);
    let acronym = second.is_some_and(|second| !second.is_lowercase() && second != ' ');
    if capital && !acronym {
        return Some("messages start in lower case");
    }
    if message.ends_with('.') && !message.ends_with("...") {
        return Some("messages end without a full stop");
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(path: &str, text: &str) -> usize {
        check(path, text).iter().filter(|finding| finding.fatal).count()
    }

    const HEAD: &str = "//! What this file is for, in a sentence.\n";

    #[test]
    fn heads() {
        assert_eq!(count("crates/a/src/b.rs", HEAD), 0);
        assert_eq!(count("crates/a/src/b.rs", "//! x\n"), 1);
        assert_eq!(count("crates/a/src/b.rs", "use std::fmt;\n"), 1);
        assert_eq!(count("crates/a/src/lib.rs", HEAD), 1);
        assert_eq!(
            count("crates/a/src/lib.rs", "//! A crate of its own for reason (b): hostile input.\n"),
            0
        );
    }

    #[test]
    fn sizes() {
        let long = |lines: usize| format!("{HEAD}{}", "\n".repeat(lines - 1));
        let row = |path: &str, lines: usize, fatal: usize, all: usize| {
            assert_eq!(count(path, &long(lines)), fatal, "{path} {lines}");
            assert_eq!(check(path, &long(lines)).len(), all, "{path} {lines}");
        };
        row("crates/a/src/b.rs", 600, 0, 0);
        row("crates/a/src/b.rs", 601, 0, 1);
        row("crates/a/src/b.rs", 1001, 1, 1);
        row("crates/a/src/b/tests.rs", 1001, 0, 0);
        row("crates/loggia/src/workload/phrases.rs", 1500, 0, 0);
    }

    #[test]
    fn message_style() {
        let check = |line: &str, expected: usize| {
            assert_eq!(
                count("crates/a/src/b.rs", &format!("{HEAD}    {line}\n")),
                expected,
                "{line}"
            );
        };
        check("#[error(\"line {line}: cannot read `{path}`\")]", 0);
        check("#[error(\"Cannot read\")]", 1);
        check("#[error(\"cannot read.\")]", 1);
        check("#[error(\"TLS is refused\")]", 0);
        check("#[error(\"`{0}` is \\\"quoted\\\"\")]", 0);
        check("#[error(transparent)]", 0);
        check("info!(rows, \"flushed\");", 0);
        check("tracing::info!(rows, \"Flushed\");", 1);
        check("warn!(\"late.\");", 1);
    }

    #[test]
    fn nothing_left_behind() {
        let line = format!("{HEAD}{}!()\n", "todo");
        assert_eq!(count("crates/a/src/b.rs", &line), 1);
        assert_eq!(count("crates/a/src/b/tests.rs", &line), 0);
    }

    #[test]
    fn doc_examples() {
        assert!(has_doc_example("/// Adds.\n/// ```\n/// add(1);\n/// ```\nfn add() {}\n"));
        assert!(has_doc_example("//! ```rust\n//! x\n//! ```\n"));
        assert!(!has_doc_example("/// ```text\n/// a\n/// ```\n"));
        assert!(!has_doc_example("let text = \"```\";\n"));
    }
}
