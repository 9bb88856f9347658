//! Where definitions come from: files, and on Kubernetes each `ConfigMap` by name, never by a list.

use dns01_core::Exit;
use dns01_step::config::Config;
use dns01_step::{Attempt, Definitions, Failure};
use dns01_store::Cluster;

/// How `--config` names a `ConfigMap`.
const CONFIG_MAP: &str = "configmap:";

/// A `ConfigMap` of definitions that cannot be used.
#[derive(Debug)]
pub(crate) struct Refused {
    /// Its name.
    pub(crate) definitions: String,
    /// Why.
    pub(crate) failure: Failure,
}

/// Reads every place that `--config` names. A `ConfigMap` that cannot be used does not hide the others; one is used as a
/// whole or not at all, as the pod that issues mounts it as a whole. Files are the caller's own, and all have to be right.
///
/// Fails where nothing at all can be used, and where the same may succeed later.
pub(crate) async fn usable(places: &[String]) -> Result<(Definitions, Vec<Refused>), Failure> {
    let mut definitions = Definitions::load(places)?;
    let mut refused = Vec::new();
    let names = config_maps(places);
    if names.is_empty() && places.iter().any(|place| place.starts_with(CONFIG_MAP)) {
        return Err(Failure::new(Exit::Config, "no ConfigMap with definitions is named")
            .hint("name one or more, separated by commas"));
    }
    if names.is_empty() {
        return Ok((definitions, refused));
    }
    let cluster = Cluster::infer().await.attempt(|| "find the cluster".into())?;
    for name in &names {
        match read(&cluster, name).await.and_then(|documents| together(&definitions, documents)) {
            Ok(all) => definitions = all,
            Err(failure) if failure.exit().is_retryable() => return Err(failure),
            Err(failure) => refused.push(Refused { definitions: (*name).to_owned(), failure }),
        }
    }
    if refused.len() < names.len() {
        return Ok((definitions, refused));
    }
    Err(refused.swap_remove(0).failure)
}

/// The names of the `ConfigMap`s, as `configmap:a,configmap: b` gives them.
fn config_maps(places: &[String]) -> Vec<&str> {
    let named = places.iter().filter_map(|place| place.strip_prefix(CONFIG_MAP));
    named.map(str::trim).filter(|name| !name.is_empty()).collect()
}

async fn read(cluster: &Cluster, name: &str) -> Result<Vec<Config>, Failure> {
    let entries = cluster.config_map(name).await.attempt(|| format!("read ConfigMap `{name}`"))?;
    let entries = entries.ok_or_else(|| {
        Failure::new(Exit::NotFound, format!("there is no ConfigMap `{name}` in this namespace"))
            .hint(format!("kubectl create configmap {name} --from-file=dns01.yaml"))
    })?;
    let texts: Vec<&String> =
        entries.iter().filter(|(key, _)| is_yaml(key)).map(|(_, text)| text).collect();
    if texts.is_empty() {
        let what = format!("ConfigMap `{name}` has no entry that ends in .yaml");
        return Err(Failure::new(Exit::Config, what).hint("put a complete dns01.yaml into it"));
    }
    let what = || format!("read the definitions in ConfigMap `{name}`");
    let parse = |text: &String| Config::parse(text, &format!("{CONFIG_MAP}{name}")).attempt(what);
    texts.into_iter().map(parse).collect()
}

/// `known` and `documents`, if they do not define the same.
fn together(known: &Definitions, documents: Vec<Config>) -> Result<Definitions, Failure> {
    let mut all = known.clone();
    for document in documents {
        all.add(document)?;
    }
    Ok(all)
}

fn is_yaml(key: &str) -> bool {
    key.rsplit_once('.').is_some_and(|(_, ending)| matches!(ending, "yaml" | "yml"))
}
