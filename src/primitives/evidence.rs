//! What a driver knows of its effects after a crash.

/// How a driver finds out whether an effect took place whose outcome nobody received. Every driver says it of every primitive that it
/// carries out; the reference lists it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Evidence {
    /// It finds out by this.
    Found(&'static str),
    /// It finds out by the second if the call or the target has the first.
    Given(&'static str, &'static str),
    /// It cannot; a person looks at this. A run is in doubt.
    None(&'static str),
    /// Nothing depends on it: the call may be made again.
    NotNeeded,
}
