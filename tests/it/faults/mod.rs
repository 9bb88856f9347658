//! Everything that can go wrong with the CA and the name servers: the exit code, what is said, and that a later run ends well.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test fails by panicking, and shows its table"
)]

mod dns;
mod limits;
mod orders;

use crate::stage::Chain;
use harness::Run;

/// The termination message is one line that ends with the exit, and says all of `words`.
#[track_caller]
pub(crate) fn says(run: &Run, code: i32, words: &[&str]) {
    let run = run.clone().exit(code);
    assert!(!run.termination.contains('\n'), "{run}");
    for word in words {
        assert!(run.termination.contains(word), "`{word}` is missing\n{run}");
    }
}

/// Challenges of a placed order, and the order's run.
fn ordered(chain: &Chain) -> (Run, String) {
    let order = chain.order().run().exit(0);
    let challenges = order.output("challenges").to_owned();
    (order, challenges)
}
