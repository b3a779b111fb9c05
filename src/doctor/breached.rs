//! The list of breached passwords: whether it can be opened.

use std::path::Path;

use super::Findings;
use crate::{doctor::finding::Finding, domain::credential::password::policy::breached::BreachedPasswords};

const CHECK: &str = "breached passwords";

pub(super) fn examine(path: &Path) -> Findings {
    let list = BreachedPasswords::open(path).map_err(|wrong| {
        let advice = "build it again with `doorcode breached build`, or remove DOORCODE_BREACHED_PASSWORDS; the server \
                      does not start without the list";
        Finding::problem(CHECK, format!("DOORCODE_BREACHED_PASSWORDS {wrong}"), advice)
    })?;
    Ok(vec![Finding::ok(CHECK, format!("a list of {} hashes", list.hashes()))])
}
