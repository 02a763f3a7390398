//! Near misses: the word an author probably meant.

/// The nearest of `words` to `word`, when it is near enough to be a slip of the pen.
pub(crate) fn did_you_mean<'w>(
    word: &str,
    words: impl IntoIterator<Item = &'w str>,
) -> Option<&'w str> {
    let limit = (word.chars().count() / 3).clamp(1, 3);
    words
        .into_iter()
        .map(|candidate| (distance(word, candidate), candidate))
        .filter(|(steps, _)| *steps <= limit)
        .min()
        .map(|(_, candidate)| candidate)
}

/// Number of insertions, deletions, replacements and swaps of neighbours between two words.
fn distance(left: &str, right: &str) -> usize {
    let left: Vec<char> = left.chars().flat_map(char::to_lowercase).take(64).collect();
    let right: Vec<char> = right.chars().flat_map(char::to_lowercase).take(64).collect();
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=right.len()).collect();
    for (i, a) in left.iter().enumerate() {
        let mut row = Vec::with_capacity(above.len());
        row.push(i.saturating_add(1));
        for (j, b) in right.iter().enumerate() {
            let at = |line: &[usize], index: usize| line.get(index).copied().unwrap_or(usize::MAX);
            let replaced = at(&above, j).saturating_add(usize::from(a != b));
            let removed = at(&above, j.saturating_add(1)).saturating_add(1);
            let added = at(&row, j).saturating_add(1);
            let mut best = replaced.min(removed).min(added);
            let swapped = i > 0
                && j > 0
                && left.get(i.saturating_sub(1)) == Some(b)
                && right.get(j.saturating_sub(1)) == Some(a);
            if swapped {
                best = best.min(at(&before, j.saturating_sub(1)).saturating_add(1));
            }
            row.push(best);
        }
        before = std::mem::replace(&mut above, row);
    }
    above.last().copied().unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::did_you_mean;

    #[test]
    fn near_words_are_found() {
        let words = ["purposes", "treatment", "retention", "keep"];
        for (word, expected) in [
            ("purpose", Some("purposes")),
            ("treatmnet", Some("treatment")),
            ("retension", Some("retention")),
            ("kep", Some("keep")),
            ("elephant", None),
        ] {
            assert_eq!(did_you_mean(word, words), expected, "{word}");
        }
    }
}
