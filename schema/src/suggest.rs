//! "Did you mean": the names nearest to one that does not exist.

/// The best three of `candidates`, nearest first; empty when nothing is near enough to be meant.
///
/// A dotted name is compared whole and by its last part, so that a name that only lacks its owner is found too.
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let wanted = name.to_lowercase();
    let mut scored: Vec<(f64, &str)> = Vec::new();
    for candidate in candidates {
        let score = similarity(&wanted, &candidate.to_lowercase());
        if score >= ENOUGH && candidate != name {
            scored.push((score, candidate));
        }
    }
    scored.sort_by(|left, right| right.0.total_cmp(&left.0).then_with(|| left.1.cmp(right.1)));
    scored.dedup_by(|left, right| left.1 == right.1);
    scored.into_iter().take(3).map(|(_, candidate)| candidate.to_owned()).collect()
}

/// Below this two names are different words rather than one word mistyped.
const ENOUGH: f64 = 0.6;

fn similarity(wanted: &str, candidate: &str) -> f64 {
    let whole = strsim::normalized_damerau_levenshtein(wanted, candidate);
    let last_part = |name: &str| name.rsplit('.').next().unwrap_or_default().to_owned();
    let (short_wanted, short_candidate) = (last_part(wanted), last_part(candidate));
    if short_wanted == wanted && short_candidate == candidate {
        return whole;
    }
    // A little less than a whole match, so that `a.x` prefers `a.y`-like names that agree everywhere.
    whole.max(strsim::normalized_damerau_levenshtein(&short_wanted, &short_candidate) * 0.95)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_comes_first_and_far_ones_not_at_all() {
        assert_eq!(nearest("mmr", ["consumed", "mrr", "nrr"]), ["mrr"]);
        assert_eq!(nearest("contraction_rat", ["contraction_rate", "contraction_mrr", "churn"])[0], "contraction_rate");
        assert!(nearest("zzz", ["mrr", "nrr"]).is_empty());
    }

    #[test]
    fn case_and_a_missing_owner_do_not_matter() {
        assert_eq!(nearest("MRR", ["mrr"]), ["mrr"]);
        assert_eq!(nearest("segment", ["account.segment", "account.name"]), ["account.segment"]);
    }

    #[test]
    fn at_most_three_without_repeats() {
        assert_eq!(nearest("abcd", ["abce", "abcf", "abcg", "abch", "abce"]).len(), 3);
    }
}
