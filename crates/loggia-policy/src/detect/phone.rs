//! Telephone numbers: international by their `+` or `00`, national by shape, anything plausible by context.

use super::chars::{at, before, is_digit, is_word, starts_ci};
use super::checks;
use super::kind::EntityKind;
use super::number::Cluster;
use super::scan::Scan;
use super::words::flag;

impl Scan<'_> {
    /// Handles `+` or `(` before a digit.
    pub(super) fn phone_sign(&mut self, start: usize) {
        let plus = if at(self.bytes, start) == b'+' {
            start
        } else {
            start + usize::from(at(self.bytes, start + 1) == b'+')
        };
        let international = at(self.bytes, plus) == b'+';
        let first = plus + 1;
        if international && is_word(before(self.bytes, plus)) || !is_digit(at(self.bytes, first)) {
            return;
        }
        let cluster = self.gather(first);
        if cluster.count == 0 {
            return;
        }
        let found = if international {
            self.international(&cluster, 0, 0)
        } else {
            self.bracketed(&cluster)
        };
        let Some(j) = found else { return };
        let last = cluster.group(j).end;
        let end = if j + 1 == cluster.count && cluster.extension > last {
            cluster.extension
        } else {
            last
        };
        self.emit(start, end, EntityKind::Phone, if international { 92 } else { 85 });
    }

    /// Reads an international number from group `i` on, `skip` digits (`00`) in.
    fn international(&self, cluster: &Cluster, i: usize, skip: usize) -> Option<usize> {
        let width = |k: usize| cluster.group(k).len();
        let year = cluster.count > i + 2 && width(i) >= 4 && width(i + 1) == 2 && width(i + 2) == 2;
        if year && cluster.sign(i, i + 2) == Some(b'-') {
            return None;
        }
        for j in (i..cluster.count).rev() {
            let digits = cluster.digits(i, j).get(skip..).unwrap_or(&[]);
            let most = match digits.first() {
                Some(1) => 11,
                _ if j == i => 15,
                _ => 14,
            };
            let least = if digits.first() == Some(&1) { 11 } else { 8 };
            let starts_well = digits.first().is_some_and(|digit| *digit != 0);
            let varied = digits.get(2..).is_some_and(checks::varied);
            let fraction = (i + 1..cluster.count.min(j + 2))
                .any(|k| cluster.group(k).sign == b'.' && width(k) < 2);
            let tail_ok =
                !fraction && (j == i || cluster.group(j).len() >= 2 || digits.len() <= 13);
            if starts_well && varied && tail_ok && (least..=most).contains(&digits.len()) {
                return Some(j);
            }
        }
        None
    }

    /// Reads `(212) 555-0123`, `(020) 7946 0958`.
    fn bracketed(&self, cluster: &Cluster) -> Option<usize> {
        if cluster.count < 2
            || cluster.group(1).sign != b'('
            || !matches!(cluster.group(0).len(), 2..=5)
        {
            return None;
        }
        (1..cluster.count.min(6)).rev().find(|j| matches!(cluster.digits(0, *j).len(), 8..=11))
    }

    /// Recognises a national number, or an international one written with `00`, at group `i`.
    pub(super) fn phone(&self, cluster: &Cluster, i: usize) -> Option<usize> {
        let start = cluster.group(i).start;
        let near = self.distance(flag::PHONE, start);
        let other = self.distance(flag::OTHER, start);
        let known = near <= 40 && near <= other;
        if matches!(before(self.bytes, start), b'#' | b'_' | b'$' | b'=') && !known {
            return None;
        }
        if cluster.count == 1 && matches!(before(self.bytes, start), b'-' | b'/' | b'.' | b'[') {
            return None;
        }
        if cluster.digits(i, i).starts_with(&[0, 0])
            && (known || cluster.count > i + 1 && other > 16)
            && let Some(j) = self.international(cluster, i, 2)
        {
            return Some(j);
        }
        if other > 16
            && let Some(j) = shaped(cluster, i)
        {
            return Some(j);
        }
        (i..cluster.count.min(i + 6)).rev().find(|j| {
            let digits = cluster.digits(i, *j);
            let plausible = checks::varied(digits);
            let labelled =
                || matches!(digits.len(), 7..=15) && self.labelled(cluster.group(*j).end);
            plausible && (known && matches!(digits.len(), 7..=13) || labelled())
        })
    }

    /// Tells whether the word after a number says that it is one of a telephone.
    fn labelled(&self, end: usize) -> bool {
        let pos = end
            + usize::from(matches!(at(self.bytes, end), b' ' | b'-' | b'('))
            + usize::from(at(self.bytes, end + 1) == b'(');
        [&b"office"[..], b"fax", b"mobile", b"cell", b"home", b"desk", b"(mobile"].into_iter().any(
            |word| starts_ci(self.bytes, pos, word) && !is_word(at(self.bytes, pos + word.len())),
        ) && pos > end
    }
}

/// Shapes that are telephone numbers without a word of context.
fn shaped(cluster: &Cluster, i: usize) -> Option<usize> {
    let lens = |k: usize| if k < cluster.count { cluster.group(k).len() } else { 0 };
    let high = |k: usize| cluster.digits(k, k).first().is_some_and(|digit| *digit >= 2);
    let free = |j: usize| {
        j + 1 >= cluster.count || !matches!(cluster.group(j + 1).sign, b'-' | b'.' | b'/')
    };
    if i > 0 && matches!(cluster.group(i).sign, b'-' | b'.' | b'/') {
        return None;
    }
    let first = cluster.digits(i, i);
    let trunk = usize::from(first == [1] || first == [0, 0, 1]);
    let k = i + trunk;
    if [lens(k), lens(k + 1), lens(k + 2)] == [3, 3, 4] && high(k) && high(k + 1) && free(k + 2) {
        return Some(k + 2);
    }
    if first.first() != Some(&0) || first.get(1) == Some(&0) || !matches!(first.len(), 2..=6) {
        return None;
    }
    (i + 1..cluster.count.min(i + 6)).rev().find(|j| {
        let grouped = (i + 1..=*j).all(|k| lens(k) >= 2)
            && cluster.sign(i + usize::from(cluster.group(i + 1).sign == b'/'), *j).is_some();
        let pairs = (i..=*j).all(|k| lens(k) == 2);
        let dump = pairs && (i > 0 || cluster.count != 5 || *j != 4);
        let zip = dump || first.len() == 5 && *j == i + 1 && lens(*j) == 4;
        matches!(cluster.digits(i, *j).len(), 9..=12) && !zip && grouped && free(*j)
    })
}
