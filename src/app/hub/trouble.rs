//! What can go wrong between a hub and this machine, as sentences with a next step.

use leptos::prelude::window;

use crate::app::words;
use crate::weights::WeightsError;

/// Why a checkpoint could not be loaded.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum HubError {
    #[error("‘{0}’, which this page’s address names as the hub, is no http or https address.")]
    Base(String),
    #[error("This machine is offline, so {host} cannot be asked.")]
    Offline { host: String },
    #[error("{host} could not be reached ({why}).")]
    Unreachable { host: String, why: String },
    #[error("The connection to {host} broke after {} of {}.", megabytes(*got), megabytes(*expected))]
    Broken { host: String, got: usize, expected: usize },
    #[error("{host} has no such checkpoint as {repository} (it answered {status}).")]
    Missing { host: String, repository: String, status: u16 },
    #[error("{host} does not give {repository} to everybody (it answered {status}).")]
    Refused { host: String, repository: String, status: u16 },
    #[error("{host} has had too many requests from here{}.", wait.map(|s| format!(" and asks to wait {s} seconds")).unwrap_or_default())]
    Limited { host: String, wait: Option<u32> },
    #[error("{host} answered {status} in place of {repository}.")]
    Status { host: String, repository: String, status: u16 },
    #[error("{host} answered with a web page in place of {repository}.")]
    Page { host: String, repository: String },
    #[error("{repository} came with {got} bytes, but {expected} were expected.")]
    Length { repository: String, got: usize, expected: usize },
    #[error("{repository} was damaged on its way: its SHA-256 is {found}, but {expected} was expected.")]
    Digest { repository: String, found: String, expected: String },
    #[error("This browser has no room in memory for {}.", megabytes(*bytes))]
    Memory { bytes: usize },
    #[error("{repository} cannot be used: {why}.")]
    Weights { repository: String, why: WeightsError },
    #[error("Loading was stopped.")]
    Stopped,
}

impl HubError {
    /// A request that brought no answer: `why` is the browser's word for it.
    pub fn unanswered(host: &str, why: String) -> Self {
        match window().navigator().on_line() {
            true => HubError::Unreachable { host: host.into(), why },
            false => HubError::Offline { host: host.into() },
        }
    }

    /// Whether the same request may go well a moment later.
    pub fn may_pass(&self) -> bool {
        match self {
            HubError::Offline { .. } | HubError::Unreachable { .. } | HubError::Broken { .. } => true,
            HubError::Status { status, .. } => *status >= 500,
            _ => false,
        }
    }

    pub fn next_step(&self) -> &'static str {
        match self {
            HubError::Base(_) => "Correct the address after ‘hub=’, or leave it out.",
            HubError::Offline { .. } => "Connect, then try again.",
            HubError::Unreachable { .. } => {
                "Check the connection, and whether a blocker or a firewall keeps this page from that host, then try \
                 again."
            }
            HubError::Broken { .. } => "Try again: what has arrived is kept, and loading goes on from there.",
            HubError::Missing { .. } => "It may have been renamed or taken down: choose another checkpoint.",
            HubError::Refused { .. } => "Download the file from its own page there, then drop it on this one.",
            HubError::Limited { .. } => "Wait that long, or some minutes, then try again.",
            HubError::Status { .. } => "The trouble is on that side: try again later, or choose another checkpoint.",
            HubError::Page { .. } => {
                "This network may want a login first: open any site in another tab to see, then try again."
            }
            HubError::Length { .. } | HubError::Digest { .. } => "Try again: the file is then loaded from the start.",
            HubError::Memory { .. } => "Close other tabs and try again, or choose a smaller network.",
            HubError::Weights { .. } => "Try again, or choose another checkpoint.",
            HubError::Stopped => "Load again whenever you like: what has arrived is kept until then.",
        }
    }
}

/// What a checkpoint that was loaded all the same has to say.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Warning {
    #[error("The SHA-256 of {repository} is unchecked, since {why}; length, names, shapes and values were checked.")]
    Unchecked { repository: String, why: String },
    #[error(
        "The copy of {repository} on this machine was no longer what had been stored ({why}): it was deleted and \
         loaded anew."
    )]
    Damaged { repository: String, why: String },
    #[error(
        "This machine has no room to keep {repository} ({}): the next visit loads it again. Deleting others makes room.",
        megabytes(*bytes)
    )]
    Full { repository: String, bytes: usize },
    #[error("This browser keeps no copy of {repository} ({why}): the next visit loads it again.")]
    NotKept { repository: String, why: String },
}

impl Warning {
    /// Whether the checkpoint has no copy on this machine.
    pub fn is_not_kept(&self) -> bool {
        matches!(self, Warning::Full { .. } | Warning::NotKept { .. })
    }
}

fn megabytes(bytes: usize) -> String {
    words::megabytes(bytes as u64)
}
