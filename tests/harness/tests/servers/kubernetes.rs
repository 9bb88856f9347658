//! The Kubernetes API.

use harness::{KubeApi, Lab, Sandbox};
use serde_json::json;

#[test]
#[ignore = "needs kube-apiserver"]
fn a_service_account_may_do_what_its_rules_say_and_nothing_else() {
    let kube = KubeApi::shared();
    let namespace = kube.namespace();
    let token = kube.service_account(
        &namespace,
        "store",
        &json!([{"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]}]),
    );
    kube.create(
        &format!("/api/v1/namespaces/{namespace}/secrets"),
        &json!({"metadata": {"name": "tls"}, "stringData": {"a": "b"}}),
    );
    let ask = |resource: &str| {
        let folder = kube.pod_folder(&namespace, &token);
        let script = r#"D=/var/run/secrets/kubernetes.io/serviceaccount; curl -s --cacert $D/ca.crt -H "Authorization: Bearer $(cat $D/token)" \
            -o /dev/null -w '%{http_code}' https://$KUBERNETES_SERVICE_HOST:$KUBERNETES_SERVICE_PORT/api/v1/namespaces/$(cat $D/namespace)/$1"#;
        let sandbox = Sandbox::new(&Lab::new()).service_account(&folder).envs(kube.service_env());
        sandbox.program("/bin/sh").args(["-c", script, "sh", resource]).run().exit(0).stdout
    };
    assert_eq!(ask("secrets/tls"), "200");
    assert_eq!(ask("configmaps/x"), "403");
}
