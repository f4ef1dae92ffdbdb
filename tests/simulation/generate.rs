//! Runbooks that nobody would write: every construct inside every other.

use std::fmt::Write as _;

use crate::chance::Chance;

/// The targets that generated runbooks change.
pub(crate) const TARGETS: [&str; 4] = ["north", "south", "east", "west"];

/// How long a pause takes, in seconds.
pub(crate) const PAUSE_S: i64 = 600;

/// A runbook and the one that it calls.
#[derive(Clone, Debug)]
pub(crate) struct Generated {
    pub(crate) runbook: String,
    pub(crate) child: String,
    /// Whether branches really go on at the same time, so that their order is not repeatable.
    pub(crate) interleaved: bool,
    /// Whether something depends on what a target was found to be, which may be another branch's doing.
    pub(crate) conditions: bool,
}

pub(crate) fn generate(seed: u64) -> Generated {
    generated(seed, true)
}

/// Without `retry`, whose attempts are one and the same call: what took place twice was doubled.
pub(crate) fn generate_once(seed: u64) -> Generated {
    generated(seed, false)
}

fn generated(seed: u64, retries: bool) -> Generated {
    let (chance, text) = (Chance::new(seed), String::new());
    let mut writer = Writer { chance, text, names: 0, interleaved: false, conditions: 0, children: true, retries };
    writer.text.push_str("//! Generated.\n");
    let statements = 2 + writer.chance.below(4);
    for _ in 0..statements {
        writer.statement(0, &Place::default());
    }
    if writer.chance.happens(25) {
        writer.text.push_str("throw \"the end\";\n");
    }
    let runbook = std::mem::take(&mut writer.text);
    writer.children = false;
    writer.text.push_str("//! Called by the generated one.\n");
    for _ in 0..=writer.chance.below(2) {
        writer.statement(1, &Place::default());
    }
    Generated { runbook, child: writer.text, interleaved: writer.interleaved, conditions: writer.conditions > 0 }
}

/// Where a statement stands.
#[derive(Clone, Default)]
struct Place {
    /// The variable that holds a target, inside a branch.
    branch: Option<String>,
    /// Whether it stands in the body of a `retry`: what it changes is to happen once, however often it is tried.
    repeated: bool,
}

struct Writer {
    chance: Chance,
    text: String,
    names: u32,
    interleaved: bool,
    /// How many there are.
    conditions: usize,
    children: bool,
    retries: bool,
}

impl Writer {
    fn name(&mut self, prefix: &str) -> String {
        self.names += 1;
        format!("{prefix}{}", self.names)
    }

    fn line(&mut self, depth: usize, text: &str) {
        let _ = writeln!(self.text, "{}{text}", "    ".repeat(depth));
    }

    fn target(&mut self, place: &Place) -> String {
        match &place.branch {
            Some(variable) if self.chance.happens(80) => variable.clone(),
            _ => format!("\"{}\"", self.chance.pick(&TARGETS)),
        }
    }

    fn change(&mut self, depth: usize, place: &Place) {
        let (target, value) = (self.target(place), self.name("v"));
        self.line(depth, &format!("set({target}, \"{value}\");"));
    }

    fn block(&mut self, depth: usize, place: &Place, most: u64) {
        for _ in 0..=self.chance.below(most) {
            self.statement(depth, place);
        }
    }

    fn statement(&mut self, depth: usize, place: &Place) {
        let kind = if depth > 3 { self.chance.below(30) } else { self.chance.below(100) };
        match kind {
            30..55 => self.step(depth, place),
            55..63 => self.tried(depth, place),
            63..69 if !place.repeated && self.retries => self.retried(depth, place),
            69..75 if place.branch.is_none() && !place.repeated => self.parallel(depth),
            75..80 => self.condition(depth, place),
            80..84 => {
                let counter = self.name("n");
                self.line(depth, &format!("let {counter} = 0;"));
                let wait = format!(
                    "wait_until(\"{counter}\", #{{ timeout: \"1h\", every: \"1m\" }}, || {{ {counter} += 1; {counter} > 2 }});"
                );
                self.line(depth, &wait);
            }
            84..87 => self.line(depth, &format!("sleep(\"{PAUSE_S}s\");")),
            87..90 if place.branch.is_none() && !place.repeated => {
                let why = self.name("far enough ");
                self.line(depth, &format!("point_of_no_return(\"{why}\");"));
            }
            90..94 if !place.repeated => {
                let question = self.name("Go on ");
                self.line(depth, &format!("confirm(\"{question}?\");"));
            }
            94..97 if self.children && place.branch.is_none() && !place.repeated => {
                self.line(depth, "runbook(\"runbooks/child.rhai\");");
            }
            97 if depth > 0 && self.retries => {
                let value = self.name("v");
                self.line(
                    depth,
                    &format!("if look(\"north\") != \"nowhere\" {{ set(\"no\" + \"where\", \"{value}\"); }}"),
                );
            }
            97..100 if depth > 0 => {
                let why = self.name("no ");
                self.line(depth, &format!("if look(\"north\") != \"nowhere\" {{ throw \"{why}\"; }}"));
            }
            _ => self.change(depth, place),
        }
    }

    fn step(&mut self, depth: usize, place: &Place) {
        let title = self.name("Step ");
        self.line(depth, &format!("step \"{title}\" {{"));
        self.block(depth + 1, place, 3);
        if self.chance.happens(80) {
            self.line(depth, "} rollback {");
            for _ in 0..=self.chance.below(2) {
                self.change(depth + 1, place);
            }
            if self.chance.happens(10) {
                let why = self.name("cannot be undone ");
                self.line(depth + 1, &format!("throw \"{why}\";"));
            }
        }
        self.line(depth, "}");
    }

    fn tried(&mut self, depth: usize, place: &Place) {
        self.line(depth, "try {");
        self.block(depth + 1, place, 2);
        if self.chance.happens(50) {
            let why = self.name("caught ");
            self.line(depth + 1, &format!("throw \"{why}\";"));
        }
        self.line(depth, "} catch (e) {");
        self.change(depth + 1, place);
        self.line(depth, "}");
    }

    fn retried(&mut self, depth: usize, place: &Place) {
        let counter = self.name("n");
        let again = self.chance.below(3);
        self.line(depth, &format!("let {counter} = 0;"));
        self.line(depth, "retry(#{ times: 4, every: \"30s\" }, || {");
        self.line(depth + 1, &format!("{counter} += 1;"));
        let inside = Place { repeated: true, ..place.clone() };
        self.block(depth + 1, &inside, 2);
        let why = self.name("again ");
        self.line(depth + 1, &format!("require({counter} > {again}, \"{why}\");"));
        self.line(depth, "});");
    }

    fn parallel(&mut self, depth: usize) {
        let lanes = *self.chance.pick(&[1, 1, 2, 3]);
        self.interleaved |= lanes > 1;
        let finish = if self.chance.happens(40) { ", finish: \"all\"" } else { "" };
        let item = self.name("item");
        self.line(
            depth,
            &format!("parallel([\"north\", \"south\", \"east\"], #{{ at_most: {lanes}{finish} }}, |{item}| {{"),
        );
        self.block(depth + 1, &Place { branch: Some(item), repeated: false }, 2);
        self.line(depth, "});");
    }

    fn condition(&mut self, depth: usize, place: &Place) {
        self.conditions += 1;
        let target = self.target(place);
        let value = format!("v{}", 1 + self.chance.below(9));
        self.line(depth, &format!("if look({target}) == \"{value}\" {{"));
        self.change(depth + 1, place);
        self.line(depth, "} else {");
        self.block(depth + 1, place, 2);
        self.line(depth, "}");
    }
}
