//! Rules from a file, or those that the program carries.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::document::{self, Cursor, Findings, Invalid, Report, Shape};
use crate::scenario::Scenario;

use super::check::check;
use super::compile::compile;
use super::file::File;
use super::places::Places;
use super::rules::Rules;
use super::words::FORMATS;

/// Rules that the program carries, by the scenario that they are for.
const EMBEDDED: [(&str, &str); 1] = [("iraq-2019-2020", include_str!("../../rules/iraq-2019-2020.toml"))];

/// Each site's own sirens for its live Flash alerts, and nothing else: what is played where nobody gives any rules.
const OWN_SIRENS: &str = include_str!("../../rules/own-sirens.toml");

impl Rules {
    /// The rules that are used when none are named.
    pub const DEFAULT: &'static str = "iraq-2019-2020";

    /// Names of the rules that the program carries.
    pub fn embedded_names() -> impl Iterator<Item = &'static str> {
        EMBEDDED.iter().map(|(name, _)| *name)
    }

    /// The rules of this name that the program carries, else the file at this path; with what is worth a remark.
    ///
    /// # Errors
    /// As [`Rules::load`].
    pub fn open(name_or_path: &str) -> Result<(Self, Report), Invalid> {
        match EMBEDDED.iter().find(|(name, _)| *name == name_or_path) {
            Some((name, text)) => Self::parse(&format!("{name}.toml"), text, Path::new("")),
            None => Self::load(Path::new(name_or_path)),
        }
    }

    /// Reads the file at `path`.
    ///
    /// # Errors
    /// The file cannot be read, is too large, is not UTF-8, or as [`Rules::parse`].
    pub fn load(path: &Path) -> Result<(Self, Report), Invalid> {
        let hint =
            || format!("carried by the program: {}", Self::embedded_names().collect::<Vec<_>>().join(", "));
        let text = document::read(path, "a rules file", hint)?;
        Self::parse(&path.display().to_string(), &text, path.parent().unwrap_or_else(|| Path::new("")))
    }

    /// Reads `text`, which messages call `name`; the files it names are seen from `folder`.
    ///
    /// # Errors
    /// All that is wrong with it. Mistakes of TOML hide mistakes of shape, these hide names of nothing, and these hide
    /// routes that nothing reaches.
    pub fn parse(name: &str, text: &str, folder: &Path) -> Result<(Self, Report), Invalid> {
        Self::parse_over(name, text, folder, None)
    }

    /// The same for other places than those of its scenario.
    ///
    /// # Errors
    /// As [`Rules::parse`].
    pub fn parse_for(
        name: &str,
        text: &str,
        folder: &Path,
        places: Places,
    ) -> Result<(Self, Report), Invalid> {
        Self::parse_over(name, text, folder, Some(places))
    }

    /// Each site's own sirens for its live Flash alerts, for `places`.
    #[must_use]
    pub fn own_sirens(places: Places) -> Self {
        match Self::parse_for("own-sirens.toml", OWN_SIRENS, Path::new(""), places) {
            Ok((rules, _)) => rules,
            Err(invalid) => unreachable!("a test holds that these rules are right: {invalid}"),
        }
    }

    fn parse_over(
        name: &str,
        text: &str,
        folder: &Path,
        places: Option<Places>,
    ) -> Result<(Self, Report), Invalid> {
        let mut findings = Findings::new(name, text);
        let shape = Shape::new(Self::schema(), &FORMATS);
        let Some(table) = document::table(text, &shape, &mut findings) else {
            return Err(findings.into_invalid());
        };
        let file: File = match toml::from_str(text) {
            Ok(file) => file,
            Err(error) => {
                // The schema is made from the same types: this would be a mistake of ours. Still a message.
                findings.add(error.span().unwrap_or(0..0), error.message(), "");
                return Err(findings.into_invalid());
            }
        };
        let tree = Cursor::of(table.get_ref());
        let scenario = file.scenario.as_deref().unwrap_or(Scenario::DEFAULT);
        let scenario = seen_from(folder, scenario);
        let places = match places {
            Some(places) => places,
            None => match Scenario::open(&scenario) {
                Ok(scenario) => Places::of(&scenario),
                Err(invalid) => {
                    let why =
                        invalid.diagnostics().first().map(|first| first.message.clone()).unwrap_or_default();
                    let message = format!("the scenario cannot be used: {why}");
                    findings.add(
                        tree.key("scenario").span(),
                        message,
                        "`host-sim check` of the scenario says more",
                    );
                    return Err(findings.into_invalid());
                }
            },
        };
        let rules = compile(name, (folder, scenario), file, Arc::new(places), tree, &mut findings);
        if findings.is_empty() {
            check(&rules, tree, &mut findings);
        }
        Ok((rules, findings.into_report()?))
    }

    /// JSON schema of the file format, draft 2020-12.
    #[must_use]
    pub fn schema() -> schemars::Schema {
        schemars::schema_for!(File)
    }
}

/// A scenario that the program carries by its name, or a file as seen from `folder`.
pub(super) fn seen_from(folder: &Path, name_or_path: &str) -> String {
    if Scenario::embedded_names().any(|name| name == name_or_path) {
        return name_or_path.to_owned();
    }
    let path: PathBuf = folder.join(name_or_path);
    path.display().to_string()
}

impl Places {
    /// Those of a scenario.
    #[must_use]
    pub fn of(scenario: &Scenario) -> Self {
        let sites = scenario
            .sites()
            .iter()
            .map(|site| super::places::Site { id: site.id.clone(), number: alertbus::SiteId(site.number) });
        let nodes = scenario.nodes().iter().map(|node| super::places::Node {
            id: node.id.clone(),
            number: alertbus::NodeId(node.number),
            site: node.site.clone(),
            detects: node.detects.iter().map(|kind| kind.name().to_owned()).collect(),
        });
        let sirens = scenario.sirens().iter().map(|siren| super::places::Siren {
            id: siren.id.clone(),
            number: alertbus::NodeId(siren.number),
            site: siren.site.clone(),
        });
        Self::new(sites.collect(), nodes.collect(), sirens.collect())
    }
}
