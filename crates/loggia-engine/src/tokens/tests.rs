//! Tokens: form, life and the one answer to every wrong one.
#![expect(clippy::string_slice, reason = "the texts cut here are ASCII of our own making")]

use super::*;

const NOW: i64 = 1_790_000_000_000_000_000;

fn store() -> (tempfile::TempDir, TokenStore) {
    let dir = tempfile::tempdir().unwrap();
    let store = TokenStore::open(&dir.path().join("access.db")).unwrap();
    (dir, store)
}

fn request(principal: &str) -> TokenRequest {
    TokenRequest {
        principal: principal.into(),
        role: "engineer".into(),
        tenant: "default".into(),
        days: 1,
    }
}

#[test]
fn a_live_token_names_its_principal_until_it_expires_or_is_revoked() {
    let (_dir, store) = store();
    let made = store.create(&request("ada"), NOW).unwrap();
    let principal = store.authenticate(&made.token, NOW).unwrap();
    assert_eq!((principal.id.as_str(), principal.role.as_str()), ("ada", "engineer"));
    assert!(store.authenticate(&made.token, NOW + DAY_NS).is_err());
    assert!(!store.revoke("other", &made.info.id, NOW).unwrap(), "another tenant's token");
    assert!(store.revoke("default", &made.info.id, NOW).unwrap());
    assert!(!store.revoke("default", &made.info.id, NOW).unwrap(), "already revoked");
    assert!(store.authenticate(&made.token, NOW).is_err());
}

#[test]
fn a_token_with_one_changed_character_is_refused() {
    let (_dir, store) = store();
    let made = store.create(&request("ada"), NOW).unwrap();
    for position in 0..made.token.len() {
        let mut bytes = made.token.clone().into_bytes();
        bytes[position] = if bytes[position] == b'a' { b'b' } else { b'a' };
        let changed = String::from_utf8(bytes).unwrap();
        assert!(
            matches!(store.authenticate(&changed, NOW), Err(EngineError::Unauthenticated)),
            "position {position}"
        );
    }
}

#[test]
fn a_wrong_secret_with_a_right_checksum_is_refused() {
    let (_dir, store) = store();
    let made = store.create(&request("ada"), NOW).unwrap();
    let body = format!("{PREFIX}{}_{}", made.info.id, "A".repeat(SECRET_LEN));
    let forged = format!("{body}{}", check_of(body.as_bytes()));
    assert!(well_formed(&forged).is_some());
    assert!(store.authenticate(&forged, NOW).is_err());
}

#[test]
fn hostile_input_is_the_same_refusal() {
    let (_dir, store) = store();
    for input in ["", "lgk_", "Bearer x", "lgk_é", &"x".repeat(1 << 20), "' OR 1=1 --"] {
        assert!(matches!(store.authenticate(input, NOW), Err(EngineError::Unauthenticated)));
    }
}

#[test]
fn only_a_hash_is_stored_and_debug_shows_nothing() {
    let (dir, store) = store();
    let made = store.create(&request("ada"), NOW).unwrap();
    store.checkpoint().unwrap();
    let secret = &made.token[PREFIX.len() + ID_LEN + 1..];
    for file in std::fs::read_dir(dir.path()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        assert!(!bytes.windows(20).any(|window| window == &secret.as_bytes()[..20]));
    }
    assert!(!format!("{made:?}").contains(secret));
}

#[test]
fn a_request_outside_its_bounds_says_which() {
    let (_dir, store) = store();
    let check = |change: fn(&mut TokenRequest), word: &str| {
        let mut wrong = request("ada");
        change(&mut wrong);
        let error = store.create(&wrong, NOW).unwrap_err().to_string();
        assert!(error.contains(word), "{error}");
    };
    check(|r| r.principal = String::new(), "principal");
    check(|r| r.principal = "a b".into(), "principal");
    check(|r| r.tenant = "../x".into(), "tenant");
    check(|r| r.days = 0, "days");
    check(|r| r.days = 366, "days");
}

#[test]
fn the_checksum_is_crc32_iso_hdlc() {
    // Check value of the CRC catalogue: CRC-32/ISO-HDLC of "123456789" is 0xCBF43926.
    let mut value: u32 = 0xCBF4_3926;
    let mut expected = ['0'; 6];
    for digit in expected.iter_mut().rev() {
        *digit = char::from(BASE62[(value % 62) as usize]);
        value /= 62;
    }
    assert_eq!(check_of(b"123456789"), expected.iter().collect::<String>());
}
