//! Holds a parsed file against the JSON schema of the format, and finds everything that does not fit at once.
//!
//! serde stops at the first mistake and knows its place only roughly; this goes through the whole file. It
//! understands as much of JSON Schema as `schemars` writes for the types of this program's formats.

use std::ops::Range;

use serde_json::{Map, Value};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::diagnostic::Findings;
use super::suggest::{one_of, quoted};

/// A text that is more than a text: what a schema calls its format.
pub(crate) struct Format {
    /// Its name in the schema.
    pub(crate) name: &'static str,
    /// What is allowed there.
    pub(crate) allowed: &'static str,
    /// Whether a number is held against it as well.
    pub(crate) numbers: bool,
    /// Refuses a text, with what is to be said behind it.
    pub(crate) check: fn(&str) -> Result<(), &'static str>,
}

/// The schema of a file format.
pub(crate) struct Shape {
    root: Value,
    formats: &'static [Format],
}

impl Shape {
    pub(crate) fn new(schema: schemars::Schema, formats: &'static [Format]) -> Self {
        Self { root: schema.to_value(), formats }
    }

    fn format(&self, schema: &Value) -> Option<&'static Format> {
        let name = schema["format"].as_str()?;
        self.formats.iter().find(|format| format.name == name)
    }

    /// Notes everything in `file` that the schema does not allow.
    pub(crate) fn check(&self, file: &Spanned<DeTable<'_>>, findings: &mut Findings<'_>) {
        self.table(WHOLE, 0..0, file.get_ref(), &self.root, findings);
    }

    fn value(&self, name: &str, value: &Spanned<DeValue<'_>>, schema: &Value, findings: &mut Findings<'_>) {
        let schema = match self.resolve(schema) {
            Resolved::One(schema) => schema,
            Resolved::Several(branches) => {
                match branches.iter().find(|branch| fits(value.get_ref(), branch)) {
                    Some(branch) => return self.value(name, value, branch, findings),
                    None => return self.mistyped(name, value, &branches, findings),
                }
            }
        };
        if let Some(words) = words(schema) {
            self.word(name, value, &words, findings);
            return;
        }
        if let (Some(branches), DeValue::Table(table)) = (schema["oneOf"].as_array(), value.get_ref()) {
            self.tagged(name, value.span(), table, branches, findings);
            return;
        }
        if !fits(value.get_ref(), schema) {
            return self.mistyped(name, value, &[schema], findings);
        }
        match value.get_ref() {
            DeValue::Table(table) => self.table(name, value.span(), table, schema, findings),
            DeValue::Array(array) => {
                self.within(name, value, array.len(), ["minItems", "maxItems"], schema, findings);
                for element in array.iter() {
                    self.value(name, element, &schema["items"], findings);
                }
            }
            DeValue::Integer(_) | DeValue::Float(_) => self.number(name, value, schema, findings),
            DeValue::String(_) | DeValue::Datetime(_) => self.text(name, value, schema, findings),
            DeValue::Boolean(_) => {}
        }
    }

    fn mistyped(
        &self,
        name: &str,
        value: &Spanned<DeValue<'_>>,
        branches: &[&Value],
        findings: &mut Findings<'_>,
    ) {
        let what = value.get_ref().type_str();
        let message = format!("`{name}` is {}, of type {what}", shown(value.get_ref()));
        let allowed: Vec<_> = branches.iter().map(|branch| self.allowed(branch)).collect();
        findings.add(value.span(), message, allowed.join(" or ").replace(" or allowed:", " or"));
    }

    fn table(
        &self,
        name: &str,
        span: Range<usize>,
        table: &DeTable<'_>,
        schema: &Value,
        findings: &mut Findings<'_>,
    ) {
        let nothing = Map::new();
        let others = Some(&schema["additionalProperties"]).filter(|others| others.is_object());
        let properties = match schema["properties"].as_object() {
            Some(properties) => properties,
            None if others.is_some() => &nothing,
            None => return,
        };
        for (key, value) in table {
            if findings.is_full() {
                return;
            }
            match properties.get(key.get_ref().as_ref()).or(others) {
                // A free key is whatever somebody wrote.
                Some(schema) => self.value(quoted(key.get_ref()).trim_matches('`'), value, schema, findings),
                None => {
                    let known: Vec<_> = properties.keys().map(String::as_str).collect();
                    let message = format!("unknown key {} in {}", quoted(key.get_ref()), place(name));
                    findings.add(key.span(), message, one_of(key.get_ref(), &known));
                }
            }
        }
        for key in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            if table.get(key).is_none() {
                let allowed = properties.get(key).map(|schema| self.allowed_of(schema));
                let message = format!("`{key}` is missing in {}", place(name));
                findings.add(span.clone(), message, allowed.unwrap_or_default());
            }
        }
    }

    /// A table whose `kind` says which keys it has.
    fn tagged(
        &self,
        name: &str,
        span: Range<usize>,
        table: &DeTable<'_>,
        branches: &[Value],
        findings: &mut Findings<'_>,
    ) {
        let tag = |branch: &'_ Value| branch["properties"]["kind"]["const"].as_str().map(str::to_owned);
        let kinds: Vec<_> = branches.iter().filter_map(tag).collect();
        let kinds: Vec<_> = kinds.iter().map(String::as_str).collect();
        let Some(kind) = table.get("kind") else {
            findings.add(span, format!("`kind` is missing in {}", place(name)), one_of("", &kinds));
            return;
        };
        match branches
            .iter()
            .find(|branch| branch["properties"]["kind"]["const"].as_str() == kind.get_ref().as_str())
        {
            Some(branch) => self.table(name, span, table, branch, findings),
            None => self.word("kind", kind, &kinds, findings),
        }
    }

    fn word(&self, name: &str, value: &Spanned<DeValue<'_>>, words: &[&str], findings: &mut Findings<'_>) {
        let word = value.get_ref().as_str();
        if !word.is_some_and(|word| words.contains(&word)) {
            let message = format!("`{name}` is {}", shown(value.get_ref()));
            findings.add(value.span(), message, one_of(word.unwrap_or_default(), words));
        }
    }

    fn number(&self, name: &str, value: &Spanned<DeValue<'_>>, schema: &Value, findings: &mut Findings<'_>) {
        let text = shown(value.get_ref());
        let number: f64 = text.trim_matches('`').parse().unwrap_or(f64::NAN);
        let least = schema["minimum"].as_f64().unwrap_or(f64::NEG_INFINITY);
        let most = schema["maximum"].as_f64().unwrap_or(f64::INFINITY);
        // Written so that "not a number" is outside every range.
        if !(number >= least && number <= most && number.is_finite()) {
            findings.add(value.span(), format!("`{name}` is {text}"), self.allowed(schema));
        } else if let Some(format) = self.format(schema).filter(|format| format.numbers)
            && (format.check)(text.trim_matches('`')).is_err()
        {
            let message = format!("`{name}` is {text}, which is not written with at most six decimals");
            findings.add(value.span(), message, self.allowed(schema));
        }
    }

    fn text(&self, name: &str, value: &Spanned<DeValue<'_>>, schema: &Value, findings: &mut Findings<'_>) {
        let text = match value.get_ref() {
            DeValue::Datetime(date) => date.to_string(),
            other => other.as_str().unwrap_or_default().to_owned(),
        };
        let refused = self.format(schema).and_then(|format| (format.check)(&text).err());
        match refused {
            Some(why) => {
                findings.add(
                    value.span(),
                    format!("`{name}` is {}{why}", quoted(&text)),
                    self.allowed(schema),
                );
            }
            None => {
                unprintable(name, value, &text, findings);
                self.within(name, value, text.chars().count(), ["minLength", "maxLength"], schema, findings);
            }
        }
    }

    /// Whether a text or a list has a length that is allowed.
    fn within(
        &self,
        name: &str,
        value: &Spanned<DeValue<'_>>,
        length: usize,
        [least, most]: [&str; 2],
        schema: &Value,
        findings: &mut Findings<'_>,
    ) {
        let bound = |key: &str| schema[key].as_u64().and_then(|bound| usize::try_from(bound).ok());
        if bound(least).is_some_and(|least| length < least) || bound(most).is_some_and(|most| length > most) {
            let unit = if least == "minItems" { "elements" } else { "characters" };
            findings.add(value.span(), format!("`{name}` has {length} {unit}"), self.allowed(schema));
        }
    }

    /// Follows references, and for an optional value goes on to the value.
    fn resolve<'s>(&'s self, mut schema: &'s Value) -> Resolved<'s> {
        // The schema is finite and its references lead downwards; the bound is for a mistake in it.
        for _ in 0..16 {
            if let Some(pointer) = schema["$ref"].as_str().and_then(|reference| reference.strip_prefix('#')) {
                schema = self.root.pointer(pointer).unwrap_or(&Value::Null);
            } else if let Some(branches) = schema["anyOf"].as_array() {
                let mut values = branches.iter().filter(|branch| branch["type"] != "null");
                match (values.next(), values.next()) {
                    (Some(value), None) => schema = value,
                    (None, _) => schema = &Value::Null,
                    (Some(_), Some(_)) => {
                        let values = branches.iter().filter(|branch| branch["type"] != "null");
                        let one = |branch| match self.resolve(branch) {
                            Resolved::One(schema) => vec![schema],
                            Resolved::Several(branches) => branches,
                        };
                        return Resolved::Several(values.flat_map(one).collect());
                    }
                }
            } else {
                break;
            }
        }
        Resolved::One(schema)
    }

    /// What may stand there, in words, whatever leads to it.
    fn allowed_of(&self, schema: &Value) -> String {
        match self.resolve(schema) {
            Resolved::One(schema) => self.allowed(schema),
            Resolved::Several(branches) => {
                let allowed: Vec<_> = branches.iter().map(|branch| self.allowed(branch)).collect();
                allowed.join(" or ").replace(" or allowed:", " or")
            }
        }
    }

    /// What may stand there, in words.
    fn allowed(&self, schema: &Value) -> String {
        if let Some(words) = words(schema) {
            return one_of("", &words);
        }
        let range = |least: &str, most: &str, unit: &str| match (bound(schema, least), bound(schema, most)) {
            (Some(least), Some(most)) if least == most => format!(" {least}{unit}"),
            (Some(least), Some(most)) => format!(" {least} to {most}{unit}"),
            (Some(least), None) => format!(" at least {least}{unit}"),
            (None, Some(most)) => format!(" at most {most}{unit}"),
            (None, None) => String::new(),
        };
        if let Some(format) = self.format(schema) {
            return format.allowed.into();
        }
        let each = types(schema).into_iter().map(|name| match name {
            "integer" => format!("a whole number,{}", range("minimum", "maximum", "")),
            "number" => format!("a number,{}", range("minimum", "maximum", "")),
            "string" => format!("a text,{}", range("minLength", "maxLength", " characters")),
            "array" => format!("a list,{}", range("minItems", "maxItems", " elements")),
            "boolean" => "true or false".into(),
            _ => "a table".into(),
        });
        let each: Vec<_> = each.map(|one| one.trim_end_matches(',').to_owned()).collect();
        format!("allowed: {}", each.join(" or "))
    }
}

/// What the outermost table is called.
const WHOLE: &str = "the file";

/// Texts that are printed as paragraphs of their own; every other may stand in a row of a table.
const PARAGRAPHS: [&str; 3] = ["description", "note", "reason"];

/// Notes a character that would break a row of a table, or steer the terminal that shows it.
fn unprintable(name: &str, value: &Spanned<DeValue<'_>>, text: &str, findings: &mut Findings<'_>) {
    let paragraph = PARAGRAPHS.contains(&name);
    let steers = |c: &char| {
        let turns = matches!(*c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        (c.is_control() && !(paragraph && *c == '\n')) || turns
    };
    if let Some(found) = text.chars().find(steers) {
        let message = format!("`{name}` holds the control character {}", found.escape_default());
        let lines = if paragraph { "text and ends of lines" } else { "a text on one line" };
        findings.add(value.span(), message, format!("allowed: {lines}, without control characters"));
    }
}

/// The closed list of words that a schema allows, if it is one.
fn words(schema: &Value) -> Option<Vec<&str>> {
    if let Some(words) = schema["enum"].as_array() {
        return words.iter().map(Value::as_str).collect();
    }
    schema["oneOf"].as_array()?.iter().map(|branch| branch["const"].as_str()).collect()
}

/// What a schema comes to when its references are followed.
enum Resolved<'s> {
    One(&'s Value),
    /// A choice of several, none of which is "nothing".
    Several(Vec<&'s Value>),
}

/// Whether a value of this type may stand there, whatever it holds.
fn fits(value: &DeValue<'_>, schema: &Value) -> bool {
    if words(schema).is_some() {
        return value.is_str();
    }
    let is_moment = value.is_datetime() && ["date", "date-time"].iter().any(|name| schema["format"] == *name);
    is_moment || types(schema).iter().any(|name| is_of_type(value, name))
}

fn is_of_type(value: &DeValue<'_>, name: &str) -> bool {
    match value {
        DeValue::String(_) => name == "string",
        DeValue::Integer(_) => name == "integer" || name == "number",
        DeValue::Float(_) => name == "number",
        DeValue::Boolean(_) => name == "boolean",
        DeValue::Array(_) => name == "array",
        DeValue::Table(_) => name == "object",
        DeValue::Datetime(_) => false,
    }
}

fn types(schema: &Value) -> Vec<&str> {
    match &schema["type"] {
        Value::String(one) => vec![one],
        Value::Array(several) => {
            several.iter().filter_map(Value::as_str).filter(|name| *name != "null").collect()
        }
        // A choice of tables.
        _ => vec!["object"],
    }
}

fn bound(schema: &Value, key: &str) -> Option<String> {
    schema[key].as_number().map(|number| number.to_string().trim_end_matches(".0").to_owned())
}

/// A value as messages show it.
fn shown(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) => quoted(text),
        DeValue::Integer(number) => match i128::from_str_radix(number.as_str(), number.radix()) {
            Ok(number) => quoted(&number.to_string()),
            Err(_) => quoted(number.as_str()),
        },
        DeValue::Float(number) => quoted(number.as_str()),
        DeValue::Boolean(truth) => quoted(&truth.to_string()),
        DeValue::Datetime(date) => quoted(&date.to_string()),
        DeValue::Array(array) => format!("a list of {}", array.len()),
        DeValue::Table(_) => "a table".into(),
    }
}

fn place(name: &str) -> String {
    if name == WHOLE { name.to_owned() } else { format!("`{name}`") }
}
