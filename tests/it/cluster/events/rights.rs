//! Pods and accounts of the pairs, as they really are.

use super::pairs::Events;
use harness::Kubectl;
use serde_json::{Value, json};
use std::fs;

const PODS: &str = "controller in (eventsource-controller,sensor-controller)";

/// kubectl with a token of this account and nothing else.
fn kubectl_of(events: &Events, account: &str) -> Kubectl {
    let admin = events.platform.cluster.kubectl();
    let config = admin.run(&["config", "view", "--raw", "--minify", "--flatten", "-o", "json"]);
    let mut config: Value = serde_json::from_str(&config).unwrap();
    let token = events.platform.kubectl(&["create", "token", account]);
    config["users"][0]["user"] = json!({"token": token.trim()});
    let file = events.platform.lab.folder("account").join("kubeconfig");
    fs::write(&file, config.to_string()).unwrap();
    Kubectl::new(file)
}

pub(super) fn everybody_may_do_what_they_must_and_no_more(events: &Events) {
    let own = events.platform.namespace.as_str();
    let (workflows, ingresses) = ("workflows.argoproj.io", "ingresses.networking.k8s.io");
    let sensor = kubectl_of(events, "dns01-sensor");
    let watcher = kubectl_of(events, "dns01-watch");
    let listener = kubectl_of(events, "dns01-event-source");
    for (account, verb, what, namespace, wanted) in [
        (&sensor, "create", workflows, own, true),
        (&sensor, "create", workflows, "default", false),
        (&sensor, "get", workflows, own, false),
        (&sensor, "list", workflows, own, false),
        (&sensor, "patch", workflows, own, false),
        (&sensor, "delete", workflows, own, false),
        (&sensor, "create", "workflowtemplates.argoproj.io", own, false),
        (&sensor, "create", "pods", own, false),
        (&sensor, "get", "secrets", own, false),
        (&sensor, "get", "configmaps", own, false),
        (&watcher, "list", ingresses, own, true),
        (&watcher, "watch", ingresses, own, true),
        (&watcher, "list", ingresses, "default", false),
        (&watcher, "get", ingresses, own, false),
        (&watcher, "patch", ingresses, own, false),
        (&watcher, "list", "secrets", own, false),
        (&watcher, "list", "pods", own, false),
        (&watcher, "create", workflows, own, false),
        (&listener, "create", workflows, own, false),
        (&listener, "list", "secrets", own, false),
    ] {
        let may = account.try_run(&["auth", "can-i", verb, what, "-n", namespace]).is_ok();
        assert_eq!(may, wanted, "{verb} {what} in {namespace}");
    }
    let denied = sensor.try_run(&["get", "workflows", "-n", own]).unwrap_err();
    assert!(denied.contains("Forbidden"), "{denied}");
}

pub(super) fn nobody_restarted_and_no_log_has_a_token(events: &Events) {
    let platform = &events.platform;
    let namespace =
        platform.cluster.kubectl().run(&["get", "namespace", &platform.namespace, "-o", "json"]);
    assert!(
        namespace.contains(r#""pod-security.kubernetes.io/enforce": "restricted""#),
        "{namespace}"
    );
    let pods = platform.cluster.kubectl().list(&platform.namespace, "pod", PODS);
    let going = |pod: &&Value| pod["metadata"]["deletionTimestamp"].is_null();
    let pods: Vec<_> = pods.iter().filter(going).collect();
    assert_eq!(pods.len(), 6, "an event source and a Sensor for webhook, httpreq and resource");
    for pod in pods {
        let name = &pod["metadata"]["name"];
        let container = &pod["spec"]["containers"][0];
        assert_eq!(container["securityContext"]["readOnlyRootFilesystem"], true, "{name}");
        assert_eq!(pod["spec"]["containers"].as_array().unwrap().len(), 1, "{name}");
        let status = &pod["status"]["containerStatuses"][0];
        assert_eq!(
            (&status["ready"], &status["restartCount"]),
            (&json!(true), &json!(0)),
            "{name}"
        );
        let has_token = container["volumeMounts"].to_string().contains("serviceaccount");
        let listens = pod["spec"]["serviceAccountName"] == "dns01-event-source";
        assert_eq!(has_token, !listens, "{name}");
    }
    let log = events.log(PODS);
    assert!(log.contains("Triggering actions"), "there are logs");
    for pair in ["webhook", "httpreq"] {
        assert!(!log.contains(&events.token(pair)), "the token of {pair} is in a log");
    }
}
