//! Where tests play runbooks: the real ones, with their modules, evaluated as ever.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::model::{Given, Played, Site, Usage, Verdict, did_you_mean};
use crate::runtime::library::ProjectFiles;
use crate::script::{
    Evaluation, Outline, Params, PlayError, Script, Severity, TestFile, check, evaluate, on_deep_stack, outline,
};
use crate::system::{Look, absolute, read_source};
use crate::worlds::{Cast, Met, UnitTest};

use super::RunbookCoverage;

/// The stage of all tests of one request.
pub(super) struct Stage {
    cast: Cast,
    library: Arc<ProjectFiles>,
    look: Look,
    root: PathBuf,
    /// The runbooks of the project, for whoever misspells one.
    runbooks: Vec<String>,
    /// Runbooks that were played, by path: each is read and checked once.
    known: Mutex<BTreeMap<PathBuf, Arc<Known>>>,
    met: Mutex<BTreeMap<String, BTreeMap<Site, Met>>>,
}

/// A runbook that can be played.
struct Known {
    name: String,
    text: String,
    outline: Outline,
}

impl Stage {
    pub(super) fn new(
        cast: Cast,
        library: Arc<ProjectFiles>,
        look: Look,
        root: PathBuf,
        runbooks: Vec<String>,
    ) -> Self {
        Self { cast, library, look, root, runbooks, known: Mutex::default(), met: Mutex::default() }
    }

    /// What was met of every runbook that was played, by path.
    pub(super) fn coverage(&self) -> Vec<RunbookCoverage> {
        let met = lock(&self.met);
        let known = lock(&self.known);
        let mut coverage: Vec<RunbookCoverage> = known
            .values()
            .filter_map(|runbook| Some(RunbookCoverage::of(&runbook.name, &runbook.outline, met.get(&runbook.name)?)))
            .collect();
        coverage.sort_by(|a, b| a.runbook.cmp(&b.runbook));
        coverage
    }

    /// The file that a test means: beside the test file, or from the project's directory.
    fn find(&self, file: &str, runbook: &str) -> Result<PathBuf, PlayError> {
        let folder = self.root.join(file).parent().map(Path::to_owned).unwrap_or_default();
        let found = [folder.join(runbook), self.root.join(runbook)].into_iter().find(|path| path.is_file());
        if let Some(path) = found {
            if runbook.ends_with(TestFile::ENDING) {
                let hint = Some("play the runbook that it tests".to_owned());
                return Err(PlayError::Wrong { why: format!("{runbook} is a test file, not a runbook"), hint });
            }
            let path = absolute(&path);
            if path.starts_with(&self.root) || path.starts_with(absolute(&folder)) {
                return Ok(path);
            }
            let why = format!("{runbook} lies neither below the test file's folder nor in the project's directory");
            return Err(PlayError::Wrong { why, hint: Some("a test plays runbooks of its own project".to_owned()) });
        }
        let beside = self.library.name(&folder);
        let near = self.runbooks.iter().map(|name| match name.strip_prefix(&format!("{beside}/")) {
            Some(beside) => beside,
            None => name.as_str(),
        });
        let hint = did_you_mean(runbook, near.clone())
            .unwrap_or_else(|| format!("the runbooks: {}", near.take(8).collect::<Vec<_>>().join(", ")));
        let why = format!("there is no runbook {runbook}, beside the test file or in the project's directory");
        Err(PlayError::Wrong { why, hint: Some(hint) })
    }

    fn known(&self, path: &Path) -> Result<Arc<Known>, PlayError> {
        if let Some(known) = lock(&self.known).get(path) {
            return Ok(known.clone());
        }
        let name = self.library.name(path);
        let text = read_source(path).map_err(|why| PlayError::Wrong { why, hint: None })?;
        let script = compiled(&name, &text)?;
        let (registry, environment) = (&self.cast.registry, Some(&*self.cast.environment));
        let found = check(&script, registry, self.library.as_ref(), environment);
        if let Some(error) = found.iter().find(|finding| finding.severity == Severity::Error) {
            let why = format!("{name} has errors: line {}: {}", error.site.line, error.message);
            return Err(PlayError::Wrong { why, hint: Some(format!("`lifeboat check {name}` shows all of them")) });
        }
        let outline = outline(&script, registry);
        let known = Arc::new(Known { name, text, outline });
        Ok(lock(&self.known).entry(path.to_owned()).or_insert(known).clone())
    }

    fn played(&self, known: &Known, params: &Params, given: &[Given]) -> Result<(Played, Vec<Usage>), PlayError> {
        // Compiled anew: the files of a script are shared by everybody who evaluates it.
        let script = compiled(&known.name, &known.text)?;
        script.validate(params).map_err(|(why, hint)| {
            let missing = hint.as_deref().and_then(|hint| hint.strip_prefix("give it: --set "));
            let name = missing.map(|set| set.trim_end_matches(|c: char| !c.is_alphanumeric() && c != '_'));
            let hint = name.map(|name| format!("give it: play(\"…\", #{{ {name}: … }})")).or(hint);
            PlayError::Wrong { why: format!("{}: {why}", known.name), hint }
        })?;
        let world = Arc::new(UnitTest::new(self.cast.clone(), given.to_vec()));
        let evaluation = Evaluation {
            script: &script,
            params,
            world: world.clone(),
            registry: self.cast.registry.clone(),
            library: self.library.clone(),
        };
        let verdict = on_deep_stack(|| evaluate(&evaluation)).map_err(|why| internal(&why))?;
        if let Verdict::Halted { halt: crate::model::Halt::Internal { why }, .. } = &verdict {
            return Err(internal(why));
        }
        self.meet(&known.name, &world.met());
        if let Some(wrong) = world.wrong_given() {
            return Err(PlayError::Given(wrong));
        }
        let waived: Vec<&str> = script.front_matter.waivers().map(|(name, _)| name).collect();
        match world.played(&known.name, &verdict, &waived) {
            Ok(played) => Ok((played, world.usage())),
            Err(stuck) => {
                let crate::worlds::Stuck { why, site, hint, story } = *stuck;
                Err(PlayError::Stuck { why, site, hint, story })
            }
        }
    }

    fn meet(&self, runbook: &str, met: &BTreeMap<Site, Met>) {
        let mut all = lock(&self.met);
        let known = all.entry(runbook.to_owned()).or_default();
        for (site, met) in met {
            match known.get_mut(site) {
                Some(before) => before.merge(met),
                None => drop(known.insert(site.clone(), met.clone())),
            }
        }
    }
}

impl crate::script::Stage for Stage {
    fn targets(&self) -> Vec<String> {
        self.cast.environment.targets.keys().cloned().collect()
    }

    fn play(
        &self,
        file: &str,
        runbook: &str,
        params: &Params,
        given: &[Given],
    ) -> Result<(Played, Vec<Usage>), PlayError> {
        let path = self.find(file, runbook)?;
        self.played(&*self.known(&path)?, params, given)
    }

    fn is_cancelled(&self) -> bool {
        self.look.cancel().requested().is_some()
    }
}

fn compiled(name: &str, text: &str) -> Result<Script, PlayError> {
    Script::compile(name, text).map_err(|error| {
        let why = format!("{name} has errors: line {}: {}", error.site.line, error.message);
        PlayError::Wrong { why, hint: error.help.or_else(|| Some(format!("`lifeboat check {name}` shows the place"))) }
    })
}

fn internal(why: &str) -> PlayError {
    let hint = "this is a bug in Lifeboat: please report it, with the runbook and the test".to_owned();
    PlayError::Wrong { why: format!("internal error: {why}"), hint: Some(hint) }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
