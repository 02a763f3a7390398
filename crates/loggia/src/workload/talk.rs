//! Composes texts: fills the slots of sentences, and now and then lets somebody give away too much.

use super::attrs::put;
use super::cast::User;
use super::personal;
use super::phrases::{ADJECTIVES, CITIES, DOCUMENT_SENTENCES, PRODUCTS, TOPICS, VERBS};
use super::rng::Rng;
use super::words::{self, Words};

/// What made-up values a text gave away, so that a test can look for them in every stored byte.
#[derive(Debug, Default)]
pub(super) struct GivenAway {
    pub(super) secrets: Vec<String>,
    pub(super) emails: Vec<String>,
}

/// At most so many values are remembered of each kind.
const REMEMBERED_MAX: usize = 1000;

impl GivenAway {
    /// Remembers a credential.
    pub(super) fn secret(&mut self, value: &str) {
        remember(&mut self.secrets, value);
    }

    fn email(&mut self, value: &str) {
        remember(&mut self.emails, value);
    }
}

fn remember(list: &mut Vec<String>, value: &str) {
    if list.len() < REMEMBERED_MAX {
        list.push(value.to_owned());
    }
}

/// Appends the sentence with its slots filled.
pub(super) fn fill(sentence: &str, rng: &mut Rng, user: Option<&User>, out: &mut String) {
    let mut rest = sentence;
    while let Some((before, tail)) = rest.split_once('{') {
        out.push_str(before);
        let (slot, after) = tail.split_once('}').unwrap_or((tail, ""));
        fill_slot(slot, rng, user, out);
        rest = after;
    }
    out.push_str(rest);
}

fn fill_slot(slot: &str, rng: &mut Rng, user: Option<&User>, out: &mut String) {
    let person = user.map(|user| &user.person);
    let known = |pick: fn(&personal::Person) -> &str| person.map_or("", pick);
    match slot {
        "topic" => out.push_str(rng.pick(&TOPICS)),
        "product" => out.push_str(rng.pick(&PRODUCTS)),
        "adj" => out.push_str(rng.pick(&ADJECTIVES)),
        "verb" => out.push_str(rng.pick(&VERBS)),
        "city" => out.push_str(rng.pick(&CITIES)),
        "n" => {
            let digits = rng.between(1, 4);
            put(out, format_args!("{}", rng.between(1, 10u32.pow(digits))));
        }
        "id" => {
            rng.letters("ABCDEFGHJKLMNPQRSTUVWXYZ", 2, out);
            put(out, format_args!("-{:05}", rng.below(100_000)));
        }
        "date" => {
            put(out, format_args!("2026-{:02}-{:02}", rng.between(1, 12), rng.between(1, 28)));
        }
        "birthday" => {
            let (year, month, day) =
                (rng.between(1951, 2006), rng.between(1, 12), rng.between(1, 28));
            put(out, format_args!("{day:02}.{month:02}.{year}"));
        }
        "name" => out.push_str(known(|person| &person.name)),
        "email" => out.push_str(known(|person| &person.email)),
        "phone" => out.push_str(known(|person| &person.phone)),
        "iban" => out.push_str(known(|person| &person.iban)),
        "card" => out.push_str(known(|person| &person.card)),
        "address" => out.push_str(known(|person| &person.address)),
        other => out.push_str(other),
    }
}

/// How many sentences a message has: mostly a few, sometimes many.
fn sentences(rng: &mut Rng, median: f64) -> u32 {
    let wanted = rng.log_normal(median, 0.7).clamp(1.0, 40.0);
    u32::try_from(super::attrs::whole(wanted)).unwrap_or(1).max(1)
}

fn ramble(
    pool: &[&'static str],
    words: Option<&Words>,
    count: u32,
    rng: &mut Rng,
    out: &mut String,
) {
    for number in 0..count {
        if number > 0 {
            out.push_str(if number % 4 == 0 { "\n" } else { " " });
        }
        match (rng.below(100), words) {
            (0..62, Some(words)) => free_sentence(words, rng, out),
            (62..74, _) => table(rng, out),
            _ => fill(rng.pick(pool), rng, None, out),
        }
    }
}

/// A sentence of one to three clauses from the word lists.
fn free_sentence(words: &Words, rng: &mut Rng, out: &mut String) {
    out.push_str(rng.pick(words.openers));
    out.push(',');
    let clauses = rng.between(1, 3);
    for clause in 0..clauses {
        out.push(' ');
        if clause > 0 {
            out.push_str(rng.pick(words.links));
            out.push(' ');
        }
        noun_phrase(words, rng, out);
        out.push(' ');
        out.push_str(rng.pick(words.verbs));
        out.push(' ');
        noun_phrase(words, rng, out);
    }
    out.push('.');
}

/// English nouns stand bare and take "the" and an adjective before them; the others bring their article, and an adverb may follow.
fn noun_phrase(words: &Words, rng: &mut Rng, out: &mut String) {
    let noun = rng.pick(words.nouns);
    let adjective = rng.pick(words.adjectives);
    if noun.contains(' ') {
        out.push_str(noun);
        if rng.chance(300) {
            out.push(' ');
            out.push_str(adjective);
        }
        return;
    }
    out.push_str("the ");
    if rng.chance(650) {
        out.push_str(adjective);
        out.push(' ');
    }
    out.push_str(noun);
}

/// A few pasted values, as people do.
fn table(rng: &mut Rng, out: &mut String) {
    out.push_str("Values:");
    for _ in 0..rng.between(2, 5) {
        out.push(' ');
        rng.letters("ABCDEFGHJKLMNPQRSTUVWXYZ", 3, out);
        put(out, format_args!("={}.{:02};", rng.below(40_000), rng.below(100)));
    }
}

/// What the user says this turn.
pub(super) fn user_message(
    rng: &mut Rng,
    user: &User,
    leaks_per_million: u32,
    given_away: &mut GivenAway,
) -> String {
    let phrases = user.language.phrases();
    let mut out = String::with_capacity(512);
    let count = sentences(rng, 4.2);
    ramble(phrases.asks, user.language.words(), count, rng, &mut out);
    if rng.chance(90) {
        out.push(' ');
        let sentence = rng.pick(phrases.personal);
        fill(sentence, rng, Some(user), &mut out);
        if sentence.contains("{email}") {
            given_away.email(&user.person.email);
        }
    }
    if rng.below(1_000_000) < leaks_per_million {
        let secret = personal::secret(rng);
        put(&mut out, format_args!("\nIt fails with OPENAI_API_KEY={secret} in my .env file."));
        given_away.secret(&secret);
    }
    out
}

/// What the model answers.
pub(super) fn answer(rng: &mut Rng, user: &User) -> String {
    let mut out = String::with_capacity(768);
    let count = sentences(rng, 8.0);
    ramble(user.language.phrases().answers, user.language.words(), count, rng, &mut out);
    out
}

/// What a retriever makes of a question: one sentence.
pub(super) fn search_query(rng: &mut Rng, user: &User) -> String {
    let mut out = String::with_capacity(128);
    fill(rng.pick(user.language.phrases().asks), rng, None, &mut out);
    out
}

/// A passage of some document.
pub(super) fn passage(rng: &mut Rng) -> String {
    let mut out = String::with_capacity(256);
    let count = rng.between(2, 4);
    ramble(&DOCUMENT_SENTENCES, Some(&words::EN), count, rng, &mut out);
    out
}
