//! CPython's `json.loads` on the same bodies, in the same run.
//!
//! It only parses and builds no minutes from the result, which is generous to it.

use std::{fs, path::PathBuf, process::Command, time::Duration};

/// Parses each file a given number of times, and prints the nanoseconds that this took.
const SCRIPT: &str = "\
import json, sys, time
bodies = [open(path, 'rb').read() for path in sys.argv[2:]]
start = time.perf_counter_ns()
for _ in range(int(sys.argv[1])):
    for body in bodies:
        json.loads(body)
print(time.perf_counter_ns() - start)
";

/// Bodies in files, for another program to read.
pub(crate) struct CPython {
    files: Vec<PathBuf>,
}

impl CPython {
    /// Prepares the bodies; `None` if there is no `python3`.
    pub(crate) fn new(name: &str, bodies: &[&[u8]]) -> Option<Self> {
        Command::new("python3").arg("--version").output().ok()?;
        let name = name.replace([' ', ','], "-");
        let files = bodies.iter().enumerate().map(|(place, body)| {
            let file = std::env::temp_dir().join(format!("pulsewing-bench-{name}-{place}.json"));
            fs::write(&file, body).unwrap();
            file
        });
        Some(Self {
            files: files.collect(),
        })
    }

    /// Returns the time that it takes to parse all of them `times` times.
    pub(crate) fn elapsed(&self, times: u64) -> Duration {
        let output = Command::new("python3")
            .args(["-c", SCRIPT, &times.to_string()])
            .args(&self.files)
            .output()
            .unwrap();
        let nanoseconds = String::from_utf8(output.stdout).unwrap();
        Duration::from_nanos(nanoseconds.trim().parse().unwrap())
    }
}

impl Drop for CPython {
    fn drop(&mut self) {
        for file in &self.files {
            // A file that cannot be removed stays in the temporary directory.
            let _ = fs::remove_file(file);
        }
    }
}
