//! The rules against thousands of seeded schedules on a virtual clock: is "ready" ever said too early, how long after
//! the truth is it said, and how many questions does it cost.
//!
//! The table is a section of `docs/why/propagation.md`; `DNS01_BLESS=1` in the environment of this test writes it anew. With
//! `DNS01_SOAK=1` there are ten times as many schedules, and the table is printed.

mod world;

use std::io::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use super::virtual_clock::{ms, run};
use super::{Engine, Lego, Rule, Streak, StreakRule};
use world::{Scene, World};

/// So many schedules of each scene.
const RUNS: usize = 1_000;
const RULES: [&str; 3] = ["stable", "lego", "streak"];

/// What many waits in one scene came to.
struct Row {
    scene: Scene,
    rule: &'static str,
    runs: usize,
    /// Ended as ready, while a CA that asks three times right after sees a miss.
    wrong: usize,
    late: usize,
    overshoot: Vec<Duration>,
    questions: Vec<u32>,
    to_primary: u32,
}

impl Row {
    fn median(&self) -> Duration {
        self.overshoot[self.overshoot.len() / 2]
    }

    fn worst(&self) -> Duration {
        *self.overshoot.last().unwrap()
    }

    fn share_wrong(&self) -> f64 {
        f64::from(u32::try_from(self.wrong).unwrap()) / f64::from(u32::try_from(self.runs).unwrap())
    }

    fn line(&self) -> String {
        let seconds = |at: usize| self.overshoot[at].as_secs_f64();
        let last = self.runs - 1;
        format!(
            "| {} | {} | {} | {} ({:.1} %) | {:.3} / {:.3} / {:.3} | {} / {} / {} | {} |",
            self.scene.name(),
            self.rule,
            self.runs,
            self.wrong,
            self.share_wrong() * 100.0,
            seconds(0),
            seconds(last / 2),
            seconds(last),
            self.questions[0],
            self.questions[last / 2],
            self.questions[last],
            self.to_primary,
        )
    }
}

fn measure(scene: Scene, rule: &'static str, runs: usize) -> Row {
    let (overshoot, questions) = (Vec::with_capacity(runs), Vec::with_capacity(runs));
    let mut row = Row { scene, rule, runs, wrong: 0, late: 0, overshoot, questions, to_primary: 0 };
    for seed in 0..runs as u64 {
        let mut world = World::new(scene, seed);
        let rule = match rule {
            "stable" => Rule::Stable,
            "lego" => Rule::Lego(Lego::new()),
            _ => Rule::Streak(Streak::new(StreakRule::default())),
        };
        let engine = Engine::new(rule, world.servers(), ms(600_000));
        let (end, _) = run(engine, |target, now| world.react(target, now));
        row.late += usize::from(!end.done);
        row.wrong += usize::from(end.done && world.a_ca_misses(end.at));
        row.overshoot.push(end.at.saturating_sub(world.steady_from()));
        row.questions.push(end.asked.iter().sum());
        row.to_primary = row.to_primary.max(end.asked[0]);
    }
    row.overshoot.sort_unstable();
    row.questions.sort_unstable();
    row
}

const HEAD: &str = "\
| schedule | rule | waits | \"ready\" too early | overshoot, s | questions | most to the primary |
|---|---|---|---|---|---|---|";

/// All scenes by all rules. Seeds are fixed, so the figures are the same on every machine.
fn rows(runs: usize) -> Vec<Row> {
    let all = |scene| RULES.map(|rule| measure(scene, rule, runs));
    Scene::ALL.into_iter().flat_map(all).collect()
}

fn table(rows: &[Row]) -> String {
    let lines: Vec<_> = rows.iter().map(Row::line).collect();
    format!("{HEAD}\n{}\n", lines.join("\n"))
}

/// Holds the page against the table, or the table into the page.
fn hold(table: &str) {
    const BEGIN: &str = "<!-- simulation: written by `cargo xtask codegen` -->\n\n";
    const END: &str = "\n<!-- end of simulation -->";
    let page = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/why/propagation.md");
    let text = std::fs::read_to_string(&page).unwrap();
    let (before, rest) = text.split_once(BEGIN).unwrap();
    let (kept, after) = rest.split_once(END).unwrap();
    if std::env::var_os("DNS01_BLESS").is_some() {
        std::fs::write(&page, [before, BEGIN, table, END, after].concat()).unwrap();
        return;
    }
    assert!(
        kept == table,
        "docs/why/propagation.md is not what the engine does: run `cargo xtask codegen` and look at the difference"
    );
}

fn soaks() -> bool {
    std::env::var_os("DNS01_SOAK").is_some_and(|value| value == "1")
}

/// Past the test runner, which keeps what `print!` says to itself.
fn show(text: &str) {
    if soaks() {
        std::io::stderr().write_all(format!("\n{text}\n").as_bytes()).unwrap();
    }
}

fn find<'a>(rows: &'a [Row], scene: Scene, rule: &str) -> &'a Row {
    rows.iter().find(|row| row.scene == scene && row.rule == rule).unwrap()
}

#[test]
fn the_default_is_never_wrong_about_the_steady_and_seldom_about_the_flapping() {
    let rows = rows(if soaks() { 10 * RUNS } else { RUNS });
    show(&table(&rows));
    if !soaks() {
        hold(&table(&rows));
    }
    let stable = |scene| find(&rows, scene, "stable");
    for scene in [Scene::Steady, Scene::Late, Scene::Late3, Scene::Late10, Scene::Late30] {
        let row = stable(scene);
        assert_eq!((row.wrong, row.late), (0, 0), "{}", row.line());
        assert!(row.to_primary <= 1 + 8, "one look and one burst: {}", row.line());
        assert!(row.worst() < ms(600), "{}", row.line());
        assert!(row.runs >= find(&rows, scene, "lego").runs);
    }
    for (scene, of_lego) in [(Scene::Late3, 0.35), (Scene::Late10, 0.2), (Scene::Late30, 0.2)] {
        let (ours, lego) = (stable(scene), find(&rows, scene, "lego"));
        let ratio = ours.median().as_secs_f64() / lego.median().as_secs_f64();
        assert!(ratio <= of_lego, "{ratio:.3}: {}", ours.line());
    }
    for scene in [Scene::Flapping6, Scene::Flapping30, Scene::FlappingAtOnce, Scene::AnycastSplit] {
        let row = stable(scene);
        assert!(row.share_wrong() <= 0.01 && row.late == 0, "{}", row.line());
        assert!(row.median() < Duration::from_secs(3), "{}", row.line());
    }
    // The scene is hard enough to tell: lego's rule loses most of these.
    assert!(find(&rows, Scene::Flapping6, "lego").share_wrong() > 0.5);
}

#[test]
fn of_ten_thousand_orders_one_in_two_hundred_is_lost_at_most_to_a_server_that_flaps_at_once() {
    let row = measure(Scene::FlappingAtOnce, "stable", 10_000);
    show(&row.line());
    assert!(row.late == 0 && row.share_wrong() <= 0.005, "{}", row.line());
}
