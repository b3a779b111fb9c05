//! The `doorcode` program: reads `.env`, runs the command line, exits with its code. All else is in the library.

use std::{process::ExitCode, time::Duration};

/// Returns memory within 15 seconds of a flood, even when the process is idle. After 9,920 connections with 45 KB each,
/// the system allocator kept 800 MB and mimalloc 250 MB, and both needed more processor time for each request.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    doorcode::app::keep_memory_private();
    doorcode::app::raise_file_limit();
    // Before any thread exists, for it changes the environment.
    if let Err(problems) = doorcode::settings::read_dotenv() {
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
