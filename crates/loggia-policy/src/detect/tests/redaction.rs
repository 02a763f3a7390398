//! Placeholders: stable per conversation, apart between conversations, bounded.

use super::DETECTOR;
use crate::detect::{
    ConversationRef, Detector, DetectorConfig, EntityKind, PlaceholderBook, Scratch,
    redact_standalone,
};

fn redact(
    text: &str,
    conversation: Option<&ConversationRef<'_>>,
    book: &PlaceholderBook,
) -> String {
    DETECTOR.with(|detector| {
        let mut out = String::new();
        detector.redact(text, conversation, book, &mut Scratch::new(), &mut out);
        out
    })
}

#[test]
fn one_value_has_one_number_in_its_conversation() {
    let book = PlaceholderBook::new([1; 32], 64);
    let (a, b) =
        (ConversationRef { tenant: "t", id: "a" }, ConversationRef { tenant: "t", id: "b" });
    assert_eq!(redact("x@example.org y@example.org", Some(&a), &book), "<EMAIL_1> <EMAIL_2>");
    assert_eq!(redact("Y@Example.org", Some(&a), &book), "<EMAIL_2>");
    assert_eq!(redact("y@example.org", Some(&b), &book), "<EMAIL_1>");
    assert_eq!(redact("y@example.org", None, &book), "<EMAIL_1>");
    assert_eq!(
        redact("card 4111-1111-1111-1111, 4111111111111111", Some(&a), &book),
        "card <CREDIT_CARD_1>, <CREDIT_CARD_1>"
    );
}

#[test]
fn the_book_forgets_the_oldest_conversation() {
    let book = PlaceholderBook::new([1; 32], 16);
    let ids: Vec<String> = (0..400).map(|i| i.to_string()).collect();
    for id in &ids {
        redact("a@example.org b@example.org", Some(&ConversationRef { tenant: "t", id }), &book);
    }
    let first = ConversationRef { tenant: "t", id: &ids[0] };
    assert_eq!(redact("b@example.org", Some(&first), &book), "<EMAIL_1>");
}

#[test]
fn counts_and_budget() {
    let config = DetectorConfig { text_bytes_max: 20, ..DetectorConfig::default() };
    let detector = Detector::new(&config).unwrap();
    let mut out = String::new();
    let counts = redact_standalone(
        &detector,
        "a@example.org and b@example.org",
        &mut Scratch::new(),
        &mut out,
    );
    assert_eq!(out, "<EMAIL_1> and b@<CUT>");
    assert_eq!((counts.get(EntityKind::Email), counts.total(), counts.cut_bytes()), (1, 1, 11));
}

#[test]
fn debug_shows_nothing() {
    let book = PlaceholderBook::new([1; 32], 16);
    assert_eq!(
        format!("{book:?} {:?}", Scratch::new()),
        "PlaceholderBook([redacted]) Scratch([redacted])"
    );
}
