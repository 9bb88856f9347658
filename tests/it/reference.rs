//! The reference pages that are generated from the binaries: what a page says is what the code does.
//!
//! `cargo xtask codegen` (or `DNS01_BLESS=1` in the environment of this test) writes them anew.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fmt::Write as _;
use std::path::PathBuf;
use std::{env, fs};

use dns01_core::Exit;
use dns01_providers::{CATALOG, Need};
use dns01_step::{Entry, flag_environment};

#[test]
fn the_step_reference_is_what_the_binaries_take_and_give() {
    let mut page = String::from(
        "# Steps and commands\n\nGenerated from the binaries. Every flag `--some-flag` is also the variable `DNS01_SOME_FLAG`, or the file \
         that `DNS01_SOME_FLAG_FILE` names; an empty value counts as not given, and switches take `=true` and `=false`.\n\
         Every step also writes the outputs `error` (the failure as JSON) and `retry-at`.\n",
    );
    for entry in dns01::STEPS.iter().chain(dns01::COMMANDS) {
        describe(entry, &mut page);
    }
    hold("docs/reference/steps.md", &page);
}

fn describe(entry: &Entry, page: &mut String) {
    let command = entry.command();
    let about = command.get_about().map(ToString::to_string).unwrap_or_default();
    let _ = write!(
        page,
        "\n## {}\n\n{about}.\n\n| flag | meaning | default |\n|---|---|---|\n",
        entry.name
    );
    for arg in command.get_arguments().filter(|arg| !arg.is_hide_set()) {
        let (Some(long), Some(help)) = (arg.get_long(), arg.get_help()) else { continue };
        if matches!(long, "help" | "version") {
            continue;
        }
        let help = help
            .to_string()
            .replace(&format!(" [env: {}]", flag_environment(long)), "")
            .replace('|', "\\|");
        let short = arg.get_short().map(|short| format!("`-{short}`, ")).unwrap_or_default();
        let default: Vec<_> =
            arg.get_default_values().iter().map(|value| value.to_string_lossy()).collect();
        let _ = writeln!(page, "| {short}`--{long}` | {help} | {} |", default.join(","));
    }
    let own: Vec<_> = entry
        .outputs()
        .into_iter()
        .filter(|output| !matches!(output.name, "error" | "retry-at"))
        .collect();
    if !own.is_empty() {
        page.push_str("\n| output | holds | default in templates |\n|---|---|---|\n");
    }
    for output in own {
        let _ = writeln!(page, "| `{}` | {} | `{}` |", output.name, output.about, output.default);
    }
}

#[test]
fn the_provider_reference_is_the_catalog() {
    let mut page = String::from(
        "# Providers\n\nGenerated from the catalog. Each variable may be in the environment, in the file that `NAME_FILE` names, in the \
         credentials folder (a mounted Secret with these keys), or in an `--env-file`.\n",
    );
    for spec in CATALOG {
        let _ = write!(page, "\n## {} (`{}`)\n\n", spec.title, spec.id);
        if !spec.aliases.is_empty() {
            let aliases: Vec<String> =
                spec.aliases.iter().map(|alias| format!("`{alias}`")).collect();
            let _ = writeln!(page, "Also called {}.\n", aliases.join(", "));
        }
        page.push_str("| variable | meaning | |\n|---|---|---|\n");
        for setting in spec.settings {
            let need = match setting.need {
                Need::Required => "required".to_owned(),
                Need::Optional => "optional".to_owned(),
                Need::Default(value) => format!("default `{value}`"),
            };
            let secret = if setting.secret { ", secret" } else { "" };
            let _ = writeln!(
                page,
                "| `{}` | {} | {need}{secret} |",
                setting.env,
                setting.about.replace('|', "\\|")
            );
        }
        let _ = write!(page, "\nNeeds {}. {}\n", spec.permission, spec.notes);
    }
    hold("docs/reference/providers.md", &page);
}

#[test]
fn the_exit_code_reference_is_the_enum() {
    let mut page = String::from("# Exit codes\n\n| code | name | Argo retries |\n|---|---|---|\n");
    for exit in Exit::ALL {
        let (code, name) = (exit.code(), exit.name());
        let link = if exit == Exit::Done {
            code.to_string()
        } else {
            format!("[{code}](../when-it-fails/{code}.md)")
        };
        let _ = writeln!(
            page,
            "| {link} | {name} | {} |",
            if exit.is_retryable() { "yes" } else { "no" }
        );
    }
    let _ = write!(
        page,
        "\nEvery leaf template has this one expression:\n\n    {}\n",
        dns01_core::RETRY_EXPRESSION
    );
    hold("docs/reference/exit-codes.md", &page);
}

/// Fails where `path` does not say `text`; writes it with `DNS01_BLESS`.
fn hold(path: &str, text: &str) {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..").join(path);
    if env::var_os("DNS01_BLESS").is_some() {
        fs::write(&file, text).unwrap();
    }
    let found = fs::read_to_string(&file).unwrap_or_default();
    assert!(
        found == text,
        "{path} is not what the code says: run `cargo xtask codegen` and look at the difference"
    );
}
