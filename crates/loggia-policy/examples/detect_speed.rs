//! Measures the detectors on generated log, JSON and chat text, as bytes a second and as a share of `memcpy` and `memchr`.

use std::hint::black_box;
use std::io::Write as _;

use loggia_policy::{Detector, DetectorConfig, PlaceholderBook, Scratch};

const LINES: [(&str, &str); 4] = [
    (
        "log",
        "2024-05-01T18:28:25.746Z INFO  http: request completed method=POST path=/v1/chat/completions status=200 \
         duration_ms=1834.22 tokens_in=512 tokens_out=219 trace_id=42a2acb59642c209ef3acf7242956812 span_id=3615d99217938ba9 \
         request_id=c01d25bf-5fda-4b3e-a28e-1ab1894cc60e pod=api-gateway-7d4b9c6f5-x2x9w\n",
    ),
    (
        "json",
        "{\"timestamp\":\"2024-05-01T18:28:25.746Z\",\"level\":\"info\",\"service.name\":\"gateway\",\"gen_ai.request.model\":\"gpt-4o\",\
         \"gen_ai.usage.input_tokens\":512,\"gen_ai.usage.output_tokens\":219,\"http.response.status_code\":200,\"duration_ms\":1834.22,\
         \"trace_id\":\"42a2acb59642c209ef3acf7242956812\",\"message\":\"completed chat request for deployment eu-west-1\"}\n",
    ),
    (
        "chat",
        "I would like to know how the monthly invoice is made up, since the amount differs from what we agreed in the last call. \
         Could you explain which parts of the plan are charged per seat and which ones by use? Please keep it short.\n",
    ),
    (
        "dense",
        "Please reach Harriet Lindqvist via harriet.l@example.org or +44 20 7946 0958, card 4111 1111 1111 1111, from 81.2.69.160.\n",
    ),
];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let detector = Detector::new(&DetectorConfig::default())?;
    let book = PlaceholderBook::new([7; 32], 1024);
    let (mut scratch, mut out) = (Scratch::new(), String::new());
    let only = std::env::args().nth(1);
    let mut stdout = std::io::stdout().lock();
    for (name, line) in
        LINES.into_iter().filter(|(name, _)| only.as_deref().is_none_or(|only| only == *name))
    {
        let text = line.repeat(8 * 1024 * 1024 / line.len());
        let copy = rate(text.len(), || black_box(text.as_bytes().to_vec()).len());
        let search = rate(text.len(), || memchr::memchr_iter(b'@', text.as_bytes()).count());
        let found = detector.detect(&text, &mut scratch)?.len();
        let whole = rate(text.len(), || detector.detect(&text, &mut scratch).map_or(0, <[_]>::len));
        let lines: Vec<&str> = text.lines().collect();
        let by_line = rate(text.len(), || {
            lines.iter().map(|line| detector.detect(line, &mut scratch).map_or(0, <[_]>::len)).sum()
        });
        let redact = rate(text.len(), || {
            lines
                .iter()
                .map(|line| detector.redact(line, None, &book, &mut scratch, &mut out).total())
                .sum::<u32>() as usize
        });
        writeln!(
            stdout,
            "{name:6} detect {whole:7.1} MB/s  by line {by_line:7.1} MB/s  redact {redact:7.1} MB/s  memcpy {copy:8.0} MB/s  memchr {search:8.0} MB/s  detect/memchr {:.4}  findings {found}",
            whole / search
        )?;
    }
    Ok(())
}

/// Returns MB a second of processor time, over repetitions that last long enough for the system's coarse count.
fn rate(bytes: usize, mut work: impl FnMut() -> usize) -> f64 {
    let (from, mut repetitions, mut spent) = (on_cpu_ns(), 0u32, 0);
    while spent < 400_000_000 && repetitions < 2000 {
        black_box(work());
        repetitions += 1;
        spent = on_cpu_ns().saturating_sub(from);
    }
    bytes as f64 * f64::from(repetitions) * 1e3 / spent.max(1) as f64
}

/// Returns the time this thread has had on a processor (a shared machine slows the clock only); 0 where the system does
/// not tell.
fn on_cpu_ns() -> u64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    text.split_ascii_whitespace().next().and_then(|ns| ns.parse().ok()).unwrap_or(0)
}
