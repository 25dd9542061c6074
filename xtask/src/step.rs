//! One step: its tools, the steps it waits for, and its work.

use std::process::Command;

use crate::{
    browser, emulated, foreign, no_std, process,
    test_programs::{self, Which},
    tidy,
    tools::Tool,
    workspace::Workspace,
};

/// One line of the closing table.
pub(crate) struct Step {
    pub(crate) name: String,
    pub(crate) needs: &'static [&'static Tool],
    /// Steps that must pass first, if they are in the plan.
    pub(crate) after: &'static [&'static str],
    pub(crate) load: Load,
    pub(crate) work: Work,
}

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

pub(crate) enum Work {
    /// Commands, one after the other; mostly they compile.
    Cargo(Vec<Command>),
    Install(&'static Tool),
    Tidy,
    NoStd,
    BuildTests(Which),
    Tests(String, Which),
    Foreign,
    Browser,
    Emulated(&'static emulated::Group),
    Board(fn(&Workspace) -> Result<(), String>),
}

impl Step {
    /// Creates a step that compiles and depends on no other.
    pub(crate) fn new(
        name: impl Into<String>,
        needs: &'static [&'static Tool],
        work: Work,
    ) -> Self {
        Self {
            name: name.into(),
            needs,
            after: &[],
            load: Load::Compiles,
            work,
        }
    }

    /// Creates a step that installs a tool.
    pub(crate) fn install(tool: &'static Tool) -> Self {
        let load = if tool.is_compiled {
            Load::Compiles
        } else {
            Load::Installs
        };
        Self {
            load,
            ..Self::new(tool.setup_name(), &[], Work::Install(tool))
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

    /// Does the work `times` times. One failure does not keep the remaining runs from starting.
    pub(crate) fn run(mut self, workspace: &Workspace, times: u32) -> Result<(), String> {
        for tool in self.needs {
            tool.require(workspace)?;
        }
        self.work.run(workspace, times)
    }
}

impl Work {
    fn run(&mut self, workspace: &Workspace, times: u32) -> Result<(), String> {
        match self {
            Self::Cargo(commands) => {
                let failed = commands
                    .iter_mut()
                    .filter_map(|command| process::compile(command).err());
                all_of(failed.collect())
            }
            Self::Install(tool) => tool.install(workspace),
            Self::Tidy => tidy::run(workspace),
            Self::NoStd => no_std::run(workspace),
            Self::BuildTests(which) => test_programs::build(workspace, *which),
            Self::Tests(package, which) => test_programs::run(workspace, package, *which, times),
            Self::Foreign => foreign::run(workspace),
            Self::Browser => browser::run(workspace, times),
            Self::Emulated(group) => emulated::run(workspace, group, times),
            Self::Board(work) => work(workspace),
        }
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
