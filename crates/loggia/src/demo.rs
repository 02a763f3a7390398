//! `loggia demo`: a store in a temporary directory, the sample policy, live traffic, and something to try for each role.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use loggia_engine::{Engine, EngineConfig, NewToken, TokenRequest};
use reqwest::Method;
use serde_json::json;

use crate::api::IngestLimits;
use crate::cli::{Client, Connection, Screen};
use crate::clock::{stopwatch, system_clock};
use crate::failure::Failure;
use crate::server::Server;
use crate::workload::{Workload, WorkloadConfig};

/// The policy the demo runs under.
const POLICY: &str = include_str!("../../../policies/gen-ai.yaml");
/// Records of one request.
const BATCH: usize = 200;
/// Pause between two batches of live traffic.
const BEAT: Duration = Duration::from_millis(500);
/// Records loaded before the first prompt is printed.
const FIRST: u64 = 2_000;

/// Options of the demo.
#[derive(Clone, Debug, Args)]
pub(crate) struct DemoArgs {
    /// Load so many records and stop, instead of running until Ctrl-C.
    #[arg(long)]
    records: Option<u64>,
    /// Address to listen on; a free port when left out.
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// Keep the store here instead of in a temporary directory that goes when the demo ends.
    #[arg(long)]
    data: Option<PathBuf>,
    /// Seed of the generated traffic.
    #[arg(long, default_value_t = 7)]
    seed: u64,
}

/// Who gets a token, and what to try with it.
const CAST: [(&str, &str); 6] = [
    ("ada", "engineer"),
    ("ines", "support"),
    ("paul", "privacy_officer"),
    ("olga", "auditor"),
    ("root", "admin"),
    ("otel-agent", "agent"),
];

pub(crate) fn run(args: &DemoArgs, screen: &mut Screen) -> Result<ExitCode, Failure> {
    crate::telemetry::init_logging("warn", false)?;
    let temporary = match &args.data {
        Some(_kept) => None,
        None => Some(scratch("loggia-demo-")?),
    };
    let place = args.data.as_deref().or(temporary.as_ref().map(tempfile::TempDir::path));
    let place = place.unwrap_or(Path::new("."));
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .max_blocking_threads(64)
        .build()
        .map_err(|error| Failure::io("start the runtime", &error))?;
    let done = runtime.block_on(play(args, place, screen));
    drop(runtime);
    if let Some(temporary) = temporary {
        temporary.close().map_err(|error| Failure::io("remove the demo's store", &error))?;
    }
    done.map(|()| ExitCode::SUCCESS)
}

async fn play(args: &DemoArgs, dir: &Path, screen: &mut Screen) -> Result<(), Failure> {
    let started = stopwatch();
    let clock = system_clock();
    let config = EngineConfig::new(dir, POLICY);
    let requests: Vec<TokenRequest> = CAST
        .iter()
        .map(|(principal, role)| TokenRequest {
            principal: (*principal).into(),
            role: (*role).into(),
            tenant: "default".into(),
            days: 1,
        })
        .collect();
    screen.note("making a store with the sample policy …");
    let made = Engine::init(&config, &requests, &clock)?;
    let tls = crate::tls::make_development_ca(dir, &[], clock.now_ns())?;
    loggia_store::write_durably(&dir.join("policy.yaml"), POLICY.as_bytes())?;
    let server =
        Server::start(config, args.listen, &IngestLimits::default(), Arc::clone(&clock)).await?;
    let url = format!("https://{}", server.address());
    let agent = token_of(&made.tokens, "agent")?;
    let sender =
        Client::new(&Connection { url: url.clone(), ca: tls.ca.clone(), token: agent.to_owned() })?;
    let mut traffic = Workload::new(
        args.seed,
        WorkloadConfig { start_ns: clock.now_ns(), ..WorkloadConfig::default() },
    );
    let subject = traffic.subject_id(1);
    let outcome = stream(args, &server, &sender, &mut traffic, screen, |screen| {
        print_cast(&made.tokens, &url, &tls.ca, &made.vkey, (started.elapsed(), &subject), screen)
    });
    let outcome = outcome.await;
    server.stop().await?;
    outcome
}

/// Sends traffic until the wanted number is loaded or Ctrl-C is pressed.
async fn stream(
    args: &DemoArgs,
    server: &Server,
    sender: &Client,
    traffic: &mut Workload,
    screen: &mut Screen,
    announce: impl Fn(&mut Screen) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let wanted = args.records;
    let mut sent = 0;
    let mut announced = false;
    let mut stop = std::pin::pin!(crate::cli::stop_signal());
    loop {
        if wanted.is_some_and(|wanted| sent >= wanted) {
            break;
        }
        let left = wanted.map_or(BATCH, |wanted| usize::try_from(wanted - sent).unwrap_or(BATCH));
        sent += send_batch(sender, traffic, left.min(BATCH)).await?;
        if !announced && wanted.is_none() && sent >= FIRST {
            announced = true;
            announce(screen)?;
        }
        if announced {
            tokio::select! {
                stopped = &mut stop => { stopped?; break }
                () = beat() => {}
            }
        }
    }
    let status = server.engine().status();
    if screen.is_json() {
        screen.value(&json!({ "records": sent, "accepted": status.rows_accepted, "refused": status.rows_refused }))
    } else {
        screen.line(&format!(
            "loaded {sent} records: {} stored, {} refused by the policy",
            status.rows_accepted, status.rows_refused
        ))
    }
}

#[expect(clippy::disallowed_methods, reason = "paces the demo's traffic")]
async fn beat() {
    tokio::time::sleep(BEAT).await;
}

async fn send_batch(
    sender: &Client,
    traffic: &mut Workload,
    records: usize,
) -> Result<u64, Failure> {
    let batch = traffic.next_request(records);
    let request = sender
        .request(Method::POST, batch.path())
        .header("Content-Type", "application/x-protobuf")
        .body(batch.encode());
    sender.send(request).await?;
    Ok(batch.records() as u64)
}

fn token_of<'a>(tokens: &'a [NewToken], role: &str) -> Result<&'a str, Failure> {
    tokens
        .iter()
        .find(|token| token.info.role == role)
        .map(|token| token.token.as_str())
        .ok_or_else(|| Failure::failed(format!("no token was made for the role `{role}`")))
}

/// Three commands worth trying for a role.
fn tries(role: &str, subject: &str) -> [String; 3] {
    let commands = match role {
        "engineer" => [
            "loggia query --purpose debugging \"SELECT model, count(*) AS calls, avg(latency_ms) AS mean_ms FROM chat GROUP BY model ORDER BY calls DESC\"",
            "loggia search --purpose debugging --stream app --limit 5 severity:ERROR",
            "loggia query --purpose debugging \"SELECT time, model, prompt FROM chat LIMIT 3\"   # the prompt is masked for this role",
        ],
        "support" => [
            "loggia query --purpose incident --ticket INC-1 \"SELECT time, model, prompt FROM chat ORDER BY time DESC LIMIT 3\"",
            "loggia search --purpose incident --ticket INC-1 --stream chat --content --limit 3 invoice",
            "loggia tail --purpose incident --ticket INC-1 --stream app severity:ERROR",
        ],
        "privacy_officer" => [
            "loggia subject find SUBJECT",
            "loggia subject erase SUBJECT --reason CASE-1",
            "loggia subject find SUBJECT   # gone, and late data is refused",
        ],
        "auditor" => {
            ["loggia ledger list --limit 10", "loggia ledger checkpoint", "loggia ledger prove 0"]
        }
        "admin" => [
            "loggia token list",
            "loggia token create --principal bob --role engineer --days 7",
            "loggia keys status",
        ],
        _ => [
            "loggia ingest /var/log/dpkg.log --stream app",
            "echo '{\"message\":\"hello\",\"level\":\"info\"}' | loggia ingest - --stream app",
            "loggia query --purpose debugging 'SELECT 1 FROM chat'   # refused: this role may only send",
        ],
    };
    commands.map(|command| command.replace("SUBJECT", subject))
}

fn print_cast(
    tokens: &[NewToken],
    url: &str,
    ca: &Path,
    vkey: &str,
    (took, subject): (Duration, &str),
    screen: &mut Screen,
) -> Result<(), Failure> {
    screen.line(&format!(
        "\nLoggia is running at {url} (first answer after {:.1} s)\n\n  export LOGGIA_URL={url} LOGGIA_CA={}\n  export PATH=\"{}:$PATH\"\n  ledger verifier key: {vkey}\n",
        took.as_secs_f64(),
        ca.display(),
        binary_dir().display(),
    ))?;
    for token in tokens {
        let info = &token.info;
        screen.line(&format!(
            "{} as {}\n  export LOGGIA_TOKEN={}",
            info.principal, info.role, token.token
        ))?;
        for command in tries(&info.role, subject) {
            screen.line(&format!("  {command}"))?;
        }
        screen.line("")?;
    }
    screen.line("Traffic flows until Ctrl-C.")
}

fn binary_dir() -> PathBuf {
    std::env::current_exe()
        .ok()
        .and_then(|path| path.parent().map(Path::to_path_buf))
        .unwrap_or_else(|| PathBuf::from("."))
}

/// A private directory that goes when it is dropped.
pub(crate) fn scratch(prefix: &str) -> Result<tempfile::TempDir, Failure> {
    tempfile::Builder::new()
        .prefix(prefix)
        .tempdir()
        .map_err(|error| Failure::io("make a temporary directory", &error))
}
