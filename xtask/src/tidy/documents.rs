//! Rules about documents: the changelog, the decision records, and names that must exist.

use std::collections::BTreeSet;

use super::{Finding, TextFile, has_ending, is_rust};

const ARCHITECTURE: &str = "ARCHITECTURE.md";
const ARCHITECTURE_LINES_MAX: usize = 300;
const CHANGELOG: &str = "CHANGELOG.md";
const DECISIONS: &str = "docs/adr/";
const DECISION_PARTS: [&str; 4] =
    ["## Context", "## Decision", "## Consequences", "## Alternatives"];

/// Checks the documents against each other and against the code.
pub(super) fn check(files: &[TextFile], crates: &[String]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let find = |path: &str| files.iter().find(|file| file.path == path);
    match find(CHANGELOG) {
        Some(file) => findings.extend(changelog(&file.text)),
        None => findings.push(Finding::error(CHANGELOG, 0, "is missing")),
    }
    let decisions: Vec<&TextFile> = files.iter().filter(|file| is_decision(&file.path)).collect();
    for (position, file) in decisions.iter().enumerate() {
        findings.extend(decision(&file.path, &file.text, position + 1));
    }
    match find(ARCHITECTURE) {
        Some(file) => findings.extend(architecture(&file.text, crates, files)),
        None => findings.push(Finding::error(ARCHITECTURE, 0, "is missing")),
    }
    findings.extend(dead_references(files));
    findings
}

/// Absolute paths of somebody's machine; in pieces, so that this file passes its own check.
pub(super) fn foreign_words(path: &str, text: &str) -> Vec<Finding> {
    let homes = ["root", "work", "Users"].map(|dir| format!("/{dir}/"));
    let mut findings = Vec::new();
    for (number, line) in text.lines().enumerate() {
        for home in &homes {
            let starts = line.match_indices(home.as_str()).any(|(at, _)| {
                let before = line.get(..at).and_then(|before| before.chars().next_back());
                before.is_none_or(|before| " \"'`(=<[".contains(before))
            });
            if starts {
                findings.push(Finding::error(
                    path,
                    number + 1,
                    format!("`{home}…` is a path of one machine"),
                ));
            }
        }
    }
    findings
}

fn changelog(text: &str) -> Vec<Finding> {
    if text.lines().any(|line| line.trim() == "## [Unreleased]") {
        return Vec::new();
    }
    vec![Finding::error(CHANGELOG, 0, "needs a heading `## [Unreleased]`")]
}

fn is_decision(path: &str) -> bool {
    let number = path
        .strip_prefix(DECISIONS)
        .and_then(|name| name.split_once('-'))
        .map(|(number, _)| number);
    number
        .is_some_and(|number| number.len() == 4 && number.bytes().all(|byte| byte.is_ascii_digit()))
}

fn decision(path: &str, text: &str, expected: usize) -> Vec<Finding> {
    let mut findings = Vec::new();
    let number = format!("{expected:04}");
    if !path.contains(&format!("{DECISIONS}{number}-")) {
        findings.push(Finding::error(
            path,
            0,
            format!("decisions are numbered without gaps: expected {number}"),
        ));
    }
    if !text.starts_with(&format!("# {number}. ")) {
        findings.push(Finding::error(path, 1, format!("starts with the title `# {number}. …`")));
    }
    let status = text.lines().find_map(|line| line.strip_prefix("Status: ")).unwrap_or_default();
    let known = ["accepted", "proposed", "rejected"].iter().any(|word| status.starts_with(word));
    if !known && !status.starts_with("superseded by ") {
        findings.push(Finding::error(
            path,
            0,
            "needs a line `Status: accepted|proposed|rejected|superseded by NNNN`",
        ));
    }
    for part in DECISION_PARTS.iter().filter(|part| !text.contains(*part)) {
        findings.push(Finding::error(path, 0, format!("needs the part `{part}`")));
    }
    findings
}

fn architecture(text: &str, crates: &[String], files: &[TextFile]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let lines = text.lines().count();
    if lines > ARCHITECTURE_LINES_MAX {
        let what = format!("{lines} lines: at most {ARCHITECTURE_LINES_MAX}, or nobody reads it");
        findings.push(Finding::error(ARCHITECTURE, 0, what));
    }
    let spans: Vec<(usize, &str)> = code_spans(text);
    for name in crates {
        if !spans.iter().any(|(_, span)| span == name) {
            findings.push(Finding::error(
                ARCHITECTURE,
                0,
                format!("does not mention the crate `{name}`"),
            ));
        }
    }
    let defined = definitions(files);
    for (line, span) in spans {
        for name in symbols(span).filter(|name| !defined.contains(name)) {
            let what = format!(
                "`{name}` is not defined anywhere (write names that are not ours without backticks)"
            );
            findings.push(Finding::error(ARCHITECTURE, line, what));
        }
        if is_path(span) && !exists(span, files) {
            findings.push(Finding::error(ARCHITECTURE, line, format!("there is no `{span}`")));
        }
    }
    findings
}

/// The texts in backticks outside of fenced blocks, with their lines.
fn code_spans(text: &str) -> Vec<(usize, &str)> {
    let mut spans = Vec::new();
    let mut fenced = false;
    for (number, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        } else if !fenced {
            spans.extend(line.split('`').skip(1).step_by(2).map(|span| (number + 1, span)));
        }
    }
    spans
}

/// The names in a span that look like ours: a type (`Admitted`, `keys::Sealed`), a method (`Store::append`), a function (`decode_lines()`).
fn symbols(span: &str) -> impl Iterator<Item = &str> {
    let plain = span.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_:()".contains(&byte));
    let call = span.ends_with("()");
    let qualified = span.contains("::");
    let parts = span.trim_end_matches("()").split("::").collect::<Vec<_>>();
    let last = parts.len().saturating_sub(1);
    let wanted = move |(position, name): (usize, &&str)| {
        let type_like = name.starts_with(|first: char| first.is_ascii_uppercase())
            && name.contains(|letter: char| letter.is_ascii_lowercase());
        let function_like = position == last && (call || qualified) && !name.is_empty();
        type_like || function_like
    };
    let names: Vec<&str> = if plain {
        parts.iter().enumerate().filter(|entry| wanted(*entry)).map(|(_, name)| *name).collect()
    } else {
        Vec::new()
    };
    names.into_iter()
}

fn is_path(span: &str) -> bool {
    span.contains('/')
        && !span.contains(' ')
        && ["crates/", "docs/", "xtask/", "fuzz/", "tests/", "policies/", ".ci/"]
            .iter()
            .any(|start| span.starts_with(start))
        && !span.contains(['*', '<', '{'])
}

fn exists(path: &str, files: &[TextFile]) -> bool {
    let folder = format!("{}/", path.trim_end_matches('/'));
    path.starts_with(".ci/")
        || files.iter().any(|file| file.path == path || file.path.starts_with(&folder))
}

/// Every name that some Rust file of the tree defines.
fn definitions(files: &[TextFile]) -> BTreeSet<&str> {
    let keywords = [
        "struct",
        "enum",
        "trait",
        "type",
        "fn",
        "const",
        "static",
        "mod",
        "macro_rules!",
        "union",
    ];
    let mut names = BTreeSet::new();
    for file in files.iter().filter(|file| is_rust(&file.path)) {
        for line in file.text.lines() {
            let line = line.trim_start();
            if line.starts_with("//") {
                continue;
            }
            let words: Vec<&str> = line.split_whitespace().collect();
            for pair in words.windows(2) {
                if let [keyword, name] = pair
                    && keywords.contains(keyword)
                {
                    names.insert(identifier(name));
                }
            }
            // a variant of an enum, alone on its line
            let variant = identifier(line);
            let rest = line.get(variant.len()..).unwrap_or_default();
            let starts_variant = variant.starts_with(|first: char| first.is_ascii_uppercase());
            if starts_variant && (rest.starts_with([',', '{', '(']) || rest.starts_with(" {")) {
                names.insert(variant);
            }
        }
    }
    names
}

fn identifier(text: &str) -> &str {
    let end = text.find(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
    end.and_then(|end| text.get(..end)).unwrap_or(text)
}

/// A comment or document that sends the reader to a Markdown file which is not in the tree.
fn dead_references(files: &[TextFile]) -> Vec<Finding> {
    let known: BTreeSet<&str> = files
        .iter()
        .filter_map(|file| file.path.rsplit('/').next())
        .filter(|name| has_ending(name, "md"))
        .collect();
    let mut findings = Vec::new();
    for file in files.iter().filter(|file| !file.path.starts_with("xtask/")) {
        for (number, line) in file.text.lines().enumerate() {
            let words = line
                .split(|letter: char| !letter.is_ascii_alphanumeric() && !"-_.:/".contains(letter));
            for word in words.filter(|word| !word.contains("://")) {
                let word = word.trim_end_matches('.');
                let name = word.rsplit('/').next().unwrap_or(word);
                if has_ending(name, "md")
                    && name.len() > 3
                    && !name.contains("NNNN")
                    && !known.contains(name)
                {
                    findings.push(Finding::error(
                        &file.path,
                        number + 1,
                        format!("`{name}` is not in the tree"),
                    ));
                }
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, text: &str) -> TextFile {
        TextFile { path: path.to_owned(), text: text.to_owned() }
    }

    #[test]
    fn decisions_have_status_and_parts() {
        let good = "# 0001. A line\n\nStatus: accepted\n\n## Context\n## Decision\n## Consequences\n## Alternatives\n";
        assert!(decision("docs/adr/0001-a-line.md", good, 1).is_empty());
        assert_eq!(decision("docs/adr/0001-a-line.md", good, 2).len(), 2);
        assert_eq!(decision("docs/adr/0001-a.md", &good.replace("accepted", "maybe"), 1).len(), 1);
        assert_eq!(decision("docs/adr/0001-a.md", &good.replace("## Context", ""), 1).len(), 1);
        assert!(is_decision("docs/adr/0001-a.md"));
        assert!(!is_decision("docs/adr/gaps.md"));
    }

    #[test]
    fn architecture_names_what_exists() {
        let code = file(
            "crates/a/src/b.rs",
            "pub struct Admitted;\nimpl X {\n    pub fn append(&self) {}\n}\nenum K {\n    Log,\n}\n",
        );
        let check = |text: &str, expected: usize| {
            let found = architecture(text, &[String::from("a")], std::slice::from_ref(&code));
            assert_eq!(found.len(), expected, "{text}: {found:?}");
        };
        check("`a` makes `Admitted`, `policy::Admitted`, `append()`, `Log` from `X::append`", 0);
        check("`a` makes `Admitted` and `append()`", 0);
        check("`Admitted` alone", 1);
        check("`a` has `Missing`", 1);
        check("`a` has `missing()`", 1);
        check("`a` in `crates/a/src/b.rs` and `crates/a`", 0);
        check("`a` in `crates/a/src/c.rs`", 1);
        check("`a` takes `policy.yaml`, `SELECT`, `--help`, `GET /v1/logs`", 0);
        check("`a`\n```\n`Missing`\n```\n", 0);
    }

    #[test]
    fn references_lead_somewhere() {
        let files = [
            file("README.md", "see docs/manual.md and ARCHITECTURE.md"),
            file("docs/manual.md", "https://example.org/x/OTHER.md is elsewhere; NNNN-title.md"),
        ];
        let found = dead_references(&files);
        assert_eq!(found.len(), 1, "{found:?}");
    }

    #[test]
    fn paths_of_a_machine() {
        let line = format!("open \"/{}/me/x\"", "Users");
        assert_eq!(foreign_words("a.rs", &line).len(), 1);
        assert!(foreign_words("a.rs", "crates/work/x and https://example.org/home/").is_empty());
    }

    #[test]
    fn changelog_has_unreleased() {
        assert!(changelog("# Changelog\n\n## [Unreleased]\n").is_empty());
        assert_eq!(changelog("# Changelog\n").len(), 1);
    }
}
