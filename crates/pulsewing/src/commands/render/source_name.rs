//! The display name of a Google data source. The decoder has no room for names, so a reply with
//! several sources is read once more.

use std::path::Path;

use pulsewing_core::dialect::google::Source;
use pulsewing_files::regular_file;
use serde_json::{Map, Value};

use crate::commands::byte_order_mark;

/// The size limit for reading a reply for names, in bytes: a day of one source has 2 MB, and names
/// are not worth more.
const MAX_BYTES: u64 = 32 << 20;

/// Returns the name of a source in a saved reply: its device's, else its app's.
pub(super) fn find(wanted: Source, reply: &Path) -> Option<String> {
    let text = regular_file::read(reply, MAX_BYTES).ok()?;
    let reply: Value = serde_json::from_slice(byte_order_mark::without(&text)).ok()?;
    let points = reply.get("dataPoints")?.as_array()?;
    let mut sources = points
        .iter()
        .filter_map(|point| point.get("dataSource")?.as_object());
    let source = sources.find(|source| Source::from_members(members(source)) == wanted)?;
    let named = |member: &str, names: &[&str]| {
        let object = source.get(member)?.as_object()?;
        let name = names.iter().find_map(|name| object.get(*name)?.as_str());
        name.filter(|name| !name.is_empty()).map(str::to_owned)
    };
    named("device", &["displayName"]).or_else(|| {
        let of_apps = ["packageName", "webClientId", "googleWebClientId"];
        named("application", &of_apps)
    })
}

/// Returns the text members of a source, its device and its application.
fn members(source: &Map<String, Value>) -> impl Iterator<Item = (&str, &str)> {
    let parts = ["device", "application"].map(|part| source.get(part).and_then(Value::as_object));
    let all = std::iter::once(source).chain(parts.into_iter().flatten());
    all.flatten()
        .filter_map(|(name, value)| Some((name.as_str(), value.as_str()?)))
}
