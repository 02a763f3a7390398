//! What the linter says of a policy in which everything is unwise.

use crate::{Lint, Policy, Severity};

const UNWISE: &str = r#"
version: 1
controller: { name: Example Ltd, contact: x@example.com }
registry: gen-ai
purposes:
  debugging: { description: Debug. }
  unused: { description: Nothing., basis: consent }
streams:
  chat:
    source: genai
    retention: { skeleton: 30d }
    fields:
      prompt: { from: [gen_ai.input.messages], purposes: [debuging] }
      completion: { from: gen_ai.output.messages, treatment: redact, purposes: [debugging] }
      plain: { from: gen_ai.system_instructions, category: operational, treatment: keep, purposes: [debugging] }
      headers: { from: gen_ai.headers, treatment: redact, purposes: [debugging] }
      email: { from: user.email, treatment: keep, purposes: [debugging] }
      purposeless: { from: x }
      nowhere: { purposes: [debugging] }
      again: { from: [gen_ai.input.messages, y], treatment: seal, purposes: [debugging] }
      line: { from: exception.message, treatment: keep, format: token, purposes: [debugging] }
      stack: { from: exception.stacktrace, treatment: pseudonymise, purposes: [debugging] }
      hidden: { from: user.name, category: operational, treatment: keep, purposes: [debugging] }
      agent: { from: gen_ai.agent.name, category: operational, treatment: keep, purposes: [debugging] }
  old:
    subject: none
    retention: { skeleton: 10d, content: 20d }
    fields:
      text: { from: a, treatment: seal, category: content, purposes: [debugging] }
  useless:
    subject: none
    retention: { skeleton: 10d, content: 5d }
    fields: {}
roles:
  boss:
    can: [read, subject.erase, tokens.manage, ledger.read, ingest]
    purposes: [debugging, debuging]
    streams:
      "*": { clear: [content, secret, contents, linkable] }
      chta: { clear: [] }
  lost: { can: [read] }
  idle: { can: [ingest], streams: { chat: { clear: [unused_thing] } } }
  narrow: { can: [read], purposes: [unused], streams: { chat: { clear: [email] } } }
"#;

#[test]
fn an_unwise_policy_is_told_so_line_by_line() {
    let lints = Policy::parse(UNWISE).unwrap().lint();
    let text: Vec<String> = lints.iter().map(Lint::to_string).collect();
    insta::assert_snapshot!(text.join("\n"));
}

#[test]
fn errors_come_first_and_every_lint_but_the_notice_has_a_line() {
    let lints = Policy::parse(UNWISE).unwrap().lint();
    assert!(lints.is_sorted_by_key(|lint| lint.severity));
    assert_eq!(lints.first().map(|lint| lint.severity), Some(Severity::Error));
    for lint in &lints {
        assert!(lint.line.is_some() || lint.code == "notice_without_contact", "{lint}");
    }
}

#[test]
fn every_code_is_documented() {
    let docs = include_str!("../../../../docs/policy.md");
    for lint in Policy::parse(UNWISE).unwrap().lint() {
        assert!(
            docs.contains(&format!("`{}`", lint.code)),
            "{} is not in docs/policy.md",
            lint.code
        );
    }
}
