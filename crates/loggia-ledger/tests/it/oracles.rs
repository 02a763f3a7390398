//! Verifiers that others have written, let loose on a ledger of ours.
//!
//! They run where the machine has them: the Python one when `LOGGIA_TEST_PYTHON` names a Python with
//! `tests/requirements.txt` installed, the Go one when `LOGGIA_TEST_GO` names a Go command and the
//! package golang-golang-x-mod-dev is installed. Elsewhere the fixed vectors of the unit tests stand
//! in for them.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

use crate::support::{append_many, open, write};

/// A ledger of ours with three levels of partial tiles, and what an auditor would be handed.
struct Handed {
    dir: TempDir,
    vkey: String,
}

impl Handed {
    fn make(count: u64) -> Self {
        let dir = TempDir::new().unwrap();
        let ledger_dir = dir.path().join("ledger");
        let ledger = open(&ledger_dir).unwrap();
        // In two parts, so that an old checkpoint and a consistency proof exist.
        append_many(&ledger, count / 3);
        let old = ledger.checkpoint().unwrap();
        append_many(&ledger, count - count / 3);
        ledger.checkpoint().unwrap();
        let index = count / 2;
        let (entry, _record) = ledger.read(index).unwrap();
        write(&dir.path().join("leaf"), &entry.to_bytes());
        write(&dir.path().join("entry.tlog-proof"), ledger.prove(index).unwrap().as_bytes());
        write(&dir.path().join("old-checkpoint"), old.as_bytes());
        let vkey = ledger.vkey();
        ledger.close().unwrap();
        Self { dir, vkey }
    }

    fn run(&self, program: &Path, before: &[OsString], go: bool) -> Output {
        let mut command = Command::new(program);
        command.args(before).arg(self.dir.path()).arg(&self.vkey);
        if go {
            command.env("GO111MODULE", "off").env("GOPATH", "/usr/share/gocode");
        }
        command.output().unwrap()
    }

    /// The oracle must accept all, and refuse when a byte of a tile, bundle, proof, leaf or
    /// checkpoint is another one.
    fn check(&self, program: &Path, before: &[OsString], go: bool) {
        let output = self.run(program, before, go);
        let (out, err) = (text(&output.stdout), text(&output.stderr));
        assert!(output.status.success(), "refused: {out}{err}");
        assert!(out.starts_with("verified "), "{out}");
        for (file, at) in [
            ("ledger/tile/0/000", 8000),
            ("ledger/tile/entries/001", 300),
            ("ledger/checkpoint", 30),
            ("entry.tlog-proof", 50),
            ("leaf", 60),
        ] {
            let path = self.dir.path().join(file);
            let bytes = fs::read(&path).unwrap();
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            write(&path, &changed);
            assert!(!self.run(program, before, go).status.success(), "accepted a changed {file}");
            write(&path, &bytes);
        }
        assert!(self.run(program, before, go).status.success());
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn oracle(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/oracles").join(name)
}

#[test]
fn a_python_verifier_of_others_accepts_our_ledger() {
    let Some(python) = std::env::var_os("LOGGIA_TEST_PYTHON") else { return };
    let script = oracle("ledger_oracle.py").into_os_string();
    Handed::make(1000).check(Path::new(&python), &[script], false);
}

#[test]
fn the_go_checksum_database_accepts_our_ledger() {
    let Some(go) = std::env::var_os("LOGGIA_TEST_GO") else { return };
    let build = TempDir::new().unwrap();
    let program = build.path().join("oracle");
    let built = Command::new(&go)
        .args(["build", "-o"])
        .arg(&program)
        .arg(oracle("ledger_oracle.go"))
        .env("GO111MODULE", "off")
        .env("GOPATH", "/usr/share/gocode")
        .output()
        .unwrap();
    assert!(built.status.success(), "{}", text(&built.stderr));
    Handed::make(1000).check(&program, &[], true);
}
