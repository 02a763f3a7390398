//! `kill -9` in the middle of a load: every acknowledged record is there, once.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::{Store, block_on, http_client, workspace};

const ROUNDS: u64 = 20;
const BATCH: u64 = 500;
const BATCHES_A_ROUND: u64 = 60;
const CLIENTS: usize = 4;

/// Sends batches until the server dies; returns those it acknowledged.
async fn load(
    url: String,
    client: reqwest::Client,
    token: String,
    next: Arc<AtomicU64>,
    acknowledged: Arc<AtomicU64>,
    last: u64,
) -> Vec<u64> {
    let mut done = Vec::new();
    loop {
        let batch = next.fetch_add(1, Ordering::SeqCst);
        if batch >= last {
            return done;
        }
        let lines: Vec<String> = (0..BATCH)
            .map(|row| {
                json!({ "message": format!("row {row} of {batch} ----------------------------------"),
                        "level": "INFO", "batch": batch, "row": row })
                .to_string()
            })
            .collect();
        let sent = client
            .post(format!("{url}/api/v1/streams/numbers/records"))
            .bearer_auth(&token)
            .header("Content-Type", "application/x-ndjson")
            .body(lines.join("\n"))
            .send()
            .await;
        match sent {
            Ok(answer) if answer.status().as_u16() == 200 => {
                done.push(batch);
                acknowledged.fetch_add(1, Ordering::SeqCst);
            }
            Ok(_busy) => {}
            Err(_died) => return done,
        }
    }
}

#[test]
fn twenty_kills_lose_nothing_acknowledged_and_double_nothing() {
    let policy = workspace().join("crates/loggia/tests/policies/numbers.yaml");
    let store = Store::with_policy(&policy);
    let next = Arc::new(AtomicU64::new(0));
    let mut acknowledged: Vec<u64> = Vec::new();
    let mut random = 0x9E37_79B9_7F4A_7C15_u64;
    for round in 1..=ROUNDS {
        let served = store.serve();
        let last = round * BATCHES_A_ROUND;
        next.store(last - BATCHES_A_ROUND, Ordering::SeqCst);
        random =
            random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let kill_after = (random >> 33) % (BATCHES_A_ROUND - 2) + 1;
        let pause_us = (random >> 20) % 4_000;
        let (url, token) = (served.url.clone(), served.agent().to_owned());
        let seen = Arc::new(AtomicU64::new(0));
        let pid = served.id();
        let done = block_on(async {
            let clients: Vec<_> = (0..CLIENTS)
                .map(|_| {
                    tokio::spawn(load(
                        url.clone(),
                        http_client(&store.ca()),
                        token.clone(),
                        Arc::clone(&next),
                        Arc::clone(&seen),
                        last,
                    ))
                })
                .collect();
            while seen.load(Ordering::SeqCst) < kill_after
                && clients.iter().any(|client| !client.is_finished())
            {
                tokio::task::yield_now().await;
            }
            tokio::time::sleep(Duration::from_micros(pause_us)).await;
            std::process::Command::new("kill").args(["-KILL", &pid.to_string()]).status().unwrap();
            let mut done = Vec::new();
            for client in clients {
                done.extend(client.await.unwrap());
            }
            done
        });
        served.kill();
        acknowledged.extend(done);
    }

    let served = store.serve();
    let engineer = served.token("engineer");
    let sql =
        "SELECT batch, count(*) AS n, count(DISTINCT \"row\") AS d FROM numbers GROUP BY batch";
    let found: BTreeMap<u64, (u64, u64)> = served
        .rows(&engineer, "debugging", sql)
        .iter()
        .map(|row: &Value| {
            let number = |name: &str| row[name].as_u64().unwrap();
            (number("batch"), (number("n"), number("d")))
        })
        .collect();
    for batch in &acknowledged {
        assert_eq!(found.get(batch), Some(&(BATCH, BATCH)), "acknowledged batch {batch}");
    }
    for (batch, (rows, distinct)) in &found {
        assert_eq!((*rows, *distinct), (BATCH, BATCH), "batch {batch} is torn or doubled");
    }
    println!("{} batches of {BATCH} acknowledged over {ROUNDS} kills", acknowledged.len());
    assert!(
        acknowledged.len() as u64 * BATCH >= 200_000,
        "too small a load: {}",
        acknowledged.len()
    );
    assert_eq!(served.stop(), 0);
    let (code, report) = store.verify();
    assert_eq!(code, 0, "{report}");
}
