//! Which boxes of a drawing lie in which room: steps and rollbacks are drawn around what happens in them.

use std::collections::BTreeMap;

use crate::model::{Room, RoomKind};

use super::drawing::Drawing;

/// The boxes and rooms of each room; those of none are outside.
#[derive(Default)]
pub(super) struct Rooms {
    boxes: BTreeMap<Option<usize>, Vec<usize>>,
    rooms: BTreeMap<Option<usize>, Vec<usize>>,
}

impl Rooms {
    /// The rooms in which something is shown.
    pub(super) fn of(drawing: &Drawing) -> Self {
        let mut rooms = Self::default();
        for (n, drawn) in drawing.boxes.iter().enumerate() {
            rooms.boxes.entry(drawn.room).or_default().push(n);
            let mut room = drawn.room;
            while let Some(inner) = room {
                room = drawing.tree.rooms[inner].within;
                let beside = rooms.rooms.entry(room).or_default();
                if beside.contains(&inner) {
                    break;
                }
                beside.push(inner);
            }
        }
        rooms
    }

    /// The boxes that lie in a room itself.
    pub(super) fn boxes(&self, room: Option<usize>) -> impl Iterator<Item = usize> {
        self.boxes.get(&room).into_iter().flatten().copied()
    }

    /// The rooms that lie in a room itself.
    pub(super) fn rooms(&self, room: Option<usize>) -> impl Iterator<Item = usize> {
        self.rooms.get(&room).into_iter().flatten().copied()
    }
}

/// A room as people call it.
pub(super) fn titled(room: &Room) -> String {
    let kind = match room.kind {
        RoomKind::Step => "step",
        RoomKind::Rollback => "rollback of",
        RoomKind::Child => "runbook",
        RoomKind::Branch => "branch",
        RoomKind::During => "during",
    };
    format!("{kind} {}", room.title).trim_end().to_owned()
}
