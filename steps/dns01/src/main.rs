//! The multicall binary.

fn main() -> std::process::ExitCode {
    dns01::main()
}
