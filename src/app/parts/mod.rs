//! Small parts that panels are made of: they know nothing of networks.

mod check;
mod segments;
mod table;
mod term;

pub use check::Check;
pub use segments::{Choice, Role, Segments};
pub use table::{Table, TableButton, table_view};
pub use term::{Term, hide_terms};
