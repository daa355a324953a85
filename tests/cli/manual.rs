//! `host-sim completions` and `host-sim man`.

use crate::{host_sim, said};

#[test]
fn every_shell_completes_every_command() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let (code, script, errors) = said(&host_sim(&["completions", shell]));
        assert_eq!((code, errors.as_str()), (0, ""), "{shell}");
        for word in ["decode", "encode", "node-key-file"] {
            assert!(script.contains(word), "{shell} does not complete {word}");
        }
    }
    assert_eq!(said(&host_sim(&["completions", "cmd"])).0, 2);
    for shell in ["bash", "zsh"] {
        let script = said(&host_sim(&["completions", shell])).1;
        assert!(script.contains("six-sites fourteen-sites convoy flood"), "{shell} completes no scenario");
    }
}

/// What a person gets who types this and presses Tab.
#[cfg(unix)]
fn completed(words: &[&str]) -> String {
    let script = said(&host_sim(&["completions", "bash"])).1;
    let line = format!(
        "{script}\nCOMP_WORDS=({}); COMP_CWORD={}; {}; echo ${{COMPREPLY[*]}}",
        words.join(" "),
        words.len() - 1,
        r#"_host__sim host-sim "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD-1]}""#
    );
    let output = std::process::Command::new("bash").args(["-c", &line]).output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

#[test]
#[cfg(unix)]
fn bash_completes_behind_a_command() {
    assert_eq!(completed(&["host-sim", "repl"]).trim(), "replay");
    assert_eq!(completed(&["host-sim", "replay", "--dro"]).trim(), "--drop");
    assert_eq!(completed(&["host-sim", "keys", "pro"]).trim(), "provision");
    assert_eq!(completed(&["host-sim", "keys", "provision", "--flash"]).trim(), "--flash-floor");
}

#[test]
fn the_manual_has_a_page_for_every_command() {
    let (code, page, _) = said(&host_sim(&["man"]));
    assert_eq!(code, 0);
    assert!(page.contains(".TH host-sim 1"), "{page}");

    let folder = std::env::temp_dir().join(format!("host-sim-{}-man", std::process::id()));
    let (code, out, errors) = said(&host_sim(&["man", folder.join("man1").to_str().unwrap()]));
    let names: Vec<_> = std::fs::read_dir(folder.join("man1"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    let encode = std::fs::read_to_string(folder.join("man1/host-sim-encode.1")).unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
    assert_eq!((code, out.as_str(), errors.as_str()), (0, "", ""));
    for page in [
        "host-sim.1",
        "host-sim-decode.1",
        "host-sim-keys-provision.1",
        "host-sim-man.1",
        "host-sim-incidents.1",
    ] {
        assert!(names.iter().any(|name| name == page), "{page} in {names:?}");
    }
    assert!(encode.contains("accuracy\\-km"), "{encode}");
}

#[test]
fn a_folder_that_cannot_be_written_is_exit_code_3() {
    let file = std::env::temp_dir().join(format!("host-sim-{}-no-folder", std::process::id()));
    std::fs::write(&file, "").unwrap();
    let (code, _, errors) = said(&host_sim(&["man", file.to_str().unwrap()]));
    std::fs::remove_file(&file).unwrap();
    assert_eq!(code, 3);
    assert!(errors.starts_with("host-sim: cannot write the manual into"), "{errors}");
}
