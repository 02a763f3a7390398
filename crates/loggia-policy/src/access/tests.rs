//! Decisions on reading: refusals row by row, and who sees what as a matrix.

use std::fmt::Write as _;

use super::{AccessRequest, ColumnAccess, DenialReason, GRANT_LIFETIME_NS};
use crate::policy::tests::GEN_AI;
use crate::{Permission, Policy, Principal};

fn principal(role: &str) -> Principal {
    Principal {
        id: "p1".to_owned(),
        role: role.to_owned(),
        tenant: "t1".to_owned(),
        token_id: None,
    }
}

struct Case<'a> {
    role: &'a str,
    action: Permission,
    streams: &'a [&'a str],
    purpose: Option<&'a str>,
    ticket: Option<&'a str>,
}

fn decide(policy: &Policy, case: &Case<'_>) -> Result<super::Grant, DenialReason> {
    let principal = principal(case.role);
    let request = AccessRequest {
        principal: &principal,
        streams: case.streams,
        purpose: case.purpose,
        ticket: case.ticket,
        action: case.action,
        now_ns: 1_000,
    };
    policy.authorize(&request).map_err(|denial| denial.reason)
}

#[test]
fn requests_are_decided_by_the_policy() {
    let policy = Policy::parse(GEN_AI).unwrap();
    let long = "x".repeat(129);
    let check =
        |role, action, streams: &[&str], purpose, ticket, expected: Option<DenialReason>| {
            let case = Case { role, action, streams, purpose, ticket };
            let denial = decide(&policy, &case).err();
            assert_eq!(denial, expected, "{role} {action} {streams:?} {purpose:?} {ticket:?}");
        };
    use DenialReason as No;
    let chat = &["chat"][..];
    let read = Permission::Read;
    check("engineer", read, chat, Some("debugging"), None, None);
    check("engineer", read, &["chat", "app"], Some("operations"), Some("T-1"), None);
    check("engineer", read, chat, None, None, Some(No::PurposeMissing));
    check("engineer", read, &[], None, None, Some(No::PurposeMissing));
    check("engineer", read, chat, Some(""), None, Some(No::PurposeNotAllowed));
    check("engineer", read, chat, Some("incident"), None, Some(No::PurposeNotAllowed));
    check("engineer", read, chat, Some("nonsense"), None, Some(No::PurposeNotAllowed));
    check("engineer", read, &["nope"], Some("debugging"), None, Some(No::NoSuchStream));
    check("engineer", read, &["chat", "nope"], Some("debugging"), None, Some(No::NoSuchStream));
    check(
        "engineer",
        Permission::Export,
        chat,
        Some("debugging"),
        None,
        Some(No::NotPermitted(Permission::Export)),
    );
    check("support", read, chat, Some("incident"), None, Some(No::TicketMissing));
    check("support", read, chat, Some("incident"), Some(""), Some(No::TicketInvalid));
    check("support", read, chat, Some("incident"), Some("  "), Some(No::TicketInvalid));
    check("support", read, chat, Some("incident"), Some("a\nb"), Some(No::TicketInvalid));
    check("support", read, chat, Some("incident"), Some(&long), Some(No::TicketInvalid));
    check("support", read, chat, Some("incident"), Some("INC-1"), None);
    check("admin", read, chat, Some("debugging"), None, Some(No::NotPermitted(read)));
    check("admin", Permission::TokensManage, &[], None, None, None);
    check("admin", Permission::TokensManage, chat, None, None, Some(No::PurposeMissing));
    check("agent", Permission::Ingest, &[], None, None, None);
    check("privacy_officer", Permission::SubjectErase, &[], None, None, Some(No::PurposeMissing));
    check("privacy_officer", Permission::SubjectErase, &[], Some("rights"), None, None);
    check("nobody", read, chat, Some("debugging"), None, Some(No::UnknownRole));
    check("", read, chat, Some("debugging"), None, Some(No::UnknownRole));
}

#[test]
fn a_stream_one_may_not_read_does_not_exist() {
    let yaml =
        GEN_AI.replacen("\"*\": { clear: [operational] }", "app: { clear: [operational] }", 1);
    let policy = Policy::parse(&yaml).unwrap();
    let ask = |stream| {
        let principal = principal("analyst");
        let request = AccessRequest {
            principal: &principal,
            streams: &[stream],
            purpose: Some("operations"),
            ticket: None,
            action: Permission::Read,
            now_ns: 0,
        };
        policy.authorize(&request).map(|_| ()).map_err(|denial| denial.to_string())
    };
    assert_eq!(ask("app"), Ok(()));
    assert_eq!(ask("chat"), Err("no such stream".to_owned()));
    assert_eq!(ask("chat"), ask("never_heard_of"));
    let readable: Vec<&str> =
        policy.readable_streams("analyst").map(|schema| schema.name()).collect();
    assert_eq!(readable, ["app"]);
    assert_eq!(policy.readable_streams("nobody").count(), 0);
}

#[test]
fn a_grant_says_what_was_decided() {
    let policy = Policy::parse(GEN_AI).unwrap();
    let case = Case {
        role: "support",
        action: Permission::Read,
        streams: &["chat"],
        purpose: Some("incident"),
        ticket: Some("INC-1"),
    };
    let grant = decide(&policy, &case).unwrap();
    assert_eq!(grant.expires_ns(), 1_000 + GRANT_LIFETIME_NS);
    assert_eq!((grant.purpose(), grant.ticket()), (Some("incident"), Some("INC-1")));
    assert_eq!((grant.tenant(), grant.action()), ("t1", Permission::Read));
    assert_eq!(grant.policy(), policy.digest());
    let stream = grant.stream("chat").unwrap();
    assert_eq!(stream.columns().len(), stream.schema().fields().len());
    assert_eq!(stream.column(usize::MAX), ColumnAccess::Masked);
    assert!(grant.stream("app").is_none());
}

#[test]
fn permissions_are_those_of_the_role() {
    let policy = Policy::parse(GEN_AI).unwrap();
    for (role, permission, expected) in [
        ("agent", Permission::Ingest, true),
        ("agent", Permission::Read, false),
        ("auditor", Permission::LedgerRead, true),
        ("admin", Permission::LedgerRead, false),
        ("nobody", Permission::Ingest, false),
    ] {
        assert_eq!(policy.permits(role, permission), expected, "{role} {permission}");
    }
}

#[test]
fn who_sees_what() {
    let policy = Policy::parse(GEN_AI).unwrap();
    let mut text = String::new();
    for role in policy.roles() {
        let can: Vec<&str> =
            role.permissions().iter().map(|permission| permission.name()).collect();
        writeln!(text, "{}: {} (ticket: {:?})", role.name(), can.join(" "), role.ticket()).unwrap();
        for purpose in role.purposes() {
            for schema in policy.streams() {
                let case = Case {
                    role: role.name(),
                    action: Permission::Read,
                    streams: &[schema.name()],
                    purpose: Some(purpose),
                    ticket: Some("T-1"),
                };
                let Ok(grant) = decide(&policy, &case) else { continue };
                let seen = |wanted| {
                    let columns = grant.streams()[0].columns();
                    let fields = schema.fields().iter().zip(columns);
                    let names: Vec<&str> = fields
                        .filter(|(_, access)| **access == wanted)
                        .map(|(field, _)| field.name.as_str())
                        .collect();
                    names.join(" ")
                };
                writeln!(text, "  {purpose} / {}", schema.name()).unwrap();
                writeln!(text, "    clear:  {}", seen(ColumnAccess::Clear)).unwrap();
                writeln!(text, "    masked: {}", seen(ColumnAccess::Masked)).unwrap();
            }
        }
    }
    insta::assert_snapshot!(text);
}
