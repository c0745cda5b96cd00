//! What a run used.

/// What a run used of the machine.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Usage {
    /// Time on a processor in the program itself, in seconds.
    pub user: f64,
    /// Time on a processor in the system on its behalf, in seconds.
    pub system: f64,
    /// The most memory that it had at a time, in bytes; `None` where that cannot be told.
    pub memory: Option<u64>,
}
