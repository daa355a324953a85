//! The program `host-sim`: see the library for what it does.
#![forbid(unsafe_code)]

fn main() -> std::process::ExitCode {
    host_sim::cli::main()
}
