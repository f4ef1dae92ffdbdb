//! The primitives and drivers that Lifeboat brings.

use super::targets::{
    CommandTool, ConfigDocument, DirectoryStore, DocumentSyntax, EnvFileSyntax, FileChannel, HaproxyRouter,
    HttpService, JsonSyntax, LogFile, Machine, NginxRouter, Prometheus, SlackChannel, SmtpChannel, TcpService,
    TerminalChannel, TlsService, TomlSyntax, WebhookChannel,
};
use super::{
    Registry, ask, configuration, configure, confirm, deploy, drift, exec, health, inject, language, log, maintenance,
    measure, now, probe, rotate, route, routes, sleep, version,
};

impl Registry {
    /// Everything that Lifeboat brings. Hosts add their own drivers, or replace some of these.
    pub fn standard() -> Self {
        let registry = Self::empty()
            .language::<language::During>()
            .language::<language::Hold>()
            .language::<language::Parallel>()
            .language::<language::PointOfNoReturn>()
            .language::<language::Require>()
            .language::<language::Retry>()
            .language::<language::Runbook>()
            .language::<language::Secret>()
            .language::<language::WaitUntil>()
            .observer_without_target::<now::Now>()
            .driver_without_target::<ask::Ask>()
            .driver_without_target::<confirm::Confirm>()
            .driver_without_target::<log::Log>()
            .driver_without_target::<measure::Measure>()
            .driver_without_target::<rotate::Rotate>()
            .driver_without_target::<sleep::Sleep>();
        let registry = channels(routers(services(registry)));
        let registry = documents::<EnvFileSyntax>(documents::<JsonSyntax>(documents::<TomlSyntax>(registry)));
        #[cfg(feature = "driver-sqlite")]
        let registry = databases(registry);
        registry
            .observer::<probe::Probe, Machine>()
            .observer::<health::Health, Machine>()
            .observer::<probe::Probe, LogFile>()
            .observer::<health::Health, LogFile>()
            .observer::<probe::Probe, DirectoryStore>()
            .observer::<health::Health, DirectoryStore>()
            .driver::<inject::Inject, DirectoryStore>()
            .driver::<exec::Exec, CommandTool>()
    }
}

fn services(registry: Registry) -> Registry {
    registry
        .observer::<probe::Probe, HttpService>()
        .observer::<health::Health, HttpService>()
        .driver::<maintenance::Maintenance, HttpService>()
        .driver::<inject::Inject, HttpService>()
        .observer::<probe::Probe, TlsService>()
        .observer::<health::Health, TlsService>()
        .observer::<probe::Probe, Prometheus>()
        .observer::<health::Health, Prometheus>()
        .driver::<deploy::Deploy, HttpService>()
        .observer::<version::Version, HttpService>()
        .observer::<probe::Probe, TcpService>()
        .observer::<health::Health, TcpService>()
        .driver::<inject::Inject, TcpService>()
        .driver::<deploy::Deploy, TcpService>()
        .observer::<version::Version, TcpService>()
}

fn routers(registry: Registry) -> Registry {
    registry
        .driver::<route::Route, HaproxyRouter>()
        .observer::<routes::Routes, HaproxyRouter>()
        .driver::<route::Route, NginxRouter>()
        .observer::<routes::Routes, NginxRouter>()
}

fn documents<S: DocumentSyntax>(registry: Registry) -> Registry {
    registry
        .observer::<configuration::Configuration, ConfigDocument<S>>()
        .driver::<configure::Configure, ConfigDocument<S>>()
        .observer::<drift::Drift, ConfigDocument<S>>()
}

fn channels(registry: Registry) -> Registry {
    registry
        .channel::<FileChannel>()
        .channel::<SlackChannel>()
        .channel::<SmtpChannel>()
        .channel::<TerminalChannel>()
        .channel::<WebhookChannel>()
}

#[cfg(feature = "driver-sqlite")]
fn databases(registry: Registry) -> Registry {
    use super::targets::SqliteDatabase;
    use super::{backup, backups, latest_backup, migrate, query, restore, sql, verify_backup};

    registry
        .observer::<probe::Probe, SqliteDatabase>()
        .observer::<health::Health, SqliteDatabase>()
        .driver::<inject::Inject, SqliteDatabase>()
        .observer::<query::Query, SqliteDatabase>()
        .driver::<sql::Sql, SqliteDatabase>()
        .driver::<backup::Backup, SqliteDatabase>()
        .driver::<restore::Restore, SqliteDatabase>()
        .driver::<migrate::Migrate, SqliteDatabase>()
        .driver::<verify_backup::VerifyBackup, SqliteDatabase>()
        .observer::<backups::Backups, SqliteDatabase>()
        .observer::<latest_backup::LatestBackup, SqliteDatabase>()
}
