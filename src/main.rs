//! The `doorcode` program: reads `.env`, runs the command line, exits with its code. All else is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    doorcode::app::keep_memory_private();
    // Before any thread exists, for it changes the environment.
    if let Err(problems) = doorcode::config::read_dotenv() {
        doorcode::cli::complain(&problems.to_string());
        return ExitCode::FAILURE;
    }
    match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime.block_on(doorcode::cli::run()),
        Err(error) => {
            doorcode::cli::complain(&format!("no threads to run on: {error}"));
            ExitCode::FAILURE
        }
    }
}
