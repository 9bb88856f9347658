//! The `order` step as a binary of its own.

fn main() -> std::process::ExitCode {
    dns01_step::Entry::of::<order::Order>().main(std::env::args_os())
}
