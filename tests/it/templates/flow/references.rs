//! Every reference resolves, as Argo's linter would demand, and stays resolvable when something fails.

use std::collections::BTreeSet;

use serde_json::Value;

use super::super::{Template, list, names, template, templates, text};
use super::arguments;

/// A call of another template: a step, a task or a hook.
#[derive(Debug)]
struct Call {
    from: Template,
    body: Value,
}

fn calls() -> Vec<Call> {
    let mut all = Vec::new();
    for from in templates() {
        let steps = list(&from.body["steps"]);
        let steps = steps.iter().flat_map(list);
        for body in steps.chain(list(&from.body["dag"]["tasks"])) {
            if let Some(hooks) = body["hooks"].as_object() {
                all.extend(
                    hooks.values().map(|hook| Call { from: from.clone(), body: hook.clone() }),
                );
            }
            all.push(Call { from: from.clone(), body });
        }
    }
    all
}

/// The template that a step, a task or a hook of `object` runs.
fn called(object: &str, call: &Value) -> &'static Template {
    match &call["templateRef"] {
        Value::Null => template(object, text(&call["template"])),
        reference => template(text(&reference["name"]), text(&reference["template"])),
    }
}

#[test]
fn every_call_names_a_template_and_passes_what_it_takes() {
    let all = calls();
    assert!(all.len() > 15, "three flows");
    for call in all {
        let target = called(&call.from.object, &call.body);
        let at = format!("{} calls {}/{}", call.from.object, target.object, target.name);
        let passed: Vec<String> = arguments(&call.body).into_iter().map(|(name, _)| name).collect();
        let known = names(&target.inputs());
        for name in &passed {
            assert!(known.contains(name), "{at}: it has no {name}");
        }
        assert_eq!(passed.iter().collect::<BTreeSet<_>>().len(), passed.len(), "{at}: twice");
        for parameter in target.inputs().iter().filter(|one| !Template::is_optional(one)) {
            assert!(passed.contains(&text(&parameter["name"]).to_owned()), "{at}: {parameter}");
        }
    }
}

/// The references in a text that start with `kind`, as (who, output).
fn outputs_of(kind: &str, text: &str) -> Vec<(String, String)> {
    let start = format!("{{{{{kind}.");
    text.split(&start)
        .skip(1)
        .map(|rest| {
            let tag = rest.split("}}").next().unwrap();
            let (who, output) = tag.split_once(".outputs.parameters.").unwrap();
            (who.to_owned(), output.to_owned())
        })
        .collect()
}

#[test]
fn every_input_that_is_named_is_declared() {
    for template in templates() {
        let known = names(&template.inputs());
        let text = template.text();
        let plain =
            text.split("{{inputs.parameters.").skip(1).map(|rest| rest.split("}}").next().unwrap());
        let indexed =
            text.split("inputs.parameters['").skip(1).map(|rest| rest.split('\'').next().unwrap());
        for name in plain.chain(indexed) {
            assert!(
                known.iter().any(|one| one == name),
                "{}/{}: {name}",
                template.object,
                template.name
            );
        }
    }
}

#[test]
fn every_output_that_is_read_is_written_by_an_ancestor() {
    for template in templates().iter().filter(|template| !template.body["dag"].is_null()) {
        let tasks = list(&template.body["dag"]["tasks"]);
        for task in &tasks {
            let ancestors = ancestors(&tasks, task);
            for (who, output) in outputs_of("tasks", &task.to_string()) {
                let at = format!("{}: {} reads {who}.{output}", template.object, task["name"]);
                assert!(ancestors.contains(&who), "{at}, which is no ancestor");
                let writer = tasks.iter().find(|other| other["name"] == *who).unwrap();
                let target = called(&template.object, writer);
                assert!(
                    names(&list(&target.body["outputs"]["parameters"])).contains(&output),
                    "{at}"
                );
            }
        }
        for (who, output) in outputs_of("tasks", &template.body["outputs"].to_string()) {
            let writer = tasks.iter().find(|other| other["name"] == *who).unwrap();
            let target = called(&template.object, writer);
            assert!(names(&list(&target.body["outputs"]["parameters"])).contains(&output));
        }
    }
}

#[test]
fn what_the_steps_read_is_written_by_an_earlier_group() {
    for template in templates().iter().filter(|template| !template.body["steps"].is_null()) {
        let groups = list(&template.body["steps"]);
        let written = |groups: &[Value], who: &str, output: &String| {
            let writer = groups.iter().flat_map(list).find(|step| step["name"] == *who);
            let target = called(&template.object, &writer.expect(who));
            // What a fan-out gives out is a list of lists, and of those that went well only.
            names(&list(&target.body["outputs"]["parameters"])).contains(output)
        };
        for (at, group) in groups.iter().enumerate() {
            for (who, output) in outputs_of("steps", &group.to_string()) {
                assert!(
                    written(&groups[..at], &who, &output),
                    "{}: {who}.{output}",
                    template.object
                );
            }
        }
        for (who, output) in outputs_of("steps", &template.body["outputs"].to_string()) {
            assert!(written(&groups, &who, &output), "{}: {who}.{output}", template.object);
        }
    }
}

#[test]
fn a_task_that_runs_after_a_failure_reads_only_what_cannot_have_failed() {
    let mut found = 0;
    for template in templates() {
        for task in list(&template.body["dag"]["tasks"]) {
            let depends = task["depends"].as_str().unwrap_or_default();
            if depends.contains(".Failed")
                || depends.contains(".Errored")
                || depends.contains(".Omitted")
            {
                found += 1;
                // Every other task needs `order.Succeeded`, so that its outputs are there whatever else has failed.
                let read = outputs_of("tasks", &task.to_string());
                assert_eq!(
                    read,
                    [("order".to_owned(), "action".to_owned())],
                    "{}",
                    template.object
                );
            }
        }
    }
    assert_eq!(found, 2, "the cleanup of both DAGs");
}

/// The tasks that `depends` names.
pub(super) fn parents(task: &Value) -> BTreeSet<String> {
    let depends = task["depends"].as_str().unwrap_or_default();
    let words = depends.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '.'));
    let words = words.filter(|word| !word.is_empty());
    words.map(|word| word.split('.').next().unwrap().to_owned()).collect()
}

fn ancestors(tasks: &[Value], task: &Value) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut open = parents(task);
    while let Some(name) = open.pop_first() {
        let parent = tasks.iter().find(|other| other["name"] == *name);
        open.extend(parents(parent.unwrap_or_else(|| panic!("{task}: there is no {name}"))));
        found.insert(name);
    }
    found
}
