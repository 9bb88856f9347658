//! The edge of a step: arguments, environment and configuration come in; output files, one log stream, one exit code
//! and one termination message go out.
//!
//! Only this room reads argv, the environment and the configuration file. It knows no DNS, no CA and no journal.

mod arguments;
mod entry;
mod failure;
mod interrupt;
mod io;
mod log;
mod settings;
mod termination;

pub use arguments::{flag_environment, prepare};
pub use entry::{Entry, Output, Step};
pub use failure::{Attempt, Failure};
pub use interrupt::Interrupt;
pub use io::{CommonArgs, OutputFormat, ProgressMode, StepIo};
pub use settings::{CredentialArgs, ProcessSource};
