//! The command line, made uniform: every flag has an environment name and a file name, an empty optional flag counts
//! as not given, values are trimmed, and a boolean takes `=true` or `=false`, as Argo passes them.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs;

use clap::parser::ValueSource;
use clap::{Arg, ArgAction, Command, value_parser};
use dns01_core::{Exit, Origin};

use crate::Failure;

/// Given but empty is an error of its own for these (journal.md: "consumers refuse that with 11"), so it is kept.
const EMPTY_MATTERS: [&str; 2] = ["challenges", "generation"];

/// What the names of our environment variables begin with.
const PREFIX: &str = "DNS01_";

/// The environment name of a flag: `DNS01_` and the flag in capitals.
pub fn flag_environment(long: &str) -> String {
    format!("{PREFIX}{}", long.to_ascii_uppercase().replace('-', "_"))
}

/// The same command with uniform booleans, and with each flag's environment name in its help.
pub fn prepare(command: Command) -> Command {
    command.mut_args(|arg| {
        let Some(long) = arg.get_long().map(str::to_owned) else { return arg };
        if matches!(long.as_str(), "help" | "version") {
            return arg;
        }
        let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
        let arg = arg.help(format!("{help} [env: {}]", flag_environment(&long)));
        if matches!(arg.get_action(), ArgAction::SetTrue) { boolean(arg) } else { arg }
    })
}

fn boolean(arg: Arg) -> Arg {
    arg.action(ArgAction::Set)
        .num_args(0..=1)
        .require_equals(true)
        .default_missing_value("true")
        .default_value("false")
        .hide_default_value(true)
        .hide_possible_values(true)
        .value_name("true|false")
        .value_parser(value_parser!(bool))
}

/// `args` with what the environment adds, and without what is empty; and where each value that was added came from.
/// `command` has to be built.
pub(crate) fn complete(
    command: &Command,
    args: Vec<OsString>,
) -> Result<(Vec<OsString>, BTreeMap<String, Origin>), Failure> {
    let mut args = without_empty(command, args);
    let mut origins = BTreeMap::new();
    let candidates = in_environment(command);
    // To find out what is given means to parse once more.
    if !candidates.is_empty() {
        let Ok(given) = command.clone().ignore_errors(true).try_get_matches_from(&args) else {
            return Ok((args, origins));
        };
        let is_given =
            |arg: &Arg| given.value_source(arg.get_id().as_str()) == Some(ValueSource::CommandLine);
        let mut added = Vec::new();
        for (arg, long, place) in candidates {
            // A flag on the command line silences the environment of those it excludes.
            if is_given(arg) || command.get_arg_conflicts_with(arg).into_iter().any(is_given) {
                continue;
            }
            let (value, origin) = place.read(long)?;
            added.push(OsString::from(format!("--{long}={value}")));
            origins.insert(arg.get_id().to_string(), origin);
        }
        let at = args.len().min(1);
        args.splice(at..at, added);
    }
    // Only now: a false on the command line has to silence the environment first.
    args.retain(|arg| !is_false(command, arg));
    Ok((args, origins))
}

/// What of `args` counts as given, before the environment adds to it: tests hold the templates' arguments against this.
pub fn given(command: &Command, args: Vec<OsString>) -> Vec<OsString> {
    let mut args = without_empty(command, args);
    args.retain(|arg| !is_false(command, arg));
    args
}

/// Whether `arg` is a boolean set to what it is without it, so that `--all=false` excludes nothing.
fn is_false(command: &Command, arg: &OsStr) -> bool {
    let Some((long, Some(value))) = arg.to_str().and_then(|text| long_of(command, text)) else {
        return false;
    };
    let boolean = |arg: &&Arg| arg.get_long() == Some(&long) && arg.is_require_equals_set();
    value == "false" && command.get_arguments().any(|arg| boolean(&arg))
}

/// Where the environment has the value of a flag.
enum Place {
    /// In the variable of this name, which holds this.
    Variable(String, String),
    /// In the file that the second, beside the variable of this name, leads to.
    File(String, OsString),
}

impl Place {
    fn read(self, long: &str) -> Result<(String, Origin), Failure> {
        match self {
            Self::Variable(name, value) => Ok((value, Origin::Environment(name))),
            Self::File(name, path) => {
                let text = fs::read_to_string(&path).map_err(|error| {
                    let path = path.display();
                    let what = format!("could not read `{path}` for --{long}: {error}");
                    Failure::new(Exit::Config, what)
                        .hint(format!("make it readable, or set {name} instead of {name}_FILE"))
                })?;
                Ok((text.trim().to_owned(), Origin::File(path.into())))
            }
        }
    }
}

/// The flags of which the environment has a value: in `DNS01_…`, else in the file that `DNS01_…_FILE` names; a flag's
/// other names count too.
fn in_environment(command: &Command) -> Vec<(&Arg, &str, Place)> {
    let ours: BTreeMap<String, OsString> = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value)))
        .filter(|(name, value)| name.starts_with(PREFIX) && !value.is_empty())
        .collect();
    if ours.is_empty() {
        return Vec::new();
    }
    let flags = command.get_arguments().filter_map(|arg| Some((arg, arg.get_long()?)));
    let flags = flags.filter(|(_, long)| !matches!(*long, "help" | "version"));
    flags
        .filter_map(|(arg, long)| Some((arg, long, place_of(command, arg, long, &ours)?)))
        .collect()
}

fn place_of(
    command: &Command,
    arg: &Arg,
    long: &str,
    ours: &BTreeMap<String, OsString>,
) -> Option<Place> {
    let names = || {
        let aliases = arg.get_all_aliases().into_iter().flatten();
        std::iter::once(long).chain(aliases).map(flag_environment)
    };
    for name in names() {
        let value = ours.get(&name).and_then(|value| value.to_str()).unwrap_or_default().trim();
        if !value.is_empty() {
            return Some(Place::Variable(name, value.to_owned()));
        }
    }
    names().find_map(|name| {
        let path = ours.get(&format!("{name}_FILE"))?;
        let is_free = !is_a_flags(command, &format!("{name}_FILE"));
        is_free.then(|| Place::File(name, path.clone()))
    })
}

/// Whether a flag has this environment name: `DNS01_EAB_HMAC_KEY_FILE` is --eab-hmac-key-file, not the file form of
/// --eab-hmac-key.
fn is_a_flags(command: &Command, environment: &str) -> bool {
    let mut longs = command.get_arguments().filter_map(Arg::get_long);
    longs.any(|long| flag_environment(long) == environment)
}

/// Whether one JSON document is asked for, however wrong the rest of the command line is.
pub(crate) fn wants_json(args: &[OsString]) -> bool {
    let mut wants = std::env::var("DNS01_OUTPUT").is_ok_and(|format| format.trim() == "json");
    for (index, arg) in args.iter().enumerate() {
        if arg == "--output" {
            wants = args.get(index + 1).is_some_and(|format| format == "json");
        } else if let Some(format) = arg.to_str().and_then(|text| text.strip_prefix("--output=")) {
            wants = format == "json";
        }
    }
    wants
}

/// Names the variable or file behind a flag that `complaint` is about, which nobody has typed.
pub(crate) fn blame(complaint: &str, origins: &BTreeMap<String, Origin>) -> Option<String> {
    let (id, origin) = origins.iter().find(|(id, _)| {
        let flag = format!("'--{}", id.replace('_', "-"));
        complaint
            .split_once(&flag)
            .is_some_and(|(_, rest)| !rest.starts_with(|c: char| c == '-' || c.is_alphanumeric()))
    })?;
    Some(format!("--{} comes from {origin}", id.replace('_', "-")))
}

/// Drops `--flag=`, `--flag ''` and surrounding white space of values.
fn without_empty(command: &Command, args: Vec<OsString>) -> Vec<OsString> {
    let mut kept: Vec<OsString> = Vec::with_capacity(args.len());
    let mut args = args.into_iter();
    kept.extend(args.next());
    while let Some(arg) = args.next() {
        let Some(text) = arg.to_str() else {
            kept.push(arg);
            continue;
        };
        if text == "--" {
            kept.push(arg);
            kept.extend(args);
            break;
        }
        let Some((long, inline)) = long_of(command, text) else {
            kept.push(arg);
            continue;
        };
        let keep_empty = EMPTY_MATTERS.contains(&long.as_str());
        match inline {
            Some(value) if value.trim().is_empty() && !keep_empty => (),
            Some(value) => kept.push(format!("--{long}={}", value.trim()).into()),
            None => match args.next() {
                None => kept.push(arg),
                Some(value) => match value.to_str().map(str::trim) {
                    Some("") if !keep_empty => (),
                    Some(value) => kept.push(format!("--{long}={value}").into()),
                    None => kept.extend([arg, value]),
                },
            },
        }
    }
    kept
}

/// The flag that `text` gives a value to, by its first name, with the value if that is inline.
fn long_of(command: &Command, text: &str) -> Option<(String, Option<String>)> {
    let flag = text.strip_prefix("--")?;
    let (name, value) =
        flag.split_once('=').map_or((flag, None), |(name, value)| (name, Some(value)));
    let arg = command.get_arguments().find(|arg| {
        arg.get_long() == Some(name)
            || arg.get_all_aliases().is_some_and(|aliases| aliases.contains(&name))
    })?;
    let takes_value = matches!(arg.get_action(), ArgAction::Set | ArgAction::Append);
    // A value of a flag with `require_equals` can only be inline.
    let separate = takes_value && !arg.is_require_equals_set();
    (value.is_some() || separate)
        .then(|| (arg.get_long().unwrap_or(name).to_owned(), value.map(str::to_owned)))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Flags {
        #[arg(long)]
        ttl: Option<u32>,
        #[arg(long)]
        force: bool,
        #[arg(long, conflicts_with = "force")]
        all: bool,
        #[arg(long, short = 'd', alias = "domains")]
        domain: Vec<String>,
        #[arg(long, allow_hyphen_values = true)]
        challenges: Option<String>,
    }

    fn parse(args: &[&str]) -> Flags {
        use clap::{CommandFactory as _, FromArgMatches as _};
        let mut command = prepare(Flags::command());
        command.build();
        let args = ["flags"].into_iter().chain(args.iter().copied()).map(OsString::from).collect();
        let (args, _) = complete(&command, args).unwrap();
        Flags::from_arg_matches(&command.try_get_matches_from(args).unwrap()).unwrap()
    }

    #[test]
    fn an_empty_optional_flag_counts_as_not_given() {
        let flags = parse(&["--ttl=", "--force=", "--domain", "", "--domains= a.example "]);
        assert_eq!(
            (flags.ttl, flags.force, flags.domain),
            (None, false, vec!["a.example".to_owned()])
        );
    }

    #[test]
    fn the_file_form_of_a_flag_gives_way_to_a_flag_of_that_name() {
        let flags = ["key", "key-file"].map(|long| Arg::new(long).long(long));
        let command = Command::new("flags").args(flags);
        assert!(is_a_flags(&command, "DNS01_KEY_FILE"));
        assert!(!is_a_flags(&command, "DNS01_KEY_FILE_FILE"));
    }

    #[test]
    fn booleans_take_true_and_false() {
        assert!(
            parse(&["--force"]).force
                && parse(&["--force=true"]).force
                && !parse(&["--force=false"]).force
        );
    }

    #[test]
    fn a_boolean_that_is_false_excludes_nothing() {
        let flags = parse(&["--force=false", "--all=true"]);
        assert_eq!((flags.force, flags.all), (false, true));
    }

    #[test]
    fn empty_challenges_are_kept_so_that_the_step_can_refuse_them() {
        assert_eq!(parse(&["--challenges", ""]).challenges.as_deref(), Some(""));
        assert_eq!(parse(&["--challenges="]).challenges.as_deref(), Some(""));
        assert_eq!(parse(&[]).challenges, None);
    }
}
