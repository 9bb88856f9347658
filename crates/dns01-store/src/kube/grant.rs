//! What would have allowed a refused call, ready to be applied. It is printed for people, never applied here.

use std::fmt;

use serde_json::{Value, json};

use super::ObjectName;

/// All that it takes to write an object that may not be there yet. `create` with a name is possible, because objects are
/// made by server-side apply.
const WRITE: &[&str] = &["get", "patch", "create"];

/// The right to do something with one object.
#[derive(Clone, Debug)]
pub struct Grant {
    /// Namespace and name of the service account; `None` for anybody else.
    account: Option<(String, String)>,
    object: ObjectName,
    verbs: &'static [&'static str],
}

impl Grant {
    /// What `verb` takes. `refusal` is the API server's, which says who was refused.
    pub(super) fn new(verb: &str, object: &ObjectName, refusal: &str) -> Self {
        let verbs: &[&str] = match verb {
            "list" => &["list"],
            "get" => &["get"],
            "create" => WRITE,
            _ => &["get", "patch"],
        };
        Self { account: account(refusal), object: object.clone(), verbs }
    }

    /// The same for an object that is going to be written.
    pub(super) fn for_write(self) -> Self {
        Self { verbs: WRITE, ..self }
    }

    fn rule(&self) -> Value {
        let mut rule = json!({
            "apiGroups": [""], "resources": [self.object.kind.plural()], "verbs": self.verbs,
        });
        if !self.object.name.is_empty() {
            rule["resourceNames"] = json!([self.object.name]);
        }
        rule
    }

    /// A Role for this object alone, and what binds the account to it.
    fn manifest(&self, (namespace, account): &(String, String)) -> Value {
        let kind = self.object.kind.plural();
        let name = format!("{account}-{kind}-{}", self.object.name);
        let metadata =
            json!({"name": name.trim_end_matches('-'), "namespace": self.object.namespace});
        let group = "rbac.authorization.k8s.io";
        let version = format!("{group}/v1");
        json!({"apiVersion": "v1", "kind": "List", "items": [
            {"apiVersion": version, "kind": "Role", "metadata": metadata, "rules": [self.rule()]},
            {"apiVersion": version, "kind": "RoleBinding", "metadata": metadata,
             "roleRef": {"apiGroup": group, "kind": "Role", "name": metadata["name"]},
             "subjects": [{"kind": "ServiceAccount", "name": account, "namespace": namespace}]},
        ]})
    }
}

/// A command that grants it, or for somebody who is no service account the rule.
impl fmt::Display for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.account {
            Some(account) => {
                write!(f, "echo '{}' | kubectl apply -f -", self.manifest(account))
            }
            None => write!(f, "a Role in `{}` with {}", self.object.namespace, self.rule()),
        }
    }
}

/// The service account in `… User "system:serviceaccount:NAMESPACE:NAME" cannot …`. Other characters than its name may have
/// would end the quotes of the command that is printed.
fn account(refusal: &str) -> Option<(String, String)> {
    let (_, rest) = refusal.split_once("User \"system:serviceaccount:")?;
    let (namespace, name) = rest.split_once('"')?.0.split_once(':')?;
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.');
    let are_plain = namespace.chars().chain(name.chars()).all(is_plain);
    are_plain.then(|| (namespace.to_owned(), name.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kube::Kind;

    fn grant(verb: &str, name: &str, user: &str) -> Grant {
        let object =
            ObjectName { kind: Kind::Secret, namespace: "web".into(), name: name.to_owned() };
        let refusal = format!("secrets \"x\" is forbidden: User \"{user}\" cannot {verb} resource");
        Grant::new(verb, &object, &refusal)
    }

    #[test]
    fn a_service_account_gets_a_role_for_this_object_alone() {
        let command =
            grant("get", "shop-tls", "system:serviceaccount:dns01:dns01-check").to_string();
        let manifest = command.strip_prefix("echo '").unwrap();
        let manifest = manifest.strip_suffix("' | kubectl apply -f -").unwrap();
        let manifest: Value = serde_json::from_str(manifest).unwrap();
        let metadata = json!({"name": "dns01-check-secrets-shop-tls", "namespace": "web"});
        assert_eq!(manifest["items"][0]["metadata"], metadata);
        assert_eq!(
            manifest["items"][0]["rules"],
            json!([{"apiGroups": [""], "resources": ["secrets"], "resourceNames": ["shop-tls"], "verbs": ["get"]}])
        );
        assert_eq!(
            manifest["items"][1]["subjects"],
            json!([{"kind": "ServiceAccount", "name": "dns01-check", "namespace": "dns01"}])
        );
    }

    #[test]
    fn who_is_no_service_account_gets_the_rule() {
        for user in ["alice", "system:serviceaccount:dns01:a' | sh"] {
            let text = grant("patch", "shop-tls", user).to_string();
            assert!(text.starts_with("a Role in `web` with {"), "{text}");
            assert!(text.contains("\"verbs\":[\"get\",\"patch\"]"), "{text}");
        }
    }

    #[test]
    fn a_list_names_no_object() {
        let text = grant("list", "", "system:serviceaccount:dns01:sweep").to_string();
        assert!(text.contains("\"sweep-secrets\"") && !text.contains("resourceNames"), "{text}");
    }

    #[test]
    fn what_is_written_may_be_missing_as_well() {
        for grant in [grant("create", "x", "alice"), grant("get", "x", "alice").for_write()] {
            assert!(grant.to_string().contains("[\"get\",\"patch\",\"create\"]"), "{grant}");
        }
    }
}
