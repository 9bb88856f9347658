//! Where definitions come from: files, and on Kubernetes each `ConfigMap` by name.

use dns01_core::Exit;
use dns01_step::config::Config;
use dns01_step::{Attempt, Definitions, Failure};
use dns01_store::Cluster;

/// Reads every place that `--config` names, `configmap:NAME` by get.
pub async fn definitions(places: &[String]) -> Result<Definitions, Failure> {
    let mut definitions = Definitions::load(places)?;
    let names: Vec<&str> =
        places.iter().filter_map(|place| place.strip_prefix("configmap:")).collect();
    if names.is_empty() {
        return Ok(definitions);
    }
    let cluster = Cluster::infer().await.attempt(|| "find the cluster".into())?;
    for name in names {
        let entries =
            cluster.config_map(name).await.attempt(|| format!("read ConfigMap `{name}`"))?;
        let entries = entries.ok_or_else(|| {
            Failure::new(Exit::NotFound, format!("there is no ConfigMap `{name}` in this namespace"))
                .hint("create it from your dns01.yaml: kubectl create configmap NAME --from-file=dns01.yaml")
        })?;
        for text in entries.iter().filter(|(key, _)| is_yaml(key)).map(|(_, text)| text) {
            let what = || format!("read the definitions in ConfigMap `{name}`");
            definitions.add(Config::parse(text, &format!("configmap:{name}")).attempt(what)?)?;
        }
    }
    Ok(definitions)
}

fn is_yaml(key: &str) -> bool {
    key.rsplit_once('.').is_some_and(|(_, ending)| matches!(ending, "yaml" | "yml"))
}
