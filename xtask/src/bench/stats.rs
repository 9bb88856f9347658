//! The least, the middle and the most of some figures, and ratios round by round.

/// What a table shows of a series.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Spread {
    pub(super) min: f64,
    pub(super) median: f64,
    pub(super) max: f64,
}

/// The spread of `values`; nothing of none.
pub(super) fn spread(values: &[f64]) -> Option<Spread> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let (min, max) = (*sorted.first()?, *sorted.last()?);
    let half = sorted.len() / 2;
    let median = if sorted.len() % 2 == 1 {
        sorted[half]
    } else {
        f64::midpoint(sorted[half - 1], sorted[half])
    };
    Some(Spread { min, median, max })
}

/// The median of `values`.
pub(super) fn median(values: &[f64]) -> Option<f64> {
    spread(values).map(|spread| spread.median)
}

/// The median of the ratios of `ours` to `theirs`, each of one round. Rounds that one of them lacks, because it runs more
/// seldom, count by its median.
pub(super) fn ratio(ours: &[f64], theirs: &[f64]) -> Option<f64> {
    if ours.len() != theirs.len() {
        return Some(median(ours)? / median(theirs)?);
    }
    let pairs: Vec<_> = ours.iter().zip(theirs).map(|(own, other)| own / other).collect();
    median(&pairs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_of_an_even_count_lies_between_the_two() {
        let found = spread(&[4.0, 1.0, 3.0, 2.0]);
        assert_eq!(found, Some(Spread { min: 1.0, median: 2.5, max: 4.0 }));
        assert_eq!(median(&[7.0, 1.0, 2.0]), Some(2.0));
    }

    #[test]
    fn no_figures_have_no_spread_and_no_ratio() {
        assert_eq!(spread(&[]), None);
        assert_eq!(ratio(&[], &[]), None);
        assert_eq!(ratio(&[1.0], &[]), None);
    }

    #[test]
    fn a_ratio_is_taken_round_by_round() {
        // The ratio of the medians would be 1.
        assert_eq!(ratio(&[1.0, 2.0, 3.0], &[10.0, 2.0, 1.0]), Some(1.0));
        assert_eq!(ratio(&[1.0, 2.0, 3.0], &[4.0, 4.0, 30.0]), Some(0.25));
    }

    #[test]
    fn a_peer_that_runs_more_seldom_counts_by_its_median() {
        assert_eq!(ratio(&[1.0, 2.0, 3.0], &[8.0]), Some(0.25));
    }
}
