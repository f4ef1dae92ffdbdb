//! A runbook, read, compiled and checked.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::config::Environment;
use crate::model::{Assumption, Halt, Unknown, Value, Verdict, World, did_you_mean};
use crate::primitives::Registry;
use crate::script::{Diagnostic, Evaluation, Params, Script, Severity, TestFile, check, evaluate, on_deep_stack};

use super::{Error, Lifeboat};

/// A runbook with what the check found.
pub struct Loaded {
    /// The runbook.
    pub script: Script,
    /// What the check found, sorted by place.
    pub findings: Vec<Diagnostic>,
}

impl Loaded {
    /// Whether one of the findings is an error.
    pub fn has_errors(&self) -> bool {
        self.findings.iter().any(|finding| finding.severity == Severity::Error)
    }
}

impl Lifeboat {
    /// Reads, compiles and checks a runbook; with `environment`, against its targets.
    pub fn load(&self, runbook: &Path, environment: Option<&Environment>) -> Result<Loaded, Error> {
        let registry =
            || environment.map_or_else(|| Ok(self.registry.clone()), |environment| self.serving(environment));
        self.load_for(runbook, environment, registry)
    }

    fn load_for(
        &self,
        runbook: &Path,
        environment: Option<&Environment>,
        registry: impl FnOnce() -> Result<Arc<Registry>, Error>,
    ) -> Result<Loaded, Error> {
        if runbook.to_str().is_some_and(|name| name.ends_with(TestFile::ENDING)) {
            let shown = runbook.display();
            let why = format!("{shown} is a test file, not a runbook");
            return Err(Error::NoRunbook { why, help: format!("to run its tests: `lifeboat test {shown}`") });
        }
        let library = self.library();
        let (path, text) = library.named(runbook);
        let text = text.map_err(|why| self.no_runbook(runbook, &path, &why))?;
        // As the journal and every message name it: from the project's directory.
        let script = Script::compile(&library.name(&path), &text).map_err(|error| Error::Syntax(Box::new(error)))?;
        let findings = check(&script, &registry()?, library.as_ref(), environment);
        Ok(Loaded { script, findings })
    }

    /// Evaluates a runbook of this project in a world, on a thread of its own.
    pub(super) fn evaluated(&self, script: &Script, params: &Params, world: Arc<dyn World>) -> Verdict {
        let (registry, library) = (self.registry.clone(), self.library());
        let evaluation = Evaluation { script, params, world, registry, library };
        let internal = |why| Verdict::Halted { halt: Halt::Internal { why }, unwound: vec![], owed: vec![] };
        on_deep_stack(|| evaluate(&evaluation)).unwrap_or_else(internal)
    }

    /// Why a runbook cannot be read, and which one may be meant.
    fn no_runbook(&self, given: &Path, path: &Path, why: &str) -> Error {
        let library = self.library();
        let given = if given.is_absolute() { library.name(path) } else { given.display().to_string() };
        let why = why.replace(&path.display().to_string(), &given);
        let known: Vec<String> = self.runbooks().iter().map(|path| library.name(path)).collect();
        let help = if path.is_file() {
            "save it as text in UTF-8, and see that you may read it".to_owned()
        } else {
            did_you_mean(&given, known.iter().map(String::as_str)).unwrap_or_else(|| match known.as_slice() {
                [] => "name the file of a runbook; runbooks/ has none yet".to_owned(),
                known => format!("name the file of a runbook: {}", known[..known.len().min(8)].join(", ")),
            })
        };
        Error::NoRunbook { why, help }
    }

    /// Every runbook of the project: the `.rhai` files below `runbooks/`, tests left out, by path.
    pub fn runbooks(&self) -> Vec<PathBuf> {
        let is_source = |name: &str| Path::new(name).extension().is_some_and(|extension| extension == "rhai");
        let is_runbook = |name: &str| is_source(name) && !name.ends_with("_test.rhai");
        if let Some(revision) = &self.revision {
            let found = revision.paths().filter(|path| path.starts_with("runbooks/") && is_runbook(path));
            return found.map(|path| self.config.root.join(path)).collect();
        }
        let look = self.look();
        let (mut found, mut folders) = (Vec::new(), vec![self.config.root.join("runbooks")]);
        while let Some(folder) = folders.pop() {
            for entry in look.list(&folder).unwrap_or_default() {
                if entry.directory {
                    folders.push(entry.path);
                } else if is_runbook(&entry.name) {
                    found.push(entry.path);
                }
            }
        }
        found.sort();
        found
    }

    /// The same, and any error of the check is one.
    pub(super) fn load_sound(&self, runbook: &Path, environment: &Environment) -> Result<Script, Error> {
        Self::sound(self.load(runbook, Some(environment))?)
    }

    /// The same for whatever looks at nothing: no declared driver is started.
    pub(super) fn load_unasked(&self, runbook: &Path, environment: &Environment) -> Result<Script, Error> {
        Self::sound(self.loaded_unasked(runbook, environment)?)
    }

    /// What [`Lifeboat::load`] gives, for whatever looks at nothing.
    pub(super) fn loaded_unasked(&self, runbook: &Path, environment: &Environment) -> Result<Loaded, Error> {
        self.load_for(runbook, Some(environment), || Ok(self.serving_unasked(environment)))
    }

    fn sound(loaded: Loaded) -> Result<Script, Error> {
        let Loaded { script, mut findings } = loaded;
        findings.retain(|finding| finding.severity == Severity::Error);
        if findings.is_empty() { Ok(script) } else { Err(Error::Check { runbook: script.name().to_owned(), findings }) }
    }

    /// What is pinned in all: by the scenario of this name, and besides. What is given besides counts first.
    pub(super) fn pinned(
        &self,
        script: &Script,
        scenario: Option<&str>,
        besides: &[Assumption],
    ) -> Result<Vec<Assumption>, Error> {
        for assumption in besides {
            self.registry.knows(assumption).map_err(|e| Error::Params { why: e.message, help: e.hint })?;
        }
        let Some(name) = scenario else { return Ok(besides.to_vec()) };
        let scenarios: Vec<_> = script.front_matter.scenarios().filter_map(|(_, scenario)| scenario.ok()).collect();
        let Some(found) = scenarios.iter().find(|scenario| scenario.name == name) else {
            let names = || scenarios.iter().map(|scenario| scenario.name.as_str());
            let help = did_you_mean(name, names()).unwrap_or_else(|| match scenarios.len() {
                0 => "it has none; write one into its front matter: //! scenario: NAME: CALL=CASE".to_owned(),
                _ => format!("its scenarios: {}", names().collect::<Vec<_>>().join("; ")),
            });
            return Err(Error::Params { why: format!("{} has no scenario `{name}`", script.name()), help: Some(help) });
        };
        Ok(besides.iter().chain(&found.assumptions).cloned().collect())
    }

    /// SHA-256 digests of every file that decides what a run does.
    pub(super) fn digests(&self, script: &Script, environment: &Environment) -> BTreeMap<String, String> {
        let files = script.sources.files();
        let mut digests: BTreeMap<String, String> =
            files.iter().map(|file| (file.name.to_string(), file.digest.clone())).collect();
        digests.insert("lifeboat.toml".to_owned(), self.config.digest.clone());
        let policy = self.policy().map(|policy| policy.files()).unwrap_or_default();
        digests.extend(policy.iter().map(|file| (file.name.to_string(), file.digest.clone())));
        digests.extend(self.driver_digests(environment));
        digests
    }
}

/// Reads the values of parameters given as text.
pub(super) fn params(script: &Script, given: &[(String, String)]) -> Result<Params, Error> {
    valid(script, read(script, given)?)
}

/// The same; parameters that must be given and are not have a value that nobody knows.
pub(super) fn params_or_any(script: &Script, given: &[(String, String)]) -> Result<Params, Error> {
    let mut params = read(script, given)?;
    for param in script.params.iter().filter(|param| param.default.is_none()) {
        params.entry(param.name.clone()).or_insert_with(|| Value::Unknown(Unknown::labelled(&param.name)));
    }
    valid(script, params)
}

fn valid(script: &Script, params: Params) -> Result<Params, Error> {
    script.validate(&params).map_err(|(why, help)| Error::Params { why, help })?;
    Ok(params)
}

fn read(script: &Script, given: &[(String, String)]) -> Result<Params, Error> {
    let mut params = Params::new();
    for (name, text) in given {
        let value = match script.params.iter().find(|param| param.name == *name) {
            Some(param) => param.kind.parse(text).map_err(|why| Error::Params {
                why: format!("parameter `{name}`: {why}"),
                help: Some(format!("give it as --set {name}=…")),
            })?,
            None => Value::from(text.as_str()),
        };
        params.insert(name.clone(), value);
    }
    Ok(params)
}

/// All parameters of a run, for its record: the given values, and the defaults as they stand in the source.
pub(super) fn recorded_params(script: &Script, given: &Params) -> Value {
    let value = |param: &crate::script::Param| match given.get(&param.name) {
        Some(value) => value.clone(),
        None => param.default.as_deref().map_or(Value::Null, |text| Value::from(text.trim_matches('"'))),
    };
    Value::Map(script.params.iter().map(|param| (param.name.clone(), value(param))).collect())
}
