//! A witness of a run: just before each effect and just after it, it looks at the world itself, past every driver.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use lifeboat::model::{Applied, Event, EventBody, Impact, Key, PlanLine, PlanResult, Symbol, Value};
use lifeboat::worlds::Listener;

use crate::world::World;

/// Sees what each effect of a run did to the world.
pub(crate) struct Witness {
    world: Arc<World>,
    seen: Mutex<HashMap<Key, Seen>>,
}

/// The state of a target, in the words that the drivers use for it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    before: Option<String>,
    after: Option<String>,
}

impl Witness {
    pub(crate) fn of(world: &Arc<World>) -> Arc<Self> {
        Arc::new(Self { world: world.clone(), seen: Mutex::default() })
    }

    /// What was seen of the call with this key.
    pub(crate) fn saw(&self, key: &Key) -> Seen {
        self.seen.lock().expect("nobody panicked").get(key).cloned().unwrap_or_default()
    }

    fn look(&self, primitive: &str, impact: &Impact) -> Option<String> {
        // A thread of its own: whoever tells of events may be in the middle of something asynchronous.
        std::thread::scope(|scope| scope.spawn(|| state(&self.world, primitive, impact)).join().expect("it can look"))
    }
}

impl Listener for Witness {
    fn on_event(&self, event: &Event) {
        let mut seen = self.seen.lock().expect("nobody panicked");
        match &event.body {
            EventBody::Intended { key, primitive, impact, .. } => {
                seen.entry(key.clone()).or_default().before = self.look(primitive, impact);
            }
            EventBody::Settled(settled) if seen.contains_key(&settled.key) => {
                let after = self.look(&settled.primitive, &settled.impact);
                seen.entry(settled.key.clone()).or_default().after = after;
            }
            _ => {}
        }
    }
}

/// The primitives whose drivers put states into the words of [`state`]. Of others it is seen whether anything was changed.
const WORDED: [&str; 5] = ["backup", "deploy", "maintenance", "migrate", "verify_backup"];

/// The state of the target of such a call; none where nothing outside Lifeboat shows it in a few words.
fn state(world: &World, primitive: &str, impact: &Impact) -> Option<String> {
    let target = impact.targets.first()?.as_str();
    let unless_empty = |text: String, otherwise: &str| if text.is_empty() { otherwise.to_owned() } else { text };
    Some(match (primitive, target) {
        ("maintenance", "shop") => unless_empty(world.read("closed"), "off"),
        ("maintenance", "web") => unless_empty(world.read("maintenance"), "off"),
        ("deploy", "shop") => unless_empty(world.read("live"), "nothing"),
        ("migrate", database) => {
            let newest = "SELECT max(version) FROM _lifeboat_migrations";
            world.ask(database, newest).filter(|version| version != "Null").unwrap_or_else(|| "none".to_owned())
        }
        ("backup", database) => match world.folders(&format!("backups/{database}")).len() {
            1 => "1 backup".to_owned(),
            backups => format!("{backups} backups"),
        },
        ("verify_backup", database) => {
            let store = format!("backups/{database}");
            let newest = world.folders(&store).pop()?;
            let verified = world.path(&format!("{store}/{newest}/verified.json")).exists();
            if verified { "verified" } else { "never verified" }.to_owned()
        }
        ("configure", "app") => world.read("app.json"),
        ("configure", "env") => world.read("app.env"),
        ("route", _) => world.read("upstream.conf"),
        ("notify" | "resolve", "incidents") => world.read("incidents.jsonl").lines().count().to_string(),
        ("notify" | "resolve", "pager") => world.posted().to_string(),
        _ => return None,
    })
}

impl Seen {
    /// In which way a line that was predicted did not come about; `Ok` says whether there was anything to see.
    pub(crate) fn belies(&self, line: &PlanLine) -> Result<bool, String> {
        let (Some(before), Some(after)) = (&self.before, &self.after) else { return Ok(false) };
        let moved = before != after;
        if line.symbol == Symbol::Nothing && moved {
            return Err(format!("nothing was to be changed, and {before} became {after}"));
        }
        if let ("notify" | "resolve", PlanResult::Returns(value)) = (line.primitive.as_str(), &line.result) {
            let told = value.get("delivered").and_then(Value::as_bool);
            if told == Some(moved) {
                return Ok(true);
            }
            return Err(format!("delivered: {told:?} was foreseen, and {before} messages became {after}"));
        }
        let changes = line.symbol != Symbol::Nothing;
        let expected = match &line.result {
            PlanResult::Returns(_) => changes,
            PlanResult::Throws(fault) => changes && fault.applied == Applied::Yes,
        };
        if moved != expected {
            let foreseen = if expected { "foreseen" } else { "not foreseen" };
            return Err(format!("a change was {foreseen}, and {before} became {after}"));
        }
        let states =
            line.before.as_ref().zip(line.after.as_ref()).filter(|_| WORDED.contains(&line.primitive.as_str()));
        let Some((said_before, said_after)) = states else { return Ok(true) };
        // Drivers may say more of a state, such as since when it is so. How far a change came that fails, its fault says.
        let says = |said: &str, seen: &str| {
            said.strip_prefix(seen).is_some_and(|more| !more.starts_with(char::is_alphanumeric))
        };
        let fails = matches!(line.result, PlanResult::Throws(_));
        if says(said_before, before) && (fails || says(said_after, after)) {
            return Ok(true);
        }
        Err(format!("{said_before} → {said_after} was foreseen, {before} → {after} was seen"))
    }
}
