//! Solvers that could not be told apart, or could not get their credentials.

use std::collections::{HashMap, HashSet};

use super::super::Config;
use super::super::report::Report;
use super::super::solver::Solver;
use super::super::tree::Seg::{Index, Key};
use super::names::{our_name, secret_name};

pub(super) fn check(config: &Config, report: &mut Report<'_>) {
    let mut names = HashSet::new();
    let mut selected = HashMap::new();
    for (position, solver) in config.solvers.iter().enumerate() {
        let path = [Key("solvers"), Index(position), Key("name")];
        our_name(&solver.name, &path, report);
        if !names.insert(&solver.name) {
            report.at(&path, format!("two solvers are called `{}`", solver.name), None);
        }
        credentials(position, solver, report);
        for (what, key, index) in selections(solver) {
            let other = *selected.entry(what.clone()).or_insert(&solver.name);
            if *other != solver.name {
                let said = format!("solvers `{other}` and `{}` are both for {what}", solver.name);
                let path =
                    [Key("solvers"), Index(position), Key("selector"), Key(key), Index(index)];
                report.at(&path, said, None);
            }
        }
    }
}

/// What a solver claims for itself, and where it says so.
fn selections(solver: &Solver) -> Vec<(String, &'static str, usize)> {
    if solver.selector.is_empty() {
        return vec![("all names that no other is for".into(), "dnsNames", 0)];
    }
    let names = solver.selector.dns_names.iter().enumerate();
    let zones = solver.selector.dns_zones.iter().enumerate();
    names
        .map(|(index, name)| (format!("the name `{}`", name.domain()), "dnsNames", index))
        .chain(zones.map(|(index, zone)| (format!("the zone `{zone}`"), "dnsZones", index)))
        .collect()
}

fn credentials(position: usize, solver: &Solver, report: &mut Report<'_>) {
    let Some(credentials) = &solver.credentials else { return };
    let path = [Key("solvers"), Index(position), Key("credentials")];
    let at = |key| [&path[..], &[Key(key)]].concat();
    let places = [
        credentials.secret_name.is_some(),
        credentials.env_file.is_some(),
        credentials.directory.is_some(),
    ];
    if places.into_iter().filter(|given| *given).count() != 1 {
        let said = format!(
            "`credentials` of solver `{}` has not exactly one of `secretName`, `envFile` and `directory`",
            solver.name
        );
        report.at(&path, said, None);
    }
    if let Some(name) = &credentials.secret_name {
        secret_name(name, &at("secretName"), report);
    } else if !credentials.keys.is_empty() {
        let said = format!("`keys` of solver `{}` has no `secretName` to look in", solver.name);
        report.at(&at("keys"), said, None);
    }
}
