//! One call to the API server: with a time-out, repeated while that makes sense, its answer parsed.

use std::time::Duration;

use kube::api::{GetParams, ListParams, Patch, PatchParams};
use kube::core::{Request, request};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::time::{Instant, sleep, timeout};

use super::{Cluster, FIELD_MANAGER, Kind, KubeError, MAKER, Object, ObjectName};

/// How long one attempt may take.
const ATTEMPT: Duration = Duration::from_secs(10);

/// How long a call is repeated.
const DEADLINE: Duration = Duration::from_secs(45);

/// The longest wait that the server may ask for.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

type HttpRequest = Result<http::Request<Vec<u8>>, request::Error>;

#[derive(Deserialize)]
struct List {
    items: Vec<Object>,
}

impl Cluster {
    /// The object, or `None` where there is none.
    pub(crate) async fn get(&self, object: &ObjectName) -> Result<Option<Object>, KubeError> {
        let request = || Request::new(path(object)).get(&object.name, &GetParams::default());
        match self.call("get", object, request).await {
            Ok(found) => Ok(Some(found)),
            // Only a missing object: reading in a missing namespace says the same.
            Err(KubeError::Conflict { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Makes an object without content. Server-side apply is authorised with the name, so that a Role can bound it. Under a
    /// manager of its own and without force: what somebody else has filled meanwhile is a conflict, ours as well.
    pub(crate) async fn make(
        &self,
        object: &ObjectName,
        body: &Value,
    ) -> Result<Object, KubeError> {
        let parameters = PatchParams::apply(MAKER);
        let request =
            || Request::new(path(object)).patch(&object.name, &parameters, &Patch::Apply(body));
        self.call("create", object, request).await
    }

    /// Server-side apply to the `resourceVersion` in the body, and no other; fields of other managers become ours.
    pub(crate) async fn apply(
        &self,
        object: &ObjectName,
        body: &Value,
    ) -> Result<Object, KubeError> {
        let parameters = PatchParams::apply(FIELD_MANAGER).force();
        let request =
            || Request::new(path(object)).patch(&object.name, &parameters, &Patch::Apply(body));
        self.call("patch", object, request).await
    }

    /// Merges `body` into the object; its `resourceVersion` is the one that was read.
    pub(crate) async fn merge(
        &self,
        object: &ObjectName,
        body: &Value,
    ) -> Result<Object, KubeError> {
        let parameters =
            PatchParams { field_manager: Some(FIELD_MANAGER.into()), ..PatchParams::default() };
        let request =
            || Request::new(path(object)).patch(&object.name, &parameters, &Patch::Merge(body));
        self.call("patch", object, request).await
    }

    /// The `ConfigMap`s of this namespace with a label.
    pub(crate) async fn labelled(&self, label: &str) -> Result<Vec<Object>, KubeError> {
        let object = self.object(Kind::ConfigMap, None, "");
        let parameters = ListParams::default().labels(label);
        let request = || Request::new(path(&object)).list(&parameters);
        Ok(self.call::<List>("list", &object, request).await?.items)
    }

    async fn call<T: DeserializeOwned>(
        &self,
        verb: &'static str,
        object: &ObjectName,
        request: impl Fn() -> HttpRequest,
    ) -> Result<T, KubeError> {
        let began = Instant::now();
        let mut pause = Duration::from_millis(250);
        let mut refused = false;
        loop {
            let request = request().map_err(|error| KubeError::Invalid {
                object: object.to_string(),
                message: error.to_string(),
            })?;
            let (failure, asked) = match timeout(ATTEMPT, self.client.request_text(request)).await {
                Ok(Ok(text)) => return parse(&text, object),
                Ok(Err(kube::Error::Api(status))) => {
                    let seconds = status.details.as_ref().map_or(0, |d| d.retry_after_seconds);
                    (
                        KubeError::of_status(&status, verb, object),
                        Duration::from_secs(seconds.into()),
                    )
                }
                Ok(Err(error)) => (unavailable(object, error), Duration::ZERO),
                Err(elapsed) => (unavailable(object, elapsed), Duration::ZERO),
            };
            // A token that has just been renewed on disk is read again by the next attempt.
            let again = match failure {
                KubeError::Unavailable { .. } => true,
                KubeError::Unauthorized => !std::mem::replace(&mut refused, true),
                _ => false,
            };
            let wait = pause.max(asked.min(LONGEST_PAUSE));
            if !again || began.elapsed() + wait > DEADLINE {
                return Err(failure);
            }
            tracing::debug!(object = %object, error = %failure, "the API server is asked again");
            sleep(wait).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }
}

fn path(object: &ObjectName) -> String {
    format!("/api/v1/namespaces/{}/{}", object.namespace, object.kind.plural())
}

/// The parser's words stay out: they may quote a secret.
fn parse<T: DeserializeOwned>(text: &str, object: &ObjectName) -> Result<T, KubeError> {
    serde_json::from_str(text)
        .map_err(|_| unavailable(object, "the answer is not the JSON it should be"))
}

fn unavailable(object: &ObjectName, cause: impl Into<dns01_core::BoxError>) -> KubeError {
    KubeError::Unavailable { object: object.to_string(), cause: cause.into() }
}
