//! The steps of a plan: names, required tools, what they depend on, and their work.

use crate::{tools::Tool, workspace::Workspace};

/// One line of the closing table.
pub(crate) struct Step {
    pub(crate) name: String,
    pub(crate) needs: &'static [&'static Tool],
    /// Steps that must pass first, if they are in the plan.
    pub(crate) after: &'static [&'static str],
    pub(crate) load: Load,
    work: Work,
}

/// Does the work of a step, so many times if the step is a check. One failure does not keep the remaining
/// runs from starting.
type Work = Box<dyn FnOnce(&Workspace, u32) -> Result<(), String> + Send>;

/// The resource that a step keeps busy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Load {
    /// All processors and cargo's locks: one such step at a time.
    Compiles,
    /// The network and apt's locks: one such step at a time.
    Installs,
    /// Mostly nothing: the step waits for programs that wait.
    Waits,
}

impl Step {
    /// Creates a step that compiles and depends on no other.
    pub(crate) fn new(
        name: impl Into<String>,
        needs: &'static [&'static Tool],
        work: impl FnOnce(&Workspace, u32) -> Result<(), String> + Send + 'static,
    ) -> Self {
        Self {
            name: name.into(),
            needs,
            after: &[],
            load: Load::Compiles,
            work: Box::new(work),
        }
    }

    /// Creates a step that installs a tool.
    pub(crate) fn install(tool: &'static Tool) -> Self {
        let load = if tool.is_compiled {
            Load::Compiles
        } else {
            Load::Installs
        };
        let work = |workspace: &Workspace, _| tool.install(workspace);
        Self {
            load,
            ..Self::new(tool.setup_name(), &[], work)
        }
    }

    /// Turns this into a step that mostly waits.
    pub(crate) fn waiting(self) -> Self {
        Self {
            load: Load::Waits,
            ..self
        }
    }

    pub(crate) fn after(self, after: &'static [&'static str]) -> Self {
        Self { after, ..self }
    }

    /// Does the work, if the tools for it are there.
    pub(crate) fn run(self, workspace: &Workspace, times: u32) -> Result<(), String> {
        for tool in self.needs {
            tool.require(workspace)?;
        }
        (self.work)(workspace, times)
    }
}

/// Fails with the list of all problems, if there are any.
pub(crate) fn all_of(problems: Vec<String>) -> Result<(), String> {
    if problems.is_empty() {
        Ok(())
    } else {
        Err(problems.join("; "))
    }
}
