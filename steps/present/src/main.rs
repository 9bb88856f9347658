//! The `present` step as a binary of its own.

fn main() -> std::process::ExitCode {
    dns01_step::Entry::of::<present::Present>().main(std::env::args_os())
}
