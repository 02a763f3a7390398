//! Session tokens: read back exactly, and never by accident.

use super::*;

fn cell() -> CellAt {
    CellAt { block: BlockAt { part: 7, write_id: [9; 16], block: 3 }, row: 11, field: 2 }
}

fn written(nonce: Nonce) -> String {
    let mut writer = Writer::new(nonce, cell().field);
    writer.write(&BlockAt { part: 1, write_id: [5; 16], block: 8 }, 4).unwrap();
    writer.write(&cell().block, cell().row).unwrap().to_owned()
}

#[test]
fn a_token_reads_back_only_in_its_session() {
    let nonce = Nonce([1; NONCE_LEN]);
    let token = written(nonce);
    assert_eq!(token.len(), TOKEN_LEN);
    assert_eq!(parse(nonce, &token), Some(cell()));
    assert_eq!(parse(Nonce([2; NONCE_LEN]), &token), None);
}

#[test]
fn other_text_is_no_token() {
    let nonce = Nonce([1; NONCE_LEN]);
    let token = written(nonce);
    for text in [
        "",
        "hello",
        token.trim_start_matches(|_: char| true),
        &token.replacen(|_: char| true, "", 1),
        &format!("{token}A"),
        &"A".repeat(TOKEN_LEN),
        &"é".repeat(TOKEN_LEN / 2),
    ] {
        assert_eq!(parse(nonce, text), None, "{text}");
    }
}
