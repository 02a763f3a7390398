//! The command line: verbs, their options and their help. Each verb's work is in a module beside this one.

mod client;
mod filter;
mod ingest;
mod local;
mod output;
mod remote;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand, ValueEnum};

pub(crate) use client::{Client, Connection};
pub(crate) use local::{size_of, stop_signal};
pub(crate) use output::Screen;

use crate::failure::Failure;

/// A governed log store for Gen AI platforms.
///
/// Exit codes: 0 fine, 1 failed, 2 wrong usage, 3 refused by the policy.
#[derive(Debug, Parser)]
#[command(name = "loggia", version, propagate_version = true, max_term_width = 100)]
struct Cli {
    /// How results are printed.
    #[arg(long, global = true, value_enum, default_value_t = Output::Table)]
    output: Output,
    #[command(subcommand)]
    verb: Verb,
}

/// Form of what a verb prints.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum Output {
    /// For a person.
    Table,
    /// For a program.
    Json,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Start a throw-away store with the sample policy and live traffic.
    #[command(after_help = "Example:\n  loggia demo\n  loggia demo --records 100000")]
    Demo(crate::demo::DemoArgs),
    /// Make a new store: keys, ledger, development CA, first tokens.
    #[command(after_help = "Example:\n  loggia init --data ./store --policy policies/gen-ai.yaml")]
    Init(InitArgs),
    /// Run the server.
    #[command(after_help = "Example:\n  loggia serve --data ./store --listen 127.0.0.1:4318")]
    Serve(ServeArgs),
    /// Check a policy, or print the JSON Schema of policies.
    #[command(subcommand)]
    Policy(PolicyVerb),
    /// Send a log file, NDJSON or plain lines.
    #[command(after_help = "Example:\n  loggia ingest /var/log/dpkg.log --stream app")]
    Ingest(IngestArgs),
    /// Ask in SQL.
    #[command(
        after_help = "Example:\n  loggia query --purpose debugging \"SELECT model, count(*) FROM chat GROUP BY model\""
    )]
    Query(QueryArgs),
    /// Find records by words and fields, newest first.
    #[command(
        after_help = "Example:\n  loggia search --purpose debugging --stream app 'severity:ERROR \"timed out\"'"
    )]
    Search(SearchArgs),
    /// Follow new records as they arrive.
    #[command(
        after_help = "Example:\n  loggia tail --purpose debugging --stream app severity:ERROR"
    )]
    Tail(SearchArgs),
    /// Find personal data and secrets in text on standard input.
    #[command(
        after_help = "Example:\n  loggia detect < app.log\n  loggia detect --jsonl < texts.jsonl"
    )]
    Detect(FilterArgs),
    /// Replace personal data and secrets in text on standard input.
    #[command(
        after_help = "Example:\n  loggia redact < app.log\n  tail -f app.log | loggia redact"
    )]
    Redact(FilterArgs),
    /// Make, list and revoke API tokens.
    #[command(subcommand)]
    Token(TokenVerb),
    /// Look after keys.
    #[command(subcommand)]
    Keys(KeysVerb),
    /// Find or erase a data subject.
    #[command(subcommand)]
    Subject(SubjectVerb),
    /// Read, prove and verify the access ledger.
    #[command(subcommand)]
    Ledger(LedgerVerb),
    /// Check every stored byte of a store that is not running.
    #[command(after_help = "Example:\n  loggia verify --data ./store")]
    Verify(StoreArgs),
    /// Measure this machine.
    #[command(subcommand)]
    Bench(crate::bench::BenchVerb),
}

/// Where a store lies and what opens it.
#[derive(Clone, Debug, Args)]
pub(crate) struct StoreArgs {
    /// Directory of the store.
    #[arg(long, env = "LOGGIA_DATA", default_value = "loggia-data")]
    pub(crate) data: PathBuf,
    /// Root key file (0600); `<data>/keys/root.key` when left out.
    #[arg(long, conflicts_with = "passphrase_file")]
    pub(crate) root_key: Option<PathBuf>,
    /// File that holds the passphrase of the root; its first line counts.
    #[arg(long)]
    pub(crate) passphrase_file: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct InitArgs {
    #[command(flatten)]
    store: StoreArgs,
    /// Policy to run under; copied into the store.
    #[arg(long)]
    policy: PathBuf,
    /// Further DNS names or addresses of the server certificate.
    #[arg(long = "name")]
    names: Vec<String>,
}

#[derive(Debug, Args)]
struct ServeArgs {
    #[command(flatten)]
    store: StoreArgs,
    /// Address to listen on, TLS 1.3.
    #[arg(long, env = "LOGGIA_LISTEN", default_value = "127.0.0.1:4318")]
    listen: SocketAddr,
    /// Policy; `<data>/policy.yaml` when left out.
    #[arg(long)]
    policy: Option<PathBuf>,
    /// Rows held in memory before they are written to a segment.
    #[arg(long, default_value_t = 200_000)]
    flush_rows: u64,
    /// Bytes of requests in work at once; past it a request gets 503 and Retry-After.
    #[arg(long, default_value_t = 96 << 20)]
    in_flight_bytes: usize,
    /// What to log: `error`, `warn`, `info`, `debug`, or a filter such as `loggia=debug`.
    #[arg(long, env = "LOGGIA_LOG", default_value = "info")]
    log: String,
    /// Log JSON lines instead of text.
    #[arg(long)]
    log_json: bool,
}

#[derive(Debug, Subcommand)]
enum PolicyVerb {
    /// Parse a policy and lint it.
    #[command(after_help = "Example:\n  loggia policy check policies/gen-ai.yaml")]
    Check {
        /// Policy file.
        file: PathBuf,
    },
    /// Print the JSON Schema of policies, for editors.
    #[command(after_help = "Example:\n  loggia policy schema > policy.schema.json")]
    Schema,
}

#[derive(Debug, Args)]
struct IngestArgs {
    #[command(flatten)]
    connection: Connection,
    /// File to send; `-` for standard input.
    file: PathBuf,
    /// Stream to write to.
    #[arg(long)]
    stream: String,
    /// Form of the file; guessed from its first line when left out.
    #[arg(long, value_enum)]
    format: Option<ingest::FileFormat>,
}

#[derive(Debug, Args)]
struct QueryArgs {
    #[command(flatten)]
    connection: Connection,
    #[command(flatten)]
    need: NeedArgs,
    /// Form of the rows; a table for a person when left out.
    #[arg(long, value_enum)]
    format: Option<RowFormat>,
    /// Statement; `-` reads it from standard input.
    sql: String,
}

/// Why somebody reads.
#[derive(Clone, Debug, Args)]
pub(crate) struct NeedArgs {
    /// Purpose of the read, one of the policy's.
    #[arg(long, env = "LOGGIA_PURPOSE")]
    pub(crate) purpose: Option<String>,
    /// Ticket or case the read is for.
    #[arg(long, env = "LOGGIA_TICKET")]
    pub(crate) ticket: Option<String>,
}

/// Form of query results.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum RowFormat {
    /// Aligned columns.
    Table,
    /// One JSON object a line.
    Json,
    /// Comma-separated values.
    Csv,
    /// A Parquet file on standard output.
    Parquet,
}

#[derive(Debug, Args)]
struct SearchArgs {
    #[command(flatten)]
    connection: Connection,
    #[command(flatten)]
    need: NeedArgs,
    /// Stream to look in.
    #[arg(long)]
    stream: String,
    /// Most rows to print.
    #[arg(long, default_value_t = 100)]
    limit: usize,
    /// Only records of the last so long: `15m`, `6h`, `2d`.
    #[arg(long)]
    since: Option<String>,
    /// Search and show sealed content too, where the role may (a decrypting scan).
    #[arg(long)]
    content: bool,
    /// Words, "phrases" and field:value terms.
    words: Vec<String>,
}

#[derive(Debug, Args)]
struct FilterArgs {
    /// Each line is an object `{"id", "text", …}`.
    #[arg(long)]
    jsonl: bool,
}

#[derive(Debug, Subcommand)]
enum TokenVerb {
    /// Make a token; it is shown once.
    #[command(
        after_help = "Example:\n  loggia token create --principal ada@example.org --role engineer --days 30"
    )]
    Create {
        #[command(flatten)]
        connection: Connection,
        /// Who will use it.
        #[arg(long)]
        principal: String,
        /// Role of the policy.
        #[arg(long)]
        role: String,
        /// Tenant.
        #[arg(long, default_value = "default")]
        tenant: String,
        /// Days until it expires, at most 365.
        #[arg(long, default_value_t = 90)]
        days: u32,
    },
    /// List tokens.
    #[command(after_help = "Example:\n  loggia token list")]
    List {
        #[command(flatten)]
        connection: Connection,
    },
    /// Revoke a token at once.
    #[command(after_help = "Example:\n  loggia token revoke 4fJq0aZ81kLm")]
    Revoke {
        #[command(flatten)]
        connection: Connection,
        /// Id of the token (the 12 characters after `lgk_`).
        id: String,
    },
}

#[derive(Debug, Subcommand)]
enum KeysVerb {
    /// Counts and ages of keys.
    #[command(after_help = "Example:\n  loggia keys status")]
    Status {
        #[command(flatten)]
        connection: Connection,
    },
    /// Close the key epoch: wrap every key anew, destroy the old epoch key.
    #[command(after_help = "Example:\n  loggia keys rotate")]
    Rotate {
        #[command(flatten)]
        connection: Connection,
    },
    /// Print the key of one segment file, so that another Parquet reader can open it. The store must not be running.
    #[command(
        after_help = "Example:\n  loggia keys file-key --data ./store data/segments/default/app/2026-11-24/….parquet"
    )]
    FileKey {
        #[command(flatten)]
        store: StoreArgs,
        /// Segment file, absolute or relative to the store's directory.
        segment: PathBuf,
    },
}

#[derive(Debug, Subcommand)]
enum SubjectVerb {
    /// The handle that stands for a user id in the streams.
    #[command(after_help = "Example:\n  loggia subject find user-4711")]
    Find {
        #[command(flatten)]
        connection: Connection,
        /// The platform's user id.
        user_id: String,
    },
    /// Destroy a subject's key: its content is unreadable at once, in every copy.
    #[command(after_help = "Example:\n  loggia subject erase user-4711 --reason CASE-12")]
    Erase {
        #[command(flatten)]
        connection: Connection,
        /// The platform's user id, or the handle `s_…`.
        subject: String,
        /// Why; goes into the ledger.
        #[arg(long)]
        reason: String,
    },
}

#[derive(Debug, Subcommand)]
enum LedgerVerb {
    /// The signed checkpoint.
    #[command(after_help = "Example:\n  loggia ledger checkpoint")]
    Checkpoint {
        #[command(flatten)]
        connection: Connection,
    },
    /// The newest entries.
    #[command(after_help = "Example:\n  loggia ledger list --limit 20")]
    List {
        #[command(flatten)]
        connection: Connection,
        /// Most entries to print.
        #[arg(long, default_value_t = 50)]
        limit: u64,
        /// Only entries before this index.
        #[arg(long)]
        before: Option<u64>,
    },
    /// The inclusion proof of an entry, in the tlog-proof format.
    #[command(after_help = "Example:\n  loggia ledger prove 42 > entry-42.tlog-proof")]
    Prove {
        #[command(flatten)]
        connection: Connection,
        /// Index of the entry.
        index: u64,
    },
    /// Verify a ledger directory, offline; a copy will do.
    #[command(
        after_help = "Example:\n  loggia ledger verify ./copy/ledger --vkey 'loggia.local/ledger+…'"
    )]
    Verify {
        /// Directory of the ledger.
        dir: PathBuf,
        /// Verifier key to trust, as printed by `loggia init`; taken from the directory when left out.
        #[arg(long)]
        vkey: Option<String>,
    },
}

/// Parses the arguments, does the work, and says how it went.
#[must_use]
pub fn run() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // clap prints help to standard output and errors to standard error by itself.
            let code = if error.use_stderr() { ExitCode::from(2) } else { ExitCode::SUCCESS };
            drop(error.print());
            return code;
        }
    };
    let mut screen = Screen::new(cli.output);
    match dispatch(cli.verb, &mut screen) {
        Ok(code) => code,
        Err(failure) => {
            screen.failure(&failure);
            failure.exit_code()
        }
    }
}

fn dispatch(verb: Verb, screen: &mut Screen) -> Result<ExitCode, Failure> {
    match verb {
        Verb::Demo(args) => crate::demo::run(&args, screen),
        Verb::Init(args) => local::init(&args, screen),
        Verb::Serve(args) => local::serve(args, screen),
        Verb::Policy(PolicyVerb::Check { file }) => local::policy_check(&file, screen),
        Verb::Policy(PolicyVerb::Schema) => local::policy_schema(screen),
        Verb::Ingest(args) => ingest::run(&args, screen),
        Verb::Query(args) => remote::query(&args, screen),
        Verb::Search(args) => remote::search(&args, screen),
        Verb::Tail(args) => remote::tail(&args, screen),
        Verb::Detect(args) => filter::detect(args.jsonl, screen),
        Verb::Redact(args) => filter::redact(args.jsonl, screen),
        Verb::Token(verb) => remote::token(&verb, screen),
        Verb::Keys(KeysVerb::FileKey { store, segment }) => {
            local::file_key(&store, &segment, screen)
        }
        Verb::Keys(KeysVerb::Status { connection }) => {
            remote::show(&connection, "/api/v1/keys", screen)
        }
        Verb::Keys(KeysVerb::Rotate { connection }) => {
            remote::send(&connection, "/api/v1/keys/rotate", &serde_json::json!({}), screen)
        }
        Verb::Subject(verb) => remote::subject(&verb, screen),
        Verb::Ledger(LedgerVerb::Verify { dir, vkey }) => {
            local::ledger_verify(&dir, vkey.as_deref(), screen)
        }
        Verb::Ledger(verb) => remote::ledger(&verb, screen),
        Verb::Verify(args) => local::verify(&args, screen),
        Verb::Bench(verb) => crate::bench::run(&verb, screen),
    }
}

#[cfg(test)]
mod tests;
