//! Targets of two environments that are one and the same thing.
//!
//! A drill breaks what it touches. So a drill environment must share nothing with a protected one: no database, no address, and
//! none of the files through which a service is stopped.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};

use super::{Config, ConfigError, Environment, Target, TargetKind};

/// What a setting leads to, in a form in which two that lead to the same thing are equal.
#[derive(Debug, PartialEq, Eq)]
enum Place {
    File(PathBuf),
    Address(String),
    /// A program with its first arguments, the host on which it runs, and the directory there.
    Program(Vec<String>, Option<String>, PathBuf),
    /// A part of what one file or address leads to, by the name that it has there.
    Part(Box<Place>, String),
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Place::File(path) => write!(f, "file {}", path.display()),
            Place::Address(address) => write!(f, "address {address}"),
            Place::Program(words, host, directory) => {
                let host = host.as_deref().unwrap_or("here");
                write!(f, "program {} on {host} in {}", words.join(" "), directory.display())
            }
            Place::Part(whole, part) => write!(f, "{part} of {whole}"),
        }
    }
}

impl Place {
    /// Whether it is another thing on every machine, whatever its name.
    fn is_of_one_machine(&self) -> bool {
        match self {
            Place::File(_) => true,
            Place::Address(address) => {
                ["//127.", "//localhost", "//[::1]"].iter().any(|here| address.contains(here))
                    || ["127.", "localhost", "[::1]"].iter().any(|here| address.starts_with(here))
            }
            Place::Program(..) => false,
            Place::Part(whole, _) => whole.is_of_one_machine(),
        }
    }
}

impl Environment {
    /// The targets of this environment (first) that are the same thing as a target of `other` (second): of one kind, and with the
    /// same file, address or URL; or, where no setting is one of these, with one driver and the same settings. Tools are the same
    /// if program, host and directory are, unless one of them is declared to look only. Nothing is looked up: links between files
    /// and names of one machine are not seen.
    pub fn coinciding(&self, other: &Environment) -> Vec<(String, String)> {
        self.shared_with(other).map(|(ours, theirs, _)| (ours.name.clone(), theirs.name.clone())).collect()
    }

    /// What a change of a target changes: where it leads to, in a form in which two targets that lead to the same thing have one in
    /// common; its own name where no setting says it.
    pub fn scopes(&self, target: &Target) -> Vec<String> {
        let named = || format!("{} {} of {}", target.kind, target.name, self.name);
        let program = (target.kind == TargetKind::Tool).then(|| program(self, target)).flatten();
        let places: BTreeSet<String> = match program {
            Some(place) => [place.to_string()].into(),
            None => self.all_places(target).values().map(Place::to_string).collect(),
        };
        if places.is_empty() { vec![named()] } else { places.into_iter().collect() }
    }

    /// What a run changes that changes `target`, as machines that have the same configuration name it together. What lies on a
    /// machine alone is that machine's; `host` is ours.
    pub fn shared_scopes(&self, target: &Target, host: &str) -> Vec<String> {
        let named = format!("{} {} of {}", target.kind, target.name, self.name);
        let places = self.all_places(target);
        if target.kind != TargetKind::Tool && !places.is_empty() && places.values().all(Place::is_of_one_machine) {
            return vec![format!("{named} on {host}")];
        }
        let addresses = places.values().filter(|place| matches!(place, Place::Address(_) | Place::Part(..)));
        let elsewhere: BTreeSet<String> =
            addresses.filter(|place| !place.is_of_one_machine()).map(Place::to_string).collect();
        elsewhere.into_iter().chain([named]).collect()
    }

    /// As [`Environment::coinciding`], with the setting of our target that leads to theirs (`.` for all its settings).
    fn shared_with<'a>(&'a self, other: &'a Environment) -> impl Iterator<Item = (&'a Target, &'a Target, &'a str)> {
        let pairs = self.targets.values().flat_map(|ours| other.targets.values().map(move |theirs| (ours, theirs)));
        pairs.filter_map(|(ours, theirs)| {
            if ours.kind != theirs.kind {
                return None;
            }
            if ours.kind == TargetKind::Tool {
                let place = program(self, ours).filter(|place| program(other, theirs).as_ref() == Some(place));
                return place.map(|_| (ours, theirs, "program"));
            }
            let (here, there) = (self.all_places(ours), other.all_places(theirs));
            if here.is_empty() && there.is_empty() {
                let settings = ours.settings.as_object().is_some_and(|settings| !settings.is_empty());
                let same = settings && ours.driver == theirs.driver && ours.settings == theirs.settings;
                return same.then_some((ours, theirs, "."));
            }
            let shared = here.iter().find(|(_, place)| there.values().any(|other| other == *place));
            shared.map(|(setting, _)| (ours, theirs, *setting))
        })
    }

    /// What a target leads to, by setting: where it is, and where its releases or its weights are.
    fn all_places<'a>(&'a self, target: &'a Target) -> BTreeMap<&'a str, Place> {
        let mut places = self.places(target);
        let text = |table: &'a serde_json::Value, name: &str| table.get(name).and_then(serde_json::Value::as_str);
        let file = |text: &str| Place::File(normal_path(&self.resolve(Path::new(text))));
        if let Some(path) = text(&target.settings["deploy"], "path") {
            places.insert("deploy.path", file(path));
        }
        if let Some(socket) = text(&target.settings, "socket") {
            // One HAProxy serves many: only who shares its servers shares traffic.
            let servers = target.settings["backends"].as_object().into_iter().flat_map(serde_json::Map::values);
            let servers =
                servers.flat_map(|servers| servers.as_array().cloned().unwrap_or_else(|| vec![servers.clone()]));
            let names = servers.filter_map(|server| Some(server.as_str()?.split_once('/')?.0.to_owned()));
            if let Some(backend) = names.min() {
                places.insert("socket", Place::Part(Box::new(file(socket)), backend));
            }
        }
        places
    }

    /// What the settings of a target lead to, by setting.
    fn places<'a>(&self, target: &'a Target) -> BTreeMap<&'a str, Place> {
        let settings = target.settings.as_object().into_iter().flatten();
        let place = |(key, value): (&'a String, &'a serde_json::Value)| {
            let text = value.as_str()?;
            let place = match key.as_str() {
                "url" => Place::Address(normal_url(text)),
                "address" => Place::Address(text.trim_end_matches('/').to_lowercase()),
                key if key == "path" || key.ends_with("_file") => {
                    Place::File(normal_path(&self.resolve(Path::new(text))))
                }
                _ => return None,
            };
            Some((key.as_str(), place))
        };
        settings.filter_map(place).collect()
    }
}

/// What a tool is. `None` for one that is declared to look only: whoever shares it breaks nothing with it.
fn program(environment: &Environment, tool: &Target) -> Option<Place> {
    let text = |name: &str| tool.settings.get(name).and_then(serde_json::Value::as_str);
    if text("impact") == Some("look") {
        return None;
    }
    let words = tool.settings.get("program")?.as_array()?.iter();
    let words = words.map(|word| word.as_str().map(str::to_owned)).collect::<Option<_>>()?;
    let (host, directory) = (text("ssh").map(str::to_lowercase), Path::new(text("directory").unwrap_or_default()));
    // A directory of another machine does not start at the project's.
    let directory = if host.is_some() { directory.to_path_buf() } else { environment.resolve(directory) };
    Some(Place::Program(words, host, normal_path(&directory)))
}

impl Config {
    /// A mistake for every target of a drill environment that is also a target of a protected one.
    pub fn check_drills(&self) -> Vec<ConfigError> {
        let mut mistakes = Vec::new();
        for drill in self.environments.values().filter(|e| e.drill) {
            for protected in self.environments.values().filter(|e| e.protected && e.name != drill.name) {
                for (ours, theirs, setting) in drill.shared_with(protected) {
                    let message = format!(
                        "{} `{}` of the drill environment {} is also {} `{}` of {}, which is protected",
                        ours.kind, ours.name, drill.name, theirs.kind, theirs.name, protected.name
                    );
                    let help =
                        format!("a drill breaks what it touches: give {} a {} of its own", drill.name, ours.kind);
                    mistakes.push(ours.error(setting, message).help(help));
                }
            }
        }
        mistakes
    }
}

/// A path without `.` and, where the parts before it are names, without `..`.
fn normal_path(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for part in path.components() {
        match (part, normal.components().next_back()) {
            (Component::CurDir, _) | (Component::ParentDir, Some(Component::RootDir)) => {}
            (Component::ParentDir, Some(Component::Normal(_))) => drop(normal.pop()),
            (part, _) => normal.push(part),
        }
    }
    normal
}

/// A URL with scheme and host in lower case, without the scheme's own port, a fragment, and slashes at the end.
fn normal_url(url: &str) -> String {
    let url = url.split('#').next().unwrap_or_default();
    let Some((scheme, rest)) = url.split_once("://") else { return url.trim_end_matches('/').to_lowercase() };
    let (host, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    let (scheme, host) = (scheme.to_lowercase(), host.to_lowercase());
    let port = match scheme.as_str() {
        "http" => ":80",
        "https" => ":443",
        _ => "",
    };
    let host = host.strip_suffix(port).unwrap_or(&host);
    format!("{scheme}://{host}{}", path.trim_end_matches('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_path_has_one_form() {
        for (written, normal) in [
            ("/p/./data/../data/app.db", "/p/data/app.db"),
            ("/p//data/app.db/", "/p/data/app.db"),
            ("/../app.db", "/app.db"),
            ("../../app.db", "../../app.db"),
            ("a/../../app.db", "../app.db"),
        ] {
            assert_eq!(normal_path(Path::new(written)), Path::new(normal), "{written}");
        }
    }

    #[test]
    fn machines_that_share_a_configuration_name_what_they_share_alike() {
        let config = crate::config::tests::good(
            r#"[environments.production]
services.far = { driver = "http", url = "https://web.example", maintenance_file = "maintenance" }
services.here = { driver = "http", url = "http://127.0.0.1:80", maintenance_file = "maintenance" }
databases.file = { driver = "sqlite", path = "app.db" }
tools.kubectl = { driver = "command", program = ["kubectl"] }
"#,
        );
        let production = &config.environments["production"];
        for (target, scopes) in [
            ("far", &["address https://web.example", "service far of production"][..]),
            ("here", &["service here of production on ada"]),
            ("file", &["database file of production on ada"]),
            ("kubectl", &["tool kubectl of production"]),
        ] {
            assert_eq!(production.shared_scopes(&production.targets[target], "ada"), scopes, "{target}");
        }
    }

    #[test]
    fn tools_are_the_same_if_program_host_and_directory_are() {
        let config = crate::config::tests::good(
            r#"[environments.production]
protected = true
tools.pg = { driver = "command", program = ["pg_ctl"], directory = "data", env = { A = "1" } }
tools.far = { driver = "command", program = ["pg_ctl"], ssh = "Admin@db-1" }
tools.disks = { driver = "command", program = ["df"], impact = "look" }
[environments.rehearsal]
tools.same = { driver = "command", program = ["pg_ctl"], directory = "./data/", time_limit = "1s" }
tools.elsewhere = { driver = "command", program = ["pg_ctl"], directory = "copy" }
tools.here = { driver = "command", program = ["pg_ctl"] }
tools.far = { driver = "command", program = ["pg_ctl"], ssh = "admin@db-1" }
tools.there = { driver = "command", program = ["pg_ctl"], ssh = "admin@db-2" }
tools.other = { driver = "command", program = ["pg_ctl", "-w"], directory = "data" }
tools.disks = { driver = "command", program = ["df"], impact = "look" }
"#,
        );
        let same = config.environments["rehearsal"].coinciding(&config.environments["production"]);
        let same: Vec<_> = same.iter().map(|(ours, theirs)| (ours.as_str(), theirs.as_str())).collect();
        assert_eq!(same, [("far", "far"), ("same", "pg")]);
    }

    #[test]
    fn releases_and_servers_of_a_router_are_shared_too() {
        let config = crate::config::tests::good(
            r#"[environments.production]
protected = true
services.web = { driver = "http", url = "http://a/", deploy = { driver = "release", path = "/srv/web" } }
routers.lb = { driver = "haproxy", socket = "/run/haproxy.sock", backends = { a = "web/a", b = ["web/b"] } }
[environments.rehearsal]
services.web = { driver = "http", url = "http://b/", deploy = { driver = "release", path = "/srv/web/" } }
services.api = { driver = "http", url = "http://c/", deploy = { driver = "release", path = "/srv/api" } }
routers.same = { driver = "haproxy", socket = "/run/haproxy.sock", backends = { a = ["web/b"] } }
routers.other = { driver = "haproxy", socket = "/run/haproxy.sock", backends = { a = "api/b" } }
"#,
        );
        let same = config.environments["rehearsal"].coinciding(&config.environments["production"]);
        let same: Vec<_> = same.iter().map(|(ours, theirs)| (ours.as_str(), theirs.as_str())).collect();
        assert_eq!(same, [("same", "lb"), ("web", "web")]);
    }

    #[test]
    fn one_url_has_one_form() {
        for (written, normal) in [
            ("HTTPS://Example.ORG:443/Health/", "https://example.org/Health"),
            ("http://example.org:80", "http://example.org"),
            ("http://example.org/", "http://example.org"),
            ("http://example.org:8080/a?B=c#d", "http://example.org:8080/a?B=c"),
            ("http://[::1]:80/", "http://[::1]"),
            ("Example.org/", "example.org"),
        ] {
            assert_eq!(normal_url(written), normal, "{written}");
        }
    }
}
