//! The id of this installation: random, made once and kept. A renamed machine stays the same device.

use std::{
    io::{self, Write},
    path::Path,
};

use pulsewing_files::{Replacement, private, regular_file};
use pulsewing_mqtt::NodeId;

use crate::tell::problem::Problem;

/// The name of the file.
const NAME: &str = "mqtt-node";

/// The size limit for reading it, in bytes.
const MAX_BYTES: u64 = 128;

/// Returns the id that is kept in the state directory; makes it if there is none.
///
/// # Errors
/// A [`Problem`] with the file. A damaged one is not replaced: a new id would be new devices beside the old.
pub(super) fn of(state_dir: &Path) -> Result<NodeId, Problem> {
    let path = state_dir.join(NAME);
    match regular_file::read_text(&path, MAX_BYTES) {
        Ok(text) => text.trim().parse().map_err(|error| {
            Problem::failed(format!("{} cannot be used", path.display()))
                .caused_by(&error)
                .hint("write the id there that the topics on the broker have, as in pulsewing/ID/availability, or remove the file for a new one")
        }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => make(state_dir, &path),
        Err(error) => Err(Problem::failed(format!("{} cannot be read", path.display()))
            .caused_by(&error)),
    }
}

fn make(state_dir: &Path, path: &Path) -> Result<NodeId, Problem> {
    let mut bytes = [0; 4];
    getrandom::fill(&mut bytes).map_err(Problem::no_random_numbers)?;
    let node = NodeId::from_random(bytes);
    let written = private::make_dir(state_dir).and_then(|()| {
        let file = Replacement::new(path).private().durable();
        file.write(|file| writeln!(file, "{node}"))
    });
    written.map_err(|error| {
        Problem::failed(format!("{} cannot be written", path.display()))
            .caused_by(&error)
            .may_pass()
    })?;
    Ok(node)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn an_id_is_made_once_and_a_damaged_one_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let state_dir = dir.path().join("state");
        let first = of(&state_dir).unwrap();
        assert_eq!(of(&state_dir).unwrap(), first);
        assert_ne!(of(&dir.path().join("other")).unwrap(), first);
        fs::write(state_dir.join(NAME), "A B").unwrap();
        let told = of(&state_dir).unwrap_err();
        assert!(told.to_string().contains("mqtt-node"), "{told}");
        assert_eq!(fs::read_to_string(state_dir.join(NAME)).unwrap(), "A B");
    }
}
