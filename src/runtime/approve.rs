//! Approvals of saved plans: given by other people than the author, checked before a run.

use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;

use crate::config::Approvals;
use crate::model::{Approval, SavedPlan, Span};
use crate::system::{Signer, read_source, ssh_sign, ssh_signer, whoami, write_evidence};

use super::{Error, Lifeboat};

/// Clocks of two machines may differ by so much.
const SKEW: Duration = Duration::from_secs(300);

/// What was approved, by whom, until when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approved {
    /// Who, as the file of signers calls them.
    pub by: String,
    /// Until when it counts.
    pub until: Timestamp,
    /// How many more are needed.
    pub missing: usize,
}

/// The file of approvals beside a saved plan.
pub fn approvals_of(plan: &Path) -> PathBuf {
    let mut name = plan.as_os_str().to_owned();
    name.push(".approvals");
    name.into()
}

/// Reads the approvals beside a saved plan; none where there is no such file.
pub fn read_approvals(plan: &Path) -> Result<Vec<Approval>, Error> {
    let path = approvals_of(plan);
    if !path.exists() {
        return Ok(Vec::new());
    }
    let refused =
        |why: String| Error::Refused { why, help: Some("remove the line, or have the plan approved again".into()) };
    let text = read_source(&path).map_err(refused)?;
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines
        .map(|(n, line)| {
            let read = serde_json::from_str(line);
            read.map_err(|error| refused(format!("{} line {}: no approval: {error}", path.display(), n + 1)))
        })
        .collect()
}

impl Lifeboat {
    /// Approves the saved plan in the file `plan` with the SSH key in the file `key`, for `valid` at most, and adds that to the file
    /// beside it. The author's own approval is refused.
    pub fn approve(&self, plan: &Path, key: &Path, valid: Option<Span>) -> Result<Approved, Error> {
        let saved = SavedPlan::read(plan)?;
        let rule = self.approvals_for(&saved)?;
        let refused = |why: String, help: &str| Error::Refused { why, help: Some(help.to_owned()) };
        if whoami() == saved.by {
            return Err(own(&saved.by));
        }
        let valid = valid.unwrap_or(rule.valid_for);
        if valid > rule.valid_for {
            let why = format!("an approval counts for {} at most in {}", rule.valid_for, saved.plan.environment);
            return Err(refused(why, "leave `--for` out, or make it shorter"));
        }
        let now = self.system.clock.now();
        let until = now.saturating_add(valid.0).map_err(|_| Error::Internal { why: "no such time".into() })?;
        let mut approval = Approval::unsigned(&saved, now, until);
        approval.signature = ssh_sign(&approval.signed(), Approval::PURPOSE, key)
            .map_err(|why| refused(why, "give the key whose public half is among the signers: --key FILE"))?;
        let signer = self
            .counted(&approval, &saved, rule, now)
            .map_err(|why| refused(why, "nothing was added: only the signature of another person counts"))?;
        let mut approvals = read_approvals(plan)?;
        let others = self.counting(&approvals, &saved, rule, now).0;
        if let Some(same) = others.iter().find(|other| other.principal == signer.principal) {
            return Err(refused(format!("{} has approved it already", same.principal), "another person must"));
        }
        approvals.push(approval);
        let internal = |error: serde_json::Error| Error::Internal { why: error.to_string() };
        let lines: Result<Vec<String>, _> = approvals.iter().map(serde_json::to_string).collect();
        let text = lines.map_err(internal)?.join("\n") + "\n";
        let path = approvals_of(plan);
        write_evidence(&path, text.as_bytes())
            .map_err(|error| refused(format!("cannot write {}: {error}", path.display()), "nothing was approved"))?;
        Ok(Approved { by: signer.principal, until, missing: rule.needed.saturating_sub(others.len() + 1) })
    }

    /// Refuses to run a plan that not enough people have approved.
    pub(super) fn check_approvals(&self, saved: &SavedPlan, approvals: &[Approval]) -> Result<(), Error> {
        let environment = self.environment(Some(&saved.plan.environment))?;
        let Some(rule) = &environment.approvals else { return Ok(()) };
        let (counted, others) = self.counting(approvals, saved, rule, self.system.clock.now());
        if counted.len() >= rule.needed {
            return Ok(());
        }
        let by: Vec<&str> = counted.iter().map(|signer| signer.principal.as_str()).collect();
        let by = if by.is_empty() { "nobody has".to_owned() } else { format!("only {} has", by.join(", ")) };
        let mut why = format!("{} needs {} of a plan, and {by}", environment.name, count(rule.needed));
        for other in others {
            why.push_str("; one does not count: ");
            why.push_str(&other);
        }
        let help = "another person than its author approves it: lifeboat approve FILE --key KEY; in an emergency \
                    --break-glass WHY does without, and the record says so";
        Err(Error::Refused { why, help: Some(help.to_owned()) })
    }

    /// The approvals that count, each of another person and another key; why the others do not.
    fn counting(
        &self,
        approvals: &[Approval],
        saved: &SavedPlan,
        rule: &Approvals,
        now: Timestamp,
    ) -> (Vec<Signer>, Vec<String>) {
        let (mut counted, mut others): (Vec<Signer>, Vec<String>) = (Vec::new(), Vec::new());
        for approval in approvals {
            match self.counted(approval, saved, rule, now) {
                Ok(signer) => {
                    let known = |other: &Signer| other.principal == signer.principal || other.key == signer.key;
                    if !counted.iter().any(known) {
                        counted.push(signer);
                    }
                }
                Err(why) => others.push(why),
            }
        }
        (counted, others)
    }

    fn counted(
        &self,
        approval: &Approval,
        saved: &SavedPlan,
        rule: &Approvals,
        now: Timestamp,
    ) -> Result<Signer, String> {
        if approval.plan != saved.digest || approval.environment != saved.plan.environment {
            return Err("it is for another plan".to_owned());
        }
        let begun = approval.at.duration_until(now);
        if approval.until <= now {
            return Err(format!("it counted until {}", approval.until.strftime("%Y-%m-%d %H:%M:%SZ")));
        }
        if begun.is_negative() && begun.unsigned_abs() > SKEW {
            return Err("it was given in the future: compare the clocks".to_owned());
        }
        if approval.at.duration_until(approval.until).unsigned_abs() > rule.valid_for.0 {
            return Err(format!("it is for longer than {}", rule.valid_for));
        }
        let scratch = self.state_directory().join("scratch");
        let (purpose, signers) = (Approval::PURPOSE, (rule.signers.as_path(), approval.at));
        let signer = ssh_signer(&approval.signed(), purpose, &approval.signature, signers, &scratch)?;
        // A name is all that a plan knows of its author; it is compared without the machine or the domain behind it.
        let name = |text: &str| text.split('@').next().unwrap_or_default().to_owned();
        if name(&signer.principal) == name(&saved.by) {
            return Err(format!("{} made the plan, and nobody approves their own", signer.principal));
        }
        Ok(signer)
    }

    fn approvals_for(&self, saved: &SavedPlan) -> Result<&Approvals, Error> {
        let environment = self.environment(Some(&saved.plan.environment))?;
        environment.approvals.as_ref().ok_or_else(|| Error::Refused {
            why: format!("environment {} needs no approvals", environment.name),
            help: Some(format!("to need them: [environments.{}.approvals] in lifeboat.toml", environment.name)),
        })
    }
}

fn own(by: &str) -> Error {
    Error::Refused {
        why: format!("{by} made the plan, and nobody approves their own"),
        help: Some("let another person read and approve it".to_owned()),
    }
}

fn count(needed: usize) -> String {
    if needed == 1 { "the approval".to_owned() } else { format!("{needed} approvals") }
}
