//! The files of a new project, made from answers.

use std::fmt::Write as _;

/// What a new project is about.
pub(super) struct Project {
    /// The URL at which the service says that it is well.
    pub(super) url: Option<String>,
    /// The file of its database.
    pub(super) database: Option<String>,
    /// The directory of its backups.
    pub(super) backups: String,
    /// Where people are told.
    pub(super) tell: Tell,
    /// The name of the environment.
    pub(super) environment: String,
    /// Whether runs there must be confirmed.
    pub(super) protected: bool,
}

/// Where people are told.
pub(super) enum Tell {
    Terminal,
    File(String),
    Webhook(String),
}

impl Project {
    /// `lifeboat.toml`.
    pub(super) fn config(&self) -> String {
        let environment = &self.environment;
        let mut text = format!(
            "# What runbooks mean by the names that they use. `lifeboat check` says\n\
             # what is wrong in here, `lifeboat doctor` whether all can be reached.\n\n\
             # The environment that is meant when none is named with --env.\n\
             default = {name}\n\n[environments.{environment}]\n",
            name = quoted(environment)
        );
        if self.protected {
            let _ = writeln!(text, "protected = true     # runs must be confirmed: --yes {environment}");
        }
        let mut target = |comment: &str, table: &str, settings: &[(&str, &str)]| {
            let _ = write!(text, "\n# {comment}\n[environments.{environment}.{table}]\n");
            for (key, value) in settings {
                let _ = writeln!(text, "{key} = {}", quoted(value));
            }
        };
        if let Some(url) = &self.url {
            let settings = [("driver", "http"), ("url", url), ("timeout", "5s")];
            target("The service.", "services.web", &settings);
        }
        if let Some(path) = &self.database {
            let settings = [("driver", "sqlite"), ("path", path), ("store", "backups")];
            target("Its database, and the store in which backups of it are kept.", "databases.primary", &settings);
            target("Where backups are kept.", "stores.backups", &[("driver", "directory"), ("path", &self.backups)]);
        }
        let told = "Where people are told.";
        match &self.tell {
            Tell::Terminal => target(told, "channels.team", &[("driver", "terminal")]),
            Tell::File(path) => target(told, "channels.team", &[("driver", "file"), ("path", path)]),
            Tell::Webhook(url) => target(told, "channels.team", &[("driver", "webhook"), ("url", url)]),
        }
        target("The machine on which Lifeboat runs.", "hosts.here", &[("driver", "local")]);
        text
    }

    /// The first runbook.
    pub(super) fn runbook(&self) -> String {
        let title = if self.database.is_some() {
            "Take a backup that is known to be good, and tell the team."
        } else {
            "Look at what there is, and tell the team."
        };
        let mut text = format!("//! {title}\n//! owner: you\n\n");
        if self.database.is_some() {
            text.push_str("import \"std/backups\" as backups;\n\n");
        }
        text.push_str(ROOM);
        let mut told = Vec::new();
        if self.url.is_some() {
            text.push_str(SERVICE);
            told.push("web: ${web.status}, ${web.detail}");
        }
        if self.database.is_some() {
            text.push_str(BACKUP);
            told.push("backup ${taken.id} is good");
        }
        if told.is_empty() {
            told.push("all is well");
        }
        let _ = writeln!(text, "notify(\"team\", `{}`);", told.join("; "));
        text
    }
}

const ROOM: &str = r#"step "See that there is room on the disk" {
    let disk = probe("here", #{ resource: "disk" });
    require(disk.ok, `this machine is short of space: ${disk.detail}`);
}

"#;

const SERVICE: &str = r#"// A probe never fails the runbook: what it found is yours to judge. As a condition:
//     require(web.ok, "the service is down");
let web = probe("web");

"#;

const BACKUP: &str = r#"// Writes a backup into the store, and checks that it can be restored.
let taken = backups::take_verified("primary");

"#;

/// Text as TOML has it. Answers hold no control characters; for all else it writes text as JSON does.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_is_answered_is_read_back() {
        let project = Project {
            url: Some("https://example.org/\"x\\y".to_owned()),
            database: Some("it's \"data\"/app.db".to_owned()),
            backups: "/srv/backups".to_owned(),
            tell: Tell::File("notes.jsonl".to_owned()),
            environment: "production".to_owned(),
            protected: true,
        };
        let config = crate::config::Config::parse("/p/lifeboat.toml".as_ref(), project.config().into()).expect("sound");
        let environment = config.environment(None).expect("it is the default");
        assert!(environment.protected);
        let setting = |target: &str, name: &str| environment.targets[target].settings[name].clone();
        assert_eq!(setting("web", "url"), "https://example.org/\"x\\y");
        assert_eq!(setting("primary", "path"), "it's \"data\"/app.db");
        assert_eq!(setting("backups", "path"), "/srv/backups");
        assert_eq!(environment.targets["team"].driver, "file");
    }
}
