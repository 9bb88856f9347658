//! The edge of a step: arguments, environment and configuration come in; output files, one log stream, one exit code
//! and one termination message go out.
//!
//! Only this room reads argv, the environment and the configuration file. It knows no DNS, no CA and no journal.

mod arguments;
mod challenges;
pub mod config;
mod definitions;
mod domains;
mod entry;
mod failure;
mod generation;
mod home;
mod interrupt;
mod io;
mod issuer;
pub mod live;
mod log;
mod renewal;
mod settings;
mod sinks;
mod solvers;
mod termination;

pub use arguments::{flag_environment, given, prepare};
pub use challenges::ChallengeArgs;
pub use definitions::Definitions;
pub use domains::{DomainArgs, certificate_name};
pub use entry::{Entry, Output, Step, tell_version};
pub use failure::{Attempt, Failure};
pub use generation::GenerationArgs;
pub use home::{HomeArgs, JournalArgs};
pub use interrupt::Interrupt;
pub use io::{CommonArgs, OutputFormat, ProgressMode, StepIo};
pub use issuer::{ChosenIssuer, HmacKey, IssuerArgs, ReachArgs};
pub use renewal::RenewalArgs;
pub use settings::{CredentialArgs, ProcessSource};
pub use sinks::{PlannedSink, SinkArgs, planned_sinks};
pub use solvers::{ChosenSolver, SolverArgs, Solvers};
