//! The `doorcode` program: reads `.env`, runs the command line, exits with its code. All else is in the library.

use std::{process::ExitCode, time::Duration};

fn main() -> ExitCode {
    doorcode::app::keep_memory_private();
    // Before any thread exists, for it changes the environment.
    if let Err(problems) = doorcode::config::read_dotenv() {
        doorcode::cli::complain(&problems.to_string());
        return ExitCode::FAILURE;
    }
    match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => {
            let code = runtime.block_on(doorcode::cli::run());
            // A thread that waits for the system, such as for a name that nobody resolves, holds up no exit.
            runtime.shutdown_timeout(Duration::from_secs(1));
            code
        }
        Err(error) => {
            doorcode::cli::complain(&format!("no threads to run on: {error}"));
            ExitCode::FAILURE
        }
    }
}
