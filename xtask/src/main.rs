//! Developer tasks: `demo` and `test` for everyone, the checks of the house for whoever changes the code.
//!
//! Uses only the standard library and serde_json, so that it compiles in seconds on a fresh machine.
//! Every task is a plain function that returns what went wrong; `main` alone decides the exit code.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a developer's tool: it talks to the terminal, measures durations and reads its environment"
)]

mod deps;
mod layers;
mod licence;
mod manifest;
mod metadata;
mod run;
mod setup;
mod tasks;
mod tidy;

use std::process::ExitCode;

/// What went wrong, in one message for a person.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Failure(pub(crate) String);

pub(crate) type Outcome = Result<(), Failure>;

const USAGE: &str = "\
usage: cargo xtask TASK [ARGS]

  demo [ARGS]                build Loggia and start its demo; ARGS go to `loggia demo` (try --help)
  test [ARGS]                set up, run every check and every test; ARGS go to the test runner
  ci                         the same, as CI runs it
  fmt                        formatting
  tidy                       file heads, sizes, changelog, decisions, names in ARCHITECTURE.md, messages
  layers                     direction of dependencies between the crates
  deps                       licences, sources, banned and duplicate crates, docs/dependencies.md
  clippy                     lints, sharing the compiled dependencies of the tests
  setup                      only the set-up of `test`: system packages and the Python environment
  fuzz TARGET [--seconds N]  one fuzz target (default 60 s)
  fuzz --check               compile every fuzz target
  bench [ARGS]               build, then `loggia bench ingest ARGS`";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let (task, rest) = match args.split_first() {
        Some((task, rest)) => (task.as_str(), rest),
        None => ("help", [].as_slice()),
    };
    let outcome = std::env::current_dir()
        .map_err(|error| Failure(format!("cannot tell the current directory: {error}")))
        .and_then(|start| run::enter_root(&start))
        .and_then(|()| dispatch(task, rest));
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure(message)) => {
            eprintln!("xtask: {message}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(task: &str, rest: &[String]) -> Outcome {
    match task {
        "demo" => tasks::demo(rest),
        "test" => tasks::test(rest),
        "ci" => tasks::test(&[]),
        "fmt" => tasks::fmt(),
        "tidy" => tidy::check(),
        "layers" => layers::check(),
        "deps" => deps::check(),
        "clippy" => tasks::clippy(),
        "setup" => setup::prepare().map(|_| ()),
        "fuzz" => tasks::fuzz(rest),
        "bench" => tasks::bench(rest),
        "help" | "--help" | "-h" => {
            println!("{USAGE}");
            Ok(())
        }
        unknown => Err(Failure(format!("no task `{unknown}`\n\n{USAGE}"))),
    }
}
