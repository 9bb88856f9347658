//! docs/performance.md, made of whatever the benches have found so far.

use super::outcome::{Goal, Outcome, Row};
use super::stats;
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// The whole page.
pub(super) fn page(outcomes: &[Outcome]) -> String {
    let mut text = HEAD.to_owned();
    text += &goals(outcomes);
    for outcome in outcomes {
        text += &section(outcome);
    }
    text += &conditions(outcomes);
    text += TAIL;
    text
}

const HEAD: &str = "<!-- Written by `cargo xtask bench`: change xtask/src/bench, not this page. -->
# Performance

dns01 beside lego, certbot and acme.sh, on the same machine, in the same run, one after the other in turn. The CA is pebble with
real validation, the name servers are BIND with one secondary, all on loopback: what is left is what a client adds. \"floor\" is a
probe of our own that does the least any client must do, keeps nothing and checks nothing twice.

All files lie in memory here. On a disk dns01 pays for keeping its word: it syncs about forty times per certificate, so that a
crash at any point loses neither a key nor an order.

Every figure is *least* / **median** / *most* of n runs. Read the ratios, not the times: they are taken round by round.

![What one certificate takes, how late each client notices, and how many orders survive](performance.svg)
";

const TAIL: &str = "
## How to repeat it

    cargo xtask bench               # everything, about a quarter of an hour; writes this page
    cargo xtask bench B1 B6         # only these; the other figures stay
    cargo xtask bench --runs 30     # more rounds
    cargo xtask bench argo          # on a real node, as root

It runs in a private network namespace without a way out; the peers are fetched before. Each client's command line is in
`xtask/src/bench/client.rs`, the probe in `tests/bench`. Nothing in the tests depends on these figures.
";

fn goals(outcomes: &[Outcome]) -> String {
    let mut text =
        "\n## Goals\n\n| bench | figure | goal | measured | |\n|---|---|---|---|---|\n".to_owned();
    for outcome in outcomes {
        for goal in &outcome.goals {
            let sign = if goal.at_least { "≥" } else { "≤" };
            let measured = goal.figure.map_or_else(|| "–".to_owned(), figure);
            let bound = figure(goal.bound);
            let (id, text_of, verdict) = (&outcome.id, &goal.text, verdict(goal));
            writeln!(text, "| {id} | {text_of} | {sign} {bound} | {measured} | {verdict} |").ok();
        }
    }
    text
}

fn verdict(goal: &Goal) -> String {
    match goal.is_met() {
        Some(true) => "met".to_owned(),
        Some(false) if goal.limit.is_empty() => "**not met**".to_owned(),
        Some(false) => format!("**not met**: {}", goal.limit),
        None => "not measured: see the rows".to_owned(),
    }
}

fn section(outcome: &Outcome) -> String {
    let mut text = format!("\n## {}: {}\n", outcome.id, outcome.title);
    if !outcome.about.is_empty() {
        writeln!(text, "\n{}", outcome.about).ok();
    }
    text += "\n| what | who | least / **median** / most | n | |\n|---|---|---|---|---|\n";
    // All of one quantity together: that is what is compared.
    let mut quantities: Vec<&str> = Vec::new();
    for row in &outcome.rows {
        if !quantities.contains(&&*row.what) {
            quantities.push(&row.what);
        }
    }
    for quantity in quantities {
        for row in outcome.rows.iter().filter(|row| row.what == quantity) {
            text += &line(row);
        }
    }
    text
}

fn line(row: &Row) -> String {
    let (what, who, note) = (&row.what, &row.who, cell(&row.note));
    let unit = if row.unit.is_empty() { String::new() } else { format!(" {}", row.unit) };
    let shown = match stats::spread(&row.values) {
        None => "–".to_owned(),
        Some(all) if row.values.len() == 1 => format!("**{}**{unit}", figure(all.median)),
        Some(all) => {
            format!("{} / **{}** / {}{unit}", figure(all.min), figure(all.median), figure(all.max))
        }
    };
    format!("| {what} | {who} | {shown} | {} | {note} |\n", row.values.len())
}

/// Text of a program in a cell of a table.
fn cell(text: &str) -> String {
    text.chars()
        .filter(|letter| !letter.is_control())
        .collect::<String>()
        .replace('|', "\\|")
        .replace('<', "&lt;")
}

fn conditions(outcomes: &[Outcome]) -> String {
    let mut text =
        "\n## Under what conditions\n\n| bench | when | where |\n|---|---|---|\n".to_owned();
    for outcome in outcomes {
        writeln!(text, "| {} | {} | {} |", outcome.id, outcome.measured, cell(&outcome.machine))
            .ok();
    }
    let versions: BTreeSet<_> = outcomes.iter().flat_map(|outcome| &outcome.versions).collect();
    text += "\nVersions:\n\n";
    for version in versions {
        writeln!(text, "- {}", cell(version)).ok();
    }
    text
}

/// Three digits that count, and no more.
pub(super) fn figure(value: f64) -> String {
    let size = value.abs();
    let text = match size {
        _ if size >= 99.95 => format!("{value:.0}"),
        _ if size >= 9.995 => format!("{value:.1}"),
        _ if size >= 0.9995 || size == 0.0 => format!("{value:.2}"),
        _ if size >= 0.0995 => format!("{value:.3}"),
        _ => format!("{value:.4}"),
    };
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome() -> Outcome {
        let row = |who: &str, what: &str, values: &[f64], note: &str| Row {
            who: who.to_owned(),
            what: what.to_owned(),
            unit: "s".to_owned(),
            values: values.to_vec(),
            note: note.to_owned(),
        };
        let mut outcome = Outcome::new("B1", "One certificate", "What was done.");
        outcome.rows = vec![
            row("dns01", "wall", &[0.05, 0.04, 0.06], ""),
            row("dns01", "CPU", &[0.01], ""),
            row("lego 5", "wall", &[], "3 of 3 failed: exit 1: no | <luck>"),
        ];
        outcome.goals = vec![
            Goal::at_most("time, of lego's", None, 0.02),
            Goal::at_most("time, of the floor", Some(1.5), 1.5),
            Goal::at_least("orders", Some(0.5), 0.95).limited_by("bad luck"),
        ];
        outcome
    }

    #[test]
    fn figures_keep_three_digits() {
        let shown = [1234.4, 43.21, 4.321, 0.4321, 0.01234, 0.0, 2.0, 100.0].map(figure);
        assert_eq!(shown, ["1234", "43.2", "4.32", "0.432", "0.0123", "0", "2", "100"]);
    }

    #[test]
    fn all_rows_of_a_quantity_stand_together_with_the_failures_among_them() {
        let text = page(&[outcome()]);
        let table: Vec<_> = text
            .lines()
            .filter(|line| line.contains("| wall |") || line.contains("| CPU |"))
            .collect();
        assert_eq!(
            table,
            [
                "| wall | dns01 | 0.04 / **0.05** / 0.06 s | 3 |  |",
                "| wall | lego 5 | – | 0 | 3 of 3 failed: exit 1: no \\| &lt;luck> |",
                "| CPU | dns01 | **0.01** s | 1 |  |",
            ]
        );
    }

    #[test]
    fn every_goal_says_whether_it_was_met_or_why_not() {
        let text = page(&[outcome()]);
        assert!(text.contains("| B1 | time, of the floor | ≤ 1.5 | 1.5 | met |"), "{text}");
        assert!(text.contains("| B1 | orders | ≥ 0.95 | 0.5 | **not met**: bad luck |"), "{text}");
        assert!(
            text.contains("| B1 | time, of lego's | ≤ 0.02 | – | not measured: see the rows |"),
            "{text}"
        );
    }
}
