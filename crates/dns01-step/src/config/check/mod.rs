//! Whether a document of the right shape also makes sense. Everything that doesn't is said at once.

mod certificates;
mod issuers;
mod names;
mod solvers;

use super::report::Report;
use super::{Config, twins};

/// Reports all that makes no sense in `config`.
pub(super) fn check(config: &Config, report: &mut Report<'_>) {
    issuers::check(config, report);
    solvers::check(config, report);
    certificates::check(config, report);
    twins::check(config, report);
}
