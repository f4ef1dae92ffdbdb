//! One run under chosen conditions, and what is known of it afterwards.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use lifeboat::journal::{Journal, MemoryJournal, RunQuery};
use lifeboat::model::{Event, Fault, Impact, Verdict};
use lifeboat::runtime::{
    CancelRequest, Cancelled, Error, Lifeboat, Ran, ResumeRequest, RollbackRequest, RunRequest, Status,
};
use lifeboat::system::{Answer, Answers, Asked, Cancel, Interrupted};
use lifeboat::worlds::{Faulted, Listener, OnFault, Unanswered};

pub(crate) use crate::described::describe;
use crate::described::line;
use crate::project::Project;
use crate::valve::{self, Does};

/// A run to be.
pub(crate) struct Trial {
    runbook: String,
    tables: String,
    files: Vec<(String, String)>,
    journal: Option<Arc<dyn Journal>>,
    answers: Vec<&'static str>,
    on_fault: OnFault,
    stop_at: Vec<usize>,
    stop_when: Option<Stop>,
    request: RunRequest,
}

impl Trial {
    /// A run of this runbook in an environment with the usual targets and the valves `north` and `south`.
    pub(crate) fn of(runbook: &str) -> Self {
        Self {
            runbook: runbook.to_owned(),
            tables: String::new(),
            files: Vec::new(),
            journal: None,
            answers: Vec::new(),
            on_fault: OnFault::RollBack,
            stop_at: Vec::new(),
            stop_when: None,
            request: RunRequest::default(),
        }
    }

    /// What the valve `north` does when it is turned for the first time, the second time, and so on.
    pub(crate) fn north(self, does: &[Does]) -> Self {
        self.table(&format!("[environments.test.services.north]\ndriver = \"valve\"\ndoes = {}", json(does)))
    }

    /// The same, and nobody can tell afterwards what happened to it.
    pub(crate) fn unwitnessed_north(self, does: &[Does]) -> Self {
        let table = "[environments.test.services.north]\ndriver = \"valve\"\nwitnessed = false";
        self.table(&format!("{table}\ndoes = {}", json(does)))
    }

    /// One more table of the configuration.
    pub(crate) fn table(mut self, table: &str) -> Self {
        let _ = writeln!(self.tables, "{table}");
        self
    }

    /// One more file of the project.
    pub(crate) fn file(mut self, name: &str, text: &str) -> Self {
        self.files.push((name.to_owned(), text.to_owned()));
        self
    }

    /// Where it is recorded, instead of in memory.
    pub(crate) fn journal(mut self, journal: Arc<dyn Journal>) -> Self {
        self.journal = Some(journal);
        self
    }

    /// What a person says when asked, in this order; after that nobody is there any more.
    pub(crate) fn answers(mut self, answers: &[&'static str]) -> Self {
        self.answers = answers.to_vec();
        self
    }

    /// A person decides about faults.
    pub(crate) fn pausing(mut self) -> Self {
        self.on_fault = OnFault::Pause(Arc::new(Blind));
        self
    }

    /// A question that nobody is there to answer fails.
    pub(crate) fn failing_unanswered(mut self) -> Self {
        self.request.unanswered = Unanswered::Fail;
        self
    }

    /// Faults end the run, and things are left as they are.
    pub(crate) fn stopping(mut self) -> Self {
        self.on_fault = OnFault::Stop;
        self
    }

    /// Asks the run to stop when its event with this number happens; once for each call.
    pub(crate) fn stop_at(mut self, event: usize) -> Self {
        self.stop_at.push(event);
        self
    }

    /// Asks the run to stop when this happens for the first time, in the words of [`describe`].
    pub(crate) fn stop_when(mut self, line: &'static str) -> Self {
        self.stop_when = Some((line, Cancel::request));
        self
    }

    /// The same, and without undoing anything.
    pub(crate) fn abort_when(mut self, line: &'static str) -> Self {
        self.stop_when = Some((line, Cancel::abort));
        self
    }

    /// In which environment, and what the operator typed to acknowledge it.
    pub(crate) fn environment(mut self, name: &str, acknowledged: Option<&str>) -> Self {
        self.request.environment = Some(name.to_owned());
        self.request.acknowledged = acknowledged.map(str::to_owned);
        self
    }

    /// The project in which it runs.
    pub(crate) fn project(&self) -> Project {
        let mut tables = self.tables.clone();
        for valve in ["north", "south"].iter().filter(|name| !self.tables.contains(&format!("services.{name}]"))) {
            let _ = writeln!(tables, "[environments.test.services.{valve}]\ndriver = \"valve\"");
        }
        let project = Project::configured("", &tables);
        for (name, text) in &self.files {
            project.write(name, text);
        }
        project
    }

    pub(crate) fn run(self) -> Told {
        let project = self.project();
        self.run_in(project)
    }

    /// The same runbook, valves and answers, for a run that is taken up again.
    pub(crate) fn again(&self) -> Self {
        Self {
            runbook: self.runbook.clone(),
            tables: self.tables.clone(),
            files: self.files.clone(),
            journal: None,
            answers: self.answers.clone(),
            on_fault: self.on_fault.clone(),
            stop_at: Vec::new(),
            stop_when: None,
            request: RunRequest::default(),
        }
    }

    /// Takes up again what was left in a project.
    pub(crate) fn resume_in(self, project: Project) -> Told {
        self.carry_out(project, |lifeboat, _, on_fault| {
            lifeboat.resume(&ResumeRequest { on_fault, ..ResumeRequest::default() })
        })
    }

    /// Runs in a project that was prepared.
    pub(crate) fn run_in(self, project: Project) -> Told {
        self.carry_out(project, |lifeboat, request, on_fault| lifeboat.run(&RunRequest { on_fault, ..request }))
    }

    /// The same, though files have changed.
    pub(crate) fn resume_edited_in(self, project: Project) -> Told {
        self.carry_out(project, |lifeboat, _, on_fault| {
            lifeboat.resume(&ResumeRequest { on_fault, edited: true, ..ResumeRequest::default() })
        })
    }

    /// Undoes the newest run of a project, which is over; `anyway` also where a target is not as it was left.
    pub(crate) fn roll_back_in(self, project: Project, anyway: bool) -> Told {
        self.carry_out(project, |lifeboat, _, _| {
            lifeboat.roll_back(&RollbackRequest { run: "latest".into(), anyway, ..RollbackRequest::default() })
        })
    }

    /// Ends the newest run of a project, whose process is gone.
    pub(crate) fn cancel_in(self, project: Project) -> Told {
        self.carry_out(project, |lifeboat, _, _| {
            let request = CancelRequest { run: "latest".into(), ..CancelRequest::default() };
            match lifeboat.cancel_run(&request)? {
                Cancelled::Ended(ran) => Ok(*ran),
                Cancelled::Asked(run) => panic!("no process carries {run} out"),
            }
        })
    }

    /// Does something with the project, while nobody runs anything.
    pub(crate) fn with<T>(self, project: &Project, work: impl FnOnce(&Lifeboat) -> T) -> T {
        let journal = self.journal.expect("given");
        let lifeboat = project.builder().registry(valve::registry()).journal(journal);
        work(&lifeboat.build().expect("it is configured"))
    }

    fn carry_out(
        self,
        project: Project,
        work: impl FnOnce(&Lifeboat, RunRequest, OnFault) -> Result<Ran, Error>,
    ) -> Told {
        let journal = self.journal.unwrap_or_else(|| Arc::new(MemoryJournal::new()));
        let cancel = Cancel::new();
        let (stop_at, stop_when) = (self.stop_at, Mutex::new(self.stop_when));
        let listener = Arc::new(Watcher { seen: Mutex::default(), stop_at, stop_when, cancel: cancel.clone() });
        let person = Arc::new(Person {
            answers: Mutex::new(self.answers.into()),
            asked: Mutex::default(),
            open: AtomicUsize::new(0),
        });
        let runbook = project.write("runbooks/trial.rhai", &self.runbook);
        let lifeboat = project.builder().registry(valve::registry()).journal(journal.clone()).cancel(cancel);
        let lifeboat = lifeboat.listener(listener.clone()).answers(person.clone()).build().expect("it is configured");
        let ran = work(&lifeboat, RunRequest { runbook, ..self.request }, self.on_fault);
        let heard = std::mem::take(&mut *listener.seen.lock().expect("nobody panicked"));
        let asked = std::mem::take(&mut *person.asked.lock().expect("nobody panicked"));
        Told { project, ran, heard, asked, journal }
    }
}

fn json(does: &[Does]) -> String {
    serde_json::to_string(does).expect("a list")
}

/// What is known of a run.
pub(crate) struct Told {
    pub(crate) project: Project,
    pub(crate) ran: Result<Ran, Error>,
    /// The events as the host heard them.
    pub(crate) heard: Vec<Event>,
    /// What people were asked.
    pub(crate) asked: Vec<String>,
    pub(crate) journal: Arc<dyn Journal>,
}

impl Told {
    pub(crate) fn ran(&self) -> &Ran {
        self.ran.as_ref().expect("it was started")
    }

    pub(crate) fn status(&self) -> Status {
        self.ran().status
    }

    /// The line that says in which state the world is.
    pub(crate) fn sentence(&self) -> String {
        self.ran().aftermath.sentence()
    }

    /// The fault that ended it.
    pub(crate) fn fault(&self) -> &Fault {
        match &self.ran().verdict {
            Verdict::Failed { fault, .. } => fault,
            other => panic!("it did not fail: {other:?}"),
        }
    }

    /// What took place, in its order: `north open`.
    pub(crate) fn effects(&self) -> Vec<String> {
        let two = |line: &str| line.split(' ').take(2).collect::<Vec<_>>().join(" ");
        self.project.read("effects").lines().map(two).collect()
    }

    /// The idempotency keys of all attempts, without the run.
    pub(crate) fn attempted_keys(&self) -> Vec<String> {
        let run = format!("{}/", self.ran().id);
        let attempts = self.project.read("attempts");
        let keys = attempts.lines().filter_map(|line| line.split(' ').nth(2));
        keys.map(|key| key.strip_prefix(&run).expect("a key of this run").to_owned()).collect()
    }

    /// The valves that are open.
    pub(crate) fn open_valves(&self) -> Vec<String> {
        let last = |valve: &str| self.effects().into_iter().rfind(|effect| effect.starts_with(valve));
        let open = |valve: &&str| last(valve).is_some_and(|effect| effect.ends_with("open"));
        ["north", "south"].into_iter().filter(open).map(str::to_owned).collect()
    }

    /// What the journal holds of the only run, one line an event.
    pub(crate) fn recorded(&self) -> Vec<String> {
        let run = self.journal.runs(&RunQuery::newest(1)).expect("it reads").pop().expect("a run").id;
        describe(&self.journal.events(&run).expect("it reads"))
    }

    /// What the journal says at the end.
    pub(crate) fn recorded_end(&self) -> String {
        self.recorded().pop().expect("an event")
    }
}

/// An event in the words of [`describe`], and what is asked of the run when it happens.
type Stop = (&'static str, fn(&Cancel));

/// Hears every event, and asks the run to stop at some of them.
struct Watcher {
    seen: Mutex<Vec<Event>>,
    stop_at: Vec<usize>,
    stop_when: Mutex<Option<Stop>>,
    cancel: Cancel,
}

impl Listener for Watcher {
    fn on_event(&self, event: &Event) {
        let mut seen = self.seen.lock().expect("nobody panicked");
        let number = seen.len();
        seen.push(event.clone());
        match self.stop_at.iter().filter(|at| **at == number).count() {
            0 => {}
            1 => self.cancel.request(),
            // Both at once, or a branch may end between them.
            _ => self.cancel.abort(),
        }
        let line = line(event, &mut Vec::new());
        let awaited = self.stop_when.lock().expect("nobody panicked").take_if(|(awaited, _)| *awaited == line);
        if let Some((_, stop)) = awaited {
            stop(&self.cancel);
        }
    }
}

/// Says what was prepared.
struct Person {
    answers: Mutex<VecDeque<&'static str>>,
    asked: Mutex<Vec<String>>,
    /// Questions that are being asked.
    open: AtomicUsize,
}

impl Answers for Person {
    fn ask<'a>(&'a self, asked: &'a Asked) -> Pin<Box<dyn Future<Output = Result<Answer, Interrupted>> + Send + 'a>> {
        self.asked.lock().expect("nobody panicked").push(asked.question.clone());
        let said = self.answers.lock().expect("nobody panicked").pop_front();
        let answer = said.map_or(Answer::Nobody, |text| Answer::Said { text: text.to_owned(), by: "test".to_owned() });
        Box::pin(async move {
            assert_eq!(self.open.fetch_add(1, Ordering::SeqCst), 0, "a person is asked one question at a time");
            let _over = Over(&self.open);
            // Time enough for another one to come in between.
            tokio::time::sleep(std::time::Duration::from_millis(3)).await;
            Ok(answer)
        })
    }
}

/// The question is answered, or nobody needs the answer any more.
struct Over<'a>(&'a AtomicUsize);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Shows faults to nobody: what is asked afterwards is what counts.
struct Blind;

impl Faulted for Blind {
    fn show(&self, _: &Fault, _: Option<&Impact>) {}
}
