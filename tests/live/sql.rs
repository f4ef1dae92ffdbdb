//! `query` and `sql` in whole runs.

use lifeboat::model::{Applied, Basis};
use lifeboat::runtime::{PlanRequest, Status};

use crate::project::{Project, on_libsql};
use crate::trial::{Told, Trial};
use crate::valve;

/// The number that the database `primary` answers.
fn number(project: &Project, question: &str) -> i64 {
    on_libsql(&project.path("primary.db"), async |connection| {
        let mut rows = connection.query(question, ()).await.expect("the question is right");
        rows.next().await.expect("it answers").expect("a row").get(0).expect("a number")
    })
}

const RUNBOOK: &str = r#"
let some = query("primary", "SELECT id, note FROM orders WHERE id <= ? ORDER BY id", #{ params: [3], limit: 2 });
require(some.len() == 2 && some[1].id == 2, "two rows");
step "Close them" {
    for order in some {
        sql("primary", "UPDATE orders SET note = 'closed' WHERE id = ?", #{ params: [order.id], expect_rows: 1 });
    }
} rollback {
    sql("primary", "UPDATE orders SET note = 'open' WHERE note = 'closed'");
}
"#;

fn run(runbook: &str) -> Told {
    let trial = Trial::of(runbook);
    let project = trial.project();
    project.database(10);
    trial.run_in(project)
}

fn closed(told: &Told) -> i64 {
    number(&told.project, "SELECT count(*) FROM orders WHERE note = 'closed'")
}

#[test]
fn rows_that_are_found_can_be_changed_one_by_one() {
    let told = run(RUNBOOK);
    assert_eq!((told.status(), closed(&told)), (Status::Completed, 2));
}

#[test]
fn a_change_of_too_many_rows_is_undone_and_then_the_step_as_well() {
    let told = run(&RUNBOOK.replace("WHERE id = ?", "WHERE id >= ?"));
    assert_eq!((told.status(), told.fault().code.as_str()), (Status::RolledBack, "unexpected-rows"));
    assert_eq!((told.fault().applied, closed(&told)), (Applied::No, 0));
}

#[test]
fn a_script_may_catch_what_was_undone() {
    let told = run(r#"
        let code = "";
        try { sql("primary", "DELETE FROM orders", #{ expect_rows: "1..=9" }) } catch (fault) { code = fault.code }
        require(code == "unexpected-rows", code);
        sql("primary", "DELETE FROM orders", #{ expect_rows: #{ min: 10, max: 10 } });
    "#);
    assert_eq!((told.status(), number(&told.project, "SELECT count(*) FROM orders")), (Status::Completed, 0));
}

#[test]
fn a_plan_asks_and_changes_nothing() {
    let project = Trial::of(RUNBOOK).project();
    project.database(10);
    let path = project.write("runbooks/plan.rhai", RUNBOOK);
    let lifeboat = project.builder().registry(valve::registry()).build().expect("it is configured");
    let plan = lifeboat.plan(&PlanRequest::new(path)).expect("it is planned");
    let lines = plan.lines();
    let known: Vec<_> = lines.iter().map(|line| (line.primitive.as_str(), line.basis)).collect();
    assert_eq!(known, [("query", Basis::Observed), ("sql", Basis::Assumed), ("sql", Basis::Assumed)]);
    assert_eq!(lines[1].notes, ["updates orders", "undone unless it changes 1 rows"]);
    assert_eq!(number(&project, "SELECT count(*) FROM orders WHERE note = 'closed'"), 0);
}
