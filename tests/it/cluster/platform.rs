//! What a platform team has: a namespace with our templates, a CA, a name server, definitions and credentials.

use super::workflow::Workflow;
use harness::{Cluster, Lab, NameServer as _, Named, NamedBuilder, Pebble, PebbleBuilder};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// The one certificate that the plain roles of `workflow-templates/rbac` are for.
pub(crate) const CERTIFICATE: &str = "example-org";
/// Its names.
pub(crate) const NAMES: [&str; 2] = ["example.test", "*.example.test"];
/// Where the answers to its challenges are.
pub(crate) const OWNER: &str = "_acme-challenge.example.test";

/// A namespace of the shared cluster, and servers that its pods reach.
pub(crate) struct Platform {
    pub(crate) cluster: &'static Cluster,
    pub(crate) namespace: String,
    pub(crate) lab: Lab,
    pub(crate) named: Named,
    pub(crate) pebble: Pebble,
}

impl Platform {
    /// BIND, pebble, and all that `kubectl apply -k workflow-templates` brings; the namespace's name starts with `prefix`.
    pub(crate) fn start(prefix: &str) -> Self {
        Self::with(prefix, |named| named, |pebble| pebble)
    }

    /// The same with other servers.
    pub(crate) fn with(
        prefix: &str,
        named: impl FnOnce(NamedBuilder) -> NamedBuilder,
        pebble: impl FnOnce(PebbleBuilder) -> PebbleBuilder,
    ) -> Self {
        let cluster = Cluster::shared();
        let lab = Lab::on_node();
        let named = named(Named::builder(&lab)).start();
        let pebble = pebble(Pebble::builder(&lab, named.address())).start();
        let namespace = cluster.namespace(prefix);
        let platform = Self { cluster, namespace, lab, named, pebble };
        let templates = path("workflow-templates");
        cluster.kubectl().apply_kustomization(Some(&platform.namespace), &templates);
        platform.apply(&platform.credentials("rfc2136"));
        platform.define(&platform.definitions());
        platform
    }

    /// kubectl in the namespace.
    #[track_caller]
    pub(crate) fn kubectl(&self, arguments: &[&str]) -> String {
        self.cluster.kubectl().run(&[&["-n", &self.namespace], arguments].concat())
    }

    /// Applies an object in the namespace.
    #[track_caller]
    pub(crate) fn apply(&self, object: &Value) {
        self.cluster.kubectl().apply(Some(&self.namespace), &object.to_string());
    }

    /// The object `what` (`kind/name`) of the namespace.
    pub(crate) fn get(&self, what: &str) -> Option<Value> {
        self.cluster.kubectl().get(&self.namespace, what)
    }

    /// A Secret with what the provider needs.
    pub(crate) fn credentials(&self, name: &str) -> Value {
        let data: serde_json::Map<_, _> =
            self.named.rfc2136().into_iter().map(|(name, value)| (name, value.into())).collect();
        json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": data})
    }

    /// The definitions: one CA, one solver, one certificate.
    pub(crate) fn definitions(&self) -> Value {
        json!({
            "version": 1,
            "issuers": {"letsencrypt": {
                "server": self.pebble.directory(), "termsOfServiceAgreed": true,
                "caBundle": std::fs::read_to_string(self.pebble.ca_file()).unwrap(),
            }},
            "solvers": [{"name": "bind", "provider": "rfc2136", "credentials": {"secretName": "rfc2136"}}],
            "certificates": [{"name": CERTIFICATE, "dnsNames": NAMES}],
        })
    }

    /// Makes these the definitions, in the ConfigMap `dns01`.
    pub(crate) fn define(&self, definitions: &Value) {
        self.apply(&json!({
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "dns01"},
            "data": {"dns01.yaml": serde_yaml::to_string(definitions).unwrap()},
        }));
    }

    /// Starts a workflow of a template, as `argo submit --from workflowtemplate/… -p …` does.
    pub(crate) fn submit(&self, template: &str, parameters: &[(&str, &str)]) -> Workflow<'_> {
        let resolver = self.named.resolver();
        let own = [("resolver", resolver.as_str())];
        Workflow::submit(self, template, &[parameters, &own].concat())
    }

    /// The certificate's chain in the Secret, if there is one.
    pub(crate) fn delivered(&self) -> Option<String> {
        use base64::{Engine as _, engine::general_purpose::STANDARD};
        let secret = self.get(&format!("secret/{CERTIFICATE}-tls"))?;
        let chain = STANDARD.decode(secret["data"]["tls.crt"].as_str()?).unwrap();
        Some(String::from_utf8(chain).unwrap())
    }

    /// Waits until the primary holds this many values.
    #[track_caller]
    pub(crate) fn until_published(&self, values: usize) {
        let start = Instant::now();
        while self.named.txt(OWNER).len() < values {
            assert!(start.elapsed() < Duration::from_mins(7), "waited in vain for {values} values");
            std::thread::sleep(Duration::from_millis(500));
        }
    }

    /// Nothing of ours is left in the zone.
    #[track_caller]
    pub(crate) fn assert_zone_is_clean(&self) {
        let left = self.named.txt(OWNER);
        assert!(left.is_empty(), "left in the zone: {left:?}");
    }
}

impl Drop for Platform {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let pods = self.cluster.kubectl().try_run(&[
                "-n",
                &self.namespace,
                "get",
                "workflows,pods",
                "-o",
                "wide",
            ]);
            eprintln!("{}", pods.unwrap_or_else(|error| error));
            eprintln!("---- the controller:\n{}", self.cluster.controller_log(&self.namespace));
        }
        let delete = ["delete", "namespace", &self.namespace, "--wait=false"];
        self.cluster.kubectl().try_run(&delete).ok();
    }
}

/// A path in the repository.
pub(crate) fn path(below: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join(below)
}
