//! Many certificates at once: what `renew-check` finds due, and what it reports, on a real API server and with no more
//! rights than its Role gives.
#![expect(clippy::unwrap_used, reason = "what a test needs and does not get fails it")]

mod advice;
mod due;
mod early;
mod refused;
mod report;
mod status;

use std::fmt::Write as _;
use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use chrono::Utc;
use dns01_core::{Chain, KeyType, PrivateKey};
use dns01_store::journal::{Delivered, Engine, Extra, Phase, Spec, State};
use harness::{Invocation, KubeApi, Lab, Run, Sandbox};
use serde_json::{Value, json};

/// What every document begins with. `renewBefore` leaves the CA out of it.
const HEAD: &str = "version: 1
issuers: {ca: {server: \"https://ca.example.test/directory\", termsOfServiceAgreed: true}}
solvers: [{name: dns, provider: rfc2136, credentials: {secretName: cloudflare-credentials}}]
certificates:
";

const DAY: Duration = Duration::from_hours(24);

/// A namespace with definitions, journals and sinks, and `renew-check` in it.
struct Fleet {
    api: &'static KubeApi,
    namespace: String,
    lab: Lab,
    user: Sandbox,
}

impl Fleet {
    /// One whose `renew-check` may get every `ConfigMap` and Secret, and list none.
    fn new() -> Self {
        let get = |kind| json!({"apiGroups": [""], "resources": [kind], "verbs": ["get"]});
        Self::with_rules(&json!([get("configmaps"), get("secrets")]))
    }

    fn with_rules(rules: &Value) -> Self {
        let (api, lab) = (KubeApi::shared(), Lab::new());
        let namespace = api.namespace();
        let token = api.service_account(&namespace, "check", rules);
        let user = Sandbox::new(&lab).env("KUBECONFIG", api.kubeconfig(&namespace, &token));
        Self { api, namespace, lab, user }
    }

    /// `renew-check` for a run, with definitions in these `ConfigMap`s.
    fn renew_check(&self, run: &str, definitions: &str) -> Invocation {
        let places = definitions.split(',').map(|name| format!("configmap:{name}"));
        let config = places.collect::<Vec<_>>().join(",");
        let step = self.user.step("renew-check").args(["--journal", "kube:", "--run-id", run]);
        step.args(["--config", &config])
    }

    /// What is due.
    fn due(&self, run: &str, definitions: &str) -> Vec<Value> {
        let run = self.renew_check(run, definitions).arg("--all").run().exit(0);
        serde_json::from_str(run.output("due")).unwrap()
    }

    /// The report of `run` on what was due.
    fn report(&self, run: &str, definitions: &str, due: &[Value]) -> Run {
        let list = Value::from(due.to_vec()).to_string();
        self.renew_check(run, definitions).args(["--report", &list]).run()
    }

    fn create(&self, kind: &str, object: &Value) {
        self.api.create(&format!("/api/v1/namespaces/{}/{kind}", self.namespace), object);
    }

    /// A `ConfigMap` with this document.
    fn define(&self, name: &str, document: &str) {
        let data = json!({"dns01.yaml": document});
        self.create("configmaps", &json!({"metadata": {"name": name}, "data": data}));
    }

    /// The certificate `name` with its journal, delivered by `run` and to its Secret.
    fn deliver(&self, name: &str, run: &str, leaf: &str) {
        self.journal(&delivered(name, run, leaf));
        self.sink(name, leaf);
    }

    fn journal(&self, state: &State) {
        let data = json!({"state.json": serde_json::to_string(state).unwrap()});
        let name = format!("dns01-{}", state.certificate);
        self.create("configmaps", &json!({"metadata": {"name": name}, "data": data}));
    }

    /// The Secret of `name` as store-secret leaves it.
    fn sink(&self, name: &str, leaf: &str) {
        let data = json!({"tls.crt": BASE64_STANDARD.encode(leaf), "tls.key": ""});
        let metadata =
            json!({"name": format!("{name}-tls"), "labels": {"dns01.dev/certificate": name}});
        let kind = "kubernetes.io/tls";
        self.create("secrets", &json!({"metadata": metadata, "type": kind, "data": data}));
    }
}

/// A document with these certificates.
fn document(names: impl IntoIterator<Item = String>) -> String {
    names.into_iter().fold(HEAD.to_owned(), |mut text, name| {
        writeln!(text, "- {{name: {name}, dnsNames: [{name}.example.test], renewBefore: 720h}}")
            .unwrap();
        text
    })
}

fn numbered(prefix: &str, count: usize) -> impl Iterator<Item = String> {
    (0..count).map(move |n| format!("{prefix}-{n}"))
}

/// A self-signed certificate for 90 days, so many of which are left.
fn leaf(days_left: u32) -> String {
    let key = PrivateKey::generate(KeyType::P256).unwrap();
    let pair = rcgen::KeyPair::from_pem(key.pem().expose()).unwrap();
    let mut params = rcgen::CertificateParams::new(["any.example.test".to_owned()]).unwrap();
    // Without it nothing identifies the certificate at the CA.
    params.use_authority_key_identifier_extension = true;
    let end = SystemTime::now() + DAY * days_left;
    (params.not_before, params.not_after) = ((end - DAY * 90).into(), end.into());
    params.self_signed(&pair).unwrap().pem()
}

/// A journal that says that `run` has begun a generation.
fn begun(name: &str, run: &str) -> State {
    let spec = Spec {
        engine: Engine::Native,
        names: vec![format!("{name}.example.test").parse().unwrap()],
        directory: "https://ca.example.test/directory".into(),
        account: "ca".parse().unwrap(),
        thumbprint: "t".repeat(43),
        profile: None,
        key_type: KeyType::P256,
        extra: Extra::new(),
    };
    State::first(name.parse().unwrap(), run, spec)
}

/// A journal that says that `run` has delivered `leaf`.
fn delivered(name: &str, run: &str, leaf: &str) -> State {
    let not_after = Chain::from_pem(leaf).unwrap().leaf().not_after;
    let (chain, extra) = (leaf.to_owned(), Extra::new());
    let (ari, ari_draw) = (None, Some("0.5".to_owned()));
    let delivered = Delivered { generation: 1, chain, not_after, ari, ari_draw, extra };
    State { phase: Phase::Delivered, delivered: Some(delivered), ..begun(name, run) }
}

fn names(due: &[Value]) -> Vec<&str> {
    due.iter().map(|one| one["certificate"].as_str().unwrap()).collect()
}

/// A time from now, as a journal has it.
fn in_hours(hours: i64) -> chrono::DateTime<Utc> {
    Utc::now() + chrono::TimeDelta::hours(hours)
}
