//! A second look at places that hide values: percent-encoding, `\u0040`, `&#64;`, full-width forms, zero-width
//! characters.
//!
//! Only the surroundings of such places are normalised, so plain text costs nothing; an exact map leads every
//! finding back to the original bytes. What is found is added to the findings of the plain scan.

use super::chars::{at, char_at, is_hex, is_word, starts};
use super::kind::Finding;
use super::scan::Scan;
use super::words::Vocabulary;

/// How far before a hidden character the second look begins.
const REACH_BEFORE: usize = 96;
/// How far behind a hidden character the second look goes.
pub(super) const REACH_AFTER: usize = 160;
/// Longest run of hidden places read in one window; a longer one is read in windows that overlap.
pub(super) const WINDOW_MAX: usize = 16 * 1024;
/// How much further a window grows to end between words.
const SETTLE: usize = 64;

/// Buffers of the second look.
#[derive(Default)]
pub(super) struct View {
    text: String,
    /// For each piece: where it begins in the view, where in the original, and whether it was rewritten.
    pieces: Vec<Piece>,
    findings: Vec<Finding>,
    hidden: Vec<(usize, usize)>,
}

#[derive(Clone, Copy)]
struct Piece {
    view: usize,
    original: usize,
    original_end: usize,
    rewritten: bool,
}

/// Tells whether a character may hide a value.
pub(super) fn hides(c: char) -> bool {
    invisible(c) || matches!(u32::from(c), 0xff01..=0xff5e | 0x3000)
}

fn invisible(c: char) -> bool {
    matches!(u32::from(c), 0xad | 0x200b..=0x200f | 0x2060..=0x2064 | 0xfeff | 0x180e)
}

/// Scans the surroundings of the hidden places and adds what is found to `findings`.
pub(super) fn scan_hidden(
    vocabulary: &Vocabulary,
    text: &str,
    hidden: &[(usize, usize)],
    view: &mut View,
    findings: &mut Vec<Finding>,
) {
    for (first, last) in hidden {
        let start = settle_back(text, first.saturating_sub(REACH_BEFORE));
        let end = settle_on(text, last.saturating_add(REACH_AFTER).min(text.len()));
        view.fill(text, start, end);
        view.findings.clear();
        view.hidden.clear();
        Scan::new(vocabulary, &view.text, &mut view.findings, &mut view.hidden).run();
        for found in &view.findings {
            if let Some((start, end)) = view.original(found.start, found.end) {
                findings.push(Finding { start, end, ..*found });
            }
        }
    }
}

/// Moves back to a place between words, but not far.
fn settle_back(text: &str, at_most: usize) -> usize {
    let bytes = text.as_bytes();
    let stop = at_most.saturating_sub(SETTLE);
    let mut pos = at_most;
    while pos > stop && is_word(at(bytes, pos - 1)) {
        pos -= 1;
    }
    while pos > 0 && !text.is_char_boundary(pos) {
        pos -= 1;
    }
    pos
}

fn settle_on(text: &str, at_least: usize) -> usize {
    let bytes = text.as_bytes();
    let stop = at_least.saturating_add(SETTLE).min(bytes.len());
    let mut pos = at_least.min(bytes.len());
    while pos < stop && is_word(at(bytes, pos)) {
        pos += 1;
    }
    while !text.is_char_boundary(pos) {
        pos += 1;
    }
    pos
}

impl View {
    /// Rewrites `text[start..end]` into its normal form.
    fn fill(&mut self, text: &str, start: usize, end: usize) {
        self.text.clear();
        self.pieces.clear();
        let mut pos = start;
        while pos < end {
            let Some(c) = char_at(text, pos) else { break };
            let Some((next, plain)) = decode(text, pos, c) else {
                self.piece(pos, pos + c.len_utf8(), false);
                self.text.push(c);
                pos += c.len_utf8();
                continue;
            };
            self.piece(pos, next, true);
            if let Some(plain) = plain {
                self.text.push(plain);
            }
            pos = next;
        }
    }

    fn piece(&mut self, original: usize, original_end: usize, rewritten: bool) {
        if let Some(last) = self.pieces.last_mut()
            && !last.rewritten
            && !rewritten
        {
            last.original_end = original_end;
            return;
        }
        self.pieces.push(Piece { view: self.text.len(), original, original_end, rewritten });
    }

    /// Maps a span of the view to the original text; `None` when nothing in it was hidden (the plain scan saw it).
    fn original(&self, start: usize, end: usize) -> Option<(usize, usize)> {
        let first = self.pieces.partition_point(|piece| piece.view <= start).checked_sub(1)?;
        let last = self.pieces.partition_point(|piece| piece.view < end).checked_sub(1)?;
        let (head, tail) = (self.pieces.get(first)?, self.pieces.get(last)?);
        let covered = self.pieces.get(first..=last)?;
        if !covered.iter().any(|piece| piece.rewritten) {
            return None;
        }
        let from = if head.rewritten { head.original } else { head.original + (start - head.view) };
        let to = if tail.rewritten { tail.original_end } else { tail.original + (end - tail.view) };
        Some((from, to))
    }
}

/// Reads a hidden character: where it ends, and what it stands for (nothing for an invisible one).
fn decode(text: &str, pos: usize, c: char) -> Option<(usize, Option<char>)> {
    let bytes = text.as_bytes();
    match c {
        '%' => {
            let byte = hex_value(bytes, pos + 1, 2)?;
            (matches!(byte, 0x20..=0x7e)).then(|| (pos + 3, char::from_u32(byte)))
        }
        '\\' if at(bytes, pos + 1) == b'u' => {
            let plain = char::from_u32(hex_value(bytes, pos + 2, 4)?)?;
            let visible = !plain.is_control() && !invisible(plain);
            Some((pos + 6, visible.then(|| narrow(plain))))
        }
        '&' if starts(bytes, pos, b"&#") => entity(bytes, pos),
        _ if invisible(c) => Some((pos + c.len_utf8(), None)),
        _ if narrow(c) != c => Some((pos + c.len_utf8(), Some(narrow(c)))),
        _ => None,
    }
}

/// Reads `&#64;` or `&#x40;`.
fn entity(bytes: &[u8], pos: usize) -> Option<(usize, Option<char>)> {
    let hexadecimal = matches!(at(bytes, pos + 2), b'x' | b'X');
    let start = pos + 2 + usize::from(hexadecimal);
    let (mut value, mut end) = (0u32, start);
    while end < start + 6 && is_hex(at(bytes, end)) {
        let digit = char::from(at(bytes, end)).to_digit(if hexadecimal { 16 } else { 10 })?;
        value = value * if hexadecimal { 16 } else { 10 } + digit;
        end += 1;
    }
    let plain = char::from_u32(value).filter(|c| !c.is_control())?;
    (end > start && at(bytes, end) == b';').then_some((end + 1, Some(plain)))
}

fn hex_value(bytes: &[u8], start: usize, len: usize) -> Option<u32> {
    (start..start + len)
        .try_fold(0, |value, i| Some(value * 16 + char::from(at(bytes, i)).to_digit(16)?))
}

/// Returns the ASCII form of a full-width character.
fn narrow(c: char) -> char {
    match u32::from(c) {
        code @ 0xff01..=0xff5e => char::from_u32(code - 0xfee0).unwrap_or(c),
        0x3000 => ' ',
        _ => c,
    }
}
