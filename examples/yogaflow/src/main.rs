//! The program: Doorcode's server with this application's schema and tables.

use std::process::ExitCode;

fn main() -> ExitCode {
    yogaflow::APPLICATION.main::<yogaflow::migration::Migrator>()
}
