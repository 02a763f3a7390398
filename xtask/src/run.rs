//! Runs programs and steps: headings, durations, and one summary at the end.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::{Failure, Outcome};

/// Moves to the workspace's root: the closest directory upwards that holds `Cargo.toml` and `xtask`.
pub(crate) fn enter_root(start: &Path) -> Outcome {
    let root = start
        .ancestors()
        .find(|dir| dir.join("Cargo.toml").is_file() && dir.join("xtask").is_dir())
        .ok_or_else(|| Failure(format!("`{}` is not inside the workspace", start.display())))?;
    std::env::set_current_dir(root)
        .map_err(|error| Failure(format!("cannot enter `{}`: {error}", root.display())))
}

/// A command that shares this terminal.
pub(crate) fn command(program: &str, args: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(args);
    command
}

/// The cargo that started this program, else the one on the path.
///
/// What `cargo run` tells this program about its own package is taken out of the environment: build scripts such as
/// ring's watch those variables, and would compile half of the dependencies anew, here and at the next plain `cargo build`.
pub(crate) fn cargo(args: &[&str]) -> Command {
    let program = std::env::var("CARGO").unwrap_or_else(|_| String::from("cargo"));
    let mut command = command(&program, args);
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(is_about_this_package) {
            command.env_remove(name);
        }
    }
    command
}

fn is_about_this_package(variable: &str) -> bool {
    ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_"]
        .iter()
        .any(|start| variable.starts_with(start))
        || ["CARGO_PRIMARY_PACKAGE", "CARGO_TARGET_TMPDIR", "OUT_DIR"].contains(&variable)
}

/// Runs to the end; a status other than 0 is a failure.
pub(crate) fn run(mut command: Command) -> Outcome {
    let shown = show(&command);
    let status =
        command.status().map_err(|error| Failure(format!("cannot start `{shown}`: {error}")))?;
    if status.success() { Ok(()) } else { Err(Failure(format!("`{shown}` ended with {status}"))) }
}

/// Runs silently and returns what was printed on standard output.
pub(crate) fn capture(mut command: Command) -> Result<String, Failure> {
    let shown = show(&command);
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(|error| Failure(format!("cannot start `{shown}`: {error}")))?;
    if !output.status.success() {
        let errors = String::from_utf8_lossy(&output.stderr);
        return Err(Failure(format!(
            "`{shown}` ended with {}\n{}",
            output.status,
            errors.trim_end()
        )));
    }
    String::from_utf8(output.stdout)
        .map_err(|error| Failure(format!("`{shown}` printed something that is not UTF-8: {error}")))
}

/// True when the program can be started with these arguments and ends well.
pub(crate) fn works(program: &str, args: &[&str]) -> bool {
    command(program, args)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

fn show(command: &Command) -> String {
    let mut shown = command.get_program().to_string_lossy().into_owned();
    for arg in command.get_args() {
        shown.push(' ');
        shown.push_str(&arg.to_string_lossy());
    }
    shown
}

/// A list of steps: each prints its heading and its duration, and a failed one does not hide the next.
pub(crate) struct Steps {
    begun: Instant,
    done: Vec<(String, Duration, Option<Failure>)>,
}

impl Steps {
    /// No step yet.
    pub(crate) fn begin() -> Self {
        Self { begun: Instant::now(), done: Vec::new() }
    }

    /// Runs one step; returns whether it passed.
    pub(crate) fn step(&mut self, name: &str, body: impl FnOnce() -> Outcome) -> bool {
        println!("\n── {name}");
        let begun = Instant::now();
        let failure = body().err();
        let took = begun.elapsed();
        match &failure {
            None => println!("   {name}: ok, {}", human(took)),
            Some(Failure(message)) => println!("   {name}: FAILED, {}\n{message}", human(took)),
        }
        let passed = failure.is_none();
        self.done.push((name.to_owned(), took, failure));
        passed
    }

    /// Prints the summary; fails when a step did.
    pub(crate) fn finish(self) -> Outcome {
        println!("\n── summary");
        for (name, took, failure) in &self.done {
            let verdict = if failure.is_none() { "ok" } else { "FAILED" };
            println!("   {name:<10} {verdict:<8} {}", human(*took));
        }
        let failed: Vec<&str> = self
            .done
            .iter()
            .filter(|(_, _, failure)| failure.is_some())
            .map(|(name, _, _)| name.as_str())
            .collect();
        println!("   all        {:<8} {}", "", human(self.begun.elapsed()));
        if failed.is_empty() {
            Ok(())
        } else {
            Err(Failure(format!("failed: {}", failed.join(", "))))
        }
    }
}

fn human(took: Duration) -> String {
    let seconds = took.as_secs();
    if seconds < 60 {
        format!("{:.1} s", took.as_secs_f64())
    } else {
        format!("{} min {} s", seconds / 60, seconds % 60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_of_cargo_stay() {
        let check = |variable: &str, expected: bool| {
            assert_eq!(is_about_this_package(variable), expected, "{variable}");
        };
        check("CARGO_PKG_NAME", true);
        check("CARGO_MANIFEST_DIR", true);
        check("CARGO_HOME", false);
        check("CARGO_TARGET_DIR", false);
        check("CARGO_TERM_COLOR", false);
        check("CARGO_NET_OFFLINE", false);
    }

    #[test]
    fn durations_read_well() {
        assert_eq!(human(Duration::from_millis(1_250)), "1.2 s");
        assert_eq!(human(Duration::from_secs(125)), "2 min 5 s");
    }
}
