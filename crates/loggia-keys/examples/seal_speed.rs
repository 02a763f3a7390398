//! Measures sealing: rows per second of one thread and of several, with Zipf-distributed subjects and 300 to 700 bytes of content.
//!
//! `cargo run --release -p loggia-keys --example seal_speed -- [rows] [rows per batch] [threads]`

#![expect(
    clippy::print_stdout,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_possible_wrap,
    clippy::disallowed_methods,
    reason = "a measuring program prints its figures, reads the clock, and its numbers are small"
)]

use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, Instant};

use loggia_keys::{KeyStore, RootSecret, SubjectRef};
use loggia_policy::{
    Admitted, Category, Class, Column, ColumnData, FieldSchema, FieldType, PolicyDigest, Retention,
    StreamSchema, TextColumn, Treatment,
};

const SUBJECTS: f64 = 100_000.0;
const NOW_NS: i64 = 1_760_000_000_000_000_000;
const WORDS: &[&str] = &[
    "please",
    "summarise",
    "the",
    "contract",
    "between",
    "our",
    "supplier",
    "and",
    "customer",
    "with",
    "a",
    "table",
    "of",
    "payment",
    "terms",
    "delivery",
    "dates",
    "in",
    "plain",
    "language",
    "for",
    "finance",
    "team",
    "model",
    "answer",
    "token",
    "invoice",
    "balance",
    "reset",
    "account",
    "thank",
    "you",
    "why",
    "does",
    "this",
    "query",
    "return",
    "nothing",
    "when",
    "index",
    "is",
    "missing",
    "from",
    "schema",
    "error",
    "timeout",
    "network",
    "again",
];

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1).map(|text| text.parse::<usize>());
    let rows = arguments.next().transpose()?.unwrap_or(200_000);
    let per_batch = arguments.next().transpose()?.unwrap_or(500).max(1);
    let threads = arguments.next().transpose()?.unwrap_or(2).max(1);
    let dir = tempfile::tempdir()?;
    let root = RootSecret::File(dir.path().join("root.key"));
    let store = KeyStore::create(&dir.path().join("keys"), &root, NOW_NS)?;
    let schema = Arc::new(schema());
    println!("batches of {per_batch} rows, {rows} rows, {SUBJECTS} subjects");
    // Two passes over the same batches: the first makes the keys, the second finds them.
    for name in ["new keys", "known keys"] {
        let mut spent = Spent::default();
        let mut sums = (0_usize, 0_usize, 0_usize);
        let mut random = Random(7);
        for _ in 0..rows.div_ceil(per_batch) {
            let (admitted, text) = batch(&schema, per_batch, &mut random)?;
            let outcome = spent.measure(|| store.seal(admitted))?;
            sums.0 += outcome.sealed.rows();
            sums.1 += text;
            sums.2 += outcome.sealed.blocks().iter().map(|block| block.bytes.len()).sum::<usize>();
        }
        report(name, &spent, sums);
    }
    let started = Instant::now();
    let done = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|thread| {
                let (store, schema) = (&store, &schema);
                scope.spawn(move || -> Result<(Spent, usize), String> {
                    let mut random = Random(100 + thread as u64);
                    let mut spent = Spent::default();
                    for _ in 0..rows.div_ceil(per_batch) {
                        let (admitted, _) = batch(schema, per_batch, &mut random)
                            .map_err(|error| error.to_string())?;
                        spent
                            .measure(|| store.seal(admitted))
                            .map_err(|error| error.to_string())?;
                    }
                    Ok((spent, rows))
                })
            })
            .collect();
        workers.into_iter().map(|worker| worker.join()).collect::<Vec<_>>()
    });
    for (thread, answer) in done.into_iter().enumerate() {
        let (spent, rows) = answer.map_err(|_panic| "a thread failed")??;
        report(&format!("thread {thread} of {threads}"), &spent, (rows, 1, 1));
    }
    println!("{threads} threads with generation: {:.1} s", started.elapsed().as_secs_f64());
    let started = Instant::now();
    let destroyed = store.destroy_subject("default", &SubjectRef::UserId("user-1"), NOW_NS)?;
    println!(
        "erasure of the most active subject: {:?} ({} keys)",
        started.elapsed(),
        destroyed.map_or(0, |done| done.keys)
    );
    let started = Instant::now();
    let rotated = store.rotate_epoch(NOW_NS)?;
    println!("change of epoch: {:?} for {} keys", started.elapsed(), rotated.keys);
    let started = Instant::now();
    let problems = store.verify()?;
    println!("verify: {:?}, {} problems", started.elapsed(), problems.len());
    store.close()?;
    Ok(())
}

/// Wall-clock and processor time; the latter says what one core does when the machine is shared.
#[derive(Default)]
struct Spent {
    wall: Duration,
    cpu: Duration,
}

impl Spent {
    fn measure<T>(&mut self, work: impl FnOnce() -> T) -> T {
        let (cpu, wall) = (cpu_time(), Instant::now());
        let answer = work();
        self.wall += wall.elapsed();
        self.cpu += cpu_time().saturating_sub(cpu);
        answer
    }
}

/// Processor time of this thread, as Linux accounts it.
fn cpu_time() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanos = text.split_whitespace().next().and_then(|field| field.parse().ok());
    Duration::from_nanos(nanos.unwrap_or(0))
}

fn report(name: &str, spent: &Spent, (rows, text, sealed): (usize, usize, usize)) {
    let (wall, cpu) = (spent.wall.as_secs_f64(), spent.cpu.as_secs_f64());
    println!(
        "{name}: {:.0} rows/s ({:.0} rows per processor second, {:.2} us/row), {:.0} MB of text per processor second, sealed to {:.2} of the text",
        rows as f64 / wall,
        rows as f64 / cpu,
        cpu / rows as f64 * 1e6,
        text as f64 / cpu / 1e6,
        sealed as f64 / text as f64,
    );
}

/// xorshift64*: small, seeded, good enough to choose words.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Zipf with exponent 1 over `limit` ranks, by inversion of the continuous form.
    fn zipf(&mut self, limit: f64) -> u64 {
        limit.powf(self.unit()) as u64
    }
}

fn batch(
    schema: &Arc<StreamSchema>,
    rows: usize,
    random: &mut Random,
) -> Result<(Admitted, usize), Box<dyn Error>> {
    let (mut users, mut conversations, mut models, mut prompts) = (
        TextColumn::default(),
        TextColumn::default(),
        TextColumn::default(),
        TextColumn::default(),
    );
    let mut tokens = Vec::with_capacity(rows);
    for _ in 0..rows {
        let user = random.zipf(SUBJECTS);
        users.push(&format!("user-{user}"));
        conversations.push(&format!("conv-{user}-{}", random.next() % 4));
        models.push("model-large");
        tokens.push((random.next() % 4_000) as i64);
        let length = 300 + (random.next() % 400) as usize;
        let mut prompt = String::with_capacity(length + 16);
        while prompt.len() < length {
            let word = random.next() as usize % WORDS.len();
            prompt.push_str(WORDS.get(word).copied().unwrap_or_default());
            prompt.push(' ');
            if random.next().is_multiple_of(4) {
                prompt.push_str(&format!("{} ", random.next() % 100_000));
            }
        }
        prompts.push(&prompt);
    }
    let text = prompts.bytes().len();
    let columns: Option<Vec<Column>> = [
        ColumnData::Text(users),
        ColumnData::Text(conversations),
        ColumnData::Text(models),
        ColumnData::Int(tokens),
        ColumnData::Text(prompts),
    ]
    .into_iter()
    .map(|data| Column::new(vec![true; rows], data))
    .collect();
    let columns = columns.ok_or("columns")?;
    let digest = PolicyDigest([0; 32]);
    let admitted = Admitted::assemble(
        Arc::clone(schema),
        "default",
        digest,
        NOW_NS,
        vec![NOW_NS; rows],
        columns,
    );
    Ok((admitted.ok_or("rows")?, text))
}

fn schema() -> StreamSchema {
    let field = |name: &str, kind, treatment| FieldSchema {
        name: name.to_owned(),
        kind,
        category: Category::Operational,
        treatment,
        class: if treatment == Treatment::Seal { Class::Content } else { Class::Skeleton },
        purposes: Vec::new(),
        basis: String::new(),
        description: String::new(),
    };
    let fields = vec![
        field("user", FieldType::Text, Treatment::Subject),
        field("conversation", FieldType::Text, Treatment::Pseudonymise),
        field("model", FieldType::Text, Treatment::Keep),
        field("tokens", FieldType::Int, Treatment::Keep),
        field("prompt", FieldType::Text, Treatment::Seal),
    ];
    let retention = Retention { skeleton_days: 90, content_days: 30 };
    StreamSchema::new("chat".to_owned(), String::new(), fields, Some(0), Some(1), retention)
}
