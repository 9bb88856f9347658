//! All pairs in one namespace with what they need: a bus, tokens, and a way to their ports.

use super::page;
use super::platform::{CERTIFICATE, OWNER, Platform, path};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use harness::{NameServer as _, Request, exchange_plain};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

/// Waits until `look` has found something.
#[track_caller]
pub(super) fn eventually<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(start.elapsed() < Duration::from_mins(7), "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(200));
    }
}

/// `kubectl port-forward` to a Service.
struct Forward {
    child: Child,
    address: SocketAddr,
    /// It ends when it can't say that a connection comes.
    _says: BufReader<ChildStdout>,
}

impl Forward {
    fn to(platform: &Platform, service: &str) -> Self {
        let service = format!("service/{service}");
        let arguments = ["-n", &platform.namespace, "port-forward", &service, ":12000"];
        let mut command = platform.cluster.kubectl().command(&arguments);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut says = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        says.read_line(&mut line).unwrap();
        let address = line.split_whitespace().nth(2).unwrap_or_else(|| panic!("{service}: {line}"));
        Self { child, address: address.parse().unwrap(), _says: says }
    }
}

impl Drop for Forward {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// The pairs at work.
pub(super) struct Events {
    pub(super) platform: Platform,
    forwards: BTreeMap<&'static str, Forward>,
    table: String,
    /// Log lines that were looked for and found; Workflows that were expected.
    seen: BTreeSet<String>,
    expected: BTreeSet<String>,
}

impl Events {
    /// Applies all but the calendar, and waits until each listens.
    pub(super) fn start() -> Self {
        let platform = Platform::start("events");
        platform.cluster.event_bus(&platform.namespace);
        ask_our_name_server(&platform);
        let table = format!("{:<44} {:<4} {:<41} result or log\n", "event", "code", "Workflow");
        let (seen, expected) = (BTreeSet::new(), BTreeSet::new());
        let mut events = Self { platform, forwards: BTreeMap::new(), table, seen, expected };
        page::run(&mut events, "Set up");
        let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "dns01-httpreq"}, "stringData": {"token": "challenge-token"}});
        events.platform.apply(&secret);
        events.apply("httpreq.yaml", &[("cloudflare", "rfc2136")]);
        let namespace = format!("namespace: {}", events.platform.namespace);
        events.apply("resource.yaml", &[("namespace: dns01", &namespace)]);
        for (pair, event) in [
            ("webhook", "certificate"),
            ("httpreq", "present"),
            ("httpreq", "cleanup"),
            ("resource", "certificate"),
        ] {
            let subject = format!("Subscribing to subject default.dns01-{pair}.{event}");
            events.logged(&format!("sensor-name=dns01-{pair}"), &[&subject]);
            let ready = if pair == "resource" {
                "running informer"
            } else {
                "running operations post route activation"
            };
            events.logged(&format!("eventsource-name=dns01-{pair}"), &[ready]);
        }
        for pair in ["webhook", "httpreq"] {
            events.forwards.insert(pair, Forward::to(&events.platform, &format!("dns01-{pair}")));
        }
        events
    }

    /// Applies a file of `event-sources` with each first text, which must be there, replaced by the second.
    #[track_caller]
    pub(super) fn apply(&self, file: &str, changes: &[(&str, &str)]) {
        let mut text = fs::read_to_string(path("event-sources").join(file)).unwrap();
        for (from, to) in changes {
            assert!(text.contains(from), "{file} has no `{from}`");
            text = text.replace(from, to);
        }
        self.platform.cluster.kubectl().apply(Some(&self.platform.namespace), &text);
    }

    /// Where the webhook of a pair is reached.
    pub(super) fn address(&self, pair: &str) -> SocketAddr {
        self.forwards[pair].address
    }

    /// The token of a pair.
    pub(super) fn token(&self, pair: &str) -> String {
        let secret = self.platform.get(&format!("secret/dns01-{pair}")).unwrap();
        let token = STANDARD.decode(secret["data"]["token"].as_str().unwrap()).unwrap();
        String::from_utf8(token).unwrap()
    }

    /// Posts JSON with the pair's token; the status code.
    #[track_caller]
    pub(super) fn post(&self, pair: &str, endpoint: &str, body: &str) -> u16 {
        let bearer = format!("Bearer {}", self.token(pair));
        let request = Request::new("POST", "dns01", endpoint).with_header("authorization", &bearer);
        self.send(pair, &request.with_body("application/json", body))
    }

    /// Sends a request to a pair; the status code.
    #[track_caller]
    pub(super) fn send(&self, pair: &str, request: &Request) -> u16 {
        exchange_plain(self.address(pair), request).unwrap().status
    }

    /// The name of the Workflow with these labels that is none of `known`, once it is there.
    #[track_caller]
    pub(super) fn started(&mut self, selector: &str, known: &[&str]) -> String {
        let (kubectl, namespace) = (self.platform.cluster.kubectl(), &self.platform.namespace);
        let name = eventually(&format!("a Workflow with {selector}"), || {
            let all = kubectl.list(namespace, "workflow", selector);
            let names = all.iter().map(|one| one["metadata"]["name"].as_str().unwrap());
            names.map(ToOwned::to_owned).find(|name| !known.contains(&&**name))
        });
        self.expected.insert(name.clone());
        name
    }

    /// What a line says that has all these words, is in the log of a pod with this label and was never given before.
    #[track_caller]
    pub(super) fn logged(&mut self, selector: &str, words: &[&str]) -> String {
        let line = eventually(&format!("{words:?} in the log of {selector}"), || {
            let log = self.log(selector);
            let said = |line: &str| {
                let object: Value = serde_json::from_str(line).unwrap_or_default();
                let text = |key: &str| object[key].as_str().unwrap_or_default().to_owned();
                let said = format!("{} {}", text("msg"), text("error"));
                words.iter().all(|word| said.contains(word)).then_some(said)
            };
            log.lines()
                .filter(|line| !self.seen.contains(*line))
                .find_map(|line| Some((line.to_owned(), said(line)?)))
        });
        self.seen.insert(line.0);
        line.1
    }

    /// The logs of all pods with this label.
    pub(super) fn log(&self, selector: &str) -> String {
        let arguments = ["-n", &self.platform.namespace, "logs", "--tail=-1", "-l", selector];
        // Before a container has started there is none.
        self.platform.cluster.kubectl().try_run(&arguments).unwrap_or_default()
    }

    /// Whether the zone has this value at the challenges' place.
    pub(super) fn has(&self, value: &str) -> bool {
        self.platform.named.txt(OWNER).iter().any(|one| one == value)
    }

    /// The Secret's chain leads to the CA, as openssl sees it.
    #[track_caller]
    pub(super) fn verify_delivered(&self) {
        let chain = self.platform.lab.folder("delivered").join("chain.pem");
        fs::write(&chain, self.platform.delivered().unwrap()).unwrap();
        let mut openssl = Command::new("openssl");
        openssl.args(["verify", "-CAfile"]).arg(self.platform.pebble.issuing_roots_file());
        let output = openssl.arg("-untrusted").arg(&chain).arg(&chain).output().unwrap();
        assert!(
            output.status.success(),
            "{CERTIFICATE}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }

    /// Adds a row for people.
    pub(super) fn note(&mut self, event: &str, status: &str, workflow: &str, result: &str) {
        writeln!(self.table, "{event:<44} {status:<4} {workflow:<41} {}", page::shortened(result))
            .unwrap();
    }

    /// What became of each event.
    pub(super) fn table(&self) -> &str {
        &self.table
    }

    #[track_caller]
    pub(super) fn assert_nothing_else_was_started(&self) {
        let all = self.platform.cluster.kubectl().list(&self.platform.namespace, "workflow", "");
        // A clock ticks more than once.
        let by_clock = |one: &Value| {
            one["metadata"]["labels"]["events.argoproj.io/sensor"] == "dns01-calendar"
        };
        let others = all.iter().filter(|one| !by_clock(one));
        let names = others.map(|one| one["metadata"]["name"].as_str().unwrap());
        let unexpected: Vec<_> = names.filter(|name| !self.expected.contains(*name)).collect();
        assert!(unexpected.is_empty(), "{unexpected:?}\n{}", self.table);
    }
}

/// `example.test` is known to none but our name server: from here on the templates' `resolver` is that one by default.
fn ask_our_name_server(platform: &Platform) {
    let composites = ["dns01-certificate", "dns01-certificate-onepod"];
    for template in composites.into_iter().chain(["dns01-challenge-only", "dns01-cleanup"]) {
        let object = platform.get(&format!("workflowtemplate/{template}")).unwrap();
        let parameters = object["spec"]["arguments"]["parameters"].as_array().unwrap();
        let place = parameters.iter().position(|one| one["name"] == "resolver").unwrap();
        let path = format!("/spec/arguments/parameters/{place}/value");
        let patch = json!([{"op": "replace", "path": path, "value": platform.named.resolver()}]);
        platform.kubectl(&[
            "patch",
            "workflowtemplate",
            template,
            "--type=json",
            "-p",
            &patch.to_string(),
        ]);
    }
}
