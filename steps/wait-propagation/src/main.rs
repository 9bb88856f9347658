//! The `wait-propagation` step as a binary of its own.

fn main() -> std::process::ExitCode {
    dns01_step::Entry::of::<wait_propagation::WaitPropagation>().main(std::env::args_os())
}
