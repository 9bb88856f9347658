//! B4: a CA that is 50 ms away, for one name and for twenty.

use super::client::Client;
use super::ground::{Ground, rounds};
use super::measure::Series;
use super::outcome::{Goal, Outcome};
use anyhow::{Context as _, Result};
use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

/// There and back.
const ROUND_TRIP: Duration = Duration::from_millis(50);
/// Beside the CA's own port, so that its certificate fits.
const PORT: u16 = 14050;
const NAMES: usize = 20;

pub(super) fn run(ground: &Ground) -> Result<Vec<Outcome>> {
    let directory = ground.site.directory.strip_prefix("https://").context("no HTTPS")?;
    let behind: SocketAddr = directory.split('/').next().unwrap_or_default().parse()?;
    let before = SocketAddr::new(behind.ip(), PORT);
    delay(before, behind)?;
    let far = ground.site.at(format!("https://{before}/dir"));
    let clients = [Client::Dns01, Client::Lego, Client::Certbot];
    let mut outcome = Outcome::new("B4", "A CA that is 50 ms away", ABOUT);
    for (what, count) in [("wall, 1 name", 1), ("wall, 20 names", NAMES)] {
        let mut all: Vec<_> = clients.iter().map(|client| Series::new(client.name())).collect();
        for _ in rounds(ground.fewer()) {
            for (client, series) in clients.iter().zip(&mut all) {
                let name = ground.fresh(&far.zone);
                let names: Vec<_> = (0..count).map(|number| format!("a{number}.{name}")).collect();
                series.add(ground.issue(*client, &far, &names));
            }
        }
        let wall = |series: &Series| series.samples.iter().map(|sample| sample.wall).collect();
        outcome.rows.extend(all.iter().map(|series| series.row(what, "s", wall(series))));
    }
    let median = |what: &str| outcome.median("dns01", what);
    let more = median("wall, 20 names").zip(median("wall, 1 name"));
    let more = more.map(|(many, one)| (many - one) / ROUND_TRIP.as_secs_f64());
    outcome.goals = vec![
        Goal::at_most(
            "1 name: time, of lego's",
            outcome.ratio("wall, 1 name", "dns01", "lego 5"),
            1.0,
        )
        .limited_by(TRIPS),
        Goal::at_most(
            "20 names: time, of lego's",
            outcome.ratio("wall, 20 names", "dns01", "lego 5"),
            0.3,
        )
        .limited_by(NONCES),
        Goal::at_most(
            "20 names: time, of certbot's",
            outcome.ratio("wall, 20 names", "dns01", "certbot"),
            0.15,
        )
        .limited_by(NONCES),
        Goal::at_most("round trips that 20 names take more than one", more, 4.0).limited_by(NONCES),
    ];
    Ok(vec![outcome])
}

const TRIPS: &str = "one round trip that lego does not take: to ask when to renew";
const NONCES: &str = "every request needs a nonce, and each answer brings one: twenty requests at once first have to fetch as many, or take turns";
const ABOUT: &str = "A proxy before the CA holds every octet back for 25 ms each way, and a new connection for 50 ms. The name servers stay near. \
    At this distance lego's first look at the order always comes late enough: it has luck each time.";

/// Passes connections on, late. It lives as long as the process.
fn delay(before: SocketAddr, behind: SocketAddr) -> Result<()> {
    let listener = TcpListener::bind(before)?;
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            thread::spawn(move || {
                thread::sleep(ROUND_TRIP);
                let Ok(ca) = TcpStream::connect(behind) else { return };
                for (from, to) in [(&stream, &ca), (&ca, &stream)] {
                    let (Ok(from), Ok(to)) = (from.try_clone(), to.try_clone()) else { return };
                    pass(from, to);
                }
            });
        }
    });
    Ok(())
}

/// One direction: octets leave half a round trip after they came, however many are on their way.
fn pass(mut from: TcpStream, mut to: TcpStream) {
    to.set_nodelay(true).ok();
    let (sender, receiver) = mpsc::channel::<(Instant, Vec<u8>)>();
    thread::spawn(move || {
        for (due, octets) in receiver {
            thread::sleep(due.saturating_duration_since(Instant::now()));
            if to.write_all(&octets).is_err() {
                break;
            }
        }
        to.shutdown(Shutdown::Write).ok();
    });
    thread::spawn(move || {
        let mut buffer = vec![0; 65536];
        while let Ok(length @ 1..) = from.read(&mut buffer) {
            if sender.send((Instant::now() + ROUND_TRIP / 2, buffer[..length].to_vec())).is_err() {
                break;
            }
        }
    });
}
