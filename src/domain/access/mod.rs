//! Who calls, and what they may do. Every permission decision is a function in `policy` that returns a value which only it
//! can make; a domain function that needs the permission takes the value. No permission is an `if` elsewhere.

mod policy;
mod principal;

pub(crate) use policy::Root;
pub use policy::{Admin, Manager, Member, Overseer, RECENT, ReadAccess, Recent, Shell};
pub use principal::{Origin, Person, SignedIn, Viewer};
