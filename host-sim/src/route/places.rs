//! The names that rules may use: sites, nodes and sirens, with their numbers on the wire.

use alertbus::{NodeId, SiteId};

/// A place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Site {
    /// Its name.
    pub id: String,
    /// Its number on the wire.
    pub number: SiteId,
}

/// A sensor node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// Its path.
    pub id: String,
    /// Its address.
    pub number: NodeId,
    /// Name of its site.
    pub site: String,
    /// Names of the kinds of alert that it raises; nothing where that is not known.
    pub detects: Vec<String>,
}

/// A siren.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Siren {
    /// Its path.
    pub id: String,
    /// Its address.
    pub number: NodeId,
    /// Name of the site that it warns.
    pub site: String,
}

/// Everything that has a name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Places {
    sites: Vec<Site>,
    nodes: Vec<Node>,
    sirens: Vec<Siren>,
    /// Places of `nodes` by address.
    by_address: Vec<(NodeId, u16)>,
    /// Place of each node's site in `sites`.
    site_of: Vec<Option<u16>>,
}

impl Places {
    /// These. Of two nodes with one address the first is known by it.
    #[must_use]
    pub fn new(sites: Vec<Site>, nodes: Vec<Node>, sirens: Vec<Siren>) -> Self {
        let mut by_address: Vec<_> = (0..=u16::MAX).zip(&nodes).map(|(at, node)| (node.number, at)).collect();
        by_address.sort_unstable();
        by_address.dedup_by_key(|(number, _)| *number);
        let mut places = Self { sites, nodes, sirens, by_address, site_of: Vec::new() };
        places.site_of = places.nodes.iter().map(|node| places.site(&node.site)).collect();
        places
    }

    /// The sites, in their order: a site's place here is its number in rules.
    #[must_use]
    pub fn sites(&self) -> &[Site] {
        &self.sites
    }

    /// The nodes, in their order: a node's place here is its number in rules.
    #[must_use]
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The sirens.
    #[must_use]
    pub fn sirens(&self) -> &[Siren] {
        &self.sirens
    }

    /// The site of this name.
    #[must_use]
    pub fn site(&self, id: &str) -> Option<u16> {
        let at = self.sites.iter().position(|site| site.id == id)?;
        u16::try_from(at).ok()
    }

    /// The node with this address.
    #[must_use]
    pub fn node(&self, number: NodeId) -> Option<u16> {
        let at = self.by_address.binary_search_by_key(&number, |(number, _)| *number).ok()?;
        self.by_address.get(at).map(|(_, node)| *node)
    }

    /// The site of the node at this place.
    #[must_use]
    pub fn site_of(&self, node: u16) -> Option<u16> {
        self.site_of.get(usize::from(node)).copied().flatten()
    }

    /// The sirens that warn the site of this name.
    pub fn sirens_at<'a>(&'a self, site: &'a str) -> impl Iterator<Item = &'a Siren> {
        self.sirens.iter().filter(move |siren| siren.site == site)
    }
}
