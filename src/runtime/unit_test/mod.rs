//! Unit tests of runbooks: found, run on several threads, each in a world of its own, and judged.

mod coverage;
mod find;
mod report;
mod stage;

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::primitives::Registry;
use crate::script::{Diagnostic, Stage as _, TestFile, TestName, on_deep_stack};
use crate::system::{Look, read_source};

use super::{Error, Lifeboat};
pub use coverage::{Missed, RunbookCoverage};
pub use report::{TestReport, TestStatus, Tested, TestedFile};
use stage::Stage;

/// Which tests to run.
#[derive(Clone, Debug)]
pub struct TestRequest {
    /// The test files, or directories of them; all of the project's where none is named.
    pub files: Vec<PathBuf>,
    /// The environment whose targets the runbooks name; the default one if not given.
    pub environment: Option<String>,
    /// Only tests whose file and title, as `FILE: TITLE`, contain this.
    pub filter: Option<String>,
    /// Whether they are only listed.
    pub list: bool,
    /// How many threads run them.
    pub threads: usize,
}

impl Default for TestRequest {
    fn default() -> Self {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        Self { files: Vec::new(), environment: None, filter: None, list: false, threads }
    }
}

/// No machine gains by more threads than this.
const THREADS: usize = 64;

/// A test file that can be compiled, with its position among all of them.
type Compiled = (usize, TestFile);

/// A test that is to be run.
struct Job<'a> {
    file: &'a TestFile,
    /// The position of the file, and of the test in it.
    at: (usize, usize),
    name: TestName,
}

impl Lifeboat {
    /// Runs unit tests of runbooks. Nothing outside is looked at, nothing is changed. An error when there is none to run.
    pub fn test(&self, request: &TestRequest) -> Result<TestReport, Error> {
        let environment = self.environment(request.environment.as_deref())?;
        let look = self.look_in(environment);
        let began = look.monotonic();
        let cast = self.cast_unasked(environment)?;
        let (mut files, compiled) = self.compiled_tests(&request.files, &cast.registry)?;
        let runbooks = self.runbooks().iter().map(|path| self.library().name(path)).collect();
        let stage = Arc::new(Stage::new(cast, self.library(), look.clone(), self.config.root.clone(), runbooks));
        let mut jobs = Vec::new();
        for (at, file) in &compiled {
            match tests_of(file)? {
                Ok(tests) => {
                    let wanted = |name: &TestName| {
                        let all = format!("{}: {}", file.source.name, name.title);
                        request.filter.as_ref().is_none_or(|filter| all.contains(filter))
                    };
                    let named = tests.into_iter().enumerate().filter(|(_, name)| wanted(name));
                    jobs.extend(named.map(|(n, name)| Job { file, at: (*at, n), name }));
                }
                Err(errors) => files[*at].errors = errors,
            }
        }
        if jobs.is_empty() && files.iter().all(|file| file.errors.is_empty()) {
            return Err(find::none(request, files.len()));
        }
        let mut tested = if request.list { listed(jobs) } else { run(&jobs, &stage, &look, request.threads)? };
        tested.sort_by_key(|(at, _)| *at);
        for ((at, _), test) in tested {
            files[at].tests.push(test);
        }
        Ok(TestReport {
            environment: environment.name.clone(),
            files,
            coverage: stage.coverage(),
            took: look.monotonic().saturating_sub(began),
            cancelled: look.cancel().requested().is_some(),
        })
    }

    /// The test files that are meant, and those of them that can be compiled, by their positions.
    fn compiled_tests(
        &self,
        named: &[PathBuf],
        registry: &Arc<Registry>,
    ) -> Result<(Vec<TestedFile>, Vec<Compiled>), Error> {
        let (mut files, mut compiled) = (Vec::new(), Vec::new());
        for path in self.test_files(named)? {
            let name = self.library().name(&path);
            let text = read_source(&path).map_err(|why| find::unreadable(&why))?;
            let errors = match TestFile::compile(&name, &text, registry.clone()) {
                Ok(file) => {
                    compiled.push((files.len(), file));
                    Vec::new()
                }
                Err(error) => vec![*error],
            };
            files.push(TestedFile { name, errors, tests: Vec::new() });
        }
        Ok((files, compiled))
    }
}

/// The tests of a file, or what is wrong with it. The outer error is a mistake of ours.
fn tests_of(file: &TestFile) -> Result<Result<Vec<TestName>, Vec<Diagnostic>>, Error> {
    let found = file.check();
    if !found.is_empty() {
        return Ok(Err(found));
    }
    let tests = on_deep_stack(|| file.tests()).map_err(|why| Error::Internal { why })?;
    Ok(tests.map_err(|failures| failures.into_iter().map(|failure| failure.diagnostic).collect()))
}

/// A test that was run or listed, with its file's position and its own.
type Done = ((usize, usize), Tested);

fn listed(jobs: Vec<Job>) -> Vec<Done> {
    jobs.into_iter().map(|job| (job.at, Tested::listed(job.name))).collect()
}

/// Runs all of them. The error is a mistake of ours.
fn run(jobs: &[Job], stage: &Arc<Stage>, look: &Look, threads: usize) -> Result<Vec<Done>, Error> {
    let next = AtomicUsize::new(0);
    let done: Mutex<Vec<Result<Done, String>>> = Mutex::default();
    let work = || {
        let run = || {
            while let Some(job) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
                if stage.is_cancelled() {
                    return;
                }
                let began = look.monotonic();
                let end = job.file.run(job.at.1, stage.clone());
                // Nobody knows how it would have gone on.
                if stage.is_cancelled() {
                    return;
                }
                let took = look.monotonic().saturating_sub(began);
                let tested = Tested::ended(job.name.clone(), end, took);
                done.lock().unwrap_or_else(PoisonError::into_inner).push(Ok((job.at, tested)));
            }
        };
        if let Err(why) = on_deep_stack(run) {
            done.lock().unwrap_or_else(PoisonError::into_inner).push(Err(why));
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..threads.clamp(1, THREADS).min(jobs.len().max(1)) {
            // A machine that gives no more threads has the others run more of them.
            if std::thread::Builder::new().name("test".into()).spawn_scoped(scope, work).is_err() {
                break;
            }
        }
        work();
    });
    let done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.into_iter().collect::<Result<_, _>>().map_err(|why| Error::Internal { why })
}
