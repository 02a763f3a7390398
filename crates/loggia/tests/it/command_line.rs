//! The command line as a user types it: verbs, outputs, exit codes, messages.

use serde_json::{Value, json};

use crate::harness::{Store, block_on, run, sample_policy};

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Lines in the form Debian's package manager writes; kept small and of our own making.
const DPKG: &str = "2025-05-20 16:48:58 startup archives unpack\n\
    2025-05-20 16:48:59 install libquince5:amd64 <none> 1.2-3\n\
    2025-05-20 16:49:01 status installed libquince5:amd64 1.2-3\n";

#[test]
fn a_log_file_of_this_machine_goes_in_and_a_line_of_it_is_found() {
    let store = Store::sample();
    let served = store.serve();
    let engineer = served.token("engineer");
    let own = std::path::Path::new("/var/log/dpkg.log");
    let whole = std::fs::read_to_string(own).ok().filter(|text| text.lines().count() > 10);
    let dir = tempfile::tempdir().unwrap();
    let sample = dir.path().join("dpkg.log");
    let lines = whole.unwrap_or_else(|| DPKG.into());
    let lines: Vec<&str> = lines.lines().take(5000).collect();
    std::fs::write(&sample, lines.join("\n")).unwrap();
    let output = served.loggia(
        served.agent(),
        &["ingest", sample.to_str().unwrap(), "--stream", "app", "--output", "json"],
        "",
    );
    assert!(output.status.success(), "{}", text(&output.stderr));
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(answer["accepted"], lines.len());
    let word = lines[lines.len() - 1].split_whitespace().last().unwrap();
    let output = served.loggia(
        &engineer,
        &[
            "search",
            "--purpose",
            "debugging",
            "--stream",
            "app",
            "--output",
            "json",
            &format!("\"{word}\""),
        ],
        "",
    );
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(text(&output.stdout).contains(word), "{word}: {}", text(&output.stdout));
}

#[test]
fn query_prints_table_json_csv_and_parquet() {
    let store = Store::sample();
    let served = store.serve();
    served.ingest(
        "app",
        &[
            json!({ "message": "one", "level": "INFO" }),
            json!({ "message": "two", "level": "WARN" }),
        ],
    );
    let engineer = served.token("engineer");
    let sql = "SELECT severity, message FROM app ORDER BY message";
    let query = |token: &str, format: &str| {
        let output =
            served.loggia(token, &["query", "--purpose", "debugging", "--format", format, sql], "");
        assert!(output.status.success(), "{}", text(&output.stderr));
        output
    };
    assert_eq!(text(&query(&engineer, "csv").stdout), "severity,message\nINFO,one\nWARN,two\n");
    assert_eq!(
        text(&query(&engineer, "json").stdout),
        "{\"severity\":\"INFO\",\"message\":\"one\"}\n{\"severity\":\"WARN\",\"message\":\"two\"}\n"
    );
    let table = query(&engineer, "table");
    assert!(text(&table.stdout).contains("severity"), "{}", text(&table.stdout));
    assert!(text(&table.stderr).contains("2 rows; ledger receipt"));
    // A Parquet file leaves the store's protection, so it is an export and needs that permission.
    let analyst = served.token("analyst");
    let output = served.loggia(
        &engineer,
        &["query", "--purpose", "debugging", "--format", "parquet", sql],
        "",
    );
    assert_eq!(output.status.code(), Some(3));
    let output = served.loggia(
        &analyst,
        &["query", "--purpose", "operations", "--format", "parquet", sql],
        "",
    );
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(output.stdout.starts_with(b"PAR1") && output.stdout.ends_with(b"PAR1"));
}

#[test]
fn tail_shows_new_records_masked_for_the_reader() {
    let store = Store::sample();
    let served = store.serve();
    let engineer = served.token("engineer");
    let client = crate::harness::http_client(&store.ca());
    let url = format!("{}/api/v1/tail?stream=app&q=severity:ERROR", served.url);
    block_on(async {
        let mut response = client
            .get(url)
            .bearer_auth(&engineer)
            .header("Loggia-Purpose", "debugging")
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), 200);
        let lines = "{\"message\":\"quiet\",\"level\":\"INFO\"}\n{\"message\":\"loud a@example.org\",\"level\":\"ERROR\"}";
        let sent = served
            .call_async(served.agent(), "POST", "/api/v1/streams/app/records", &[], lines.into())
            .await;
        assert_eq!(sent.status, 200);
        let mut seen = String::new();
        while !seen.contains("loud") {
            let chunk = response.chunk().await.unwrap().expect("the tail goes on");
            seen.push_str(&String::from_utf8_lossy(&chunk));
        }
        assert!(seen.contains("event: rows") && seen.contains("loud <EMAIL_1>"), "{seen}");
        assert!(!seen.contains("quiet"));
    });
    assert_eq!(served.stop(), 0);
}

#[test]
fn exit_codes_say_what_kind_of_failure_it_was() {
    let store = Store::sample();
    let served = store.serve();
    let engineer = served.token("engineer");
    let code = |token: &str, args: &[&str]| {
        let output = served.loggia(token, args, "");
        (output.status.code().unwrap(), text(&output.stderr))
    };
    let (status, message) = code(&engineer, &["query", "SELECT model FROM chat"]);
    assert_eq!(status, 3, "{message}");
    assert!(message.contains("purpose"), "{message}");
    let (status, message) =
        code(&engineer, &["query", "--purpose", "debugging", "SELEC model FROM chat"]);
    assert_eq!(status, 2, "{message}");
    let (status, _) = code(&engineer, &["query", "--nonsense"]);
    assert_eq!(status, 2);
    let (status, message) = code("lgk_wrong", &["token", "list"]);
    assert_eq!(status, 3, "{message}");
    assert!(!message.contains("lgk_wrong"));
}

#[test]
fn a_policy_with_a_mistake_is_told_where_and_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("policy.yaml");
    let yaml = std::fs::read_to_string(sample_policy()).unwrap().replacen(
        "treatment: keep",
        "treatment: keap",
        1,
    );
    let line = yaml.lines().position(|line| line.contains("keap")).unwrap() + 1;
    std::fs::write(&path, yaml).unwrap();
    let output = run(&["policy", "check", path.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(2));
    let message = text(&output.stderr);
    assert!(message.contains(&format!("line {line}")) && message.contains("keep"), "{message}");
}

#[test]
fn the_sample_policy_has_no_findings_that_fail_it() {
    let output = run(&["policy", "check", sample_policy().to_str().unwrap()]);
    assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
    let output = run(&["policy", "schema"]);
    let schema: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(schema["$schema"].is_string());
}

#[test]
fn detect_and_redact_are_filters() {
    let feed = |args: &[&str], input: &str| {
        use std::io::Write as _;
        let mut child = std::process::Command::new(crate::harness::BINARY)
            .args(args)
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success());
        text(&output.stdout)
    };
    let found = feed(&["detect", "--jsonl"], "{\"id\":\"a\",\"text\":\"é a@example.org\"}\n");
    assert_eq!(found, "{\"id\":\"a\",\"spans\":[{\"end\":16,\"start\":3,\"type\":\"EMAIL\"}]}\n");
    let clean = feed(&["redact"], "from a@example.org\nto b@example.org, cc a@example.org\n");
    assert_eq!(clean, "from <EMAIL_1>\nto <EMAIL_2>, cc <EMAIL_1>\n");
}

#[test]
fn a_second_server_on_one_store_is_refused_with_the_reason() {
    let store = Store::sample();
    let served = store.serve();
    let output =
        run(&["serve", "--data", store.data().to_str().unwrap(), "--listen", "127.0.0.1:0"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("another process"), "{}", text(&output.stderr));
    assert_eq!(served.stop(), 0);
}

#[test]
fn a_passphrase_opens_its_store_and_another_does_not() {
    let dir = tempfile::tempdir().unwrap();
    let (data, right, wrong) =
        (dir.path().join("s"), dir.path().join("right"), dir.path().join("wrong"));
    std::fs::write(&right, "correct horse battery staple\n").unwrap();
    std::fs::write(&wrong, "incorrect horse battery\n").unwrap();
    let policy = sample_policy();
    let with = |verb: &[&str], file: &std::path::Path| {
        let mut args = verb.to_vec();
        args.extend([
            "--data",
            data.to_str().unwrap(),
            "--passphrase-file",
            file.to_str().unwrap(),
        ]);
        run(&args)
    };
    let made = with(&["init", "--policy", policy.to_str().unwrap()], &right);
    assert!(made.status.success(), "{}", text(&made.stderr));
    assert!(with(&["verify"], &right).status.success());
    let refused = with(&["serve", "--listen", "127.0.0.1:0"], &wrong);
    assert_eq!(refused.status.code(), Some(1));
    assert!(text(&refused.stderr).contains("passphrase"), "{}", text(&refused.stderr));
}

#[test]
fn the_demo_loads_what_it_is_told_and_leaves_nothing_behind() {
    let dir = tempfile::tempdir().unwrap();
    let output = std::process::Command::new(crate::harness::BINARY)
        .args(["demo", "--records", "3000", "--output", "json"])
        .env("TMPDIR", dir.path())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(answer["records"], 3000);
    assert_eq!(answer["accepted"].as_u64().unwrap() + answer["refused"].as_u64().unwrap(), 3000);
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0, "the demo left files");
}

#[test]
fn the_live_demo_prints_tokens_that_work_and_ends_with_ctrl_c() {
    use std::io::{BufRead as _, BufReader};
    let dir = tempfile::tempdir().unwrap();
    let mut child = std::process::Command::new(crate::harness::BINARY)
        .args(["demo"])
        .env("TMPDIR", dir.path())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut shown = Vec::new();
    for line in lines.by_ref() {
        let line = line.unwrap();
        let last = line.starts_with("Traffic flows");
        shown.push(line);
        if last {
            break;
        }
    }
    let shown = shown.join("\n");
    let after = |marker: &str| {
        let (_, rest) = shown.split_once(marker).unwrap();
        rest.split_whitespace().next().unwrap().to_owned()
    };
    let (url, ca) = (after("LOGGIA_URL="), after("LOGGIA_CA="));
    let token = after("as engineer\n  export LOGGIA_TOKEN=");
    let output = std::process::Command::new(crate::harness::BINARY)
        .args([
            "query",
            "--purpose",
            "debugging",
            "SELECT model, count(*) AS calls FROM chat GROUP BY model",
        ])
        .envs([("LOGGIA_URL", url), ("LOGGIA_CA", ca), ("LOGGIA_TOKEN", token)])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    let rest: Vec<String> = lines.map_while(Result::ok).collect();
    assert_eq!(child.wait().unwrap().code(), Some(0), "{rest:?}");
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0, "the demo left files");
}
