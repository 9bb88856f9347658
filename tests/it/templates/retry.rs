//! The one retry expression, over every code that a container can end with.

use dns01_core::{Exit, RETRY_EXPRESSION};
use expr::{Context, Environment};
use serde_json::json;

use super::{leaves, render, templates};

/// Argo's executor on a lost pod, SIGKILL and SIGTERM: the step may not have spoken for itself.
const NOT_OURS: [i32; 3] = [-1, 137, 143];

fn retries(status: &str, code: i32) -> bool {
    let mut argo = Environment::new();
    argo.add_function("asInt", |call| {
        let code: i64 = call.args[0].as_string().unwrap().parse().unwrap();
        Ok(code.into())
    });
    let mut context = Context::default();
    let last = json!({ "status": status, "exitCode": code.to_string() });
    context.insert("lastRetry", render::json(&last));
    argo.eval(RETRY_EXPRESSION, &context).unwrap().as_bool().unwrap()
}

#[test]
fn argo_retries_exactly_the_codes_that_are_retryable() {
    for code in -1..=255 {
        let ours = u8::try_from(code).ok().and_then(Exit::from_code);
        let expected = ours.is_some_and(Exit::is_retryable) || NOT_OURS.contains(&code);
        assert_eq!(retries("Failed", code), expected, "exit {code}");
        assert!(retries("Error", code), "a pod that Argo lost is tried again, exit {code}");
    }
}

#[test]
fn every_pod_is_retried_by_the_one_expression() {
    for leaf in leaves() {
        let (at, retry) = (&leaf.template.object, &leaf.template.body["retryStrategy"]);
        assert_eq!(retry["expression"], RETRY_EXPRESSION, "{at}");
        assert_eq!(retry["retryPolicy"], "Always", "{at}");
        // Without a limit the backoff is ignored, and there is no end.
        assert!((1..=10).contains(&retry["limit"].as_i64().unwrap_or_default()), "{at}");
        assert!(["duration", "factor", "cap"].iter().all(|key| !retry["backoff"][key].is_null()));
    }
}

#[test]
fn nothing_but_a_pod_is_retried() {
    // A retried DAG would repeat what went well, and a retry for all templates would retry hooks and flows.
    for template in templates().iter().filter(|template| template.body["container"].is_null()) {
        assert!(template.body["retryStrategy"].is_null(), "{}/{}", template.object, template.name);
    }
    for object in super::objects() {
        for key in ["retryStrategy", "templateDefaults"] {
            assert!(object["spec"][key].is_null(), "{}", object["metadata"]["name"]);
        }
    }
}
