//! The direction of dependencies: a straight line of crates, the ledger beside it, and heavy crates kept to their one place.
//!
//! Looks at dev-dependencies too: a test that reaches upwards couples the crates just the same.

use crate::metadata::{Package, members};
use crate::{Failure, Outcome};

/// Every crate with all it may use. A crate that is not here fails the check: add it with a decision record.
const MAY_USE: [(&str, &[&str]); 10] = [
    ("loggia-record", &[]),
    ("loggia-policy", &["loggia-record"]),
    ("loggia-keys", &["loggia-record", "loggia-policy"]),
    ("loggia-ledger", &[]),
    ("loggia-store", &["loggia-record", "loggia-policy", "loggia-keys", "loggia-ledger"]),
    (
        "loggia-query",
        &["loggia-record", "loggia-policy", "loggia-keys", "loggia-ledger", "loggia-store"],
    ),
    (
        "loggia-engine",
        &[
            "loggia-record",
            "loggia-policy",
            "loggia-keys",
            "loggia-ledger",
            "loggia-store",
            "loggia-query",
        ],
    ),
    (
        "loggia",
        &[
            "loggia-record",
            "loggia-policy",
            "loggia-keys",
            "loggia-ledger",
            "loggia-store",
            "loggia-query",
            "loggia-engine",
        ],
    ),
    (
        "loggia-sim",
        &[
            "loggia-record",
            "loggia-policy",
            "loggia-keys",
            "loggia-ledger",
            "loggia-store",
            "loggia-query",
            "loggia-engine",
        ],
    ),
    ("xtask", &[]),
];

/// Dependencies from outside that only the named crates may have, and why.
const KEPT_TO: [(&str, &[&str], &str); 15] = [
    ("datafusion", &["loggia-query"], "the longest build stays behind one crate"),
    ("parquet", &["loggia-store", "loggia-query", "loggia"], "segments and the Parquet answer"),
    ("arrow", &["loggia-store", "loggia-query", "loggia", "loggia-engine"], "columns of an answer"),
    ("object_store", &["loggia-store", "loggia-query"], "only the store knows where bytes live"),
    ("rusqlite", &["loggia-keys", "loggia-store", "loggia-engine"], "key store and catalog"),
    ("argon2", &["loggia-keys"], "only the keys crate sees key material"),
    ("serde-saphyr", &["loggia-policy"], "only the policy is YAML"),
    ("axum", &["loggia"], "only the binary knows a protocol"),
    ("axum-server", &["loggia"], "only the binary knows a protocol"),
    ("tower", &["loggia"], "only the binary knows a protocol"),
    ("tower-http", &["loggia"], "only the binary knows a protocol"),
    ("reqwest", &["loggia"], "only the binary knows a protocol"),
    ("rcgen", &["loggia"], "only the binary knows a protocol"),
    ("clap", &["loggia"], "only the binary knows argv"),
    ("indicatif", &["loggia"], "only the binary knows the terminal"),
];

/// Pure crates: nothing that waits, opens a file or a socket.
const PURE: [&str; 2] = ["loggia-record", "loggia-policy"];
const IMPURE: [&str; 5] = ["tokio", "fs4", "rusqlite", "object_store", "tempfile"];

/// Checks the whole workspace.
pub(crate) fn check() -> Outcome {
    let members = members()?;
    let found: Vec<String> = members.iter().flat_map(violations).collect();
    if found.is_empty() {
        println!("   {} packages, every dependency points down", members.len());
        return Ok(());
    }
    Err(Failure(found.join("\n")))
}

/// What is wrong with one package's dependencies.
fn violations(package: &Package) -> Vec<String> {
    let name = package.name.as_str();
    let Some((_, allowed)) = MAY_USE.iter().find(|(known, _)| *known == name) else {
        return vec![format!(
            "`{name}` is not in the layers of xtask: a new crate needs a decision record"
        )];
    };
    let mut found = Vec::new();
    for dependency in &package.dependencies {
        let other = dependency.name.as_str();
        let kind = if dependency.dev { "dev-dependency" } else { "dependency" };
        let ours = MAY_USE.iter().any(|(known, _)| *known == other);
        if ours && !allowed.contains(&other) {
            found.push(format!("`{name}` has the {kind} `{other}`, which is not below it"));
        }
        if let Some((_, places, why)) = KEPT_TO.iter().find(|(kept, _, _)| *kept == other)
            && !places.contains(&name)
        {
            found.push(format!("`{name}` has the {kind} `{other}`: {why}"));
        }
        if PURE.contains(&name) && IMPURE.contains(&other) {
            found.push(format!("`{name}` has the {kind} `{other}`, but does no I/O"));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metadata::Dependency;

    fn package(name: &str, dependencies: &[(&str, bool)]) -> Package {
        let dependencies = dependencies
            .iter()
            .map(|(name, dev)| Dependency { name: (*name).to_owned(), dev: *dev })
            .collect();
        Package { name: name.to_owned(), dependencies, ..Package::default() }
    }

    #[test]
    fn directions() {
        let check = |name: &str, dependencies: &[(&str, bool)], expected: usize| {
            assert_eq!(violations(&package(name, dependencies)).len(), expected, "{name}");
        };
        check("loggia-policy", &[("loggia-record", false), ("serde", false)], 0);
        check("loggia-record", &[("loggia-policy", false)], 1);
        check("loggia-record", &[("loggia-policy", true)], 1);
        check("loggia-keys", &[("loggia-ledger", false)], 1);
        check("loggia-ledger", &[("loggia-keys", false)], 1);
        check("loggia-store", &[("loggia-ledger", false), ("datafusion", false)], 1);
        check("loggia-policy", &[("tokio", true)], 1);
        check("loggia-engine", &[("axum", false), ("loggia-sim", true)], 2);
        check("loggia-common", &[], 1);
    }

    #[test]
    fn the_line_has_no_cycle() {
        for (position, (name, allowed)) in MAY_USE.iter().enumerate() {
            for other in *allowed {
                let below = MAY_USE.iter().position(|(known, _)| known == other);
                assert!(below.is_some_and(|below| below < position), "{name} -> {other}");
            }
        }
    }
}
