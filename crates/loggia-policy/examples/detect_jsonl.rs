//! Reads the corpus (`{"id","text",…}` a line) on stdin and prints what the detector finds, for the scorer.

use std::io::{BufRead as _, Write as _};

use loggia_policy::{Detector, DetectorConfig, Scratch};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let detector = Detector::new(&DetectorConfig::default())?;
    let mut scratch = Scratch::new();
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    for line in std::io::stdin().lock().lines() {
        let row: serde_json::Value = serde_json::from_str(&line?)?;
        let text = row.get("text").and_then(serde_json::Value::as_str).unwrap_or_default();
        let spans: Vec<_> = detector
            .detect(text, &mut scratch)?
            .iter()
            .map(|f| serde_json::json!({"start": f.start, "end": f.end, "type": f.kind.name(), "score": f64::from(f.score) / 100.0}))
            .collect();
        writeln!(out, "{}", serde_json::json!({"id": row.get("id"), "spans": spans}))?;
    }
    Ok(())
}
