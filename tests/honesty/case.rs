//! A case: a runbook, the world that it meets, what its plan says, and how its run ends.

use crate::world::World;

/// A case. What it does not say is as usual: nothing is prepared, nothing is pinned, nobody answers, and it completes.
pub(crate) struct Case {
    pub(crate) runbook: String,
    pub(crate) files: Vec<(&'static str, &'static str)>,
    pub(crate) keys: &'static str,
    pub(crate) prepare: fn(&World),
    pub(crate) interfere: fn(&World),
    pub(crate) pinned: Vec<&'static str>,
    pub(crate) answers: Vec<&'static str>,
    pub(crate) plan: Vec<&'static str>,
    pub(crate) ends: Ends,
    pub(crate) undone: bool,
    pub(crate) unwalked: Option<&'static str>,
    pub(crate) left: Vec<Left>,
}

/// How a run ends, compared with its plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ends {
    /// At the end of the runbook, as planned.
    Completes,
    /// With a fault of this code at the planned call.
    Fails(&'static str),
    /// The plan says that it cannot tell how it goes on, at a line that holds this text; up to there it is what ran.
    Open(&'static str),
    /// Behind so many lines comes a call that the plan only assumed to go well: there the run leaves the plan. Up to there it is
    /// what ran.
    Leaves(usize),
}

/// What must be so when the run is over.
pub(crate) enum Left {
    /// A file of the project holds this; nothing if it is not there.
    File(&'static str, &'static str),
    /// A database answers this.
    Row(&'static str, &'static str, &'static str),
    /// So many messages were posted to the webhook.
    Posted(usize),
}

impl Case {
    pub(crate) fn of(runbook: &str) -> Self {
        Self {
            runbook: runbook.to_owned(),
            files: vec![],
            keys: "",
            prepare: |_| {},
            interfere: |_| {},
            pinned: vec![],
            answers: vec![],
            plan: vec![],
            ends: Ends::Completes,
            undone: false,
            unwalked: None,
            left: vec![],
        }
    }

    /// One more file of the project: a module, another runbook.
    pub(crate) fn file(mut self, name: &'static str, text: &'static str) -> Self {
        self.files.push((name, text));
        self
    }

    /// What is independent of what, as the configuration has it.
    pub(crate) fn independent(self, keys: &'static str) -> Self {
        Self { keys, ..self }
    }

    /// What the world is like when it is planned.
    pub(crate) fn given(self, prepare: fn(&World)) -> Self {
        Self { prepare, ..self }
    }

    /// What happens to the world between the plan and the run.
    pub(crate) fn meanwhile(self, interfere: fn(&World)) -> Self {
        Self { interfere, ..self }
    }

    /// What the reader of the plan pins: `probe(shop)=degraded`.
    pub(crate) fn pinned(mut self, assumption: &'static str) -> Self {
        self.pinned.push(assumption);
        self
    }

    /// What a person says when asked.
    pub(crate) fn answered(mut self, answer: &'static str) -> Self {
        self.answers.push(answer);
        self
    }

    /// The calls of the plan, in their order: how each is known, the primitive, its targets, and the code of the fault that it throws.
    pub(crate) fn plan(self, plan: &[&'static str]) -> Self {
        Self { plan: plan.to_vec(), ..self }
    }

    pub(crate) fn fails(self, code: &'static str) -> Self {
        Self { ends: Ends::Fails(code), ..self }
    }

    pub(crate) fn open(self, why: &'static str) -> Self {
        Self { ends: Ends::Open(why), ..self }
    }

    pub(crate) fn leaves_behind(self, lines: usize) -> Self {
        Self { ends: Ends::Leaves(lines), ..self }
    }

    /// The lines of the plan that are held against the run.
    pub(crate) fn compared(&self) -> &[&'static str] {
        match self.ends {
            Ends::Leaves(lines) => &self.plan[..lines],
            _ => &self.plan,
        }
    }

    /// Explorations leave out what it does, and say so, because `why`.
    pub(crate) fn unwalked(self, why: &'static str) -> Self {
        Self { unwalked: Some(why), ..self }
    }

    /// When it is over, it is rolled back: what is then called are the rollbacks that the plan has shown.
    pub(crate) fn then_rolled_back(self) -> Self {
        Self { undone: true, ..self }
    }

    /// When all is over, a file holds this.
    pub(crate) fn file_left(mut self, name: &'static str, text: &'static str) -> Self {
        self.left.push(Left::File(name, text));
        self
    }

    /// When all is over, a database answers this.
    pub(crate) fn row_left(mut self, database: &'static str, question: &'static str, answer: &'static str) -> Self {
        self.left.push(Left::Row(database, question, answer));
        self
    }

    /// When all is over, so many messages were posted to the webhook.
    pub(crate) fn posted(mut self, messages: usize) -> Self {
        self.left.push(Left::Posted(messages));
        self
    }
}

/// A case with its name.
pub(crate) type Named = (&'static str, fn() -> Case);

/// Cases by name: each is a test of its own, and all of them are in the list `CASES`.
macro_rules! cases {
    ($($(#[doc = $doc:literal])* $name:ident => $case:expr;)+) => {
        /// Every case of this file.
        pub(crate) const CASES: &[crate::case::Named] = &[$((stringify!($name), || $case)),+];

        $(
            $(#[doc = $doc])*
            #[test]
            fn $name() {
                crate::honest(&$case);
            }
        )+
    };
}
pub(crate) use cases;
