//! What happens on a path, event by event, for whoever draws the tree of all paths. Kept only on request.

use std::sync::Arc;

use crate::model::{Happening, HappeningKind, Key, Manner, Mood, Room, RoomKind, Scope, ScopeKind, Site};

/// Everything that happens on one path, in its order. Two paths part where the manner of one thing differs, and nowhere else.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Trace {
    /// What happens, and how.
    pub events: Vec<(Happening, Manner)>,
    /// The rooms that are entered, in their order. One that is entered twice stands here twice.
    pub rooms: Vec<Room>,
    /// Steps that have a rollback, and whether it was begun.
    pub owing: Vec<(Site, bool)>,
    /// The rooms that are open, with their keys.
    open: Vec<(Key, usize)>,
}

/// A manner of which there is only one.
pub(super) const ONLY: Manner = Manner { order: 0, case: "", text: "", mood: Mood::Fine };

/// The way with this position, called the same by everybody.
pub(super) fn manner(order: usize, case: &'static str, mood: Mood) -> Manner {
    Manner { order: u16::try_from(order).unwrap_or(u16::MAX), case, text: case, mood }
}

impl Trace {
    /// Something happens in the innermost room that is open.
    pub(super) fn note(&mut self, site: &Site, kind: HappeningKind, text: impl Into<Arc<str>>, manner: Manner) {
        let room = self.open.last().map(|(_, room)| *room);
        self.events.push((Happening { site: site.clone(), kind, text: text.into(), room }, manner));
    }

    /// A scope is entered.
    pub(super) fn enter(&mut self, scope: &Scope) {
        let kind = match &scope.kind {
            ScopeKind::Step { rollback, .. } => {
                if *rollback {
                    self.owing.push((scope.site.clone(), false));
                }
                RoomKind::Step
            }
            ScopeKind::Rollback => {
                if let Some((_, ran)) = self.owing.iter_mut().rev().find(|(site, ran)| *site == scope.site && !ran) {
                    *ran = true;
                }
                RoomKind::Rollback
            }
            ScopeKind::Child => RoomKind::Child,
            ScopeKind::Branch => RoomKind::Branch,
            ScopeKind::During(_) => RoomKind::During,
            _ => return,
        };
        // A rollback is the same one wherever the fault came from.
        let within = self.open.last().map(|(_, room)| *room).filter(|_| kind != RoomKind::Rollback);
        self.open.push((scope.key.clone(), self.rooms.len()));
        self.rooms.push(Room { site: scope.site.clone(), kind, title: scope.title.as_str().into(), within });
    }

    /// A scope is left, with all that is still open inside.
    pub(super) fn leave(&mut self, scope: &Scope) {
        if let Some(at) = self.open.iter().rposition(|(key, _)| *key == scope.key) {
            self.open.truncate(at);
        }
    }
}
