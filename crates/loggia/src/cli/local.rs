//! Verbs that work on files of this machine: init, serve, policy, verify, ledger verify, file keys.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use loggia_engine::{Engine, EngineConfig, RootSecret, TokenRequest, verify_dir};
use loggia_policy::{Policy, Severity};
use serde_json::json;
use zeroize::Zeroizing;

use super::{InitArgs, Screen, ServeArgs, StoreArgs};
use crate::api::IngestLimits;
use crate::clock::system_clock;
use crate::failure::Failure;
use crate::server::Server;

impl StoreArgs {
    /// What opens the store.
    pub(crate) fn root(&self) -> Result<RootSecret, Failure> {
        if let Some(path) = &self.passphrase_file {
            let text = Zeroizing::new(read(path)?);
            let first = text.lines().next().unwrap_or_default();
            if first.chars().count() < 15 {
                return Err(Failure::usage(format!(
                    "the passphrase in `{}` is shorter than 15 characters",
                    path.display()
                )));
            }
            return Ok(RootSecret::Passphrase(Zeroizing::new(first.to_owned())));
        }
        let file = self.root_key.clone();
        Ok(RootSecret::File(file.unwrap_or_else(|| self.data.join("keys").join("root.key"))))
    }

    fn config(&self, policy_yaml: String) -> Result<EngineConfig, Failure> {
        let mut config = EngineConfig::new(&self.data, policy_yaml);
        config.root = self.root()?;
        Ok(config)
    }
}

fn read(path: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(path)
        .map_err(|error| Failure::io(format!("read `{}`", path.display()), &error))
}

/// `loggia init`.
pub(super) fn init(args: &InitArgs, screen: &mut Screen) -> Result<ExitCode, Failure> {
    let yaml = read(&args.policy)?;
    let config = args.store.config(yaml.clone())?;
    let clock = system_clock();
    let roles = Policy::parse(&yaml)
        .map_err(|error| Failure::usage(format!("`{}`: {error}", args.policy.display())))?;
    let requests: Vec<TokenRequest> = first_tokens(&roles);
    let made = Engine::init(&config, &requests, &clock)?;
    crate::tls::make_development_ca(&args.store.data, &args.names, clock.now_ns())?;
    let policy = args.store.data.join("policy.yaml");
    loggia_store::write_durably(&policy, yaml.as_bytes())?;
    reseal(&config)?;
    if screen.is_json() {
        screen
            .value(&json!({ "data": args.store.data, "vkey": made.vkey, "tokens": made.tokens }))?;
        return Ok(ExitCode::SUCCESS);
    }
    screen.line(&format!("made a store in {}", args.store.data.display()))?;
    screen.line(&format!("ledger verifier key (keep it elsewhere): {}", made.vkey))?;
    screen.line("tokens, shown this once:")?;
    for token in &made.tokens {
        screen.line(&format!("  {:<10} {}", token.info.role, token.token))?;
    }
    screen.line(&format!("next: loggia serve --data {}", args.store.data.display()))?;
    Ok(ExitCode::SUCCESS)
}

/// Opens and closes once, so that the manifest covers the files written after the store was made.
fn reseal(config: &EngineConfig) -> Result<(), Failure> {
    Ok(Engine::open(config, &system_clock())?.close()?)
}

/// One token for the role that may make others, one for the role that may only send.
fn first_tokens(policy: &Policy) -> Vec<TokenRequest> {
    use loggia_policy::Permission;
    let role_with = |permission: Permission| {
        policy
            .roles()
            .iter()
            .map(loggia_policy::Role::name)
            .find(|role| policy.permits(role, permission))
    };
    [role_with(Permission::TokensManage), role_with(Permission::Ingest)]
        .into_iter()
        .flatten()
        .map(|role| TokenRequest {
            principal: format!("first-{role}"),
            role: role.into(),
            tenant: "default".into(),
            days: 90,
        })
        .collect()
}

/// `loggia serve`.
pub(super) fn serve(args: ServeArgs, screen: &mut Screen) -> Result<ExitCode, Failure> {
    crate::telemetry::init_logging(&args.log, args.log_json)?;
    let policy = args.policy.unwrap_or_else(|| args.store.data.join("policy.yaml"));
    let mut config = args.store.config(read(&policy)?)?;
    config.store.flush_rows_max = args.flush_rows;
    let limits =
        IngestLimits { in_flight_bytes_max: args.in_flight_bytes, ..IngestLimits::default() };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .max_blocking_threads(64)
        .build()
        .map_err(|error| Failure::io("start the runtime", &error))?;
    runtime.block_on(async {
        let server = Server::start(config, args.listen, &limits, system_clock()).await?;
        screen.line(&format!("listening on https://{}", server.address()))?;
        stop_signal().await?;
        screen.note("stopping: finishing requests in work and closing the store");
        server.stop().await
    })?;
    Ok(ExitCode::SUCCESS)
}

/// Waits for Ctrl-C or a polite kill.
pub(crate) async fn stop_signal() -> Result<(), Failure> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut term = signal(SignalKind::terminate())
        .map_err(|error| Failure::io("listen for SIGTERM", &error))?;
    tokio::select! {
        pressed = tokio::signal::ctrl_c() => {
            pressed.map_err(|error| Failure::io("listen for Ctrl-C", &error))
        }
        _ = term.recv() => Ok(()),
    }
}

/// `loggia policy check`.
pub(super) fn policy_check(file: &Path, screen: &mut Screen) -> Result<ExitCode, Failure> {
    let yaml = read(file)?;
    let policy = Policy::parse(&yaml)
        .map_err(|error| Failure::usage(format!("`{}`: {error}", file.display())))?;
    let lints = policy.lint();
    let errors = lints.iter().filter(|lint| lint.severity == Severity::Error).count();
    if screen.is_json() {
        let rows: Vec<_> = lints
            .iter()
            .map(|lint| {
                json!({
                    "severity": if lint.severity == Severity::Error { "error" } else { "warning" },
                    "line": lint.line, "code": lint.code, "message": lint.message, "help": lint.help,
                })
            })
            .collect();
        screen.value(&json!({ "digest": policy.digest().to_string(), "findings": rows }))?;
    } else {
        for lint in &lints {
            screen.line(&format!("{}:{lint}", file.display()))?;
        }
        screen.line(&format!(
            "{} streams, {} errors, {} warnings; digest {}",
            policy.streams().count(),
            errors,
            lints.len() - errors,
            policy.digest()
        ))?;
    }
    Ok(if errors == 0 { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

/// `loggia policy schema`.
pub(super) fn policy_schema(screen: &mut Screen) -> Result<ExitCode, Failure> {
    let text = serde_json::to_string_pretty(&Policy::json_schema())
        .map_err(|error| Failure::failed(format!("cannot print the schema: {error}")))?;
    screen.line(&text)?;
    Ok(ExitCode::SUCCESS)
}

/// `loggia verify`.
pub(super) fn verify(args: &StoreArgs, screen: &mut Screen) -> Result<ExitCode, Failure> {
    let bar = screen.progress(size_of(&args.data), "verifying");
    let report =
        verify_dir(&args.data, &args.root()?, system_clock().now_ns(), &mut |_, bytes| {
            bar.inc(bytes);
        })?;
    bar.finish_and_clear();
    let whole = report.problems.is_empty();
    if screen.is_json() {
        let value = serde_json::to_value(&report)
            .map_err(|error| Failure::failed(format!("cannot print the report: {error}")))?;
        screen.value(&value)?;
    } else {
        for problem in &report.problems {
            screen.line(&format!("{}: {}", problem.file, problem.what))?;
        }
        for note in &report.notes {
            screen.note(&format!("note: {note}"));
        }
        screen.line(&format!(
            "{} files checked, {} problems",
            report.files,
            report.problems.len()
        ))?;
    }
    Ok(if whole { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

/// Bytes of all files below a directory; what cannot be read counts as nothing.
pub(crate) fn size_of(dir: &Path) -> u64 {
    let Ok(items) = std::fs::read_dir(dir) else { return 0 };
    items
        .flatten()
        .map(|item| match item.metadata() {
            Ok(meta) if meta.is_dir() => size_of(&item.path()),
            Ok(meta) => meta.len(),
            Err(_) => 0,
        })
        .sum()
}

/// `loggia ledger verify`.
pub(super) fn ledger_verify(
    dir: &Path,
    vkey: Option<&str>,
    screen: &mut Screen,
) -> Result<ExitCode, Failure> {
    match loggia_ledger::verify_dir(dir, vkey) {
        Ok(report) => {
            if screen.is_json() {
                screen.value(&json!({ "ok": true, "entries": report.entries, "files": report.files, "warnings": report.warnings }))?;
            } else {
                for warning in &report.warnings {
                    screen.note(&format!("note: {warning}"));
                }
                screen.line(&format!(
                    "{} entries in {} files verify",
                    report.entries, report.files
                ))?;
            }
            Ok(ExitCode::SUCCESS)
        }
        Err(failure) => {
            if screen.is_json() {
                screen.value(&json!({ "ok": false, "file": failure.file, "index": failure.index, "what": failure.what }))?;
            } else {
                screen.line(&format!("does not verify: {failure}"))?;
            }
            Ok(ExitCode::from(1))
        }
    }
}

/// `loggia keys file-key`.
pub(super) fn file_key(
    args: &StoreArgs,
    segment: &Path,
    screen: &mut Screen,
) -> Result<ExitCode, Failure> {
    let path: PathBuf =
        if segment.is_absolute() { segment.into() } else { args.data.join(segment) };
    let yaml = read(&args.data.join("policy.yaml"))?;
    let engine = Engine::open(&args.config(yaml)?, &system_clock())?;
    let key = engine.segment_file_key(&path);
    engine.close()?;
    let key = key?;
    screen.value(&json!({ "file": segment, "key_hex": key.as_str() }))?;
    Ok(ExitCode::SUCCESS)
}
