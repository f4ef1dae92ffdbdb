//! What a branch does to the runbooks of a project. Nothing of the branch is executed: its runbooks are checked, explored and planned
//! without a look, under the configuration of the commit that it is to go into.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::config::{Config, Environment};
use crate::model::{
    Exploration, Plan, PlanVerdict, Review, ReviewFinding, Reviewed, ReviewedPlan, RunbookChange, RunbookReview, Site,
};
use crate::script::Severity;
use crate::system::{ChangedFile, ExportedFiles, FileChange, Repository, Revision};

use super::config_changes::config_changes;
use super::policy::FOLDER;
use super::{Builder, Error, ExploreRequest, Lifeboat, PlanRequest};

/// What to review.
#[derive(Clone, Debug)]
pub struct ReviewRequest {
    /// The project's configuration: where it lies, not what it says.
    pub config: PathBuf,
    /// The commit that the branch is to go into.
    pub base: String,
    /// The branch.
    pub head: String,
    /// The environment; the default one if not given.
    pub environment: Option<String>,
    /// Only these runbooks; all if empty.
    pub runbooks: Vec<String>,
    /// How many failures a path may meet; none for as many as there are.
    pub faults: Option<usize>,
    /// How many paths of one runbook are walked at most.
    pub paths: u64,
    /// For how long the paths of one runbook are walked at most.
    pub time: Duration,
}

impl ReviewRequest {
    /// A review of what `head` changes since it parted from `base`, in the project of this configuration: every path with at most two
    /// failures, a million and ten seconds for each runbook at most.
    pub fn new(config: impl Into<PathBuf>, base: impl Into<String>, head: impl Into<String>) -> Self {
        Self {
            config: config.into(),
            base: base.into(),
            head: head.into(),
            environment: None,
            runbooks: Vec::new(),
            faults: Some(2),
            paths: 1_000_000,
            time: Duration::from_secs(10),
        }
    }
}

/// Reviews a branch. `builder`: starts from a configuration, with everything that the host brings.
pub fn review(request: &ReviewRequest, builder: &dyn Fn(&Path) -> Builder) -> Result<Review, Error> {
    let reviewer = Reviewer::new(request, builder)?;
    let environment = reviewer.after.environment(request.environment.as_deref())?;
    let (mut runbooks, untouched) = reviewer.runbooks(environment)?;
    runbooks.sort_by(|one, other| rank(one).cmp(&rank(other)));
    let mut used: BTreeSet<&String> = runbooks.iter().flat_map(files_of).collect();
    // Those that nobody wants to see now are runbooks all the same.
    used.extend(
        reviewer.changed.iter().map(|file| &file.path).filter(|path| !request.runbooks.is_empty() && is_runbook(path)),
    );
    let is_other = |path: &String| *path != reviewer.config && (is_policy(path) || !used.contains(path));
    let others = reviewer.changed.iter().map(|file| file.path.clone()).filter(is_other);
    let (policies, others) = others.partition(|path| is_policy(path));
    let named = |name: &str, revision: &Revision| Reviewed { name: name.to_owned(), commit: revision.id().to_owned() };
    Ok(Review {
        format: Review::FORMAT,
        base: named(&request.base, &reviewer.base),
        head: named(&request.head, &reviewer.head),
        fork: reviewer.fork.id().to_owned(),
        environment: environment.name.clone(),
        protected: environment.protected,
        runbooks,
        untouched,
        configuration: reviewer.configuration(),
        policies,
        others,
    })
}

/// Those that need a look first, and among them those in which more is destroyed or fails worse.
fn rank(runbook: &RunbookReview) -> (crate::model::Urgency, std::cmp::Reverse<(usize, usize)>, &str) {
    (runbook.urgency(), std::cmp::Reverse(runbook.graver()), &runbook.runbook)
}

fn files_of(runbook: &RunbookReview) -> Vec<&String> {
    let through = match &runbook.change {
        RunbookChange::Through(files) => files.as_slice(),
        _ => &[],
    };
    let used = runbook.plans.iter().flat_map(|plan| plan.plan.digests.keys());
    std::iter::once(&runbook.runbook).chain(through).chain(used).collect()
}

fn is_runbook(path: &str) -> bool {
    Path::new(path).extension().is_some_and(|extension| extension == "rhai")
}

struct Reviewer<'a> {
    request: &'a ReviewRequest,
    /// The name of the configuration's file.
    config: String,
    base: Arc<Revision>,
    head: Arc<Revision>,
    fork: Arc<Revision>,
    changed: Vec<ChangedFile>,
    /// The runbooks before and after, both under the configuration of the base.
    before: Lifeboat,
    after: Lifeboat,
    /// The files of the base, where programs of it are started: it goes with this.
    _trusted: Option<ExportedFiles>,
}

impl<'a> Reviewer<'a> {
    fn new(request: &'a ReviewRequest, builder: &dyn Fn(&Path) -> Builder) -> Result<Self, Error> {
        let project = request.config.parent().unwrap_or(Path::new("."));
        let config = request.config.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let wrong = |why: String| {
            Error::Params {
            why,
            help: Some(
                "name two commits, such as main..HEAD; a clone without their history needs it first: git fetch --unshallow"
                    .to_owned(),
            ),
        }
        };
        let at = || -> Result<_, String> {
            let repository = Repository::around(project)?;
            let (base, head) = (repository.commit(&request.base)?, repository.commit(&request.head)?);
            let no_fork = |_| format!("{} and {} have no commit in common here", request.base, request.head);
            let fork = repository.merge_base(&base, &head).map_err(no_fork)?;
            let changed = repository.changed(&fork, &head)?;
            let read = |commit: &str| repository.at(commit).map(Arc::new);
            Ok((read(&base)?, read(&head)?, read(&fork)?, changed))
        };
        let (base, head, fork, changed) = at().map_err(wrong)?;
        let text = base.text(&config).map_err(|_| Error::NoConfig {
            why: format!("there is no {config} at {}: nothing says what may be done", request.base),
        })?;
        let parsed = Config::parse(&request.config, text.as_str().into()).map_err(Error::Config)?;
        // A program that serves a target is one of the base as well, with all that it reads.
        let scratch = project.join(".lifeboat").join("scratch");
        let exported = || base.export(&scratch).map_err(|why| Error::Unrecorded { why });
        let trusted = if parsed.drivers.is_empty() { None } else { Some(exported()?) };
        let root = trusted.as_ref().map_or_else(|| request.config.clone(), |files| files.path().join(&config));
        let policy =
            policy_of(&base).map_err(|why| Error::NoRunbook { why, help: "mend it in the base".to_owned() })?;
        let made = |revision: &Arc<Revision>| {
            builder(&root).config_text(&*text).policy(policy.clone()).revision(revision.clone()).build()
        };
        let (before, after) = (made(&fork)?, made(&head)?);
        Ok(Self { request, config, base, head, fork, changed, before, after, _trusted: trusted })
    }

    /// Reviews each runbook that the branch changes; how many it does not change.
    fn runbooks(&self, environment: &Environment) -> Result<(Vec<RunbookReview>, usize), Error> {
        let names = |lifeboat: &Lifeboat| -> BTreeSet<String> {
            let name = |path: PathBuf| lifeboat.library().name(&path);
            lifeboat.runbooks().into_iter().map(name).collect()
        };
        let (old, new) = (names(&self.before), names(&self.after));
        for wanted in &self.request.runbooks {
            if !old.contains(wanted) && !new.contains(wanted) {
                let known = new.iter().map(String::as_str);
                let help = crate::model::did_you_mean(wanted, known);
                return Err(Error::Params { why: format!("the branch has no runbook `{wanted}`"), help });
            }
        }
        let uses = |lifeboat: &Lifeboat, name: &str| self.used(lifeboat, name);
        let mut after: BTreeMap<&String, Used> =
            new.iter().filter(|name| self.is_wanted(name)).map(|name| (name, uses(&self.after, name))).collect();
        let modules = modules(&after);
        after.retain(|name, _| !modules.contains(*name));
        let (mut found, mut untouched) = (Vec::new(), 0);
        for (name, used) in &after {
            match self.change(name, used) {
                Some(change) if self.is_wanted(name) => found.push(self.runbook(name, change, environment)?),
                Some(_) => {}
                None => untouched += 1,
            }
        }
        let moved: BTreeSet<&String> = self.changed.iter().filter_map(|file| file.moved_from.as_ref()).collect();
        let gone = old.iter().filter(|name| !new.contains(*name) && !moved.contains(name) && self.is_wanted(name));
        for name in gone.filter(|name| !uses(&self.before, name).is_empty) {
            found.push(RunbookReview {
                runbook: name.clone(),
                title: String::new(),
                change: RunbookChange::Removed,
                findings: Vec::new(),
                plans: Vec::new(),
                exploration: None,
                before: None,
            });
        }
        Ok((found, untouched))
    }

    fn is_wanted(&self, name: &String) -> bool {
        self.request.runbooks.is_empty() || self.request.runbooks.contains(name)
    }

    /// Which files a runbook uses.
    fn used(&self, lifeboat: &Lifeboat, name: &str) -> Used {
        match self.plan(lifeboat, name, None) {
            Ok(plan) => {
                let files = plan.digests.keys().filter(|file| **file != self.config).cloned().collect();
                Used { files, is_empty: plan.nodes.is_empty() && plan.verdict == PlanVerdict::Completes, sound: true }
            }
            Err(_) => Used { files: [name.to_owned()].into(), is_empty: false, sound: false },
        }
    }

    /// What the branch does to a runbook; nothing where it leaves it alone.
    fn change(&self, name: &str, used: &Used) -> Option<RunbookChange> {
        if let Some(file) = self.changed.iter().find(|file| file.path == name) {
            return Some(match (&file.moved_from, file.change) {
                (Some(from), _) => RunbookChange::Moved(from.clone()),
                (None, FileChange::Added) => RunbookChange::Added,
                _ => RunbookChange::Changed,
            });
        }
        let before = self.used(&self.before, name);
        let is_one = |file: &&ChangedFile| {
            let old = file.moved_from.as_ref().unwrap_or(&file.path);
            used.files.contains(&file.path) || before.files.contains(old)
        };
        let mut through: Vec<String> = self.changed.iter().filter(is_one).map(|file| file.path.clone()).collect();
        if through.is_empty() && before.sound && !used.sound {
            // It cannot be read any more, so nobody knows through which file: one of those that it used.
            through = self.changed.iter().map(|file| file.path.clone()).filter(|path| is_runbook(path)).collect();
        }
        (!through.is_empty()).then_some(RunbookChange::Through(through))
    }

    fn runbook(&self, name: &str, change: RunbookChange, environment: &Environment) -> Result<RunbookReview, Error> {
        let moved_from = if let RunbookChange::Moved(from) = &change { Some(from.clone()) } else { None };
        let old_name = moved_from.as_deref().unwrap_or(name);
        let known = findings(&self.before, old_name, environment, &[])?;
        let found = findings(&self.after, name, environment, &known)?;
        let mut review = RunbookReview {
            runbook: name.to_owned(),
            title: String::new(),
            change,
            findings: found,
            plans: Vec::new(),
            exploration: None,
            before: None,
        };
        if review.findings.iter().any(|finding| finding.error) {
            return Ok(review);
        }
        let was_sound = self.fork.has(old_name) && !known.iter().any(|finding| finding.error);
        match self.explored(&self.after, name) {
            Ok(exploration) => review.exploration = Some(exploration),
            Err(error) => review.findings.push(finding_of(&error, name)),
        }
        review.before = if was_sound { self.explored(&self.before, old_name).ok() } else { None };
        let plan = match self.plan(&self.after, name, None) {
            Ok(plan) => plan,
            Err(error) => {
                review.findings.push(finding_of(&error, name));
                return Ok(review);
            }
        };
        review.title.clone_from(&plan.title);
        let scenarios = plan.scenarios.clone();
        for scenario in std::iter::once(None).chain(scenarios.into_iter().map(Some)) {
            let scenario = scenario.as_deref();
            let after = if scenario.is_none() { Ok(plan.clone()) } else { self.plan(&self.after, name, scenario) };
            let after = match after {
                Ok(plan) => plan,
                Err(error) => {
                    review.findings.push(finding_of(&error, name));
                    continue;
                }
            };
            let before = if was_sound { self.plan(&self.before, old_name, scenario).ok() } else { None };
            let diff = before.map(|before| before.diff(&after));
            review.plans.push(ReviewedPlan { scenario: scenario.map(str::to_owned), plan: after, diff });
        }
        Ok(review)
    }

    fn plan(&self, lifeboat: &Lifeboat, name: &str, scenario: Option<&str>) -> Result<Plan, Error> {
        lifeboat.plan(&PlanRequest {
            runbook: PathBuf::from(name),
            environment: self.request.environment.clone(),
            scenario: scenario.map(str::to_owned),
            offline: true,
            ..PlanRequest::default()
        })
    }

    fn explored(&self, lifeboat: &Lifeboat, name: &str) -> Result<Exploration, Error> {
        lifeboat.explore(&ExploreRequest {
            environment: self.request.environment.clone(),
            faults: self.request.faults,
            paths: self.request.paths,
            time: self.request.time,
            ..ExploreRequest::new(name)
        })
    }

    /// What the branch changes in the configuration.
    fn configuration(&self) -> Vec<crate::model::ConfigChange> {
        if !self.changed.iter().any(|file| file.path == self.config) {
            return Vec::new();
        }
        let text = |revision: &Revision| revision.text(&self.config).unwrap_or_default();
        config_changes(&text(&self.fork), &text(&self.head))
    }
}

fn is_policy(path: &str) -> bool {
    let file = path.strip_prefix(FOLDER).and_then(|rest| rest.strip_prefix('/'));
    file.is_some_and(|file| is_runbook(file) && !file.contains('/'))
}

/// The policy as it stands at a commit.
fn policy_of(revision: &Revision) -> Result<Vec<(String, String)>, String> {
    revision.paths().filter(|path| is_policy(path)).map(|path| Ok((path.to_owned(), revision.text(path)?))).collect()
}

/// What a runbook uses.
struct Used {
    files: BTreeSet<String>,
    /// Whether it calls nothing: it is a module, or there is nothing in it.
    is_empty: bool,
    /// Whether it can be read at all.
    sound: bool,
}

/// Files that call nothing by themselves, and that others use.
fn modules(all: &BTreeMap<&String, Used>) -> BTreeSet<String> {
    let used_by_others = |name: &String| all.iter().any(|(other, used)| **other != *name && used.files.contains(name));
    let is_module = |(name, used): (&&String, &Used)| (used.is_empty && used_by_others(name)).then(|| (*name).clone());
    all.iter().filter_map(is_module).collect()
}

/// What the check finds in a runbook, if it is there.
fn findings(
    lifeboat: &Lifeboat,
    name: &str,
    environment: &Environment,
    known: &[ReviewFinding],
) -> Result<Vec<ReviewFinding>, Error> {
    let is_known = |code: &str, message: &str| known.iter().any(|old| old.code == code && old.message == message);
    match lifeboat.loaded_unasked(Path::new(name), environment) {
        Ok(loaded) => {
            let found = loaded.findings.into_iter().map(|found| ReviewFinding {
                error: found.severity == Severity::Error,
                code: found.code.to_owned(),
                known: is_known(found.code, &found.message),
                message: found.message,
                site: Some(found.site),
                help: found.help,
            });
            Ok(found.collect())
        }
        Err(error @ (Error::Syntax(_) | Error::NoRunbook { .. })) => Ok(vec![finding_of(&error, name)]),
        Err(error) => Err(error),
    }
}

/// An error as something that is found.
fn finding_of(error: &Error, name: &str) -> ReviewFinding {
    let top = Site { file: name.into(), line: 1, column: 1 };
    let (code, site, help) = match error {
        Error::Syntax(error) => ("syntax", error.site.clone(), error.help.clone()),
        Error::Params { help, .. } | Error::Refused { help, .. } => ("plan", top, help.clone()),
        _ => ("runbook", top, None),
    };
    let message = match error {
        Error::Syntax(error) => error.message.clone(),
        other => other.to_string(),
    };
    ReviewFinding { error: true, code: code.to_owned(), message, site: Some(site), help, known: false }
}
