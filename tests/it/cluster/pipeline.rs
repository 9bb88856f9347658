//! Our templates called from somebody else's pipeline: the examples of `docs/how-to/use-one-step.md`, as they stand there.

use super::platform::{OWNER, Platform, path};
use super::workflow::Workflow;
use harness::NameServer as _;
use serde_json::{Value, json};

/// The image of the reader's own steps, and one with the same program that the node of our own cluster has.
const YOURS: [&str; 2] = ["docker.io/library/busybox:1.37", "dns01.invalid/pause:1"];

/// The Workflow of the page's YAML block whose entrypoint has this name.
fn example(entrypoint: &str) -> Value {
    let page = std::fs::read_to_string(path("docs/how-to/use-one-step.md")).unwrap();
    let blocks = page.split("```yaml\n").skip(1).map(|part| part.split("```").next().unwrap());
    let mut workflows = blocks.map(|block| serde_yaml::from_str::<Value>(block).unwrap());
    workflows.find(|workflow| workflow["spec"]["entrypoint"] == entrypoint).unwrap()
}

/// Starts it: offline, so with an image that is there, and with the resolver that knows `example.test`.
fn start(platform: &Platform, mut workflow: Value) -> Workflow<'_> {
    let node = platform.cluster.kubectl().run(&[
        "get",
        "nodes",
        "-o",
        "jsonpath={.items[*].status.images[*].names}",
    ]);
    if node.contains(YOURS[1]) {
        let text = workflow["spec"].to_string().replace(YOURS[0], YOURS[1]);
        workflow["spec"] = serde_json::from_str(&text).unwrap();
    }
    let resolver = json!({"name": "resolver", "value": platform.named.resolver()});
    tell(&mut workflow["spec"], &resolver);
    Workflow::create(platform, &workflow["spec"])
}

/// Gives the parameter to each of our templates that is called.
fn tell(value: &mut Value, parameter: &Value) {
    if !value["templateRef"].is_null() {
        value["arguments"]["parameters"].as_array_mut().unwrap().push(parameter.clone());
    }
    match value {
        Value::Object(fields) => fields.values_mut().for_each(|field| tell(field, parameter)),
        Value::Array(items) => items.iter_mut().for_each(|item| tell(item, parameter)),
        _ => {}
    }
}

#[test]
#[ignore = "needs the cluster"]
fn the_pages_pipelines_run_as_they_stand_there() {
    let platform = Platform::start("pipeline");
    let release = start(&platform, example("release"));
    let mut example = example("challenge");
    let values = [OWNER, "gfj9Xq3Dk1rPvZbN0wLmT5yHs8cUe2oAiRtQxFpK7d4"];
    for (parameter, value) in [0, 1].into_iter().zip(values) {
        example["spec"]["arguments"]["parameters"][parameter]["value"] = value.into();
    }
    let challenge = start(&platform, example).ended().succeeded();
    eprintln!("{}", challenge.table());
    let operations = platform.named.update_operations("example.test");
    assert!(operations.iter().any(|line| line.contains(values[1])), "{operations:?}");
    assert!(!platform.named.txt(OWNER).contains(&values[1].to_owned()));
    let release = release.ended().succeeded();
    eprintln!("{}", release.table());
    assert_eq!((platform.pebble.issued(), release.node("deploy").0.as_str()), (1, "Succeeded"));
    platform.assert_zone_is_clean();
}

#[test]
#[ignore = "needs the cluster"]
fn a_challenge_of_another_client_stays_until_its_own_cleanup() {
    let platform = Platform::start("challenge");
    let theirs = [
        ("fqdn", OWNER),
        ("value", "gfj9Xq3Dk1rPvZbN0wLmT5yHs8cUe2oAiRtQxFpK7d4"),
        ("provider", "rfc2136"),
        ("credentials-secret", "rfc2136"),
    ];
    platform.named.add_txt(OWNER, "somebody else's");
    let run = platform.submit("dns01-challenge-only", &theirs).ended().succeeded();
    eprintln!("{}", run.table());
    assert_eq!(platform.named.txt(OWNER), [theirs[1].1, "somebody else's"]);
    platform.submit("dns01-cleanup", &theirs).ended().succeeded();
    assert_eq!(platform.named.txt(OWNER), ["somebody else's"]);
    // No certificate, no journal, no CA.
    assert_eq!(
        (platform.get("configmap/dns01-example-org"), platform.pebble.requests()),
        (None, 0)
    );
}
