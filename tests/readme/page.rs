//! A page's commands with their output, and whether an output is the one shown.

/// A command as a page shows it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) path: String,
    pub(crate) line: usize,
    pub(crate) command: String,
    /// Empty if none is shown.
    pub(crate) output: Vec<String>,
    pub(crate) is_run: bool,
}

impl Step {
    pub(crate) fn fault(&self, what: &str) -> String {
        format!("{}:{}: `{}`: {what}", self.path, self.line, self.command)
    }
}

/// The commands in a page's `console` and `sh` blocks.
pub(crate) fn steps(path: &str, text: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let (mut inside, mut is_run, mut above) = (false, true, "");
    // Up to the first command of a block, output belongs to none.
    let mut open = false;
    for (index, line) in text.lines().enumerate() {
        if let Some(info) = line.trim_start().strip_prefix("```") {
            inside = !inside && ["console", "sh"].contains(&info.trim());
            is_run = !above.starts_with("<!-- not run:");
            open = false;
        } else if inside {
            let continues = steps.last_mut().filter(|step| open && step.command.ends_with('\\'));
            if let Some(step) = continues {
                step.command.truncate(step.command.len() - 1);
                step.command = format!("{} {}", step.command.trim_end(), line.trim());
            } else if let Some(command) = line.strip_prefix("$ ") {
                open = true;
                let command = command.trim().to_string();
                steps.push(Step { path: path.into(), line: index + 1, command, output: Vec::new(), is_run });
            } else if let Some(step) = steps.last_mut().filter(|_| open) {
                step.output.push(line.trim_end().to_string());
            }
        }
        if !line.trim().is_empty() {
            above = line.trim();
        }
    }
    for step in &mut steps {
        while step.output.last().is_some_and(String::is_empty) {
            step.output.pop();
        }
    }
    steps
}

/// Where `printed` is not what is `shown`, if anywhere.
pub(crate) fn difference(shown: &[String], printed: &str) -> Option<String> {
    let printed: Vec<&str> = printed.trim_end().lines().map(str::trim_end).collect();
    let shown: Vec<&str> = shown.iter().map(String::as_str).collect();
    if shown.is_empty() || lines_match(&shown, &printed) {
        return None;
    }
    // The first line that no longer fits tells the most; after a `...` that is not known, and all is shown.
    let same = shown.iter().zip(&printed).take_while(|(a, b)| **a != "..." && line_matches(a, b)).count();
    let at = |lines: &[&str]| lines.get(same).map_or_else(|| "(its end)".to_string(), ToString::to_string);
    Some(format!(
        "line {} of the output is\n      {}\n  and not, as shown,\n      {}\n  all of it:\n{}",
        same + 1,
        at(&printed),
        at(&shown),
        printed.join("\n")
    ))
}

fn lines_match(shown: &[&str], printed: &[&str]) -> bool {
    match (shown.split_first(), printed.split_first()) {
        (None, None) => true,
        (Some((&"...", shown)), _) => (0..=printed.len()).any(|skip| lines_match(shown, &printed[skip..])),
        (Some((line, shown)), Some((other, printed))) => {
            line_matches(line, other) && lines_match(shown, printed)
        }
        _ => false,
    }
}

fn line_matches(shown: &str, printed: &str) -> bool {
    let Some((start, rest)) = shown.split_once('…') else { return shown == printed };
    let Some(printed) = printed.strip_prefix(start) else { return false };
    let ends = printed.char_indices().map(|(at, _)| at).chain([printed.len()]);
    ends.into_iter().any(|at| line_matches(rest, &printed[at..]))
}

#[test]
fn commands_are_read_with_their_output_and_line() {
    let text = "# Title\n```console\n$ host-sim a \\\n    --b\none\n\ntwo\n\n$ host-sim c\n```\n```toml\n$ no\n```\n\
                <!-- not run: it never ends -->\n\n```sh\n# note\n$ host-sim d\n```\n$ no\n";
    let found: Vec<(usize, String, usize, bool)> =
        steps("README.md", text).into_iter().map(|s| (s.line, s.command, s.output.len(), s.is_run)).collect();
    assert_eq!(
        found,
        [
            (3, "host-sim a --b".to_string(), 3, true),
            (9, "host-sim c".to_string(), 0, true),
            (18, "host-sim d".to_string(), 0, false),
        ]
    );
}

#[test]
fn an_output_that_differs_is_found() {
    let differs = |shown: &str, printed: &str| {
        difference(&shown.lines().map(String::from).collect::<Vec<_>>(), printed).is_some()
    };
    for (shown, printed) in [
        ("one\ntwo", "one\ntwo \n"),
        ("one\n...\nlast", "one\n2\n3\nlast"),
        ("...\nlast", "last"),
        ("one\n...", "one"),
        ("took … ms", "took 12 ms"),
        ("", "anything"),
    ] {
        assert!(!differs(shown, printed), "{shown:?} is {printed:?}");
    }
    for (shown, printed) in [
        ("one\ntwo", "one\n2"),
        ("one", "one\ntwo"),
        ("one\ntwo", "one"),
        ("one\n...\nlast", "one\n2\n3"),
        ("took … ms", "took 12 s"),
    ] {
        assert!(differs(shown, printed), "{shown:?} is not {printed:?}");
    }
    assert!(difference(&["one".into(), "two".into()], "one\n2").unwrap().starts_with("line 2 "));
}
