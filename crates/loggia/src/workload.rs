//! A lifelike Gen AI platform as a seeded stream of OTLP requests: for `loggia demo`, `loggia bench` and tests.
//!
//! Several services answer users (active by Zipf's law) in several languages, through models of several vendors, with
//! tools and retrieved documents; conversations have turns, calls fail with stack traces, people give away personal
//! data, and now and then a key leaks. Everything personal is made up (see `personal.rs`). Telemetry comes in the
//! current OpenTelemetry conventions and in the four others that are in the field.
//!
//! Pure: no clock, no files, no threads. The same seed and configuration give the same bytes. A test finds its facts
//! here too: the id and the record count of each user, one planted sentence, one planted key.

mod attrs;
mod cast;
mod logs;
mod ndjson;
mod personal;
mod phrases;
mod rng;
mod spans;
mod talk;
#[cfg(test)]
mod tests;
mod turn;
mod words;

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::InstrumentationScope;
use opentelemetry_proto::tonic::logs::v1::{ResourceLogs, ScopeLogs};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans};
use prost::Message as _;

use self::attrs::whole;
use self::cast::{Service, User};
use self::rng::{Rng, Zipf, mix};
use self::talk::GivenAway;
use self::turn::{Conversation, Emitted, Pending, Script, Turn};

/// How lively the platform is.
#[derive(Debug, Clone, PartialEq)]
pub struct WorkloadConfig {
    /// Number of users.
    pub users: u32,
    /// Exponent of Zipf's law over the users; 1.0 is what activity usually looks like.
    pub zipf_exponent: f64,
    /// Event time of the first record, in Unix nanoseconds.
    pub start_ns: i64,
    /// How fast event time passes.
    pub records_per_s: f64,
    /// In how many of a million turns a user pastes a credential.
    pub leaks_per_million: u32,
}

impl Default for WorkloadConfig {
    fn default() -> Self {
        Self {
            users: 2_000,
            zipf_exponent: 1.0,
            start_ns: 1_767_225_600_000_000_000,
            records_per_s: 12.0,
            leaks_per_million: 2_000,
        }
    }
}

/// Unmistakable texts in the first turn, said by a user of its own: what a test looks for afterwards.
#[derive(Clone)]
pub struct Planted {
    /// Id of the user who says it; it occurs in no other turn.
    pub subject: String,
    /// Id of the conversation.
    pub conversation: String,
    /// A sentence in the prompt (content, to be sealed); nothing in it is personal.
    pub sentence: String,
    /// A key pasted into the same prompt; must be stored nowhere.
    pub secret: String,
    /// An e-mail address in the same prompt; must be stored nowhere.
    pub email: String,
    /// The body of one plain log line (operational, stays readable).
    pub log_line: String,
}

impl std::fmt::Debug for Planted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Planted([redacted])")
    }
}

/// One OTLP export request.
#[derive(Clone, PartialEq)]
pub enum Request {
    /// Spans, for `/v1/traces`.
    Traces(ExportTraceServiceRequest),
    /// Logs, for `/v1/logs`.
    Logs(ExportLogsServiceRequest),
}

impl std::fmt::Debug for Request {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Request({} records for {}, [redacted])", self.records(), self.path())
    }
}

impl Request {
    /// Path of the endpoint that takes it.
    #[must_use]
    pub fn path(&self) -> &'static str {
        match self {
            Self::Traces(_) => "/v1/traces",
            Self::Logs(_) => "/v1/logs",
        }
    }

    /// Number of spans or log records.
    #[must_use]
    pub fn records(&self) -> usize {
        match self {
            Self::Traces(request) => request
                .resource_spans
                .iter()
                .flat_map(|group| &group.scope_spans)
                .map(|scope| scope.spans.len())
                .sum(),
            Self::Logs(request) => request
                .resource_logs
                .iter()
                .flat_map(|group| &group.scope_logs)
                .map(|scope| scope.log_records.len())
                .sum(),
        }
    }

    /// Protobuf, as `application/x-protobuf`.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        match self {
            Self::Traces(request) => request.encode_to_vec(),
            Self::Logs(request) => request.encode_to_vec(),
        }
    }

    /// OTLP/JSON, as `application/json`.
    ///
    /// # Errors
    /// When serde_json cannot write it, which none of these values cause.
    pub fn encode_json(&self) -> serde_json::Result<Vec<u8>> {
        match self {
            Self::Traces(request) => serde_json::to_vec(request),
            Self::Logs(request) => serde_json::to_vec(request),
        }
    }

    /// The same records as newline-delimited JSON objects with flat keys.
    #[must_use]
    pub fn ndjson(&self) -> String {
        let mut out = String::with_capacity(self.records() * 1200);
        ndjson::write(self, &mut out);
        out
    }
}

/// A user with what runs for it.
#[derive(Debug)]
struct Active {
    user: User,
    conversation: Option<Conversation>,
    /// Records handed out that carry this user's id.
    records: u64,
}

/// The platform: an endless source of requests.
pub struct Workload {
    seed: u64,
    config: WorkloadConfig,
    rng: Rng,
    zipf: Zipf,
    /// By rank; the last one, beyond the configured users, says the planted texts.
    users: Vec<Active>,
    resources: Vec<Vec<Resource>>,
    now_ns: i64,
    pending: Pending,
    given_away: GivenAway,
    planted: Planted,
    spans_out: u64,
    logs_out: u64,
}

impl std::fmt::Debug for Workload {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Workload")
            .field("seed", &self.seed)
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}

/// Instances of each service.
const INSTANCES: u32 = 3;

impl Workload {
    /// A platform with its users; the planted turn is already waiting.
    #[must_use]
    pub fn new(seed: u64, config: WorkloadConfig) -> Self {
        let mut rng = Rng::new(seed);
        let active = |rank| Active { user: User::new(seed, rank), conversation: None, records: 0 };
        let users: Vec<Active> = (0..=config.users).map(active).collect();
        let resources = Service::ALL
            .iter()
            .map(|service| {
                (0..INSTANCES).map(|instance| service.resource(seed, instance)).collect()
            })
            .collect();
        let mut conversation = Conversation::scripted(&mut rng);
        let planted = plant(seed, &config, &conversation, &mut rng);
        let mut workload = Self {
            seed,
            zipf: Zipf::new(config.users.max(1), config.zipf_exponent),
            now_ns: config.start_ns,
            config,
            rng,
            users,
            resources,
            pending: Pending::default(),
            given_away: GivenAway::default(),
            planted,
            spans_out: 0,
            logs_out: 0,
        };
        workload.play_planted(&mut conversation);
        workload
    }

    fn play_planted(&mut self, conversation: &mut Conversation) {
        let Planted { sentence, secret, email, log_line, .. } = &self.planted;
        let question = format!(
            "{sentence} My address is {email} and the job runs with OPENAI_API_KEY={secret} set."
        );
        let script = Script { question, log_line: log_line.clone() };
        self.given_away.secret(secret);
        let rank = self.config.users;
        let Some(active) = usize::try_from(rank).ok().and_then(|at| self.users.get(at)) else {
            return;
        };
        Turn {
            rng: &mut self.rng,
            user: &active.user,
            rank,
            conversation,
            start_ns: self.now_ns,
            leaks_per_million: 0,
            given_away: &mut self.given_away,
            out: &mut self.pending,
        }
        .play(Some(&script));
    }

    /// Plays one turn of some user.
    fn turn(&mut self) {
        let rank = self.zipf.rank(&mut self.rng).min(self.config.users.saturating_sub(1));
        let Some(active) = usize::try_from(rank).ok().and_then(|at| self.users.get_mut(at)) else {
            return;
        };
        if active.conversation.as_ref().is_none_or(|conversation| conversation.turns_left == 0) {
            active.conversation = Some(Conversation::begin(&mut self.rng));
        }
        let Some(conversation) = active.conversation.as_mut() else { return };
        let before = self.pending.spans.len() + self.pending.logs.len();
        Turn {
            rng: &mut self.rng,
            user: &active.user,
            rank,
            conversation,
            start_ns: self.now_ns,
            leaks_per_million: self.config.leaks_per_million,
            given_away: &mut self.given_away,
            out: &mut self.pending,
        }
        .play(None);
        let made = self.pending.spans.len() + self.pending.logs.len() - before;
        let made = f64::from(u32::try_from(made).unwrap_or(u32::MAX));
        let pause_s = made / self.config.records_per_s.max(1e-6) * (0.5 + self.rng.unit());
        self.now_ns = self.now_ns.saturating_add(whole(pause_s * 1e9));
    }

    /// The next request, with exactly so many records (at least one), all spans or all logs.
    pub fn next_request(&mut self, records: usize) -> Request {
        let records = records.max(1);
        while self.pending.spans.len() < records && self.pending.logs.len() < records {
            self.turn();
        }
        if self.pending.spans.len() >= records {
            let taken: Vec<_> = self.pending.spans.drain(..records).collect();
            self.spans_out += taken.len() as u64;
            Request::Traces(ExportTraceServiceRequest {
                resource_spans: self.grouped(taken, |resource, scope, spans| ResourceSpans {
                    resource: Some(resource),
                    scope_spans: vec![ScopeSpans {
                        scope: Some(scope),
                        spans,
                        ..ScopeSpans::default()
                    }],
                    ..ResourceSpans::default()
                }),
            })
        } else {
            let taken: Vec<_> = self.pending.logs.drain(..records).collect();
            self.logs_out += taken.len() as u64;
            Request::Logs(ExportLogsServiceRequest {
                resource_logs: self.grouped(taken, |resource, scope, log_records| ResourceLogs {
                    resource: Some(resource),
                    scope_logs: vec![ScopeLogs {
                        scope: Some(scope),
                        log_records,
                        ..ScopeLogs::default()
                    }],
                    ..ResourceLogs::default()
                }),
            })
        }
    }

    /// Counts the records per user and puts those of one service together, as a collector does.
    fn grouped<T, G>(
        &mut self,
        taken: Vec<Emitted<T>>,
        group: impl Fn(Resource, InstrumentationScope, Vec<T>) -> G,
    ) -> Vec<G> {
        let mut by_service: Vec<Vec<T>> = Service::ALL.iter().map(|_| Vec::new()).collect();
        for Emitted { service, user, item } in taken {
            let at = user.and_then(|rank| usize::try_from(rank).ok());
            if let Some(active) = at.and_then(|at| self.users.get_mut(at)) {
                active.records += 1;
            }
            let position = Service::ALL.iter().position(|other| *other == service);
            if let Some(items) = position.and_then(|position| by_service.get_mut(position)) {
                items.push(item);
            }
        }
        let mut groups = Vec::new();
        for ((service, items), resources) in
            Service::ALL.iter().zip(by_service).zip(&self.resources)
        {
            if items.is_empty() {
                continue;
            }
            let resource = self.rng.one_of(resources).cloned().unwrap_or_default();
            let scope = InstrumentationScope {
                name: service.scope().to_owned(),
                ..InstrumentationScope::default()
            };
            groups.push(group(resource, scope, items));
        }
        groups
    }

    /// Requests of up to `batch` records until exactly `total` records are out.
    pub fn requests(&mut self, total: u64, batch: usize) -> impl Iterator<Item = Request> + '_ {
        let mut left = total;
        std::iter::from_fn(move || {
            let wanted = usize::try_from(left).unwrap_or(usize::MAX).min(batch.max(1));
            left -= wanted as u64;
            (wanted > 0).then(|| self.next_request(wanted))
        })
    }

    /// Records handed out so far: spans, logs.
    #[must_use]
    pub fn counts(&self) -> (u64, u64) {
        (self.spans_out, self.logs_out)
    }

    /// Event time the platform has come to.
    #[must_use]
    pub fn now_ns(&self) -> i64 {
        self.now_ns
    }

    /// Id of the user of this rank (0 is the most active one), as records carry it.
    #[must_use]
    pub fn subject_id(&self, rank: u32) -> String {
        cast::user_id(self.seed, rank)
    }

    /// Records handed out so far that carry the id of the user of this rank.
    #[must_use]
    pub fn subject_records(&self, rank: u32) -> u64 {
        usize::try_from(rank)
            .ok()
            .and_then(|at| self.users.get(at))
            .map_or(0, |active| active.records)
    }

    /// The user whose count of records so far is closest to this, with the count.
    #[must_use]
    pub fn subject_with_about(&self, records: u64) -> (u32, u64) {
        let distance = |rank: &u32| self.subject_records(*rank).abs_diff(records);
        let rank = (0..self.config.users).min_by_key(distance).unwrap_or(0);
        (rank, self.subject_records(rank))
    }

    /// What the first turn planted.
    #[must_use]
    pub fn planted(&self) -> &Planted {
        &self.planted
    }

    /// Credentials that users pasted so far (the first 1,000; some may still wait to be handed out).
    #[must_use]
    pub fn leaked_secrets(&self) -> &[String] {
        &self.given_away.secrets
    }

    /// E-mail addresses that users gave away so far (the first 1,000; some may still wait to be handed out).
    #[must_use]
    pub fn leaked_emails(&self) -> &[String] {
        &self.given_away.emails
    }
}

fn plant(
    seed: u64,
    config: &WorkloadConfig,
    conversation: &Conversation,
    rng: &mut Rng,
) -> Planted {
    let mark = mix(seed ^ 0x504C_414E_5445_4421) >> 40;
    Planted {
        subject: cast::user_id(seed, config.users),
        conversation: conversation.id.clone(),
        sentence: format!("The grey heron of pier {mark} waits for the last ferry."),
        secret: personal::secret(rng),
        email: format!("planted.person{mark}@example.com"),
        log_line: format!("the lighthouse of pier {mark} was switched on by hand"),
    }
}
