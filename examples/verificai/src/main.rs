//! The program: Doorcode's server with this application's schema, tables and worker.

use std::process::ExitCode;

fn main() -> ExitCode {
    verificai::APPLICATION.main::<verificai::migration::Migrator>()
}
