//! The house's habits that no compiler checks: file heads, sizes, messages, and documents that keep up with the code.
//!
//! Rules about one source file are in `tidy/source.rs`, rules about documents in `tidy/documents.rs`;
//! both are pure functions of the text, so that they have tests. This file walks the tree and reports.

mod documents;
mod source;

use std::path::{Path, PathBuf};

use crate::{Failure, Outcome};

/// One finding: where, and what to do.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    path: String,
    /// 1-based; 0 for the whole file.
    line: usize,
    what: String,
    fatal: bool,
}

impl Finding {
    fn error(path: &str, line: usize, what: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line, what: what.into(), fatal: true }
    }

    fn warning(path: &str, line: usize, what: impl Into<String>) -> Self {
        Self { fatal: false, ..Self::error(path, line, what) }
    }
}

/// A text file of the tree.
#[derive(Debug)]
pub(crate) struct TextFile {
    path: String,
    text: String,
}

/// Checks the whole tree.
pub(crate) fn check() -> Outcome {
    let files = read_tree(Path::new("."))?;
    let mut findings = Vec::new();
    for file in files.iter().filter(|file| is_rust(&file.path)) {
        findings.extend(source::check(&file.path, &file.text));
    }
    for file in &files {
        findings.extend(documents::foreign_words(&file.path, &file.text));
    }
    findings.extend(documents::check(&files, &crate_names()?));
    let errors = findings.iter().filter(|finding| finding.fatal).count();
    for Finding { path, line, what, fatal } in &findings {
        let level = if *fatal { "error" } else { "warning" };
        println!("   {level}: {path}:{line}: {what}");
    }
    if errors == 0 {
        println!("   {} files", files.len());
        return Ok(());
    }
    Err(Failure(format!("{errors} findings")))
}

/// The folders of our crates.
pub(crate) fn crate_dirs() -> Result<Vec<PathBuf>, Failure> {
    let mut dirs: Vec<PathBuf> =
        list(Path::new("crates"))?.into_iter().filter(|path| path.is_dir()).collect();
    dirs.sort();
    Ok(dirs)
}

fn crate_names() -> Result<Vec<String>, Failure> {
    let name = |dir: &PathBuf| dir.file_name().and_then(|name| name.to_str()).map(str::to_owned);
    Ok(crate_dirs()?.iter().filter_map(name).collect())
}

/// True when a comment of this crate holds an example that runs as a test.
pub(crate) fn has_doc_example(dir: &Path) -> Result<bool, Failure> {
    let mut files = Vec::new();
    walk(&dir.join("src"), &mut files)?;
    Ok(files.iter().any(|file| source::has_doc_example(&file.text)))
}

fn is_rust(path: &str) -> bool {
    has_ending(path, "rs")
}

fn has_ending(path: &str, ending: &str) -> bool {
    Path::new(path).extension().is_some_and(|found| found == ending)
}

/// Every text file of ours, in a stable order, with paths as `crates/x/src/y.rs`.
fn read_tree(root: &Path) -> Result<Vec<TextFile>, Failure> {
    let mut files = Vec::new();
    walk(root, &mut files)?;
    for file in &mut files {
        file.path = file.path.trim_start_matches("./").to_owned();
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}

const SKIPPED_DIRS: [&str; 6] = ["target", ".git", "corpora", "corpus", "artifacts", "snapshots"];
const TEXT_ENDINGS: [&str; 9] = ["rs", "md", "toml", "yaml", "yml", "py", "sh", "json", "txt"];

fn walk(dir: &Path, files: &mut Vec<TextFile>) -> Result<(), Failure> {
    for path in list(dir)? {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
        if path.is_dir() {
            if !SKIPPED_DIRS.contains(&name.as_str()) {
                walk(&path, files)?;
            }
            continue;
        }
        let shown = path.to_string_lossy().into_owned();
        if TEXT_ENDINGS.iter().any(|ending| has_ending(&shown, ending))
            && let Ok(text) = std::fs::read_to_string(&path)
        {
            files.push(TextFile { path: shown, text });
        }
    }
    Ok(())
}

fn list(dir: &Path) -> Result<Vec<PathBuf>, Failure> {
    let failed = |error| Failure(format!("cannot list `{}`: {error}", dir.display()));
    let entries = std::fs::read_dir(dir).map_err(failed)?;
    entries.map(|entry| entry.map(|entry| entry.path()).map_err(failed)).collect()
}
