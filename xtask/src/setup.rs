//! The set-up of `cargo xtask test`: what a fresh Debian machine lacks, and a Python environment for the black-box tests.
//!
//! Installs a system package only when a probe shows that it is missing. Everything else lands under `target/`.

use std::path::{Path, PathBuf};

use crate::Failure;
use crate::metadata::target_dir;
use crate::run::{command, run, works};

const REQUIREMENTS: &str = "tests/requirements.txt";

/// Installs what is missing; returns the interpreter for the black-box tests when they have requirements.
pub(crate) fn prepare() -> Result<Option<PathBuf>, Failure> {
    install_missing()?;
    python_environment()
}

fn install_missing() -> Result<(), Failure> {
    let mut packages = Vec::new();
    if !works("cc", &["--version"]) {
        packages.extend(["gcc", "libc6-dev"]);
    }
    // libFuzzer, which the fuzz targets link, is C++
    if Path::new("fuzz/Cargo.toml").is_file() && !works("c++", &["--version"]) {
        packages.push("g++");
    }
    if !works("python3", &["-c", "import venv, ensurepip"]) {
        packages.extend(["python3", "python3-venv"]);
    }
    if packages.is_empty() {
        println!("   system packages: nothing is missing");
        return Ok(());
    }
    let wanted = packages.join(" ");
    if !works("apt-get", &["--version"]) {
        return Err(Failure(format!(
            "please install the equivalent of the Debian packages {wanted}"
        )));
    }
    println!("   installing {wanted}");
    let root = works("sh", &["-c", "test \"$(id -u)\" = 0"]);
    let mut prefix = if root { vec!["env"] } else { vec!["sudo", "env"] };
    prefix.extend(["DEBIAN_FRONTEND=noninteractive", "apt-get"]);
    let apt = |args: &[&str]| {
        let mut all = prefix.clone();
        all.extend_from_slice(args);
        match all.split_first() {
            Some((program, rest)) => run(command(program, rest)),
            None => Ok(()),
        }
    };
    apt(&["update", "-q"])?;
    let mut install = vec!["install", "-q", "-y", "--no-install-recommends"];
    install.extend(packages);
    apt(&install)
}

/// Makes or refreshes `target/test-python`; a copy of the requirements inside it says what it was made from.
fn python_environment() -> Result<Option<PathBuf>, Failure> {
    let Ok(wanted) = std::fs::read_to_string(REQUIREMENTS) else {
        println!("   python: no {REQUIREMENTS}, nothing to prepare");
        return Ok(None);
    };
    let venv = target_dir()?.join("test-python");
    let python = venv.join("bin").join("python");
    let stamp = venv.join("made-from.txt");
    let fresh = std::fs::read_to_string(&stamp).is_ok_and(|made| made == wanted);
    if fresh && works_path(&python, &["-c", "pass"]) {
        println!("   python: {} is up to date", venv.display());
        return Ok(Some(python));
    }
    println!("   python: preparing {}", venv.display());
    let venv_text = venv.to_string_lossy().into_owned();
    run(command("python3", &["-m", "venv", "--clear", &venv_text]))?;
    let python_text = python.to_string_lossy().into_owned();
    // aics-tlog asks for Python 3.12 and works on 3.11, which Debian 12 has.
    let pip = [
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--ignore-requires-python",
        "-r",
        REQUIREMENTS,
    ];
    run(command(&python_text, &pip))?;
    std::fs::write(&stamp, wanted)
        .map_err(|error| Failure(format!("cannot write `{}`: {error}", stamp.display())))?;
    Ok(Some(python))
}

fn works_path(program: &Path, args: &[&str]) -> bool {
    program.to_str().is_some_and(|program| works(program, args))
}
