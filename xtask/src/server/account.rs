//! The user that servers run as: PostgreSQL refuses to run as root, and no server should.

use std::process::Command;

use crate::program::output;

#[derive(Clone, Copy, Debug)]
pub(super) struct Account {
    pub(super) uid: u32,
    pub(super) gid: u32,
}

impl Account {
    /// The first of `names` that exists, or `None` if we are not root and run servers as ourselves.
    pub(super) fn unprivileged(names: &[&str]) -> Result<Option<Self>, String> {
        if !is_root()? {
            return Ok(None);
        }
        let account = names.iter().find_map(|name| Some(Self { uid: id("-u", name)?, gid: id("-g", name)? }));
        account.map(Some).ok_or(format!(
            "servers do not run as root, and none of the users {} exists: create one, or run as another user",
            names.join(", ")
        ))
    }
}

pub(super) fn is_root() -> Result<bool, String> {
    Ok(output(Command::new("id").arg("-u"))? == "0")
}

fn id(what: &str, name: &str) -> Option<u32> {
    output(Command::new("id").args([what, name])).ok()?.parse().ok()
}
