//! `completions` and `man`: real shells and real formatters read them.

use std::{fs, process::Command};

use crate::harness::hermetic::Home;

const SHELLS: [&str; 5] = ["bash", "zsh", "fish", "powershell", "elvish"];

/// Runs a program of the machine and returns its output, if it is installed.
fn run(program: &str, args: &[&str]) -> Option<(bool, String, String)> {
    let output = Command::new(program).args(args).output().ok()?;
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Some((
        output.status.success(),
        text(output.stdout),
        text(output.stderr),
    ))
}

#[test]
fn every_shell_has_completions_of_every_command() {
    let home = Home::new();
    let commands = [
        "login", "logout", "adopt", "once", "run", "service", "status", "render", "board",
        "doctor", "demo", "sandbox",
    ];
    for shell in SHELLS {
        let script = home.run(&["completions", shell]).exits(0).stdout;
        for word in commands.iter().chain(&["state-dir", "offline"]) {
            assert!(script.contains(word), "{shell}: {word}");
        }
        let path = home.write(shell, &script);
        // The shell itself reads it, if it is installed.
        let checked = match shell {
            "bash" | "zsh" => run(shell, &["-n", &path]),
            "fish" => run("fish", &["--no-execute", &path]),
            _ => None,
        };
        if let Some((is_good, stdout, stderr)) = checked {
            assert!(is_good, "{shell}: {stdout}{stderr}");
        }
    }
    home.run(&["completions", "tcsh"])
        .exits(2)
        .says("possible values");
    home.run(&["completions"]).exits(2);
}

#[test]
fn a_real_bash_completes_commands_and_options() {
    let home = Home::new();
    let script = home.run(&["completions", "bash"]).exits(0).stdout;
    let path = home.write("completions.bash", &script);
    let complete = |words: &[&str]| {
        let current = words.len() - 1;
        let words = words.join("' '");
        let line = format!(
            "source '{path}' && complete -p pulsewing >/dev/null && COMP_WORDS=('{words}') COMP_CWORD={current} \
             && _pulsewing pulsewing \"${{COMP_WORDS[{current}]}}\" x && printf '%s\\n' \"${{COMPREPLY[@]}}\""
        );
        let (is_good, stdout, stderr) =
            run("/bin/bash", &["--norc", "-c", &line]).expect("this test needs /bin/bash");
        assert!(is_good, "{stderr}");
        assert_eq!(stderr, "");
        stdout.lines().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(complete(&["pulsewing", "doc"]), ["doctor"]);
    assert_eq!(complete(&["pulsewing", "doctor", "--off"]), ["--offline"]);
    assert_eq!(complete(&["pulsewing", "completions", "el"]), ["elvish"]);
}

#[test]
fn every_manual_page_is_set_without_a_warning() {
    let home = Home::new();
    for command in [
        &[][..],
        &["once"],
        &["doctor"],
        &["run"],
        &["service", "install"],
        &["login"],
        &["render"],
        &["board"],
        &["board", "status"],
        &["completions"],
        &["man"],
    ] {
        let name = ["pulsewing"].iter().chain(command).copied();
        let name = name.collect::<Vec<_>>().join("-");
        let page = home.run(&[&["man"], command].concat()).exits(0).stdout;
        assert!(page.contains(&format!(".TH {name} 1")), "{page}");
        assert!(page.contains("PULSEWING_STATE_DIR"), "{name}");
        let path = home.write(&name, &page);
        // Any formatter that is installed.
        for (program, args) in [
            ("groff", &["-man", "-Tutf8", "-ww", "-z", &path][..]),
            ("mandoc", &["-Tlint", "-Wwarning", &path]),
        ] {
            if let Some((is_good, stdout, stderr)) = run(program, args) {
                assert!(is_good, "{name}: {stdout}{stderr}");
                assert_eq!(format!("{stdout}{stderr}"), "", "{name}");
            }
        }
    }
    home.run(&["man", "no-such"])
        .exits(2)
        .says("there is no command \"no-such\"");
}

#[test]
fn neither_needs_a_configuration_nor_shows_what_is_set() {
    let home = Home::new();
    home.configure("this is no TOML");
    for args in [&["completions", "bash"][..], &["man"], &["man", "once"]] {
        let plain = home.run(args).exits(0).stdout;
        let set = home
            .program(args)
            .env("PULSEWING_STATE_DIR", "/my/secret/place")
            .run();
        assert_eq!(set.exits(0).stdout, plain);
    }
    assert!(fs::read_dir(home.path("state")).unwrap().next().is_none());
}
