//! Every fault of a name server against every strategy, in real time: how the wait ends, and the line it prints.
//!
//! Each combination has a zone of its own with two servers: the primary, which is well, and `ns2`, which has the fault.
//! With `DNS01_SOAK=1` each is run several times and the table is printed.

use super::{VALUE, show, soaks};
use harness::{FakeDns, Fault, Lab, NameServer as _, Named, Run, Sandbox, Zone, faults};
use hickory_proto::op::ResponseCode;
use std::net::IpAddr;
use std::sync::Mutex;
use std::thread;
use std::time::Duration;

/// The last is the toolkit's, with its row made short; it takes its time, so it is run in the longer sweep only.
const STRATEGIES: [(&str, &str); 3] = [("stable", "7s"), ("lego", "7s"), ("streak", "30s")];
const HEAD: &str = "| fault of one of two servers | strategy | exit | line |\n|---|---|---|---|";
/// So many waits at once.
const AT_ONCE: usize = 12;

/// A fault of `ns2`, and what the default strategy makes of it.
struct Case {
    name: &'static str,
    fault: fn(u64) -> Option<Fault>,
    /// How it ends by `stable`, and what is said then.
    exit: i32,
    says: &'static str,
}

const fn case(
    name: &'static str,
    fault: fn(u64) -> Option<Fault>,
    exit: i32,
    says: &'static str,
) -> Case {
    Case { name, fault, exit, says }
}

const CASES: [Case; 18] = [
    case("none", |_| Some(faults::none()), 0, "2 of 2 addresses agree"),
    case("answers after 300 ms", |_| Some(faults::delay(Duration::from_millis(300))), 0, "2 of 2"),
    case("loses 20 % of the answers", |seed| Some(faults::loss(20, seed)), 0, "2 of 2"),
    case("truncated, whole by TCP", |_| Some(faults::truncated()), 0, "2 of 2"),
    case("truncated, no TCP", |_| Some(faults::truncated_without_tcp()), 80, "does not answer"),
    case("silent", |_| Some(faults::silence()), 80, "does not answer"),
    case("nobody listens", |_| None, 80, "refuses connections"),
    case(
        "SERVFAIL",
        |_| Some(faults::code(ResponseCode::ServFail)),
        80,
        "answers SERVFAIL for N s; 1 of 2 addresses agree; that is the server's failure",
    ),
    case("REFUSED", |_| Some(faults::code(ResponseCode::Refused)), 80, "answers REFUSED"),
    case("lame", |_| Some(faults::lame()), 80, "is not authoritative for the zone"),
    case("stale serial", |_| Some(faults::stale(0)), 80, "; a secondary lags behind"),
    case("stale for 2 s", |_| Some(faults::stale_for(0, Duration::from_secs(2))), 0, "2 of 2"),
    case(
        "flapping p=.5 for 2 s",
        |seed| Some(faults::flapping(50, Duration::from_secs(2), seed)),
        0,
        "2 of 2",
    ),
    case(
        "flapping p=.5 for good",
        |seed| Some(faults::flapping(50, Duration::from_hours(1), seed)),
        80,
        "goes back and forth",
    ),
    case("NXDOMAIN to keep for a day", |_| Some(faults::negative(86_400)), 80, "answers NXDOMAIN"),
    case("another value", |_| Some(faults::another_value()), 80, "shows another value"),
    case(
        "record removed after 4 answers",
        |_| Some(faults::forgetting(4)),
        80,
        "showed them and now answers NXDOMAIN",
    ),
    case("one of its two addresses stale", |_| Some(faults::negative(5)), 80, "answers NXDOMAIN"),
];

/// One wait of the table.
struct Cell {
    case: &'static Case,
    strategy: &'static str,
    timeout: &'static str,
    zone: String,
    /// The server with the fault, which runs as long as the table is made.
    faulty: IpAddr,
    servers: Vec<FakeDns>,
}

struct Row {
    case: &'static Case,
    strategy: &'static str,
    run: Run,
    /// It ended as ready, and one of three questions right after was answered without the value.
    too_early: bool,
}

impl Row {
    fn line(&self) -> String {
        let said = if self.run.code == 0 { &self.run.stdout } else { &self.run.termination };
        let end = said.split("; hint: ").next().unwrap_or_default().trim();
        let end = end.split_once("name server: ").map_or(end, |(_, reason)| reason);
        let early = if self.too_early { " TOO EARLY" } else { "" };
        format!(
            "| {} | {} | {}{early} | {} |",
            self.case.name,
            self.strategy,
            self.run.code,
            timeless(end)
        )
    }
}

/// Without what differs from run to run.
fn timeless(line: &str) -> String {
    let words = line.split(' ').map(|word| {
        let bare = word.trim_matches(['(', ')', ',', ';']);
        if bare.parse::<IpAddr>().is_ok() {
            word.replace(bare, "IP")
        } else if bare.contains('.') && bare.parse::<f64>().is_ok() {
            word.replace(bare, "N")
        } else {
            word.to_owned()
        }
    });
    words.collect::<Vec<_>>().join(" ").replace(" (IP)", "")
}

fn strategies() -> impl Iterator<Item = (&'static str, &'static str)> {
    STRATEGIES.into_iter().take(if soaks() { STRATEGIES.len() } else { 2 })
}

fn cells(lab: &Lab, round: u64) -> Vec<Cell> {
    let mut cells = Vec::new();
    for (number, case) in CASES.iter().enumerate() {
        for (strategy, timeout) in strategies() {
            let zone = format!("f{number}-{strategy}-{round}.test");
            cells.push(Cell {
                case,
                strategy,
                timeout,
                zone,
                faulty: lab.address(),
                servers: Vec::new(),
            });
        }
    }
    cells
}

fn wait(cell: &Cell, user: &Sandbox) -> Run {
    let name = format!("_acme-challenge.{}", cell.zone);
    let row =
        [("DNS01_BACKOFF_MIN", "1"), ("DNS01_STREAK_THRESHOLD", "2"), ("DNS01_BACKOFF_MAX", "1")];
    let step = user.step("wait-propagation").args(["--fqdn", &name, "--value", VALUE]);
    let step = step.args(["--timeout", cell.timeout, "--strategy", cell.strategy]);
    let row = row.into_iter().filter(|_| cell.strategy == "streak");
    row.fold(step, |step, (name, value)| step.env(name, value)).run()
}

fn table(rounds: u64) -> Vec<Row> {
    let mut rows = Vec::new();
    for round in 0..rounds {
        // A lab has room for 255 addresses.
        let lab = Lab::new();
        let mut cells = cells(&lab, round);
        let primary = lab.address();
        let zones = cells.iter().map(|cell| {
            let second = format!("@ NS ns2\nns2 A {}", cell.faulty);
            let more = if cell.case.name.contains("two addresses") {
                format!("\nns2 A {primary}")
            } else {
                String::new()
            };
            Zone::new(&cell.zone)
                .record(&(second + &more))
                .record(&format!("_acme-challenge TXT {VALUE}"))
        });
        let named =
            zones.fold(Named::builder(&lab).at(primary), harness::NamedBuilder::zone).start();
        for (seed, cell) in (round * 1000..).zip(&mut cells) {
            let fault = (cell.case.fault)(seed);
            let server = fault.map(|fault| FakeDns::start_at(cell.faulty, primary, fault));
            cell.servers.extend(server);
        }
        let user = Sandbox::new(&lab).resolv_conf(named.address());
        rows.extend(in_parallel(&cells, &user));
    }
    rows
}

fn in_parallel(cells: &[Cell], user: &Sandbox) -> Vec<Row> {
    let (next, done) = (Mutex::new(cells.iter()), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let Some(cell) = next.lock().unwrap().next() else { return };
                    let run = wait(cell, user);
                    let too_early = run.code == 0 && (0..3).any(|_| !shows(cell));
                    let row = Row { case: cell.case, strategy: cell.strategy, run, too_early };
                    done.lock().unwrap().push(row);
                }
            });
        }
    });
    done.into_inner().unwrap()
}

/// Whether the server with the fault shows the value now; one that loses an answer misses nothing.
fn shows(cell: &Cell) -> bool {
    let name = format!("_acme-challenge.{}", cell.zone);
    let seen = std::panic::catch_unwind(|| harness::txt(cell.faulty, &name));
    seen.map_or(true, |values| values == [VALUE])
}

#[test]
#[ignore = "needs named"]
fn every_fault_ends_as_it_should_and_is_told_in_one_line() {
    let mut rows = table(if soaks() { 4 } else { 1 });
    rows.sort_by_key(|row| CASES.iter().position(|case| case.name == row.case.name));
    let lines: Vec<_> = rows.iter().map(Row::line).collect();
    show(&format!("{HEAD}\n{}\n", lines.join("\n")));
    assert!(rows.len() >= if soaks() { 200 } else { 2 * CASES.len() });
    for (row, line) in rows.iter().zip(&lines).filter(|(row, _)| row.strategy == "stable") {
        assert_eq!(row.run.code, row.case.exit, "{line}\n{}", row.run);
        assert!(line.contains(row.case.says) && !row.too_early, "{line}\n{}", row.run);
    }
    // Who is well is never blamed.
    let blamed = |line: &&String| line.contains("ns1.");
    assert!(!lines.iter().any(|line| blamed(&line)), "{lines:#?}");
    // The bench can tell: what believes the first sighting is ready while the server still wavers, or says it is.
    let fooled = |row: &&Row| row.strategy == "lego" && row.case.exit == 80 && row.run.code == 0;
    assert!(rows.iter().any(|row| fooled(&row)), "lego's rule sees through everything");
}
