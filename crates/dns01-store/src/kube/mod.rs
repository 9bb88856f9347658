//! Kubernetes: the only place of the suite that speaks to its API, apart from listeners.
//!
//! Objects are read and written by name, never deleted; only journals are ever listed. Bodies are parsed here and not
//! by the client library, which would log what it cannot parse.

mod call;
mod error;
mod grant;
mod named;
mod store;

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::time::Duration;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use serde::Deserialize;

pub use error::KubeError;
pub use grant::Grant;
pub(crate) use store::KubeStore;

/// Our field manager in server-side apply.
const FIELD_MANAGER: &str = "dns01";

/// The manager of what an object has before it is filled.
const MAKER: &str = "dns01-new";

/// The label that says who made an object.
pub(crate) const MANAGED_BY: &str = "app.kubernetes.io/managed-by";

/// A connection to one cluster, and the namespace we are in.
#[derive(Clone)]
pub struct Cluster {
    client: Client,
    namespace: String,
}

/// The two kinds of object we touch.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Kind {
    ConfigMap,
    Secret,
}

/// Which object.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct ObjectName {
    pub(crate) kind: Kind,
    pub(crate) namespace: String,
    pub(crate) name: String,
}

/// What we read of an object.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Object {
    #[serde(default)]
    pub(crate) metadata: ObjectMeta,
    /// In a Secret, the values are base64.
    #[serde(default)]
    pub(crate) data: Option<BTreeMap<String, String>>,
    #[serde(default)]
    pub(crate) r#type: Option<String>,
    #[serde(default)]
    pub(crate) immutable: Option<bool>,
}

impl Cluster {
    /// The cluster of `KUBECONFIG` where that is set, else the one that this pod runs in.
    pub async fn infer() -> Result<Self, KubeError> {
        Self::connect(Config::infer().await.map_err(KubeError::no_cluster)?)
    }

    /// The cluster of the current context of a kubeconfig file.
    pub async fn from_kubeconfig(path: &Path) -> Result<Self, KubeError> {
        let file = Kubeconfig::read_from(path).map_err(KubeError::no_cluster)?;
        let config = Config::from_custom_kubeconfig(file, &KubeConfigOptions::default())
            .await
            .map_err(KubeError::no_cluster)?;
        Self::connect(config)
    }

    fn connect(mut config: Config) -> Result<Self, KubeError> {
        // Refused when there is one already, which then is the same.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        config.connect_timeout = Some(Duration::from_secs(5));
        // Calls here know better when to repeat.
        config.default_retry = false;
        let namespace = config.default_namespace.clone();
        let client = Client::try_from(config).map_err(KubeError::no_cluster)?;
        Ok(Self { client, namespace })
    }

    pub(crate) fn object(&self, kind: Kind, namespace: Option<&str>, name: &str) -> ObjectName {
        ObjectName {
            kind,
            namespace: namespace.unwrap_or(&self.namespace).to_owned(),
            name: name.to_owned(),
        }
    }
}

impl Kind {
    /// As it stands in URLs and in Roles.
    fn plural(self) -> &'static str {
        match self {
            Self::ConfigMap => "configmaps",
            Self::Secret => "secrets",
        }
    }

    /// As it stands in the object itself.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::ConfigMap => "ConfigMap",
            Self::Secret => "Secret",
        }
    }
}

impl Object {
    pub(crate) fn label(&self, key: &str) -> Option<&str> {
        self.metadata.labels.as_ref()?.get(key).map(String::as_str)
    }

    pub(crate) fn annotation(&self, key: &str) -> Option<&str> {
        self.metadata.annotations.as_ref()?.get(key).map(String::as_str)
    }

    /// The raw value of an entry; an empty one counts as absent, as the chart makes objects with empty entries.
    pub(crate) fn entry(&self, key: &str) -> Option<&str> {
        let value = self.data.as_ref()?.get(key)?;
        (!value.is_empty()).then_some(value)
    }

    pub(crate) fn version(&self) -> &str {
        self.metadata.resource_version.as_deref().unwrap_or_default()
    }
}

impl fmt::Debug for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cluster").field("namespace", &self.namespace).finish_non_exhaustive()
    }
}

impl fmt::Display for ObjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} `{}` in namespace `{}`", self.kind.name(), self.name, self.namespace)
    }
}
