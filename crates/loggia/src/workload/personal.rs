//! Made-up personal data and credentials: right in form and check digits, belonging to nobody.
//!
//! E-mail addresses are under example domains, telephone numbers in ranges that regulators keep for fiction where
//! there are any, cards and accounts are random digits with a right check digit, keys are random text in a vendor's shape.

use super::attrs::put;
use super::phrases::{CITIES, FIRST_NAMES, LAST_NAMES, Language, STREETS};
use super::rng::Rng;

const LOWER: &str = "abcdefghijklmnopqrstuvwxyz0123456789";
const BASE62: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const UPPER32: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const DIGITS: &str = "0123456789";

/// What is made up about one person. Prints nothing of it.
pub(super) struct Person {
    pub(super) name: String,
    pub(super) email: String,
    pub(super) phone: String,
    pub(super) iban: String,
    pub(super) card: String,
    pub(super) address: String,
    pub(super) ip: String,
}

impl std::fmt::Debug for Person {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Person([redacted])")
    }
}

impl Person {
    /// A new person who speaks this language.
    pub(super) fn made_up(rng: &mut Rng, language: Language) -> Self {
        let first = rng.pick(&FIRST_NAMES);
        let last = rng.pick(&LAST_NAMES);
        let mut email = String::with_capacity(32);
        for letter in first.chars().filter(char::is_ascii_alphabetic) {
            email.push(letter.to_ascii_lowercase());
        }
        email.push('.');
        for letter in last.chars().filter(char::is_ascii_alphabetic) {
            email.push(letter.to_ascii_lowercase());
        }
        put(&mut email, format_args!("{}@", rng.below(100)));
        email.push_str(rng.pick(&[
            "example.com",
            "example.org",
            "example.net",
            "mail.example.com",
        ]));
        let street = rng.pick(&STREETS);
        let city = rng.pick(&CITIES);
        let address =
            format!("{street} {}, {:05} {city}", rng.between(1, 180), rng.between(10_000, 99_000));
        let ip = format!("198.51.{}.{}", rng.between(100, 109), rng.between(1, 254));
        Self {
            name: format!("{first} {last}"),
            email,
            phone: phone(rng, language),
            iban: iban(rng, language),
            card: card(rng),
            address,
            ip,
        }
    }
}

fn digits(rng: &mut Rng, count: u32) -> String {
    let mut out = String::new();
    rng.letters(DIGITS, count, &mut out);
    out
}

fn phone(rng: &mut Rng, language: Language) -> String {
    match language {
        Language::De => format!("+49 30 23125 {}", digits(rng, 3)),
        Language::Fr => format!("+33 6 39 98 {} {}", digits(rng, 2), digits(rng, 2)),
        Language::En if rng.chance(500) => format!("+44 7700 900{}", digits(rng, 3)),
        Language::En => format!("+1 212-555-01{}", digits(rng, 2)),
        Language::Es => format!("+34 612 34{} {}", digits(rng, 1), digits(rng, 3)),
        Language::It => format!("+39 347 {} {}", digits(rng, 3), digits(rng, 4)),
        Language::Pt => format!("+351 912 {} {}", digits(rng, 3), digits(rng, 3)),
        Language::Nl => format!("+31 6 {}", digits(rng, 8)),
        Language::Ja => format!("+81 90-{}-{}", digits(rng, 4), digits(rng, 4)),
        Language::Zh => format!("+86 138 {} {}", digits(rng, 4), digits(rng, 4)),
    }
}

/// An account number with its two check digits by ISO 7064 mod 97.
fn iban(rng: &mut Rng, language: Language) -> String {
    let (country, body) = match language {
        Language::Fr => ("FR", digits(rng, 23)),
        Language::Es => ("ES", digits(rng, 20)),
        Language::Nl => ("NL", format!("INGB{}", digits(rng, 10))),
        Language::En => ("GB", format!("BARC{}", digits(rng, 14))),
        Language::De | Language::It | Language::Pt | Language::Ja | Language::Zh => {
            ("DE", digits(rng, 18))
        }
    };
    let rest = remainder_97(body.chars().chain(country.chars()).chain("00".chars()));
    format!("{country}{:02}{body}", 98 - rest)
}

/// The number that the letters stand for (A = 10 … Z = 35), modulo 97.
pub(super) fn remainder_97(letters: impl Iterator<Item = char>) -> u32 {
    letters.filter_map(|letter| letter.to_digit(36)).fold(0, |rest, value| {
        let shift = if value > 9 { 100 } else { 10 };
        (rest * shift + value) % 97
    })
}

/// A card number with its check digit by Luhn.
fn card(rng: &mut Rng) -> String {
    let mut number = String::from(rng.pick(&["4000", "4539", "5105", "5424", "2223"]));
    rng.letters(DIGITS, 11, &mut number);
    let check = (10 - luhn_sum(&number, true) % 10) % 10;
    put(&mut number, format_args!("{check}"));
    let mut spaced = String::with_capacity(19);
    for (at, digit) in number.chars().enumerate() {
        if at > 0 && at % 4 == 0 {
            spaced.push(' ');
        }
        spaced.push(digit);
    }
    spaced
}

/// The Luhn sum; `open` when the check digit is still to be appended.
pub(super) fn luhn_sum(number: &str, open: bool) -> u32 {
    let digits = number.chars().rev().filter_map(|digit| digit.to_digit(10));
    digits.enumerate().fold(0, |sum, (at, digit)| {
        let doubled = (at % 2 == 1) != open;
        let value = if doubled { digit * 2 } else { digit };
        sum + if value > 9 { value - 9 } else { value }
    })
}

/// A credential in the shape of some vendor's. The prefixes stand apart from their bodies, so that no scanner trips over this file.
pub(super) fn secret(rng: &mut Rng) -> String {
    let (prefix, alphabet, length) = match rng.below(6) {
        0 => ("sk-proj-", BASE62, 48),
        1 => ("sk-ant-api03-", BASE62, 80),
        2 => ("AKIA", UPPER32, 16),
        3 => ("ghp_", BASE62, 36),
        4 => ("xoxb-", LOWER, 40),
        _ => ("hf_", BASE62, 34),
    };
    let mut out = String::from(prefix);
    rng.letters(alphabet, length, &mut out);
    out
}
