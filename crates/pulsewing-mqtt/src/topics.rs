//! The topics, and what a message on one of them is about.

use crate::{NodeId, Prefix, WearerId};

/// Where Home Assistant says that it has started, unless it is told otherwise. This does not follow the prefix
/// of discovery.
const STATUS: &str = "homeassistant/status";

/// The topics of an installation.
#[derive(Clone, Debug)]
pub(crate) struct Topics {
    node: NodeId,
    prefix: Prefix,
}

/// What a message that came in is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Subject<'t> {
    /// Home Assistant has started, or ends.
    Status,
    /// A device that we announced once.
    Config(&'t str),
    /// A command for a wearer.
    Command(&'t str, Verb),
    /// Heart rates of a wearer from another source.
    Samples(&'t str),
}

/// What a command asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verb {
    Update,
    Snooze,
    Acknowledge,
}

impl Verb {
    const ALL: [Self; 3] = [Self::Update, Self::Snooze, Self::Acknowledge];

    /// Returns the last level of the command's topic.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Update => "update",
            Self::Snooze => "snooze",
            Self::Acknowledge => "ack",
        }
    }
}

impl Topics {
    pub(crate) const fn new(node: NodeId, prefix: Prefix) -> Self {
        Self { node, prefix }
    }

    /// Returns where we say that we are there, and the broker says that we are not.
    pub(crate) fn availability(&self) -> String {
        format!("pulsewing/{}/availability", self.node)
    }

    /// Returns where a wearer's numbers are.
    pub(crate) fn state(&self, wearer: &WearerId) -> String {
        self.of(wearer, "state")
    }

    /// Returns where a wearer's alarms are told.
    pub(crate) fn alarm(&self, wearer: &WearerId) -> String {
        self.of(wearer, "alarm")
    }

    /// Returns where a command for a wearer is expected.
    pub(crate) fn command(&self, wearer: &WearerId, verb: Verb) -> String {
        format!("{}/{}", self.of(wearer, "cmd"), verb.name())
    }

    /// Returns where a wearer's device is announced.
    pub(crate) fn config(&self, wearer: &WearerId) -> String {
        let prefix = self.prefix.as_str();
        format!("{prefix}/device/{}/config", self.device(wearer))
    }

    /// Returns the id of a wearer's device.
    pub(crate) fn device(&self, wearer: &WearerId) -> String {
        format!("pulsewing_{}_{wearer}", self.node)
    }

    fn of(&self, wearer: &WearerId, what: &str) -> String {
        format!("pulsewing/{}/{wearer}/{what}", self.node)
    }

    /// Returns the filters for what is heard all the time.
    pub(crate) fn filters(&self) -> Vec<String> {
        let node = &self.node;
        let mut filters = vec![
            STATUS.to_owned(),
            format!("pulsewing/{node}/+/cmd/+"),
            format!("pulsewing/{node}/+/samples"),
        ];
        let own = format!("{}/status", self.prefix.as_str());
        if own != STATUS {
            filters.push(own);
        }
        filters
    }

    /// Returns the filter for devices that were announced before, ours and others.
    pub(crate) fn configs(&self) -> String {
        format!("{}/device/+/config", self.prefix.as_str())
    }

    /// Tells what a topic is about; `None` if it is not about us.
    pub(crate) fn subject<'t>(&self, topic: &'t str) -> Option<Subject<'t>> {
        let prefix = self.prefix.as_str();
        let beyond = topic
            .strip_prefix(prefix)
            .and_then(|it| it.strip_prefix('/'));
        if topic == STATUS || beyond == Some("status") {
            return Some(Subject::Status);
        }
        if let Some(beyond) = beyond {
            let device = beyond.strip_prefix("device/")?.strip_suffix("/config")?;
            let of_node = device.strip_prefix("pulsewing_")?;
            let wearer = of_node
                .strip_prefix(self.node.as_str())?
                .strip_prefix('_')?;
            return Some(Subject::Config(wearer));
        }
        let beyond = topic.strip_prefix("pulsewing/")?;
        let beyond = beyond.strip_prefix(self.node.as_str())?.strip_prefix('/')?;
        let (wearer, what) = beyond.split_once('/')?;
        match what.strip_prefix("cmd/") {
            Some(name) => {
                let verb = Verb::ALL.into_iter().find(|verb| verb.name() == name)?;
                Some(Subject::Command(wearer, verb))
            }
            None => (what == "samples").then_some(Subject::Samples(wearer)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn topics(prefix: &str) -> Topics {
        Topics::new("ab12".parse().unwrap(), prefix.parse().unwrap())
    }

    #[test]
    fn topics_are_understood_as_they_are_written() {
        let anna: WearerId = "anna".parse().unwrap();
        for prefix in ["homeassistant", "ha/two"] {
            let topics = topics(prefix);
            let subject = |topic: &str| topics.subject(topic).map(|it| format!("{it:?}"));
            let is = |topic: &str, is: Subject<'_>| {
                assert_eq!(subject(topic), Some(format!("{is:?}")), "{topic}");
            };
            is(&topics.config(&anna), Subject::Config("anna"));
            for verb in Verb::ALL {
                is(&topics.command(&anna, verb), Subject::Command("anna", verb));
            }
            is("pulsewing/ab12/anna/samples", Subject::Samples("anna"));
            is("homeassistant/status", Subject::Status);
            is(&format!("{prefix}/status"), Subject::Status);
            for others in [
                topics.state(&anna),
                topics.alarm(&anna),
                topics.availability(),
                format!("{prefix}/device/pulsewing_ab123_anna/config"),
                format!("{prefix}/device/zigbee/config"),
                "pulsewing/ab12/anna/cmd/reboot".to_owned(),
                "pulsewing/ab123/anna/samples".to_owned(),
                "homeassistant/statusx".to_owned(),
                String::new(),
            ] {
                assert_eq!(subject(&others), None, "{others}");
            }
        }
    }

    #[test]
    fn the_status_is_asked_for_once() {
        assert_eq!(topics("homeassistant").filters().len(), 3);
        assert_eq!(topics("ha").filters().len(), 4);
    }
}
