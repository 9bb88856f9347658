//! What a step is, and how one is run: as a binary of its own, in the multicall binary, or described for tests and docs.

use std::ffi::OsString;
use std::pin::Pin;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{ArgMatches, Args as _, Command, Parser};
use dns01_core::{Exit, Origin};

use crate::interrupt::Interrupt;
use crate::log::Format;
use crate::{Attempt, CommonArgs, Failure, StepIo, arguments, live, log, termination};

/// One step of a workflow: its flags are its fields.
pub trait Step: Parser + 'static {
    /// The name of the binary, of the subcommand and of the template.
    const NAME: &'static str;
    /// The output parameters it may write, beside `error` and `retry-at`, which every step has.
    const OUTPUTS: &'static [Output];

    /// The command line, where it is not just the fields and the common flags.
    fn shape(command: Command) -> Command {
        command
    }

    /// Does the work; everything the step says goes through `io`.
    fn run(self, io: &StepIo) -> impl Future<Output = Result<(), Failure>>;

    /// Settings beyond the flags, for `--explain-config`: name, value as it may be shown, and origin.
    fn explain(&self, _io: &StepIo) -> Result<Vec<(String, String, Origin)>, Failure> {
        Ok(Vec::new())
    }
}

/// An output parameter.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Output {
    /// The name, of the file and of the parameter.
    pub name: &'static str,
    /// What it holds, for the reference.
    pub about: &'static str,
    /// The `valueFrom.default` of every template: what the parameter is when the step could not write it.
    pub default: &'static str,
}

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The outputs of every step.
const EVERY: [Output; 2] = [
    Output { name: "error", about: "the failure as JSON; empty on success", default: "" },
    Output {
        name: "retry-at",
        about: "when to try again (RFC 3339), if the other side said so",
        default: "",
    },
];

/// A step as the suite sees it.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// See [`Step::NAME`].
    pub name: &'static str,
    own_outputs: &'static [Output],
    command: fn() -> Command,
    run: fn(ArgMatches, StepIo) -> Running,
}

/// Why nothing is run.
enum Unparsed {
    /// Help or the version was asked for, and printed.
    Help,
    /// The command line is wrong, and that was said.
    Usage(Failure),
    /// A value that is not on the command line cannot be had.
    Setting(Failure),
}

type Running = Pin<Box<dyn Future<Output = Result<(), Failure>>>>;

impl Entry {
    /// The entry of step `S`.
    pub const fn of<S: Step>() -> Self {
        Self { name: S::NAME, own_outputs: S::OUTPUTS, command: command::<S>, run: start::<S> }
    }

    /// The command line, for parsing, help, completion, and tests against the templates.
    pub fn command(&self) -> Command {
        (self.command)()
    }

    /// Every output parameter, the common ones last.
    pub fn outputs(&self) -> Vec<Output> {
        self.own_outputs.iter().copied().chain(EVERY).collect()
    }

    /// Parses `args` (the first is the program), runs the step on this thread, reports, and gives the exit code.
    pub fn main(&self, args: impl IntoIterator<Item = OsString>) -> ExitCode {
        let args: Vec<OsString> = args.into_iter().collect();
        if tell_version(self.name, &args) {
            return ExitCode::SUCCESS;
        }
        become_explicit_about_panics(self.name);
        let format = Format::from_environment();
        log::start(format);
        let wants_json = arguments::wants_json(&args);
        let parsed = self.parse(args).and_then(|(matches, origins)| {
            let io = StepIo::new(self.name, self.outputs(), &matches, origins);
            io.map(|io| (matches, io)).map_err(Unparsed::Setting)
        });
        let (matches, io) = match parsed {
            Ok(parsed) => parsed,
            Err(Unparsed::Help) => return ExitCode::SUCCESS,
            Err(Unparsed::Usage(failure)) => {
                termination::write(&format!("{}: {}", self.name, failure.one_line()));
                return self.unparsed(wants_json, &failure);
            }
            Err(Unparsed::Setting(failure)) => {
                report(self.name, None, format, &failure);
                return self.unparsed(wants_json, &failure);
            }
        };
        match self.run_to_end(matches, io.clone()) {
            Ok(()) => {
                io.finish();
                ExitCode::SUCCESS
            }
            Err(failure) => report(self.name, Some(&io), format, &failure),
        }
    }

    fn parse(&self, args: Vec<OsString>) -> Result<(ArgMatches, Origins), Unparsed> {
        // Built once: it is the dearest part of starting.
        let mut command = self.command();
        command.build();
        let typed = args.clone();
        let (args, origins) = arguments::complete(&command, args).map_err(Unparsed::Setting)?;
        let matches = command.try_get_matches_from_mut(args).map_err(|error| {
            // What the environment added is not to be shown as if it had been typed.
            let error = match command.try_get_matches_from_mut(typed) {
                Err(own) if own.kind() == error.kind() => own,
                _ => error,
            };
            // Nothing can be done for a reader who has gone.
            let _ = error.print();
            if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
                return Unparsed::Help;
            }
            let text = error.to_string();
            let first = text.lines().next().unwrap_or_default();
            if let Some(note) = arguments::blame(first, &origins) {
                say(&note);
            }
            Unparsed::Usage(Failure::new(Exit::Usage, first.trim_start_matches("error: ")))
        })?;
        Ok((matches, origins))
    }

    /// The end of a call whose command line could not be used: who asked for a document gets one.
    fn unparsed(&self, wants_json: bool, failure: &Failure) -> ExitCode {
        if wants_json {
            crate::io::print_result(self.name, &serde_json::Map::new(), &failure.json(self.name));
        }
        ExitCode::from(failure.exit().code())
    }

    fn run_to_end(&self, matches: ArgMatches, io: StepIo) -> Result<(), Failure> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.attempt(|| "start the async runtime".into())?;
        let interrupt = io.interrupt().clone();
        let work = (self.run)(matches, io);
        let result = runtime.block_on(run_until_stopped(&interrupt, work));
        // A look-up thread that hangs must not keep a finished step alive.
        runtime.shutdown_background();
        result
    }
}

/// Prints the version of `program` if `args` ask for nothing else, as clap would; that needs no command line to be
/// described.
pub fn tell_version(program: &str, args: &[OsString]) -> bool {
    let is_asked = matches!(args, [_, only] if only == "--version" || only == "-V");
    if is_asked {
        crate::io::print_stdout(&format_args!("{program} {VERSION}"));
    }
    is_asked
}

/// By the id of the argument, where a value came from that was not on the command line.
pub(crate) type Origins = std::collections::BTreeMap<String, Origin>;

async fn run_until_stopped(interrupt: &Interrupt, work: Running) -> Result<(), Failure> {
    interrupt.run(work).await.unwrap_or_else(|| {
        Err(Failure::new(Exit::Interrupted, "stopped by a signal")
            .hint("run the same command again to go on"))
    })
}

fn report(step: &str, io: Option<&StepIo>, format: Format, failure: &Failure) -> ExitCode {
    let line = format!("{step}: {}", failure.one_line());
    match format {
        Format::Json => tracing::error!(code = failure.exit().code(), "{line}"),
        Format::Text => say(&failure.long()),
    }
    termination::write(&line);
    if let Some(io) = io {
        io.fail(failure);
    }
    ExitCode::from(failure.exit().code())
}

#[expect(clippy::print_stderr, reason = "the long form is for the person at the terminal")]
fn say(text: &str) {
    live::clear();
    eprintln!("{text}");
}

/// A panic is a bug: exit 70 with one line, never 101 or 134.
fn become_explicit_about_panics(step: &'static str) {
    std::panic::set_hook(Box::new(move |info| {
        let place =
            info.location().map(|at| format!("{}:{}", at.file(), at.line())).unwrap_or_default();
        let line = Failure::new(Exit::Bug, format!("bug in {step} at {place}"))
            .hint("please report it with this line; the certificate's state is safe")
            .one_line();
        tracing::error!("{line}");
        termination::write(&line);
        #[expect(
            clippy::exit,
            reason = "unwinding would end in 101, which Argo and shells read as something else"
        )]
        std::process::exit(Exit::Bug.code().into());
    }));
}

fn command<S: Step>() -> Command {
    let own = S::command().name(S::NAME).version(VERSION);
    let about = own.get_about().cloned().unwrap_or_default();
    let long_about = own.get_long_about().cloned().unwrap_or_else(|| about.clone());
    // Adding the common flags replaces the text of the step with theirs; put it back.
    let whole = CommonArgs::augment_args(own).about(about).long_about(long_about);
    arguments::prepare(S::shape(whole))
}

fn start<S: Step>(matches: ArgMatches, io: StepIo) -> Running {
    Box::pin(async move {
        let step = S::from_arg_matches(&matches)
            .map_err(|error| Failure::new(Exit::Usage, error.to_string().trim().to_owned()))?;
        if io.common().explain_config {
            io.print_settings(&command::<S>(), &matches, step.explain(&io)?);
            return Ok(());
        }
        step.run(&io).await
    })
}
