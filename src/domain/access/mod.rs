//! Callers and their permissions. Every permission decision is a function in `policy` that returns a value only
//! `policy` can create. A domain function that needs the permission takes that value as a parameter.

mod policy;
mod principal;
pub mod scope;

pub(crate) use policy::Root;
pub use policy::{Admin, KeyWriter, Manager, Member, Overseer, RECENT, ReadAccess, Recent, Shell};
pub use principal::{Actor, KeyHolder, Origin, Person, Principal, SignedIn, Viewer};
pub use scope::{Grant, Scope};
