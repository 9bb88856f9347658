//! Every account, every verb, every kind of object: what the steps' table in the journal's contract grants, and nothing else.

use super::client::Client;
use super::platform::path;
use super::shell;
use harness::{Cluster, Lab, tool};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::process::Command;
use std::thread;

/// The accounts, as in `dns01-order`.
const ACCOUNTS: [&str; 10] = [
    "order", "present", "wait", "issue", "store", "cleanup", "check", "onepod", "executor",
    "sensor",
];

/// The contract. `make` is server-side apply of what is not there: `create` by name. `other` is another certificate.
const CONTRACT: &str = include_str!("contract.txt");

#[test]
#[ignore = "needs the cluster"]
fn the_plain_roles_grant_what_the_contract_says_and_the_page_adds_a_certificate_to_them() {
    let corner = Corner::new("grid");
    let lab = Lab::new();
    let folder = lab.folder("rights");
    let copied = Command::new("cp").arg("-r").arg(path("workflow-templates")).arg(&folder).status();
    assert!(copied.unwrap().success());
    for block in blocks() {
        let mut shell = shell(corner.cluster, &block);
        let status = shell.current_dir(&folder).env("NAMESPACE", &corner.namespace).status();
        assert!(status.unwrap().success(), "this block failed:\n{block}");
    }
    let sensors = path("event-sources/rbac.yaml");
    let apply = ["apply", "-n", &corner.namespace, "-f", sensors.to_str().unwrap()];
    corner.cluster.kubectl().run(&apply);
    corner.assert_contract("example-org");
    corner.assert_contract("shop");
}

/// The `sh` blocks of `docs/how-to/rights.md`: they add a certificate `shop`.
fn blocks() -> Vec<String> {
    let page = std::fs::read_to_string(path("docs/how-to/rights.md")).unwrap();
    let parts = page.split("```sh\n").skip(1);
    parts.map(|part| part.split("```").next().unwrap().to_owned()).collect()
}

#[test]
#[ignore = "needs the cluster, helm"]
fn the_charts_roles_grant_the_same_for_the_same_certificate() {
    let corner = Corner::new("chart-grid");
    let config = json!({
        "version": 1,
        "issuers": {"letsencrypt": {"termsOfServiceAgreed": true}},
        "certificates": [{"name": "example-org", "dnsNames": ["example.org"]}],
    });
    let values = ["--set", "events.enabled=true", "--set-json", &format!("config={config}")];
    corner.cluster.kubectl().apply(None, &rendered(&corner.namespace, &values));
    corner.assert_contract("example-org");
}

/// Accounts and Roles as the chart renders them with these values.
pub(super) fn rendered(namespace: &str, values: &[&str]) -> String {
    let mut helm = Command::new(tool("helm"));
    helm.args(["template", "dns01", path("charts/dns01").to_str().unwrap(), "-n", namespace]);
    helm.args(["-s", "templates/rbac/roles.yaml", "-s", "templates/rbac/service-accounts.yaml"]);
    let output = helm.env_remove("KUBECONFIG").args(values).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// A namespace with nothing but accounts and Roles.
struct Corner {
    cluster: &'static Cluster,
    namespace: String,
}

impl Corner {
    fn new(prefix: &str) -> Self {
        let cluster = Cluster::shared();
        Self { cluster, namespace: cluster.namespace(prefix) }
    }

    /// Asserts that the contract holds for this certificate.
    #[track_caller]
    fn assert_contract(&self, certificate: &str) {
        let found = self.grid(certificate);
        eprintln!("{found}");
        assert!(found == CONTRACT, "for {certificate} the contract is:\n{CONTRACT}");
    }

    /// What the API server says, asked once for each cell; the contract with another certificate's objects.
    fn grid(&self, certificate: &str) -> String {
        let ask = |account: &str| {
            let client = Client::of(self.cluster, &self.namespace, &format!("dns01-{account}"));
            let rows = rows().into_iter().map(|(verb, object)| {
                let (path, body) = self.request(&object.replace("example-org", certificate));
                client.may(verb, &path, &body)
            });
            rows.collect::<Vec<_>>()
        };
        let columns: Vec<Vec<bool>> = thread::scope(|scope| {
            let running = ACCOUNTS.map(|account| scope.spawn(move || ask(account)));
            running.map(|thread| thread.join().unwrap()).into()
        });
        let mut text = line("", "", &ACCOUNTS);
        for (number, (verb, object)) in rows().into_iter().enumerate() {
            let cells = columns.iter().map(|column| if column[number] { "yes" } else { "-" });
            text += &line(verb, object, &cells.collect::<Vec<_>>());
        }
        text
    }

    /// The path of `resource/name`, and an object of that kind and name.
    fn request(&self, object: &str) -> (String, Value) {
        let (resource, name) = object.split_once('/').unwrap_or((object, ""));
        let (group, version, kind) = match resource {
            "secrets" => ("api/v1", "v1", "Secret"),
            "configmaps" => ("api/v1", "v1", "ConfigMap"),
            "workflows" => ("apis/argoproj.io/v1alpha1", "argoproj.io/v1alpha1", "Workflow"),
            "workflowtaskresults" => {
                ("apis/argoproj.io/v1alpha1", "argoproj.io/v1alpha1", "WorkflowTaskResult")
            }
            "rolebindings" => {
                ("apis/rbac.authorization.k8s.io/v1", "rbac.authorization.k8s.io/v1", "RoleBinding")
            }
            "serviceaccounts" => ("api/v1", "authentication.k8s.io/v1", "TokenRequest"),
            _ => ("api/v1", "v1", "Pod"),
        };
        let mut body = json!({"apiVersion": version, "kind": kind, "metadata": {"name": name}});
        if resource == "workflows" {
            body["spec"] = json!({"workflowTemplateRef": {"name": "x"}});
        }
        (format!("/{group}/namespaces/{}/{object}", self.namespace), body)
    }
}

impl Drop for Corner {
    fn drop(&mut self) {
        let delete = ["delete", "namespace", &self.namespace, "--wait=false"];
        self.cluster.kubectl().try_run(&delete).ok();
    }
}

fn line(verb: &str, object: &str, cells: &[&str]) -> String {
    let mut line = format!("{verb:<7}{object:<46}");
    for cell in cells {
        write!(line, " {cell:<8}").unwrap();
    }
    format!("{}\n", line.trim_end())
}

/// What each row of the contract asks for: verb and object.
fn rows() -> Vec<(&'static str, &'static str)> {
    CONTRACT
        .lines()
        .skip(1)
        .map(|line| {
            let mut words = line.split_whitespace();
            (words.next().unwrap(), words.next().unwrap())
        })
        .collect()
}
