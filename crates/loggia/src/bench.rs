//! `loggia bench`: rates of this machine, as ratios to something run beside them.

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use clap::{Args, Subcommand};
use loggia_engine::{Engine, EngineConfig, TokenRequest};
use reqwest::Method;
use serde_json::json;

use crate::api::IngestLimits;
use crate::cli::{Client, Connection, Screen};
use crate::clock::{stopwatch, system_clock};
use crate::failure::Failure;
use crate::server::Server;
use crate::workload::{Workload, WorkloadConfig};

const POLICY: &str = include_str!("../../../policies/gen-ai.yaml");

/// What to measure.
#[derive(Debug, Subcommand)]
pub(crate) enum BenchVerb {
    /// Records a second through OTLP/HTTP over TLS on loopback, everything on, client included.
    #[command(after_help = "Example:\n  loggia bench ingest --records 400000 --clients 2")]
    Ingest(IngestBench),
}

/// Options of the ingest bench.
#[derive(Clone, Debug, Args)]
pub(crate) struct IngestBench {
    /// Records to send in all.
    #[arg(long, default_value_t = 200_000)]
    records: u64,
    /// Records of one request.
    #[arg(long, default_value_t = 1000)]
    batch: usize,
    /// Clients that send at once.
    #[arg(long, default_value_t = 4)]
    clients: usize,
    /// Distinct requests made before the clock starts; they are sent over and over.
    #[arg(long, default_value_t = 64)]
    prepared: usize,
}

pub(crate) fn run(verb: &BenchVerb, screen: &mut Screen) -> Result<ExitCode, Failure> {
    match verb {
        BenchVerb::Ingest(args) => {
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .enable_all()
                .max_blocking_threads(64)
                .build()
                .map_err(|error| Failure::io("start the runtime", &error))?;
            runtime.block_on(ingest(args, screen))?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// One request made ahead.
struct Prepared {
    path: &'static str,
    body: bytes::Bytes,
    records: u64,
}

fn prepare(args: &IngestBench) -> (Vec<Prepared>, u64) {
    let start_ns = system_clock().now_ns();
    let config = WorkloadConfig { start_ns, ..WorkloadConfig::default() };
    let mut workload = Workload::new(11, config);
    let mut prepared = Vec::new();
    let mut raw = 0;
    for _ in 0..args.prepared.max(1) {
        let batch = workload.next_request(args.batch.max(1));
        raw += batch.ndjson().len() as u64;
        let records = batch.records() as u64;
        prepared.push(Prepared { path: batch.path(), body: batch.encode().into(), records });
    }
    (prepared, raw)
}

async fn ingest(args: &IngestBench, screen: &mut Screen) -> Result<(), Failure> {
    screen.note("preparing requests …");
    let (prepared, raw) = prepare(args);
    let once: u64 = prepared.iter().map(|request| request.records).sum();
    let prepared = Arc::new(prepared);
    let dir = crate::demo::scratch("loggia-bench-")?;
    let clock = system_clock();
    let config = EngineConfig::new(dir.path(), POLICY);
    let token = TokenRequest {
        principal: "bench".into(),
        role: "agent".into(),
        tenant: "default".into(),
        days: 1,
    };
    let made = Engine::init(&config, &[token], &clock)?;
    let tls = crate::tls::make_development_ca(dir.path(), &[], clock.now_ns())?;
    let listen = std::net::SocketAddr::from(([127, 0, 0, 1], 0));
    let server = Server::start(config, listen, &IngestLimits::default(), clock).await?;
    let token = made.tokens.first().map(|token| token.token.clone()).unwrap_or_default();
    let connection =
        Connection { url: format!("https://{}", server.address()), ca: tls.ca.clone(), token };

    let next = Arc::new(AtomicU64::new(0));
    let requests = args.records.div_ceil((once / prepared.len() as u64).max(1));
    let started = stopwatch();
    let mut clients = Vec::new();
    for _ in 0..args.clients.max(1) {
        let client = Client::new(&connection)?;
        let (next, prepared) = (Arc::clone(&next), Arc::clone(&prepared));
        #[expect(clippy::disallowed_methods, reason = "joined below")]
        clients.push(tokio::spawn(send_all(client, next, prepared, requests)));
    }
    let mut latencies_ms = Vec::new();
    let mut sent = 0;
    for client in clients {
        let (count, times) = client
            .await
            .map_err(|error| Failure::failed(format!("a client failed: {error}")))??;
        sent += count;
        latencies_ms.extend(times);
    }
    let seconds = started.elapsed().as_secs_f64();
    let status = server.engine().status();
    server.engine().flush()?;
    let on_disk = crate::cli::size_of(&dir.path().join("data").join("segments"));
    server.stop().await?;
    report(
        screen,
        &Figures {
            sent,
            seconds,
            latencies_ms,
            raw,
            once,
            on_disk,
            accepted: status.rows_accepted,
        },
    )
}

struct Figures {
    sent: u64,
    seconds: f64,
    latencies_ms: Vec<f64>,
    raw: u64,
    once: u64,
    on_disk: u64,
    accepted: u64,
}

#[expect(clippy::cast_precision_loss, reason = "figures for a person; far below 2^53")]
fn report(screen: &mut Screen, figures: &Figures) -> Result<(), Failure> {
    let mut latencies = figures.latencies_ms.clone();
    latencies.sort_by(f64::total_cmp);
    let at = |share: f64| {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "an index below the length"
        )]
        let index = ((latencies.len() as f64) * share) as usize;
        latencies.get(index.min(latencies.len().saturating_sub(1))).copied().unwrap_or(0.0)
    };
    let raw = figures.raw as f64 / figures.once.max(1) as f64 * figures.sent as f64;
    screen.value(&json!({
        "records": figures.sent,
        "stored": figures.accepted,
        "seconds": round(figures.seconds),
        "records_per_second": (figures.sent as f64 / figures.seconds).round(),
        "ndjson_mb_per_second": round(raw / 1e6 / figures.seconds),
        "mean_record_bytes": (raw / figures.sent.max(1) as f64).round(),
        "acknowledged_p50_ms": round(at(0.5)),
        "acknowledged_p99_ms": round(at(0.99)),
        "disk_to_raw": round(figures.on_disk as f64 / raw.max(1.0)),
    }))
}

fn round(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

async fn send_all(
    client: Client,
    next: Arc<AtomicU64>,
    prepared: Arc<Vec<Prepared>>,
    requests: u64,
) -> Result<(u64, Vec<f64>), Failure> {
    let mut sent = 0;
    let mut times = Vec::new();
    loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        if number >= requests {
            return Ok((sent, times));
        }
        let index = usize::try_from(number % prepared.len() as u64).unwrap_or(0);
        let Some(request) = prepared.get(index) else { return Ok((sent, times)) };
        let started = stopwatch();
        let call = client
            .request(Method::POST, request.path)
            .header("Content-Type", "application/x-protobuf")
            .body(request.body.clone());
        match client.send(call).await {
            Ok(_answer) => {
                sent += request.records;
                times.push(started.elapsed().as_secs_f64() * 1000.0);
            }
            Err(failure) if failure.is_busy() => {
                next.fetch_sub(1, Ordering::Relaxed);
                tokio::task::yield_now().await;
            }
            Err(failure) => return Err(failure),
        }
    }
}
