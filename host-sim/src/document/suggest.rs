//! Words for what is wrong and for what was probably meant.

/// A value as messages quote it: on one line and not without end.
pub(crate) fn quoted(text: &str) -> String {
    let mut short: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(60).collect();
    if text.chars().nth(60).is_some() {
        short.push('…');
    }
    format!("`{short}`")
}

/// Names as messages list them.
fn listed<'c>(names: impl IntoIterator<Item = &'c str>) -> String {
    let names: Vec<_> = names.into_iter().map(quoted).collect();
    names.join(", ")
}

/// What is allowed, and the one that was probably meant.
pub(crate) fn one_of(word: &str, candidates: &[&str]) -> String {
    let listing = listed(candidates.iter().copied().take(24));
    let more = if candidates.len() > 24 { ", …" } else { "" };
    match near_miss(word, candidates.iter().copied()) {
        Some(near) => format!("did you mean `{near}`? allowed: {listing}{more}"),
        None => format!("allowed: {listing}{more}"),
    }
}

/// The one of `candidates` that `word` was probably meant to be.
pub(crate) fn near_miss<'c>(word: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    let letters = word.chars().count();
    if !(3..=64).contains(&letters) {
        return None;
    }
    let (changes, candidate) = candidates.into_iter().map(|name| (distance(word, name), name)).min()?;
    (changes <= letters.div_ceil(3)).then_some(candidate)
}

/// Least number of letters to insert, delete, replace or swap with the next between two words.
fn distance(left: &str, right: &str) -> usize {
    let (left, right): (Vec<char>, Vec<char>) = (left.chars().collect(), right.chars().collect());
    let mut rows: Vec<Vec<usize>> = vec![(0..=right.len()).collect()];
    for i in 0..left.len() {
        let mut row = vec![i + 1];
        for j in 0..right.len() {
            let replaced = rows[i][j] + usize::from(left[i] != right[j]);
            let mut least = replaced.min(rows[i][j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && left[i] == right[j - 1] && left[i - 1] == right[j] {
                least = least.min(rows[i - 1][j - 1] + 1);
            }
            row.push(least);
        }
        rows.push(row);
    }
    rows[left.len()][right.len()]
}
