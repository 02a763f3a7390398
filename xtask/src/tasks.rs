//! The tasks that run programs: demo, test, clippy, fuzz, bench.

use std::io::{BufRead as _, BufReader};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::metadata::target_dir;
use crate::run::{Steps, capture, cargo, command, run, works};
use crate::{Failure, Outcome, deps, layers, setup, tidy};

/// Builds the binary with cargo's own progress, then becomes `loggia demo ARGS`, so that Ctrl-C reaches it directly.
pub(crate) fn demo(args: &[String]) -> Outcome {
    become_loggia("demo", args)
}

/// Builds the binary, then becomes `loggia bench ingest ARGS`.
pub(crate) fn bench(args: &[String]) -> Outcome {
    let mut all = vec![String::from("ingest")];
    all.extend_from_slice(args);
    become_loggia("bench", &all)
}

fn become_loggia(verb: &str, args: &[String]) -> Outcome {
    eprintln!("building loggia (the first time takes several minutes; later starts take seconds)");
    run(cargo(&["build", "--package", "loggia", "--bin", "loggia"]))?;
    let binary = target_dir()?.join("debug").join("loggia");
    // exec: from here on this process is Loggia, and signals need no forwarding
    let error = Command::new(&binary).arg(verb).args(args).exec();
    Err(Failure(format!("cannot start `{}`: {error}", binary.display())))
}

/// Set-up, every check, every test.
pub(crate) fn test(args: &[String]) -> Outcome {
    let mut python = None;
    let mut steps = Steps::begin();
    let ready = steps.step("setup", || {
        python = setup::prepare()?;
        Ok(())
    });
    steps.step("fmt", fmt);
    steps.step("tidy", tidy::check);
    steps.step("layers", layers::check);
    steps.step("deps", deps::check);
    steps.step("clippy", clippy);
    if Path::new("fuzz/Cargo.toml").is_file() {
        steps.step("fuzz", || fuzz(&[String::from("--check")]));
    }
    if ready {
        steps.step("test", || tests(python.as_deref(), args));
        steps.step("doctest", doc_tests);
    }
    steps.finish()
}

/// Formatting, without changing anything.
pub(crate) fn fmt() -> Outcome {
    run(cargo(&["fmt", "--all", "--check"]))
}

/// Runs the unit and integration tests: nextest where it is installed, else cargo's own runner with a summed-up last line.
fn tests(python: Option<&Path>, args: &[String]) -> Outcome {
    let with_environment = |mut command: Command| {
        if let Some(python) = python {
            command.env("LOGGIA_TEST_PYTHON", python);
        }
        command.args(args);
        command
    };
    // the black-box tests start the binary itself
    run(cargo(&["build", "--workspace", "--bins"]))?;
    if works("cargo", &["nextest", "--version"]) {
        let nextest = ["nextest", "run", "--workspace", "--profile", "ci"];
        return run(with_environment(cargo(&nextest)));
    }
    println!("   cargo-nextest is not installed: using cargo test");
    let plain = ["test", "--workspace", "--lib", "--bins", "--tests", "--no-fail-fast"];
    summed_up(with_environment(cargo(&plain)))
}

/// Runs `cargo test`, passes its lines on and adds up its results.
fn summed_up(mut command: Command) -> Outcome {
    let mut child = command
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| Failure(format!("cannot start cargo test: {error}")))?;
    let mut sum = Tally::default();
    if let Some(output) = child.stdout.take() {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            println!("{line}");
            sum.add(&line);
        }
    }
    let status = child.wait().map_err(|error| Failure(format!("lost cargo test: {error}")))?;
    println!("{} passed, {} failed", sum.passed, sum.failed);
    if status.success() { Ok(()) } else { Err(Failure(format!("cargo test ended with {status}"))) }
}

#[derive(Default, Debug, PartialEq, Eq)]
struct Tally {
    passed: u64,
    failed: u64,
}

impl Tally {
    /// Adds a line like `test result: ok. 3 passed; 1 failed; …`; other lines change nothing.
    fn add(&mut self, line: &str) {
        let Some((_, counts)) = line.split_once("test result: ") else { return };
        let counts = counts.split_once(". ").map_or(counts, |(_, counts)| counts);
        for count in counts.split("; ") {
            match count.trim().split_once(' ') {
                Some((number, "passed")) => self.passed += number.parse::<u64>().unwrap_or(0),
                Some((number, "failed")) => self.failed += number.parse::<u64>().unwrap_or(0),
                _ => {}
            }
        }
    }
}

/// Runs the doc tests of the crates that have any: linking an empty one against DataFusion would cost a minute.
fn doc_tests() -> Outcome {
    let mut with_examples = Vec::new();
    for dir in tidy::crate_dirs()? {
        let has_library = dir.join("src/lib.rs").is_file();
        if has_library && tidy::has_doc_example(&dir)? {
            with_examples.extend(dir.file_name().and_then(|name| name.to_str()).map(str::to_owned));
        }
    }
    if with_examples.is_empty() {
        println!("   no crate has doc examples");
        return Ok(());
    }
    let mut command = cargo(&["test", "--doc"]);
    for name in &with_examples {
        command.args(["--package", name]);
    }
    run(command)
}

/// Lints everything, twice: production code with every rule, tests without the ban on the ambient clock, threads and files.
///
/// `cargo clippy` would check all dependencies a second time. This runs clippy as the compiler of our own crates
/// inside an ordinary build, so that the compiled dependencies are the ones the tests use.
/// Our crates are compiled without optimisation and are not linked here.
pub(crate) fn clippy() -> Outcome {
    let sysroot = capture(command("rustc", &["--print", "sysroot"]))?;
    let driver = Path::new(sysroot.trim()).join("bin").join("clippy-driver");
    if !driver.is_file() {
        return Err(Failure(String::from(
            "clippy is not installed: `rustup component add clippy`",
        )));
    }
    let pass = |targets: &[&str], rules: &[&str]| {
        let mut arguments = String::new();
        let cheap = ["-Copt-level=0", "-Cdebuginfo=0", "-Clinker=true"];
        for argument in rules.iter().chain(&cheap) {
            arguments.push_str(argument);
            // how cargo-clippy hands arguments to the driver
            arguments.push_str("__CLIPPY_HACKERY__");
        }
        let mut build = cargo(&["build", "--workspace"]);
        build.args(targets).env("RUSTC_WORKSPACE_WRAPPER", &driver).env("CLIPPY_ARGS", arguments);
        run(build)
    };
    pass(&["--lib", "--bins"], &["-Dwarnings"])?;
    pass(&["--tests"], &["-Dwarnings", "-Aclippy::disallowed_methods"])
}

/// Runs one fuzz target for a while on stable Rust with libFuzzer's coverage, or compiles all of them.
pub(crate) fn fuzz(args: &[String]) -> Outcome {
    let manifest = "fuzz/Cargo.toml";
    if !Path::new(manifest).is_file() {
        return Err(Failure(format!("there is no {manifest} yet")));
    }
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    let (target, seconds) = match words.as_slice() {
        ["--check"] => {
            let mut check = cargo(&["check", "--manifest-path", manifest, "--bins"]);
            check
                .arg("--target-dir")
                .arg(target_dir()?.join("fuzz"))
                .env("RUSTFLAGS", "--cfg fuzzing");
            return run(check);
        }
        [target] => (*target, 60),
        [target, "--seconds", seconds] => {
            let parsed = seconds.parse::<u32>();
            (
                *target,
                parsed
                    .map_err(|_error| Failure(format!("`{seconds}` is not a number of seconds")))?,
            )
        }
        _ => {
            return Err(Failure(String::from(
                "usage: cargo xtask fuzz TARGET [--seconds N] | --check",
            )));
        }
    };
    let flags = "--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
        -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
        -Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1";
    let corpus = format!("fuzz/corpus/{target}");
    std::fs::create_dir_all(&corpus)
        .map_err(|error| Failure(format!("cannot make `{corpus}`: {error}")))?;
    let limit = format!("-max_total_time={seconds}");
    // an explicit --target keeps the flags away from build scripts
    let host = capture(command("rustc", &["-vV"]))?;
    let triple = host.lines().find_map(|line| line.strip_prefix("host: ")).unwrap_or_default();
    let mut go = cargo(&["run", "--manifest-path", manifest, "--target", triple, "--bin", target]);
    go.arg("--target-dir").arg(target_dir()?.join("fuzz"));
    go.args(["--", &corpus, &limit]).env("RUSTFLAGS", flags);
    run(go)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tallies_the_runner() {
        let mut sum = Tally::default();
        sum.add("test result: ok. 12 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s");
        sum.add("test result: FAILED. 3 passed; 2 failed; 0 ignored; 0 measured");
        sum.add("test other ... ok");
        assert_eq!(sum, Tally { passed: 15, failed: 2 });
    }
}
