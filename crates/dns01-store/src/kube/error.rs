//! Why the API server did not do what was asked.

use dns01_core::{BoxError, Exit, Explain};
use kube::core::Status;

use super::{Grant, ObjectName};

/// Why the API server did not do what was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KubeError {
    /// Neither in a cluster nor told of one.
    #[error("no Kubernetes cluster is configured")]
    NoCluster(#[source] BoxError),
    /// The token is not accepted.
    #[error("the API server does not accept this token")]
    Unauthorized,
    /// No Role allows it.
    #[error("this ServiceAccount may not {verb} {object}")]
    Forbidden {
        /// The verb that was refused.
        verb: &'static str,
        /// The object.
        object: String,
        /// What would allow it.
        grant: Box<Grant>,
    },
    /// An admission policy refused it.
    #[error("a policy of the cluster refused {object}: {message}")]
    Denied {
        /// The object.
        object: String,
        /// The policy's words.
        message: String,
    },
    /// There is no such namespace.
    #[error("there is no namespace `{namespace}`")]
    NoNamespace {
        /// Its name.
        namespace: String,
    },
    /// The object was changed since it was read, or another manager owns a field.
    #[error("{object} was changed by somebody else")]
    Conflict {
        /// The object.
        object: String,
    },
    /// The API server finds the content wrong.
    #[error("the API server refused {object}: {message}")]
    Invalid {
        /// The object.
        object: String,
        /// Its words.
        message: String,
    },
    /// No usable answer.
    #[error("the API server gave no usable answer about {object}")]
    Unavailable {
        /// The object.
        object: String,
        /// The last failure.
        #[source]
        cause: BoxError,
    },
}

impl KubeError {
    pub(super) fn no_cluster(cause: impl Into<BoxError>) -> Self {
        Self::NoCluster(cause.into())
    }

    /// What a refusal means. `verb` is what was tried.
    pub(super) fn of_status(status: &Status, verb: &'static str, object: &ObjectName) -> Self {
        let message = || status.message.chars().filter(|c| !c.is_control()).take(300).collect();
        let missing = || status.details.as_ref().map_or("", |details| details.kind.as_str());
        match status.code {
            401 => Self::Unauthorized,
            403 if status.message.contains("cannot ") => Self::Forbidden {
                verb,
                object: object.to_string(),
                grant: Box::new(Grant::new(verb, object, &status.message)),
            },
            403 => Self::Denied { object: object.to_string(), message: message() },
            404 if missing() == "namespaces" => {
                Self::NoNamespace { namespace: object.namespace.clone() }
            }
            // Not found by a patch: it was there when it was read.
            404 | 409 => Self::Conflict { object: object.to_string() },
            408 | 429 | 500.. => {
                Self::Unavailable { object: object.to_string(), cause: status.clone().into() }
            }
            _ => Self::Invalid { object: object.to_string(), message: message() },
        }
    }

    /// The same from a look at what is going to be written: a refusal asks at once for all that this takes.
    pub(crate) fn before_write(self) -> Self {
        match self {
            Self::Forbidden { verb, object, grant } => {
                Self::Forbidden { verb, object, grant: Box::new(grant.for_write()) }
            }
            other => other,
        }
    }
}

impl Explain for KubeError {
    fn exit(&self) -> Exit {
        match self {
            Self::NoCluster(_) => Exit::Config,
            Self::Unauthorized | Self::Forbidden { .. } => Exit::AuthRefused,
            Self::Denied { .. } => Exit::Policy,
            Self::NoNamespace { .. } => Exit::NotFound,
            Self::Invalid { .. } => Exit::Input,
            Self::Conflict { .. } | Self::Unavailable { .. } => Exit::Transient,
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NoCluster(_) => {
                "run this in a pod with a ServiceAccount token, or set KUBECONFIG".into()
            }
            Self::Unauthorized => "check the ServiceAccount and its token".into(),
            Self::Forbidden { grant, .. } => format!("if that is wanted, grant it: {grant}"),
            Self::NoNamespace { namespace } => {
                format!("make it, `kubectl create namespace {namespace}`, or correct its name")
            }
            Self::Denied { .. }
            | Self::Conflict { .. }
            | Self::Invalid { .. }
            | Self::Unavailable { .. } => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kube::Kind;

    fn error(code: u16, message: &str, kind: &str) -> KubeError {
        let object =
            ObjectName { kind: Kind::Secret, namespace: "web".into(), name: "shop-tls".into() };
        let status: Status = serde_json::from_value(serde_json::json!({
            "status": "Failure", "code": code, "message": message, "details": {"kind": kind},
        }))
        .unwrap();
        KubeError::of_status(&status, "create", &object)
    }

    #[test]
    fn every_refusal_has_its_exit_code() {
        for (code, message, kind, exit) in [
            (401, "Unauthorized", "", Exit::AuthRefused),
            (
                403,
                "secrets \"shop-tls\" is forbidden: User \"x\" cannot get",
                "",
                Exit::AuthRefused,
            ),
            (403, "admission webhook \"x\" denied the request", "", Exit::Policy),
            (404, "namespaces \"web\" not found", "namespaces", Exit::NotFound),
            (404, "secrets \"shop-tls\" not found", "secrets", Exit::Transient),
            (409, "the object has been modified", "secrets", Exit::Transient),
            (410, "", "", Exit::Input),
            (413, "", "", Exit::Input),
            (422, "", "", Exit::Input),
            (429, "", "", Exit::Transient),
            (500, "etcdserver: request timed out", "", Exit::Transient),
            (503, "", "", Exit::Transient),
        ] {
            assert_eq!(error(code, message, kind).exit(), exit, "{code} {message}");
        }
    }

    #[test]
    fn a_forbidden_call_prints_the_role_that_is_missing() {
        let words =
            "User \"system:serviceaccount:dns01:dns01-store\" cannot patch resource \"secrets\"";
        let hint = error(403, words, "").hint().unwrap();
        assert!(hint.contains("\"dns01-store-secrets-shop-tls\""), "{hint}");
    }
}
