//! The `cleanup` step as a binary of its own.

fn main() -> std::process::ExitCode {
    dns01_step::Entry::of::<cleanup::Cleanup>().main(std::env::args_os())
}
