//! What the templates pass is what the binaries take.

use std::collections::BTreeSet;
use std::ffi::OsString;

use clap::{Arg, Command};

use super::render::{Given, UID, render};
use super::{Leaf, Template, leaves, list, names, text};

/// A value for every parameter of a step, with what has to come along.
const SAMPLES: [(&str, &[(&str, &str)]); 38] = [
    ("certificate", &[("certificate", "shop")]),
    ("generation", &[("generation", "7")]),
    ("domains", &[("domains", "example.org, *.example.org\nwww.example.org")]),
    ("provider", &[("provider", "rfc2136")]),
    ("credentials-secret", &[("credentials-secret", "cloudflare")]),
    ("definitions", &[("definitions", "dns01")]),
    ("sink", &[("sink", "secret:web/shop-tls,secret:api/shop-tls")]),
    ("server", &[("server", "https://ca.example.org/directory")]),
    ("agree-tos", &[("agree-tos", "true")]),
    ("email", &[("email", "ops@example.org")]),
    ("profile", &[("profile", "tlsserver")]),
    ("key-type", &[("key-type", "rsa2048")]),
    ("preferred-chain", &[("preferred-chain", "ISRG Root X1")]),
    ("threshold", &[("threshold", "0.5")]),
    ("force", &[("force", "true")]),
    ("checked", &[("checked", "deliver")]),
    ("engine", &[("engine", "certbot")]),
    ("all", &[("all", "true")]),
    ("max-due", &[("max-due", "5")]),
    ("report", &[("report", r#"[{"certificate":"shop","definitions":"dns01"}]"#)]),
    ("later", &[("later", "150")]),
    ("retry-budget", &[("retry-budget", "1m")]),
    (
        "challenges",
        &[("challenges", r#"[{"domain":"a.test","fqdn":"_acme-challenge.a.test","value":"-x"}]"#)],
    ),
    ("fqdn", &[("fqdn", "_acme-challenge.a.test"), ("value", "-x")]),
    ("value", &[("value", "-x"), ("fqdn", "_acme-challenge.a.test")]),
    ("domain", &[("domain", "a.test"), ("key-auth", "-token.thumbprint")]),
    ("key-auth", &[("key-auth", "-token.thumbprint"), ("domain", "a.test")]),
    (
        "published",
        &[(
            "published",
            r#"[{"zone":"a.test","owner":"_acme-challenge.a.test","values":[],"serial":null}]"#,
        )],
    ),
    ("ttl", &[("ttl", "60")]),
    ("timeout", &[("timeout", "15m")]),
    ("zone", &[("zone", "a.test")]),
    ("strategy", &[("strategy", "fixed:60s")]),
    ("gate-resolver", &[("gate-resolver", "192.0.2.1")]),
    ("resolver", &[("resolver", "192.0.2.1,192.0.2.2:5353")]),
    ("authority", &[("authority", "a.test=192.0.2.1")]),
    ("take-over", &[("take-over", "true")]),
    ("run-id", &[("run-id", "other")]),
    ("exit-hook", &[("exit-hook", "true")]),
];

fn sample(parameter: &str) -> &'static [(&'static str, &'static str)] {
    let sample = SAMPLES.iter().find(|(name, _)| *name == parameter);
    sample.unwrap_or_else(|| panic!("no sample for the parameter {parameter}")).1
}

/// What the caller of a template gives at least.
fn least(template: &Template) -> Given {
    let value = |parameter: &serde_json::Value| {
        let name = text(&parameter["name"]);
        let default = parameter.get("value").or(parameter.get("default"));
        let value = default.map_or_else(|| sample(name)[0].1, text);
        (name.to_owned(), value.to_owned())
    };
    template.inputs().iter().map(value).collect()
}

impl Leaf {
    /// What the step is called with, as clap gets it.
    fn argv(&self, given: &Given) -> Vec<String> {
        let words = [self.step.name.to_owned()].into_iter();
        let args = words.chain(self.args.iter().map(|arg| render(arg, given)));
        let kept = dns01_step::given(&self.step.command(), args.map(OsString::from).collect());
        kept.into_iter().skip(1).map(|arg| arg.into_string().unwrap()).collect()
    }

    fn parse(&self, given: &Given) -> clap::ArgMatches {
        let argv = self.argv(given);
        let words = [self.step.name.to_owned()].into_iter().chain(argv.clone());
        let at = &self.template.object;
        self.step
            .command()
            .try_get_matches_from(words)
            .unwrap_or_else(|error| panic!("{at}: {argv:?}\n{error}"))
    }
}

fn flag<'c>(command: &'c Command, long: &str) -> Option<&'c Arg> {
    command.get_arguments().find(|arg| arg.get_long() == Some(long))
}

#[test]
fn every_argument_is_a_flag_of_its_step() {
    for leaf in leaves() {
        let command = leaf.step.command();
        for arg in leaf.argv_everything() {
            let (long, _) = arg.strip_prefix("--").and_then(|arg| arg.split_once('=')).unwrap();
            assert!(flag(&command, long).is_some(), "{}: --{long}", leaf.template.object);
        }
    }
}

impl Leaf {
    /// Every argument that the template can ever pass, also those of which only one form is used at a time.
    fn argv_everything(&self) -> BTreeSet<String> {
        let least = least(self.template);
        let mut all: BTreeSet<String> = self.args.iter().map(|arg| render(arg, &least)).collect();
        for parameter in names(&self.template.inputs()) {
            let given = with(&least, sample(&parameter));
            all.extend(self.args.iter().map(|arg| render(arg, &given)));
        }
        all
    }
}

fn with(least: &Given, more: &[(&str, &str)]) -> Given {
    let more = more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    least.clone().into_iter().chain(more).collect()
}

#[test]
fn a_step_takes_what_its_template_passes_when_only_the_required_is_given() {
    for leaf in leaves() {
        leaf.parse(&least(leaf.template));
    }
}

#[test]
fn a_step_takes_every_value_of_every_parameter() {
    for leaf in leaves() {
        let least = least(leaf.template);
        for parameter in leaf.template.inputs() {
            let name = text(&parameter["name"]);
            leaf.parse(&with(&least, sample(name)));
            for choice in list(&parameter["enum"]) {
                leaf.parse(&with(&least, &[(name, text(&choice))]));
            }
        }
    }
}

#[test]
fn every_parameter_reaches_its_step() {
    for leaf in leaves() {
        let least = least(leaf.template);
        for name in names(&leaf.template.inputs()) {
            let given = with(&least, sample(&name));
            let mut without = given.clone();
            without.insert(name.clone(), format!("other-{name}"));
            let filled = |given: &Given| render(&leaf.template.text(), given);
            assert_ne!(filled(&given), filled(&without), "{}: {name}", leaf.template.object);
        }
    }
}

#[test]
fn empty_challenges_and_generations_reach_the_step_that_refuses_them() {
    let of =
        |object: &str| leaves().into_iter().find(|leaf| leaf.template.object == object).unwrap();
    for object in ["dns01-present", "dns01-wait-propagation"] {
        let leaf = of(object);
        assert!(leaf.argv(&least(leaf.template)).contains(&"--challenges=".to_owned()), "{object}");
    }
    for object in ["dns01-certbot-issue", "dns01-store-secret"] {
        let leaf = of(object);
        let given = with(&least(leaf.template), &[("generation", "")]);
        assert!(leaf.argv(&given).contains(&"--generation=".to_owned()), "{object}");
    }
}

#[test]
fn cleanup_acts_for_this_run_unless_told_another() {
    let leaf = leaves().into_iter().find(|leaf| leaf.step.name == "cleanup").unwrap();
    let least = least(leaf.template);
    assert!(leaf.argv(&least).contains(&format!("--run-id={UID}")));
    let other = with(&least, sample("run-id"));
    assert!(leaf.argv(&other).contains(&"--run-id=other".to_owned()));
    assert!(!leaf.argv(&least).iter().any(|arg| arg.starts_with("--challenges")));
}

#[test]
fn every_step_knows_its_run_and_where_outputs_go() {
    for leaf in leaves() {
        let argv = leaf.argv(&least(leaf.template));
        for arg in [format!("--run-id={UID}"), format!("--outputs={}", super::OUTPUTS)] {
            assert!(argv.contains(&arg), "{}: {arg}", leaf.template.object);
        }
    }
}

#[test]
fn choices_are_those_of_the_binary() {
    for leaf in leaves() {
        let command = leaf.step.command();
        for parameter in leaf.template.inputs() {
            let name = text(&parameter["name"]);
            let passed = format!("={{{{inputs.parameters.{name}}}}}");
            let Some(arg) = leaf.args.iter().find_map(|arg| arg.strip_suffix(&passed)) else {
                continue;
            };
            let arg = flag(&command, arg.trim_start_matches("--")).unwrap();
            let choices: BTreeSet<String> = list(&parameter["enum"])
                .iter()
                .map(|choice| text(choice).to_owned())
                .filter(|choice| !choice.is_empty())
                .collect();
            let possible: BTreeSet<String> =
                arg.get_possible_values().iter().map(|value| value.get_name().to_owned()).collect();
            if !possible.is_empty() {
                assert_eq!(choices, possible, "{}: {name}", leaf.template.object);
            }
        }
    }
}

#[test]
fn no_shell_ever_sees_a_parameter() {
    for template in super::templates() {
        for key in ["script", "containerSet", "data", "http", "plugin", "resource"] {
            assert!(template.body[key].is_null(), "{}: {key}", template.object);
        }
        let container = &template.body["container"];
        let inits = list(&template.body["initContainers"]);
        for container in inits.iter().chain([container]) {
            for word in list(&container["command"]) {
                assert!(text(&word).starts_with('/'), "{}: {word} is looked up", template.object);
                assert!(!text(&word).contains("{{") && !text(&word).ends_with("sh"));
            }
        }
    }
}
