//! One command line of a sandbox, from its arguments to its end.

use super::Sandbox;
use super::run::Run;
use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use std::ffi::OsString;
use std::fs::{self, File};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// A command that has not been started.
#[derive(Clone, Debug)]
pub struct Invocation {
    pub(super) sandbox: Sandbox,
    pub(super) record: PathBuf,
    pub(super) tracer: Vec<OsString>,
    program: PathBuf,
    args: Vec<OsString>,
    stdin: Vec<u8>,
    uid: Option<u32>,
    timeout: Duration,
}

/// A command that runs. Dropped, it is killed with all its children.
#[derive(Debug)]
pub struct Running {
    invocation: Invocation,
    child: Child,
    line: String,
}

impl Invocation {
    pub(super) fn new(sandbox: &Sandbox, program: PathBuf) -> Self {
        let record = sandbox.lab.folder("run");
        fs::create_dir(record.join("outputs")).unwrap();
        let (sandbox, timeout) = (sandbox.clone(), Duration::from_mins(2));
        let invocation = Self {
            sandbox,
            record,
            tracer: vec![],
            program,
            args: vec![],
            stdin: vec![],
            uid: None,
            timeout,
        };
        let files = [("DNS01_OUTPUTS", "outputs"), ("DNS01_TERMINATION_LOG", "termination")];
        files.into_iter().fold(invocation, |own, (name, file)| {
            let path = own.record.join(file);
            own.env(name, path)
        })
    }

    pub(super) fn with_outputs_flag(self) -> Self {
        let outputs = self.record.join("outputs");
        self.arg("--outputs").arg(outputs)
    }

    /// Adds an argument.
    pub fn arg(mut self, arg: impl Into<OsString>) -> Self {
        self.args.push(arg.into());
        self
    }

    /// Adds several arguments.
    pub fn args<A: Into<OsString>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// Sets a variable for this command.
    pub fn env(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.sandbox = self.sandbox.env(name, value);
        self
    }

    /// What the command reads on its standard input; without it, nothing.
    pub fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.stdin = bytes.into();
        self
    }

    /// Runs the command as this user, without groups; the lab is opened for it. Only where real root started the tests.
    pub fn uid(mut self, uid: u32) -> Self {
        self.uid = Some(uid);
        self
    }

    /// Kills the command and panics after this time, instead of two minutes.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Runs the command to its end.
    pub fn run(self) -> Run {
        self.spawn().wait()
    }

    /// Starts the command.
    pub fn spawn(self) -> Running {
        let stdin = self.record.join("stdin");
        fs::write(&stdin, &self.stdin).unwrap();
        let stream = |name| Stdio::from(File::create(self.record.join(name)).unwrap());
        let words = self.words();
        let mut command = Command::new(&words[0]);
        command
            .args(&words[1..])
            .env_clear()
            .envs(self.sandbox.env.iter().cloned())
            .current_dir(&self.sandbox.home);
        command
            .stdin(File::open(stdin).unwrap())
            .stdout(stream("stdout"))
            .stderr(stream("stderr"))
            .process_group(0);
        let line = [self.program.clone().into_os_string()]
            .iter()
            .chain(&self.args)
            .map(|word| word.to_string_lossy())
            .collect::<Vec<_>>()
            .join(" ");
        let child =
            command.spawn().unwrap_or_else(|error| panic!("could not start `{line}`: {error}"));
        Running { invocation: self, child, line }
    }

    /// The whole command line: what changes the surroundings replaces itself by the next, so the process id stays.
    fn words(&self) -> Vec<OsString> {
        let mut words: Vec<OsString> = vec![];
        if !self.sandbox.mounts.is_empty() {
            let script = format!(r#"{} && exec "$@""#, self.sandbox.mounts.join(" && "));
            words.extend(["unshare", "--mount", "sh", "-c"].map(OsString::from));
            words.extend([script.into(), "sh".into()]);
        }
        words.extend(self.tracer.iter().cloned());
        if let Some(uid) = self.uid {
            let open = Command::new("chown")
                .arg("-R")
                .arg(uid.to_string())
                .args([&self.sandbox.home, &self.record])
                .status();
            assert!(open.unwrap().success(), "chown needs real root");
            fs::set_permissions(
                self.sandbox.lab.path(),
                std::os::unix::fs::PermissionsExt::from_mode(0o755),
            )
            .unwrap();
            words.extend(
                [
                    "setpriv",
                    "--reuid",
                    &uid.to_string(),
                    "--regid",
                    &uid.to_string(),
                    "--clear-groups",
                ]
                .map(OsString::from),
            );
        }
        words.push(self.program.clone().into());
        words.extend(self.args.iter().cloned());
        words
    }
}

impl Running {
    /// Sends a signal to the command itself.
    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Waits until the command's stderr contains `text`; panics when it ends before that.
    pub fn wait_for_stderr(&mut self, text: &str) {
        self.wait_for("stderr", text);
    }

    /// The same with its stdout.
    pub fn wait_for_stdout(&mut self, text: &str) {
        self.wait_for("stdout", text);
    }

    fn wait_for(&mut self, stream: &str, text: &str) {
        let start = Instant::now();
        while !self.read(stream).contains(text) {
            let ended = self.child.try_wait().unwrap();
            assert!(
                ended.is_none() && start.elapsed() < self.invocation.timeout,
                "`{}` never said `{text}`:\n{}",
                self.line,
                self.read(stream)
            );
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Waits for the end.
    pub fn wait(mut self) -> Run {
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return self.finish(status);
            }
            if start.elapsed() > self.invocation.timeout {
                kill_process_group(Pid::from_child(&self.child), Signal::KILL).unwrap();
                let status = self.child.wait().unwrap();
                panic!("not over after {:?}: {}", self.invocation.timeout, self.finish(status));
            }
            thread::sleep(Duration::from_millis(2));
        }
    }

    fn finish(&self, status: ExitStatus) -> Run {
        let code = status.code().unwrap_or_else(|| 128 + status.signal().unwrap());
        let entries =
            fs::read_dir(self.invocation.record.join("outputs")).unwrap().map(Result::unwrap);
        let outputs = entries
            .map(|entry| {
                (
                    entry.file_name().into_string().unwrap(),
                    fs::read_to_string(entry.path()).unwrap(),
                )
            })
            .collect();
        let (stdout, stderr, termination) =
            (self.read("stdout"), self.read("stderr"), self.read("termination"));
        Run { line: self.line.clone(), code, stdout, stderr, outputs, termination }
    }

    fn read(&self, file: &str) -> String {
        String::from_utf8_lossy(&fs::read(self.invocation.record.join(file)).unwrap_or_default())
            .into_owned()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        kill_process_group(Pid::from_child(&self.child), Signal::KILL).ok();
        self.child.wait().ok();
    }
}
