//! What is kept of things that come one after the other, such as backups and log files.

/// Which are kept, where the days of all are given, the newest first: the newest `keep`, and the newest one of each of the
/// last `keep` days that have any. So however many are made on one day, the last of each day before it stays; and there
/// are never more than twice `keep`.
pub fn kept<D: PartialEq>(days: &[D], keep: usize) -> Vec<bool> {
    let mut days_left = keep;
    let mut newer: Option<&D> = None;
    let mut kept = Vec::with_capacity(days.len());
    for (place, day) in days.iter().enumerate() {
        let is_last_of_day = days_left > 0 && newer != Some(day);
        days_left -= usize::from(is_last_of_day);
        newer = Some(day);
        kept.push(place < keep || is_last_of_day);
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_on_one_day_takes_no_other_day_s_last_one() {
        // Newest first; what stays is written large.
        for (keep, days, stay) in [
            (3, "aaaaabbcd", "AAAaaBbCd"),
            (3, "abcdef", "ABCdef"),
            (1, "aab", "Aab"),
            (2, "aaaa", "AAaa"),
            (2, "", ""),
        ] {
            let all: Vec<char> = days.chars().collect();
            let found = kept(&all, keep);
            let shown: String =
                all.iter().zip(&found).map(|(day, kept)| if *kept { day.to_ascii_uppercase() } else { *day }).collect();
            assert_eq!(shown, stay);
            assert!(found.iter().filter(|kept| **kept).count() <= 2 * keep);
        }
    }
}
