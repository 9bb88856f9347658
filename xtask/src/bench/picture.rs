//! docs/performance.svg: three sets of bars, drawn by hand.

use super::issue::LUCKY;
use super::outcome::Outcome;
use super::page::figure;
use super::stats::{self, Spread};
use std::fmt::Write as _;

const WIDTH: f64 = 760.0;
/// Where bars begin, and where they end at the most.
const LEFT: f64 = 190.0;
const RIGHT: f64 = 640.0;
/// From one bar to the next.
const STEP: f64 = 26.0;
const BAR: f64 = 14.0;
const MARGIN: f64 = 20.0;

/// One bar.
struct Bar {
    label: String,
    spread: Spread,
    ours: bool,
}

/// One set of bars on one scale.
struct Panel {
    title: &'static str,
    subtitle: &'static str,
    unit: &'static str,
    /// From 0 to 100 instead of by powers of ten.
    percent: bool,
    bars: Vec<Bar>,
}

/// The picture of what has been measured; a panel without figures is left out.
pub(super) fn picture(outcomes: &[Outcome]) -> String {
    let find = |id: &str| outcomes.iter().find(|outcome| outcome.id == id);
    let panels = [find("B1").map(issue), find("B6").map(late), find("B7").map(wavering)];
    let panels: Vec<_> =
        panels.into_iter().flatten().filter(|panel| !panel.bars.is_empty()).collect();
    let (mut body, mut top) = (String::new(), MARGIN);
    for panel in &panels {
        top = draw(&mut body, panel, top);
    }
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {top}\" width=\"{WIDTH}\" height=\"{top}\" font-family=\"sans-serif\" font-size=\"13\" fill=\"#222\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n{body}</svg>\n"
    )
}

fn issue(outcome: &Outcome) -> Panel {
    let who = ["floor", "dns01", LUCKY, "lego 5", "certbot", "acme.sh"];
    Panel {
        title: "One certificate",
        subtitle: "seconds, each step to the right is ten times as long; the thin line spans all runs",
        unit: " s",
        percent: false,
        bars: bars(outcome, &who.map(|who| (who, "wall", who.to_owned())), 1.0),
    }
}

fn late(outcome: &Outcome) -> Panel {
    let (mut all, lags) = (Vec::new(), ["3", "10", "30"]);
    let what = lags.map(|lag| format!("overshoot at {lag} s"));
    for (lag, what) in lags.iter().zip(&what) {
        for who in ["dns01", "lego 5", "certbot"] {
            all.push((who, &**what, format!("{who}, {lag} s late")));
        }
    }
    Panel {
        title: "A late name server: the wait that was needless",
        subtitle: "seconds from the moment the last server shows the record, with each client's defaults",
        unit: " s",
        percent: false,
        bars: bars(outcome, &all, 1.0),
    }
}

fn wavering(outcome: &Outcome) -> Panel {
    let what = "share of orders that survived";
    Panel {
        title: "A wavering name server: the orders that survive",
        subtitle: "percent; half of the answers lack the record for six seconds",
        unit: " %",
        percent: true,
        bars: bars(outcome, &["dns01", "lego 5"].map(|who| (who, what, who.to_owned())), 100.0),
    }
}

fn bars(outcome: &Outcome, wanted: &[(&str, &str, String)], times: f64) -> Vec<Bar> {
    let bar = |(who, what, label): &(&str, &str, String)| {
        let values: Vec<_> = outcome.values(who, what).iter().map(|value| value * times).collect();
        let spread = stats::spread(&values)?;
        Some(Bar { label: label.clone(), spread, ours: *who == "dns01" })
    };
    wanted.iter().filter_map(bar).collect()
}

/// Draws a panel from `top` on; gives where the next begins.
fn draw(out: &mut String, panel: &Panel, top: f64) -> f64 {
    text(out, MARGIN, top + 16.0, "start", "font-size=\"16\" font-weight=\"bold\"", panel.title);
    text(out, MARGIN, top + 34.0, "start", "fill=\"#666\"", panel.subtitle);
    let scale = Scale::of(panel);
    let (first, rows) =
        (top + 48.0, f64::from(u32::try_from(panel.bars.len()).unwrap_or_default()));
    let foot = first + rows * STEP;
    for (value, label) in scale.ticks() {
        let x = scale.x(value);
        writeln!(out, "<path d=\"M{x:.1} {first:.1}V{foot:.1}\" stroke=\"#ddd\"/>").ok();
        text(out, x, foot + 16.0, "middle", "fill=\"#666\" font-size=\"11\"", &label);
    }
    for (bar, number) in panel.bars.iter().zip(0_u32..) {
        let y = first + f64::from(number) * STEP + (STEP - BAR) / 2.0;
        let (middle, end) = (y + BAR / 2.0, scale.x(bar.spread.median));
        let colour = if bar.ours { "#0b6e4f" } else { "#9aa5b1" };
        text(out, LEFT - 10.0, middle + 4.5, "end", "", &bar.label);
        let width = end - LEFT;
        writeln!(out, "<rect x=\"{LEFT}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{BAR}\" fill=\"{colour}\"/>").ok();
        let (from, to) = (scale.x(bar.spread.min), scale.x(bar.spread.max));
        writeln!(out, "<path d=\"M{from:.1} {middle:.1}H{to:.1}\" stroke=\"#222\"/>").ok();
        let shown = format!("{}{}", figure(bar.spread.median), panel.unit);
        let weight = if bar.ours { "font-weight=\"bold\"" } else { "" };
        text(out, WIDTH - MARGIN, middle + 4.5, "end", weight, &shown);
    }
    foot + 48.0
}

fn text(out: &mut String, x: f64, y: f64, anchor: &str, style: &str, words: &str) {
    writeln!(
        out,
        "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\" {style}>{words}</text>"
    )
    .ok();
}

/// Where a value lies.
enum Scale {
    Percent,
    /// From and to these powers of ten.
    Tens(i32, i32),
}

impl Scale {
    fn of(panel: &Panel) -> Self {
        if panel.percent {
            return Self::Percent;
        }
        let least = panel.bars.iter().map(|bar| bar.spread.min).fold(f64::INFINITY, f64::min);
        let most = panel.bars.iter().map(|bar| bar.spread.max).fold(0.0, f64::max);
        let power = |value: f64| value.max(0.001).log10();
        let (from, to) = (whole(power(least).floor()), whole(power(most).ceil()));
        Self::Tens(from, to.max(from + 1))
    }

    fn x(&self, value: f64) -> f64 {
        let share = match self {
            Self::Percent => value / 100.0,
            Self::Tens(from, to) => {
                (value.max(0.001).log10() - f64::from(*from)) / f64::from(to - from)
            }
        };
        LEFT + share.clamp(0.0, 1.0) * (RIGHT - LEFT)
    }

    /// The lines of the scale and their labels.
    fn ticks(&self) -> Vec<(f64, String)> {
        match self {
            Self::Percent => [0.0, 25.0, 50.0, 75.0, 100.0].map(|at| (at, figure(at))).to_vec(),
            Self::Tens(from, to) => (*from..=*to)
                .map(|power| (10_f64.powi(power), figure(10_f64.powi(power))))
                .collect(),
        }
    }
}

fn whole(value: f64) -> i32 {
    #[expect(clippy::cast_possible_truncation, reason = "a power of ten between -3 and 3")]
    let whole = value as i32;
    whole
}

#[cfg(test)]
mod tests {
    use super::super::outcome::Row;
    use super::*;

    fn outcomes() -> Vec<Outcome> {
        let row = |who: &str, what: &str, values: &[f64]| Row {
            who: who.to_owned(),
            what: what.to_owned(),
            values: values.to_vec(),
            ..Row::default()
        };
        let mut issue = Outcome::new("B1", "", "");
        issue.rows = ["floor", "dns01", LUCKY, "lego 5", "certbot", "acme.sh"]
            .map(|who| row(who, "wall", &[0.02, 0.05, 9.0]))
            .to_vec();
        let mut wavering = Outcome::new("B7", "", "");
        wavering.rows = vec![row("dns01", "share of orders that survived", &[1.0])];
        vec![issue, wavering]
    }

    /// The attribute of every element of this kind.
    fn numbers(svg: &str, element: &str, attribute: &str) -> Vec<f64> {
        let lines = svg.lines().filter(|line| line.starts_with(element));
        let value = |line: &str| {
            line.split_once(&format!(" {attribute}=\""))
                .and_then(|(_, rest)| rest.split('"').next()?.parse().ok())
        };
        lines.filter_map(value).collect()
    }

    #[test]
    fn no_two_texts_of_a_column_overlap() {
        let svg = picture(&outcomes());
        let lines = svg.lines().filter(|line| line.contains("text-anchor=\"end\""));
        let ends = lines.collect::<Vec<_>>().join("\n");
        let places: Vec<_> =
            numbers(&ends, "<text", "x").into_iter().zip(numbers(&ends, "<text", "y")).collect();
        assert_eq!(places.len(), 14);
        for (number, one) in places.iter().enumerate() {
            for other in &places[..number] {
                assert!(
                    (one.0 - other.0).abs() > 1.0 || (one.1 - other.1).abs() >= 14.0,
                    "{one:?} {other:?}"
                );
            }
        }
    }

    #[test]
    fn everything_lies_on_the_picture() {
        let svg = picture(&outcomes());
        let height = numbers(&svg, "<svg", "height")[0];
        assert!(numbers(&svg, "<text", "y").iter().all(|y| *y > 0.0 && *y < height));
        assert!(
            numbers(&svg, "<rect x", "width")
                .iter()
                .all(|width| (0.0..=RIGHT - LEFT).contains(width))
        );
    }

    #[test]
    fn a_bench_that_has_not_run_leaves_no_panel() {
        let svg = picture(&[Outcome::broken("B6", "no name server")]);
        assert!(!svg.contains("<text"), "{svg}");
    }
}
