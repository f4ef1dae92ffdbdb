//! One case, tried out: planned, run, explored, and compared.

use std::sync::Arc;

use lifeboat::journal::{Journal, LibsqlJournal};
use lifeboat::model::{Event, EventBody, Plan};
use lifeboat::runtime::{PlanRequest, Ran, RollbackRequest, RunRequest};
use lifeboat::worlds::{OnFault, Unanswered};

use crate::case::{Case, Left};
use crate::judge::{self, Judge};
use crate::person::Person;
use crate::planned::{lines, short};
use crate::record::made;
use crate::walked::{Walked, walked};
use crate::witness::Witness;
use crate::world::World;

/// What came of a case.
pub(crate) struct Report {
    /// How many lines of the plan were held against the run, and how many of its rollbacks against those that ran later.
    pub(crate) lines: usize,
    pub(crate) rollbacks: usize,
    /// How many predictions were seen to come about in the world itself.
    pub(crate) seen: usize,
    pub(crate) walked: Walked,
    /// What was not true.
    pub(crate) lies: Vec<String>,
}

/// Where the runbook of a case lies.
const RUNBOOK: &str = "runbooks/honest.rhai";

/// Plans a case, runs it, and says what of the plan was not true.
pub(crate) fn try_out(case: &Case) -> Report {
    let world = Arc::new(World::new(case.keys));
    world.write(RUNBOOK, &case.runbook);
    case.files.iter().for_each(|(name, text)| drop(world.write(name, text)));
    (case.prepare)(&world);
    let plan = plan(case, &world);
    let mut lies = Vec::new();
    let said: Vec<String> = lines(&plan).into_iter().map(short).collect();
    if said != case.plan {
        lies.push(format!("the plan was to say {:#?}\nit says {said:#?}\n{:?}", case.plan, plan.verdict));
    }
    (case.interfere)(&world);
    let before = world.state();
    let trial = Trial { case, world: &world, witness: Witness::of(&world), journal: journal(&world) };
    let ran = trial.run();
    let events = trial.events(&ran);
    let made_in_run = made(&events);
    let judge = Judge { plan: &plan, ran: &ran, made: &made_in_run, witness: &trial.witness };
    let mut judgement = judge.judge(case.ends);
    lies.append(&mut judgement.lies);
    let walked = walked(&world, RUNBOOK, &made_in_run);
    match (walked, case.unwalked) {
        (Walked::Missing, None) => {
            let made: Vec<String> = made_in_run.iter().map(ToString::to_string).collect();
            lies.push(format!("no path of the exploration does this:\n{}", made.join("\n")));
        }
        (Walked::Found { .. }, Some(why)) => lies.push(format!("a path does this, although {why}")),
        _ => {}
    }
    if walked == (Walked::Found { restored: true }) {
        lies.extend(world.state().into_iter().zip(before).filter(|(after, before)| after != before).map(
            |(after, before)| {
                format!("its path is said to leave nothing changed\nbefore: {before:?}\nafter: {after:?}")
            },
        ));
    }
    let mut rollbacks = 0;
    if case.undone {
        trial.undo();
        let events = trial.events(&ran);
        let taken_up = events.iter().rposition(|event| matches!(event.body, EventBody::Resumed { .. }));
        let undone = judge::undone(&plan, &made(&events[taken_up.expect("it was taken up")..]));
        rollbacks = undone.lines;
        lies.extend(undone.lies);
    }
    lies.extend(case.left.iter().filter_map(|left| missing(&world, left)));
    Report { lines: judgement.lines, rollbacks, seen: judgement.seen, walked, lies }
}

fn journal(world: &World) -> Arc<dyn Journal> {
    Arc::new(LibsqlJournal::open(world.path(".lifeboat/journal.db")).expect("a journal"))
}

fn plan(case: &Case, world: &World) -> Plan {
    let assumptions = case.pinned.iter().map(|text| text.parse().expect("an assumption")).collect();
    let lifeboat = world.builder().build().expect("it is configured");
    let request = PlanRequest { assumptions, ..PlanRequest::new(world.path(RUNBOOK)) };
    lifeboat.plan(&request).unwrap_or_else(|error| panic!("{:?}", miette::Report::new(error)))
}

/// What a run needs.
struct Trial<'a> {
    case: &'a Case,
    world: &'a Arc<World>,
    witness: Arc<Witness>,
    journal: Arc<dyn Journal>,
}

impl Trial<'_> {
    fn run(&self) -> Ran {
        let person = Person::saying(&self.case.answers);
        let builder = self.world.builder().journal(self.journal.clone()).listener(self.witness.clone()).answers(person);
        let request = RunRequest {
            on_fault: OnFault::RollBack,
            unanswered: Unanswered::Fail,
            ..RunRequest::new(self.world.path(RUNBOOK))
        };
        let lifeboat = builder.build().expect("it is configured");
        lifeboat.run(&request).unwrap_or_else(|error| panic!("{:?}", miette::Report::new(error)))
    }

    fn undo(&self) {
        let lifeboat = self.world.builder().journal(self.journal.clone()).build().expect("it is configured");
        let request = RollbackRequest { run: "latest".into(), ..RollbackRequest::default() };
        lifeboat.roll_back(&request).unwrap_or_else(|error| panic!("{:?}", miette::Report::new(error)));
    }

    /// What the journal holds of the run.
    fn events(&self, ran: &Ran) -> Vec<Event> {
        assert_eq!(ran.unrecorded, None);
        self.journal.events(&ran.id).expect("it reads")
    }
}

/// What is not as it was to be left.
fn missing(world: &World, left: &Left) -> Option<String> {
    let (what, wanted, found) = match left {
        Left::File(name, text) => (name.to_string(), text.to_string(), world.read(name)),
        Left::Row(database, question, answer) => {
            (question.to_string(), answer.to_string(), world.ask(database, question).unwrap_or_default())
        }
        Left::Posted(messages) => ("posted".to_owned(), messages.to_string(), world.posted().to_string()),
    };
    (wanted != found).then(|| format!("{what}: {found:?} was left, not {wanted:?}"))
}
