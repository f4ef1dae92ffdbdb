//! Approvals: what counts, what does not, and that nothing runs without them where they are needed.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use lifeboat::model::{Approval, SavedPlan, Span};
use lifeboat::runtime::{Error, PlanRequest, RunRequest, approvals_of, read_approvals};

use crate::project::Project;
use crate::{lifeboat, tool};

/// A project whose environment needs so many approvals of the people who have a key in it, and a plan that somebody has made.
struct Office {
    project: Project,
    plan: PathBuf,
    digest: String,
}

fn key(directory: &Path, name: &str) -> String {
    let path = directory.join(name);
    let made = Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(&path).status();
    assert!(made.expect("OpenSSH's client is installed").success());
    let public = std::fs::read_to_string(path.with_extension("pub")).expect("a public key");
    format!("{name}@example.org {public}")
}

impl Office {
    fn needing(needed: u32) -> Self {
        let approvals =
            format!("[environments.test.approvals]\nneeded = {needed}\nsigners = \"approvers\"\nvalid_for = \"4h\"\n");
        let project = Project::configured("", &format!("{approvals}\n{}", tool("touch turned")));
        let signers = ["anna", "ben", "author"].map(|name| key(&project.path(""), name)).concat();
        project.write("approvers", &signers);
        key(&project.path(""), "stranger");
        let runbook = project.write("runbooks/turn.rhai", "exec(\"turn\", [\"south\"]);");
        let plan = lifeboat(&project).plan(&PlanRequest::new(runbook)).expect("it can be planned");
        // Whoever runs the tests is nobody's author.
        let mut saved = SavedPlan::of(plan, &[]).expect("it can be saved");
        "author@desk".clone_into(&mut saved.by);
        let text = saved.text().expect("its text");
        let (digest, path) = (digest(&text), project.path("plan.json"));
        std::fs::write(&path, text.replace(&saved.digest, &digest)).expect("written");
        Self { project, plan: path, digest }
    }

    fn approve(&self, name: &str) -> Result<usize, String> {
        self.approve_for(name, None)
    }

    fn approve_for(&self, name: &str, valid: Option<&str>) -> Result<usize, String> {
        let valid: Option<Span> = valid.map(|text| text.parse().expect("a duration"));
        let approved = lifeboat(&self.project).approve(&self.plan, &self.project.path(name), valid);
        approved.map(|approved| approved.missing).map_err(|error| error.to_string())
    }

    fn run(&self, break_glass: Option<&str>) -> Result<String, String> {
        let request = RunRequest {
            plan: Some(Arc::new(SavedPlan::read(&self.plan).expect("a plan"))),
            approvals: read_approvals(&self.plan).map_err(|error| error.to_string())?,
            break_glass: break_glass.map(str::to_owned),
            ..RunRequest::default()
        };
        lifeboat(&self.project).run(&request).map(|ran| ran.status.name().to_owned()).map_err(|error| error.to_string())
    }

    fn turned(&self) -> bool {
        self.project.path("turned").exists()
    }
}

/// As the documentation has it.
fn digest(text: &str) -> String {
    let mut value: serde_json::Value = serde_json::from_str(text).expect("JSON");
    value.as_object_mut().expect("an object").remove("digest");
    lifeboat::system::hex(value.to_string().as_bytes())
}

#[test]
fn a_plan_runs_when_enough_other_people_have_approved_it() {
    let office = Office::needing(2);
    let refused = office.run(None).expect_err("nobody has approved it");
    assert!(refused.contains("test needs 2 approvals of a plan, and nobody has"), "{refused}");
    assert_eq!(office.approve("anna"), Ok(1));
    let refused = office.run(None).expect_err("one is not enough");
    assert!(refused.contains("only anna@example.org has"), "{refused}");
    assert!(!office.turned());
    assert_eq!(office.approve("ben"), Ok(0));
    assert_eq!(office.run(None).as_deref(), Ok("completed"));
    assert!(office.turned());
}

#[test]
fn nobody_approves_their_own_nor_twice_nor_as_a_stranger() {
    let office = Office::needing(1);
    assert!(office.approve("author").expect_err("the author").contains("nobody approves their own"));
    assert!(office.approve("stranger").expect_err("a stranger").contains("is not in"));
    assert!(office.approve("missing").expect_err("no key").contains("cannot sign with"));
    assert!(!approvals_of(&office.plan).exists(), "nothing was added");
    assert_eq!(office.approve("anna"), Ok(0));
    assert!(office.approve("anna").expect_err("twice").contains("has approved it already"));
}

#[test]
fn an_approval_counts_for_one_plan_for_so_long_and_as_it_was_signed() {
    let office = Office::needing(1);
    assert!(office.approve_for("anna", Some("5h")).expect_err("too long").contains("4h at most"));
    assert_eq!(office.approve_for("anna", Some("1h")), Ok(0));
    let file = approvals_of(&office.plan);
    let given = std::fs::read_to_string(&file).expect("approvals");
    let approval: Approval = serde_json::from_str(given.trim()).expect("an approval");
    assert_eq!((&approval.plan, approval.environment.as_str()), (&office.digest, "test"));
    for (change, told) in [
        (given.replace(&approval.plan, &"0".repeat(64)), "it is for another plan"),
        (given.replace(&approval.until.to_string(), "2020-01-01T00:00:00Z"), "it counted until 2020-01-01"),
        (given.replace(&approval.at.to_string(), "2020-01-01T00:00:00Z"), "it is for longer than 4h"),
        (given.replace("\"environment\":\"test\"", "\"environment\":\"other\""), "it is for another plan"),
        ("{}\n".to_owned(), "line 1: no approval"),
    ] {
        std::fs::write(&file, change).expect("written");
        let refused = office.run(None).expect_err(told);
        assert!(refused.contains(told), "{told}: {refused}");
    }
    let until = approval.until.saturating_add(std::time::Duration::from_secs(60)).expect("a time");
    std::fs::write(&file, given.replace(&approval.until.to_string(), &until.to_string())).expect("written");
    assert!(office.run(None).expect_err("changed").contains("does not fit"));
    assert!(!office.turned());
}

#[test]
fn a_runbook_is_not_run_where_plans_are_approved_but_for_an_emergency() {
    let office = Office::needing(1);
    let runbook = office.project.path("runbooks/turn.rhai");
    let refused = lifeboat(&office.project).run(&RunRequest::new(&runbook));
    let Err(Error::Refused { why, .. }) = refused else { panic!("{refused:?}") };
    assert!(why.contains("runs only plans that other people have approved"), "{why}");
    assert!(!office.turned());
    assert_eq!(office.run(Some("the office burns")).as_deref(), Ok("completed"));
    assert!(office.turned());
}
