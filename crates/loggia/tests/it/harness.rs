//! A store in a temporary directory, the real binary serving it on a free port, and ways to talk to it.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::{Value, json};

pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_loggia");

/// The policy the demo and most tests run under.
pub(crate) fn sample_policy() -> PathBuf {
    workspace().join("policies/gen-ai.yaml")
}

pub(crate) fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// Python of the prepared environment; `None` where `cargo xtask test` has not made one. CI must have it.
pub(crate) fn python() -> Option<PathBuf> {
    let python = std::env::var_os("LOGGIA_TEST_PYTHON").map(PathBuf::from);
    assert!(
        python.is_some() || std::env::var_os("CI").is_none(),
        "CI runs without LOGGIA_TEST_PYTHON"
    );
    python
}

/// A store that was made and can be served.
pub(crate) struct Store {
    dir: tempfile::TempDir,
    admin: String,
    agent: String,
    pub(crate) vkey: String,
}

impl Store {
    pub(crate) fn with_policy(policy: &Path) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let data = dir.path().join("store");
        let output = run(&[
            "init",
            "--data",
            data.to_str().unwrap(),
            "--policy",
            policy.to_str().unwrap(),
            "--output",
            "json",
        ]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let made: Value = serde_json::from_slice(&output.stdout).unwrap();
        let token = |role: &str| {
            let tokens = made["tokens"].as_array().unwrap();
            let found = tokens.iter().find(|token| token["role"] == role).unwrap();
            found["token"].as_str().unwrap().to_owned()
        };
        Self {
            admin: token("admin"),
            agent: token("agent"),
            vkey: made["vkey"].as_str().unwrap().to_owned(),
            dir,
        }
    }

    pub(crate) fn sample() -> Self {
        Self::with_policy(&sample_policy())
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.dir.path().join("store")
    }

    pub(crate) fn ca(&self) -> PathBuf {
        self.data().join("tls/ca.pem")
    }

    pub(crate) fn serve(&self) -> Served<'_> {
        self.serve_with(&[])
    }

    pub(crate) fn serve_with(&self, more: &[&str]) -> Served<'_> {
        let data = self.data();
        let mut child = Command::new(BINARY)
            .args([
                "serve",
                "--data",
                data.to_str().unwrap(),
                "--listen",
                "127.0.0.1:0",
                "--log",
                "warn",
            ])
            .args(more)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let Some(url) = line.trim().strip_prefix("listening on ") else {
            let mut why = String::new();
            child.stderr.take().unwrap().read_to_string(&mut why).unwrap();
            panic!("the server did not start: {line}{why}");
        };
        Served { store: self, child, url: url.to_owned(), client: http_client(&self.ca()) }
    }

    /// `loggia verify` on the closed store: exit code and report.
    pub(crate) fn verify(&self) -> (i32, Value) {
        let output = run(&["verify", "--data", self.data().to_str().unwrap(), "--output", "json"]);
        let report = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|_| panic!("no report: {}", String::from_utf8_lossy(&output.stderr)));
        (output.status.code().unwrap(), report)
    }
}

pub(crate) fn run(args: &[&str]) -> Output {
    Command::new(BINARY).args(args).output().unwrap()
}

/// The server's process. Dropping it kills it the hard way; [`Served::stop`] is the polite one.
pub(crate) struct Served<'a> {
    store: &'a Store,
    child: Child,
    pub(crate) url: String,
    client: reqwest::Client,
}

impl Drop for Served<'_> {
    fn drop(&mut self) {
        // It may have ended already, which is just as well.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Served<'_> {
    pub(crate) fn agent(&self) -> &str {
        &self.store.agent
    }

    pub(crate) fn admin(&self) -> &str {
        &self.store.admin
    }

    /// A fresh token for `role`.
    pub(crate) fn token(&self, role: &str) -> String {
        let principal = format!("{role}@example.org");
        let answer = self.call(
            self.admin(),
            "POST",
            "/api/v1/tokens",
            &[],
            json!({ "principal": principal, "role": role, "days": 1 }).to_string().into_bytes(),
        );
        assert_eq!(answer.status, 201, "{}", answer.text());
        answer.json()["token"].as_str().unwrap().to_owned()
    }

    /// SIGTERM, then the exit code.
    pub(crate) fn stop(mut self) -> i32 {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        self.child.wait().unwrap().code().unwrap()
    }

    /// SIGKILL.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn call(
        &self,
        token: &str,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> Answer {
        block_on(self.call_async(token, method, path, headers, body))
    }

    pub(crate) async fn call_async(
        &self,
        token: &str,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> Answer {
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let mut request = self.client.request(method, format!("{}{path}", self.url)).body(body);
        if !token.is_empty() {
            request = request.bearer_auth(token);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = request.send().await.unwrap();
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        Answer { status, headers, body: response.bytes().await.unwrap().to_vec() }
    }

    /// NDJSON records into a stream; everything must be accepted.
    pub(crate) fn ingest(&self, stream: &str, records: &[Value]) -> Value {
        let lines: Vec<String> = records.iter().map(Value::to_string).collect();
        let answer = self.call(
            self.agent(),
            "POST",
            &format!("/api/v1/streams/{stream}/records"),
            &[("Content-Type", "application/x-ndjson")],
            lines.join("\n").into_bytes(),
        );
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()
    }

    pub(crate) fn query(&self, token: &str, purpose: &str, sql: &str) -> Answer {
        let headers = [
            ("Loggia-Purpose", purpose),
            ("Loggia-Ticket", "INC-1"),
            ("Content-Type", "application/sql"),
        ];
        self.call(token, "POST", "/api/v1/query", &headers, sql.into())
    }

    /// Rows of a query that must succeed.
    pub(crate) fn rows(&self, token: &str, purpose: &str, sql: &str) -> Vec<Value> {
        let answer = self.query(token, purpose, sql);
        assert_eq!(answer.status, 200, "{sql}: {}", answer.text());
        answer.json()["rows"].as_array().unwrap().clone()
    }

    /// Runs a verb of the command line as `token`.
    pub(crate) fn loggia(&self, token: &str, args: &[&str], stdin: &str) -> Output {
        let mut child = Command::new(BINARY)
            .args(args)
            .env("LOGGIA_URL", &self.url)
            .env("LOGGIA_CA", self.store.ca())
            .env("LOGGIA_TOKEN", token)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut input = child.stdin.take().unwrap();
        input.write_all(stdin.as_bytes()).unwrap();
        drop(input);
        child.wait_with_output().unwrap()
    }
}

/// An HTTP answer.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("not JSON: {}", self.text()))
    }
}

pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

pub(crate) fn http_client(ca: &Path) -> reqwest::Client {
    let tls = loggia::client_config(ca).unwrap();
    reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .pool_max_idle_per_host(0)
        .no_proxy()
        .build()
        .unwrap()
}

/// Every file below a directory.
pub(crate) fn files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for item in std::fs::read_dir(dir).unwrap() {
        let item = item.unwrap();
        if item.file_type().unwrap().is_dir() {
            found.extend(files(&item.path()));
        } else {
            found.push(item.path());
        }
    }
    found.sort();
    found
}

/// Files below `dir` that hold `needle` in the clear (raw, base64 or UTF-16).
pub(crate) fn files_with(dir: &Path, needle: &str) -> Vec<PathBuf> {
    use base64::Engine as _;
    let utf16: Vec<u8> = needle.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let mut forms = vec![needle.as_bytes().to_vec(), utf16];
    for shift in 0..3 {
        // Base64 of the needle at each alignment, less the characters that its neighbours decide.
        let padded = [vec![0; shift], needle.as_bytes().to_vec()].concat();
        let text = base64::engine::general_purpose::STANDARD_NO_PAD.encode(padded);
        forms.push(text.as_bytes()[4..text.len() - 4].to_vec());
    }
    let holds = |bytes: &[u8], form: &[u8]| memchr::memmem::find(bytes, form).is_some();
    files(dir)
        .into_iter()
        .filter(|path| {
            let bytes = std::fs::read(path).unwrap_or_default();
            forms.iter().any(|form| holds(&bytes, form))
        })
        .collect()
}
