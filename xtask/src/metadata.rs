//! What `cargo metadata` says, read into a few plain structs.

use std::path::PathBuf;

use serde_json::Value;

use crate::Failure;
use crate::run::{capture, cargo};

/// One package of the workspace or of the registry.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) licence: Option<String>,
    /// `None` for a package in a folder of this workspace.
    pub(crate) source: Option<String>,
    pub(crate) dependencies: Vec<Dependency>,
}

/// One line of a package's `[dependencies]` or `[dev-dependencies]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    pub(crate) dev: bool,
}

/// The packages of this workspace, without their dependencies' metadata; needs no network.
pub(crate) fn members() -> Result<Vec<Package>, Failure> {
    let text = capture(cargo(&["metadata", "--no-deps", "--format-version", "1"]))?;
    packages(&text)
}

/// Every package this workspace resolves to on this platform.
pub(crate) fn resolved() -> Result<Vec<Package>, Failure> {
    let host = capture(crate::run::command("rustc", &["-vV"]))?;
    let triple = host.lines().find_map(|line| line.strip_prefix("host: ")).unwrap_or_default();
    let args = ["metadata", "--locked", "--format-version", "1", "--filter-platform", triple];
    packages(&capture(cargo(&args))?)
}

/// Where cargo builds to.
pub(crate) fn target_dir() -> Result<PathBuf, Failure> {
    let text = capture(cargo(&["metadata", "--no-deps", "--format-version", "1"]))?;
    let value = parse(&text)?;
    value
        .get("target_directory")
        .and_then(Value::as_str)
        .map(PathBuf::from)
        .ok_or_else(|| Failure(String::from("cargo metadata names no target directory")))
}

/// Reads the `packages` of a `cargo metadata` document.
pub(crate) fn packages(text: &str) -> Result<Vec<Package>, Failure> {
    let value = parse(text)?;
    let list = value
        .get("packages")
        .and_then(Value::as_array)
        .ok_or_else(|| Failure(String::from("cargo metadata lists no packages")))?;
    Ok(list.iter().map(package).collect())
}

fn parse(text: &str) -> Result<Value, Failure> {
    serde_json::from_str(text)
        .map_err(|error| Failure(format!("cannot read cargo metadata: {error}")))
}

fn package(value: &Value) -> Package {
    let text = |key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
    let dependencies = value.get("dependencies").and_then(Value::as_array);
    Package {
        name: text("name").unwrap_or_default(),
        version: text("version").unwrap_or_default(),
        licence: text("license"),
        source: text("source"),
        dependencies: dependencies.into_iter().flatten().filter_map(dependency).collect(),
    }
}

fn dependency(value: &Value) -> Option<Dependency> {
    let name = value.get("name").and_then(Value::as_str)?.to_owned();
    let dev = value.get("kind").and_then(Value::as_str) == Some("dev");
    Some(Dependency { name, dev })
}
