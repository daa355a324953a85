//! Scenarios: what happened where, who says so, and what a replay fills in.
//!
//! A scenario file (TOML) is held against its schema and against itself before anything is made of it; what
//! is wrong is reported with file, line, column, the value and what is allowed. Under a seed it becomes a time
//! line: documented incidents, and reconstructed ones for what the sources count and do not date.
//!
//! Nothing here knows of links, packets or gateways, reads a clock, or draws from anything but the seed.
//!
//! ```
//! use host_sim::scenario::{Mark, Scenario};
//!
//! let scenario = Scenario::open("iraq-2019-2020")?;
//! let incidents = scenario.timeline(1);
//! assert_eq!(incidents.len(), 130);
//! assert_eq!(incidents.iter().filter(|incident| incident.mark == Mark::Documented).count(), 12);
//! # Ok::<(), host_sim::document::Invalid>(())
//! ```

mod base;
mod body;
mod calendar;
mod check;
mod coverage;
mod draft;
mod faults;
mod file;
mod fill_in;
mod layout;
mod probability;
mod timeline;
mod words;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::Path;

use alertbus::{NodeId, Place};
use toml::de::DeTable;

pub use base::Base;
pub use body::{Between, BodySpec, FillInBody, KindName};
pub use calendar::{Date, Quarter, local_time};
pub use faults::Faults;
pub use file::{
    Bound, BoundRule, ContextEvent, DocumentedAlert, DocumentedIncident, File, FillIn, Precision, Repeat,
    Source, Tally, TallyName,
};
pub use layout::{CoverageGap, Node, Siren, Site, Spread, Umbrella};
pub use probability::{NotAProbability, Probability};
pub use timeline::{AlertSpec, Incident, Mark, PlannedAlert, Provenance};
pub use words::{Decimal, Word, Words};

use crate::document::{self, Cursor, Findings, Format, Inherited, Invalid, Shape, near_miss, one_of, quoted};

/// Texts of scenario files that are more than texts.
const FORMATS: [Format; 3] = [
    Format {
        name: "date",
        allowed: "allowed: a day of the calendar such as 2020-01-08",
        numbers: false,
        check: |text| {
            text.parse::<Date>().map(drop).map_err(|_| ", which is no day of the years 1971 to 2099")
        },
    },
    Format {
        name: "quarter",
        allowed: "allowed: a quarter such as \"2020-Q1\"",
        numbers: false,
        check: |text| {
            text.parse::<Quarter>()
                .map(drop)
                .map_err(|_| ", which is not a quarter of the years 1971 to 2099")
        },
    },
    Format {
        name: "probability",
        allowed: "allowed: \"0%\" to \"100%\", or 0 to 1",
        numbers: true,
        check: |text| text.parse::<Probability>().map(drop).map_err(|_| ""),
    },
];

/// Scenarios that the program carries, by name.
const EMBEDDED: [(&str, &str); 6] = [
    ("iraq-2019-2020", include_str!("../../scenarios/iraq-2019-2020.toml")),
    ("six-sites", include_str!("../../scenarios/six-sites.toml")),
    ("fourteen-sites", include_str!("../../scenarios/fourteen-sites.toml")),
    ("convoy", include_str!("../../scenarios/convoy.toml")),
    ("flood", include_str!("../../scenarios/flood.toml")),
    ("attacker", include_str!("../../scenarios/attacker.toml")),
];

/// A scenario that has passed every check.
#[derive(Clone, Debug)]
pub struct Scenario {
    file: File,
}

impl Scenario {
    /// The name of the scenario that is played when none is named.
    pub const DEFAULT: &'static str = "iraq-2019-2020";

    /// Names of the scenarios that the program carries.
    pub fn embedded_names() -> impl Iterator<Item = &'static str> {
        EMBEDDED.iter().map(|(name, _)| *name)
    }

    /// The scenario of this name that the program carries, or none.
    ///
    /// # Errors
    /// What is wrong with it; a test holds that nothing is.
    #[must_use]
    pub fn embedded(name: &str) -> Option<Result<Self, Invalid>> {
        let (name, text) = EMBEDDED.iter().find(|(known, _)| *known == name)?;
        Some(Self::parse(&format!("{name}.toml"), text))
    }

    /// The embedded scenario of this name, else the file at this path.
    ///
    /// # Errors
    /// As [`Scenario::load`].
    pub fn open(name_or_path: &str) -> Result<Self, Invalid> {
        Self::embedded(name_or_path).unwrap_or_else(|| Self::load(Path::new(name_or_path)))
    }

    /// Reads the file at `path`, at most [`document::FILE_LEN_MAX`] bytes.
    ///
    /// # Errors
    /// The file cannot be read, is too large, is not UTF-8, or as [`Scenario::parse`].
    pub fn load(path: &Path) -> Result<Self, Invalid> {
        let name = path.display().to_string();
        let hint = || {
            let names: Vec<_> = Self::embedded_names().collect();
            let meant = near_miss(&name, names.iter().copied());
            let meant = meant.map_or_else(String::new, |near| format!("did you mean `{near}`? "));
            format!("{meant}carried by the program: {}", names.join(", "))
        };
        let text = document::read(path, "a scenario", hint)?;
        Self::parse(&name, &text)
    }

    /// Reads `text`, which messages call `name`.
    ///
    /// # Errors
    /// All that is wrong with it. Mistakes of TOML hide mistakes of shape, and these hide contradictions.
    pub fn parse(name: &str, text: &str) -> Result<Self, Invalid> {
        let mut findings = Findings::new(name, text);
        let Some(table) = document::table(text, &Shape::new(Self::schema(), &FORMATS), &mut findings) else {
            return Err(findings.into_invalid());
        };
        match toml::from_str::<File>(text) {
            Ok(file) => {
                let file = Self::whole(file, table.get_ref(), &mut findings);
                findings.into_report()?;
                Ok(Self { file })
            }
            // The schema is made from the same types: this would be a mistake of ours. Still a message.
            Err(error) => {
                findings.add(error.span().unwrap_or(0..0), error.message(), "");
                Err(findings.into_invalid())
            }
        }
    }

    /// `file`, which was read from `table`, with what it has from its base; notes what does not fit together.
    fn whole(file: File, table: &DeTable<'_>, findings: &mut Findings<'_>) -> File {
        let none = Inherited::default();
        let tree = Cursor::Root(table, &none);
        let Some(name) = file.base.as_ref().map(|base| base.scenario.clone()) else {
            check::check(&file, tree, findings);
            return file;
        };
        // What the program carries leads from base to base to an end; a test loads all of it.
        let Some(Ok(base)) = Self::embedded(&name) else {
            let names: Vec<_> = Self::embedded_names().collect();
            let message = format!("no scenario {} is carried by the program", quoted(&name));
            findings.add(tree.key("base").key("scenario").span(), message, one_of(&name, &names));
            return file;
        };
        let (file, inherited) = base::lay_over(file, base.file, tree, findings);
        // What is wrong with the laying would be found again as what follows from it.
        if findings.is_empty() {
            check::check(&file, Cursor::Root(table, &inherited), findings);
        }
        file
    }

    /// JSON schema of the file format, draft 2020-12.
    #[must_use]
    pub fn schema() -> schemars::Schema {
        schemars::schema_for!(File)
    }

    /// Everything the file says.
    #[must_use]
    pub const fn file(&self) -> &File {
        &self.file
    }

    /// Every incident under `seed`, in the order of time, and of the name where times are the same.
    #[must_use]
    pub fn timeline(&self, seed: u64) -> Vec<Incident> {
        timeline::timeline(&self.file, seed)
    }

    /// The sensor nodes, in the order of the file.
    #[must_use]
    pub fn nodes(&self) -> &[Node] {
        &self.file.node
    }

    /// The sirens, in the order of the file.
    #[must_use]
    pub fn sirens(&self) -> &[Siren] {
        &self.file.siren
    }

    /// Whether the site of this name has active defences; what rides in a convoy has none wherever it is.
    #[must_use]
    pub fn is_under_umbrella(&self, site: &str) -> bool {
        self.file.umbrella.as_ref().is_some_and(|umbrella| umbrella.sites.iter().any(|id| id == site))
    }

    /// When each mobile node is out of radio coverage while `incidents`, a time line of this scenario, are played:
    /// beginning and end in milliseconds since 1970, universal time, in order and apart. Nodes without such times
    /// are not named.
    #[must_use]
    pub fn coverage_gaps(&self, incidents: &[Incident]) -> BTreeMap<NodeId, Vec<(u64, u64)>> {
        coverage::gaps(&self.file, incidents)
    }

    /// The sites, in the order of the file.
    #[must_use]
    pub fn sites(&self) -> &[Site] {
        &self.file.site
    }

    /// The site of this name.
    #[must_use]
    pub fn site(&self, id: &str) -> Option<&Site> {
        self.file.site.iter().find(|site| site.id == id)
    }

    /// The default link faults; options on the command line replace each by name.
    #[must_use]
    pub const fn faults(&self) -> Faults {
        self.file.faults
    }

    /// What `incidents`, a time line of this scenario, adds up to beside each of the source's counts.
    #[must_use]
    pub fn tallies(&self, incidents: &[Incident]) -> Vec<TallyRow> {
        let count = |tally: &Tally, mark| {
            let counted = |incident: &&Incident| {
                (incident.tally, incident.quarter, incident.mark)
                    == (Some(tally.name), Some(tally.quarter), mark)
            };
            u32::try_from(incidents.iter().filter(counted).count()).unwrap_or(u32::MAX)
        };
        let row = |tally: &Tally| TallyRow {
            tally: tally.name,
            quarter: tally.quarter,
            documented: count(tally, Mark::Documented),
            reconstructed: count(tally, Mark::Reconstructed),
            source_total: tally.count,
        };
        self.file.tally.iter().map(row).collect()
    }
}

impl Site {
    /// Position and accuracy as they travel; not known where the accuracy is beyond what the wire can say.
    #[must_use]
    pub fn place(&self) -> Place {
        draft::place(self)
    }
}

/// A count of the source beside what the scenario plays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TallyRow {
    /// What is counted.
    pub tally: TallyName,
    /// When.
    pub quarter: Quarter,
    /// Documented incidents.
    pub documented: u32,
    /// Reconstructed incidents.
    pub reconstructed: u32,
    /// The source's count.
    pub source_total: u32,
}

impl TallyRow {
    /// Incidents played.
    #[must_use]
    pub const fn total(&self) -> u32 {
        self.documented.saturating_add(self.reconstructed)
    }

    /// Whether that is the source's count.
    #[must_use]
    pub const fn matches(&self) -> bool {
        self.total() == self.source_total
    }
}
