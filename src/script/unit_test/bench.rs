//! What one evaluation of a test file keeps: which test is wanted, what is given, what was found.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use rhai::{Dynamic, EvalAltResult, Position};

use crate::model::{Given, Played, Site, Usage};
use crate::primitives::Registry;
use crate::script::check::UNNAMED;
use crate::script::host::{lock, terminated};
use crate::script::{Diagnostic, SourceFile, SourceMap};

use super::{Failure, Stage, TestName};

/// After so many operations a test file is taken to loop for ever.
const OPERATIONS: u64 = 5_000_000;
/// How often, in operations, somebody is asked whether to stop.
const ASK_EVERY: u64 = 4096;

/// One evaluation of a test file.
pub(super) struct Bench {
    pub(super) registry: Arc<Registry>,
    pub(super) source: Arc<SourceFile>,
    sources: Arc<SourceMap>,
    /// None where the tests are only listed.
    pub(super) stage: Option<Arc<dyn Stage>>,
    /// The test that is run, by its position; none where they are only listed.
    pub(super) wanted: Option<usize>,
    kept: Mutex<Kept>,
    operations: AtomicU64,
    over: AtomicBool,
}

/// What it has kept so far.
#[derive(Default)]
pub(super) struct Kept {
    pub(super) tests: Vec<TestName>,
    /// Whether a test is being run.
    pub(super) inside: bool,
    pub(super) given: Vec<Given>,
    /// What came of each line that was given, in all plays together.
    pub(super) usage: Vec<Usage>,
    pub(super) played: Vec<Arc<Played>>,
    pub(super) expectations: usize,
    /// What the matchers of the expectation that is being looked at have found.
    pub(super) notes: Vec<String>,
    /// The runbook that it is about.
    pub(super) about: Option<Arc<Played>>,
    pub(super) failures: Vec<Failure>,
}

impl Bench {
    pub(super) fn new(
        (source, sources): (&Arc<SourceFile>, &Arc<SourceMap>),
        registry: &Arc<Registry>,
        wanted: Option<(usize, Arc<dyn Stage>)>,
    ) -> Arc<Self> {
        let (wanted, stage) = wanted.unzip();
        Arc::new(Self {
            registry: registry.clone(),
            source: source.clone(),
            sources: sources.clone(),
            stage,
            wanted,
            kept: Mutex::default(),
            operations: AtomicU64::new(0),
            over: AtomicBool::new(false),
        })
    }

    pub(super) fn kept(&self) -> MutexGuard<'_, Kept> {
        lock(&self.kept)
    }

    pub(super) fn site(&self, position: Position) -> Site {
        self.sources.site(position)
    }

    /// Asked at every operation. A value ends the script.
    pub(super) fn progress(&self) -> Option<Dynamic> {
        let count = self.operations.fetch_add(1, Ordering::Relaxed);
        let cancelled = || count.is_multiple_of(ASK_EVERY) && self.stage.as_ref().is_some_and(|s| s.is_cancelled());
        (self.is_over() || self.is_endless() || cancelled()).then_some(Dynamic::UNIT)
    }

    /// Whether it seems to have no end.
    pub(super) fn is_endless(&self) -> bool {
        self.operations.load(Ordering::Relaxed) > OPERATIONS
    }

    /// Whether nothing more is to be evaluated. Scripts can catch that: everything that they can call asks.
    pub(super) fn is_over(&self) -> bool {
        self.over.load(Ordering::SeqCst)
    }

    /// Ends the evaluation.
    pub(super) fn end(&self, position: Position) -> Box<EvalAltResult> {
        self.over.store(true, Ordering::SeqCst);
        terminated(position)
    }

    /// A finding at a place of the test file.
    pub(super) fn diagnostic(&self, (site, len): (Site, usize), (why, hint): (String, Option<String>)) -> Diagnostic {
        Diagnostic::error(UNNAMED, &self.source, site, len, why).maybe_help(hint)
    }

    /// The test is wrong: it ends here.
    pub(super) fn mistake(
        &self,
        position: Position,
        len: usize,
        why: impl Into<String>,
        hint: Option<String>,
    ) -> Box<EvalAltResult> {
        let failure = Failure::mistake(self.diagnostic((self.site(position), len), (why.into(), hint)));
        if !self.is_over() {
            self.kept().failures.push(failure);
        }
        self.end(position)
    }
}

impl Failure {
    pub(super) fn mistake(diagnostic: Diagnostic) -> Self {
        Self { diagnostic, mistake: true, expected: None, found: vec![], played: None, story: vec![] }
    }
}
