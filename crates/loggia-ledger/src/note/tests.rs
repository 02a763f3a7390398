//! Tests of signed notes against published vectors, and against what must be refused.

use super::{Note, Signer, VerifierKey};

/// The example of Go's `golang.org/x/mod/sumdb/note`, from which the format grew.
const GO_VKEY: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
const GO_SEED_BASE64: &str = "AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
const GO_TEXT: &str = "If you think cryptography is the answer to your problem,\n\
                       then you don't know what your problem is.\n";
const GO_NOTE: &str = "If you think cryptography is the answer to your problem,\n\
                       then you don't know what your problem is.\n\n\
                       \u{2014} PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

/// The example of C2SP signed-note; its key is not published, its text holds an empty line.
const C2SP_NOTE: &str = "Ognuno sta solo sul cuor della terra\n\
    trafitto da un raggio di sole:\n\n\
    ed è subito sera.\n\n\
    \u{2014} quasimodo.example/salvatore NnugSzTjtVAewIS+Z/iJhUPeFDkO/5QQ2i5ddnGITLlC+EhfLW9oJKONrMouFSQU0xMcXxj99ihAQwaqP3ZekRwNtIc=\n";

#[test]
fn the_go_example_verifies() {
    let key: VerifierKey = GO_VKEY.parse().unwrap();
    assert_eq!(Note::parse(GO_NOTE).unwrap().verify(&key).unwrap(), GO_TEXT);
}

#[test]
fn the_go_example_is_signed_byte_for_byte() {
    use base64::Engine as _;
    let key = base64::engine::general_purpose::STANDARD.decode(GO_SEED_BASE64).unwrap();
    let seed: [u8; 32] = key[1..].try_into().unwrap();
    let signer = Signer::new("PeterNeumann", &seed).unwrap();
    assert_eq!(signer.key().to_string(), GO_VKEY);
    assert_eq!(signer.sign(GO_TEXT).unwrap(), GO_NOTE);
}

#[test]
fn the_c2sp_example_is_taken_apart_at_its_last_empty_line() {
    let note = Note::parse(C2SP_NOTE).unwrap();
    assert!(note.unverified_text().ends_with("sole:\n\ned è subito sera.\n"));
    assert_eq!(note.to_string(), C2SP_NOTE);
    let key: VerifierKey = GO_VKEY.parse().unwrap();
    assert!(note.verify(&key).is_err());
}

#[test]
fn the_tessera_test_key_is_read() {
    let vkey = "example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx";
    let key: VerifierKey = vkey.parse().unwrap();
    assert_eq!(key.name(), "example.com/log/testdata");
    assert_eq!(key.to_string(), vkey);
}

#[test]
fn wrong_keys_are_refused() {
    for vkey in [
        "",
        "a",
        "a+b",
        "a+00000000+",
        "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10T",
        "PeterNeumann+C74F20A3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeuman+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "Peter Neumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeumann+c74f20a3+AhpC2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
    ] {
        assert!(vkey.parse::<VerifierKey>().is_err(), "`{vkey}` was read");
    }
}

#[test]
fn a_change_of_any_byte_is_refused() {
    let key: VerifierKey = GO_VKEY.parse().unwrap();
    for at in 0..GO_NOTE.len() {
        for bit in 0..8 {
            let mut bytes = GO_NOTE.as_bytes().to_vec();
            bytes[at] ^= 1 << bit;
            let Ok(changed) = String::from_utf8(bytes) else { continue };
            let accepted = Note::parse(&changed).and_then(|note| note.verify(&key).map(drop));
            assert!(accepted.is_err(), "byte {at}, bit {bit}");
        }
    }
}

#[test]
fn unknown_signatures_are_ignored_and_bad_known_ones_are_not() {
    let key: VerifierKey = GO_VKEY.parse().unwrap();
    let other = "\u{2014} somebody.example AAAAAAAAAAAA\n";
    assert!(Note::parse(&format!("{GO_NOTE}{other}")).unwrap().verify(&key).is_ok());
    let many = format!("{GO_NOTE}{}", other.repeat(16));
    assert!(Note::parse(&many).unwrap().verify(&key).is_ok());
    let too_many = format!("{GO_NOTE}{}", other.repeat(100));
    assert!(Note::parse(&too_many).is_err());
    let line = GO_NOTE.lines().last().unwrap();
    let bad = line.replace("x08go/ZJ", "x08go/ZK");
    assert!(Note::parse(&format!("{GO_NOTE}{bad}\n")).unwrap().verify(&key).is_err());
}

#[test]
fn malformed_notes_are_refused() {
    let line = GO_NOTE.lines().last().unwrap();
    for note in [
        String::new(),
        "\n\n".to_owned(),
        "text\n".to_owned(),
        format!("text\n{line}\n"),
        format!("text\n\n{line}"),
        format!("text\n\n{line}\n\n"),
        format!("te\txt\n\n{line}\n"),
        format!("text\n\n{}\n", line.replace('\u{2014}', "-")),
        "text\n\n\u{2014} name AAAA\n".to_owned(),
        "text\n\n\u{2014} na+me AAAAAAAAAAAA\n".to_owned(),
        "text\n\n\u{2014} name AAAAAAAAAAA\n".to_owned(),
        "text\n\n\u{2014} name AAAAAAAAAAB=\n".to_owned(),
    ] {
        assert!(Note::parse(&note).is_err(), "{note:?} was read");
    }
}

#[test]
fn a_signer_prints_no_seed() {
    let signer = Signer::new("a.example/log", &[0x41; 32]).unwrap();
    let printed = format!("{signer:?}");
    assert!(printed.contains("[redacted]") && !printed.contains("65, 65"), "{printed}");
}
