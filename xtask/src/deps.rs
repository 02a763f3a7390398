//! Dependencies: licences, sources, banned crates, and one line of reason for each we chose.
//!
//! Works from `cargo metadata`, offline once the crates are there; the list of allowed licences is `deny.toml`'s.

use std::collections::{BTreeMap, BTreeSet};

use crate::licence::satisfied;
use crate::manifest::{keys_of_section, strings_of_array};
use crate::metadata::{Package, members, resolved};
use crate::{Failure, Outcome};

const REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";
const BANNED: [&str; 3] = ["openssl-sys", "openssl", "native-tls"];
const REASONS: &str = "docs/dependencies.md";

/// Checks the whole tree of dependencies.
pub(crate) fn check() -> Outcome {
    let read = |path: &str| {
        std::fs::read_to_string(path)
            .map_err(|error| Failure(format!("cannot read `{path}`: {error}")))
    };
    let (deny, manifest, reasons) = (read("deny.toml")?, read("Cargo.toml")?, read(REASONS)?);
    let packages = resolved()?;
    let mut found = outsiders(&packages, &strings_of_array(&deny, "allow"));
    let wanted = keys_of_section(&manifest, "workspace.dependencies");
    found.extend(unexplained(&wanted, &reasons));
    found.extend(unused(&wanted, &members()?));
    for line in duplicates(&packages) {
        println!("   warning: {line}");
    }
    if found.is_empty() {
        println!("   {} packages, {} of them chosen by us", packages.len(), wanted.len());
        return Ok(());
    }
    Err(Failure(found.join("\n")))
}

/// Licences, sources and bans.
fn outsiders(packages: &[Package], allowed: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for package in packages {
        let (name, version) = (&package.name, &package.version);
        if BANNED.contains(&name.as_str()) {
            found.push(format!("`{name}` is banned: one TLS stack, rustls"));
        }
        match package.source.as_deref() {
            None | Some(REGISTRY) => {}
            Some(other) => {
                found.push(format!("`{name} {version}` comes from `{other}`, not from crates.io"));
            }
        }
        match package.licence.as_deref() {
            Some(licence) if satisfied(licence, allowed) => {}
            Some(licence) => {
                found.push(format!(
                    "`{name} {version}` has the licence `{licence}`, which deny.toml does not allow"
                ));
            }
            None => found.push(format!("`{name} {version}` states no licence")),
        }
    }
    found
}

/// Every dependency of the workspace has a line "- `name`: reason", and no line is left over.
fn unexplained(wanted: &[&str], reasons: &str) -> Vec<String> {
    let explained: BTreeSet<&str> = reasons
        .lines()
        .filter_map(|line| line.strip_prefix("- `"))
        .filter_map(|line| line.split_once("`: "))
        .filter(|(_, reason)| !reason.trim().is_empty())
        .map(|(name, _)| name)
        .collect();
    let theirs = wanted.iter().copied().filter(|name| !name.starts_with("loggia-"));
    let wanted: BTreeSet<&str> = theirs.collect();
    let missing = wanted
        .difference(&explained)
        .map(|name| format!("`{name}` has no line \"- `{name}`: …\" in {REASONS}"));
    let stale = explained
        .difference(&wanted)
        .map(|name| format!("{REASONS} explains `{name}`, which Cargo.toml does not have"));
    missing.chain(stale).collect()
}

/// A workspace dependency that no member has.
fn unused(wanted: &[&str], members: &[Package]) -> Vec<String> {
    let used: BTreeSet<&str> = members
        .iter()
        .flat_map(|member| &member.dependencies)
        .map(|dependency| dependency.name.as_str())
        .collect();
    wanted
        .iter()
        .filter(|name| !used.contains(*name))
        .map(|name| format!("no member uses the workspace dependency `{name}`"))
        .collect()
}

/// Packages that are there in more than one version.
fn duplicates(packages: &[Package]) -> Vec<String> {
    let mut versions: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for package in packages {
        versions.entry(&package.name).or_default().insert(&package.version);
    }
    versions
        .into_iter()
        .filter(|(_, versions)| versions.len() > 1)
        .map(|(name, versions)| {
            let versions: Vec<&str> = versions.into_iter().collect();
            format!("{name} is there in versions {}", versions.join(", "))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metadata::Dependency;

    fn package(name: &str, version: &str, licence: Option<&str>, source: Option<&str>) -> Package {
        Package {
            name: name.to_owned(),
            version: version.to_owned(),
            licence: licence.map(str::to_owned),
            source: source.map(str::to_owned),
            dependencies: Vec::new(),
        }
    }

    #[test]
    fn licences_sources_and_bans() {
        let check = |package: Package, expected: usize| {
            let name = package.name.clone();
            assert_eq!(outsiders(&[package], &["MIT"]).len(), expected, "{name}");
        };
        check(package("good", "1.0.0", Some("MIT OR GPL-3.0"), Some(REGISTRY)), 0);
        check(package("copyleft", "1.0.0", Some("GPL-3.0"), Some(REGISTRY)), 1);
        check(package("silent", "1.0.0", None, Some(REGISTRY)), 1);
        check(package("forked", "1.0.0", Some("MIT"), Some("git+https://example.org/x")), 1);
        check(package("openssl-sys", "0.9.0", Some("MIT"), Some(REGISTRY)), 1);
    }

    #[test]
    fn every_dependency_has_its_reason() {
        let reasons = "# Dependencies\n- `serde`: reads\n- `zstd`: \n- `old`: was here\n";
        let found = unexplained(&["loggia-keys", "serde", "zstd"], reasons);
        assert_eq!(found.len(), 2, "{found:?}");
    }

    #[test]
    fn duplicates_and_unused() {
        let two = [package("a", "1.0.0", None, None), package("a", "2.0.0", None, None)];
        assert_eq!(duplicates(&two), ["a is there in versions 1.0.0, 2.0.0"]);
        let mut member = package("loggia", "0.0.0", None, None);
        member.dependencies.push(Dependency { name: String::from("serde"), dev: false });
        assert_eq!(unused(&["serde", "zstd"], &[member]).len(), 1);
    }
}
