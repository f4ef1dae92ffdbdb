//! `lifeboat sandbox` (hidden): the small system on which drills rehearse.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use tokio_util::sync::CancellationToken;

use crate::runtime::Error;
use crate::sandbox::{LoadOptions, SandboxError, ServeOptions, SinkOptions, load, serve, sink};

use super::Exit;
use super::printer::Printer;

/// The small system on which drills rehearse
#[derive(Args)]
pub(super) struct Sandbox {
    #[command(subcommand)]
    part: Part,
}

#[derive(Subcommand)]
enum Part {
    /// A service over a database of orders
    Serve {
        /// Where to listen
        #[arg(long, default_value = "127.0.0.1:27610")]
        listen: SocketAddr,
        /// The database's file; made and filled if it does not exist
        #[arg(long)]
        database: PathBuf,
        /// How many orders a new database gets
        #[arg(long, default_value_t = 100_000)]
        rows: u64,
        /// Where to write the process number
        #[arg(long)]
        pid_file: Option<PathBuf>,
        /// The file that says whether the service is in maintenance
        #[arg(long)]
        maintenance_file: Option<PathBuf>,
        /// The file whose presence makes the service refuse connections
        #[arg(long)]
        refuse_file: Option<PathBuf>,
        /// The directory whose release.toml says version and faults; SIGHUP has it read again
        #[arg(long, value_name = "DIR")]
        release: Option<PathBuf>,
    },
    /// A writer and a reader that keep a ledger of what was acknowledged
    Load {
        /// The service
        #[arg(long, default_value = "http://127.0.0.1:27610")]
        url: String,
        /// The ledger's file
        #[arg(long)]
        ledger: PathBuf,
        /// Orders a second
        #[arg(long, default_value_t = 100)]
        rate: u32,
    },
    /// A receiver of webhooks
    Sink {
        /// Where to listen
        #[arg(long, default_value = "127.0.0.1:27611")]
        listen: SocketAddr,
        /// The file to which what is received is added
        #[arg(long)]
        log: PathBuf,
    },
}

impl Sandbox {
    pub(super) fn execute(self, printer: &Printer) -> Result<Exit, Error> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
        let runtime = runtime.map_err(|error| Error::Internal { why: error.to_string() })?;
        let stop = CancellationToken::new();
        let ended: Result<(), SandboxError> = runtime.block_on(async {
            tokio::spawn(stop_on_signal(stop.clone()));
            match self.part {
                Part::Serve { listen, database, rows, pid_file, maintenance_file, refuse_file, release } => {
                    let options = ServeOptions::new(listen, database);
                    let options = ServeOptions { rows, pid_file, maintenance_file, refuse_file, release, ..options };
                    reload_on_signal(&options);
                    serve(options, stop, |ready| printer.out(&ready.message)).await
                }
                Part::Load { url, ledger, rate } => {
                    let options = LoadOptions { rate, ..LoadOptions::new(url, ledger) };
                    load(options, stop, |ready| printer.out(&ready.message)).await
                }
                Part::Sink { listen, log } => {
                    sink(SinkOptions { listen, log }, stop, |ready| printer.out(&ready.message)).await
                }
            }
        });
        match ended {
            Ok(()) => Ok(Exit::Done),
            Err(error) => {
                printer.error(&error);
                Ok(Exit::Config)
            }
        }
    }
}

/// A service with a release reads it again when it gets SIGHUP; without one, that ends it as it ends any program.
fn reload_on_signal(options: &ServeOptions) {
    use tokio::signal::unix::{SignalKind, signal};
    if options.release.is_none() {
        return;
    }
    let (reload, hangup) = (options.reload.clone(), signal(SignalKind::hangup()));
    if let Ok(mut hangup) = hangup {
        tokio::spawn(async move {
            while hangup.recv().await.is_some() {
                reload.request();
            }
        });
    }
}

async fn stop_on_signal(stop: CancellationToken) {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut term), Ok(mut int)) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt())) else {
        return;
    };
    tokio::select! {
        _ = term.recv() => {}
        _ = int.recv() => {}
    }
    stop.cancel();
}
