//! What the API can be asked, read from its own introspection.

use std::collections::BTreeMap;

use holdfast_tests::desk::Counter;
use serde_json::Value;

/// A view, by the fields of the API.
pub(super) struct View {
    pub(super) field: String,
    pub(super) metrics: Vec<String>,
    pub(super) scores: Vec<String>,
    pub(super) dimensions: Vec<Dimension>,
    pub(super) grains: Vec<String>,
    pub(super) has_cohorts: bool,
}

/// A dimension of a view.
#[derive(PartialEq, Eq)]
pub(super) struct Dimension {
    /// As it is named in `by`.
    pub(super) key: String,
    /// As it is selected in a row.
    pub(super) selection: String,
}

/// An entity, by the fields of the API.
pub(super) struct Entity {
    pub(super) list: String,
    pub(super) values: Vec<String>,
    /// Relationships to one.
    pub(super) ones: Vec<String>,
    /// Relationships to many.
    pub(super) manies: Vec<String>,
    /// Conditions on the rows that relationships to one lead to, and on those that these lead to.
    pub(super) conditions: Vec<String>,
    pub(super) metrics: Vec<String>,
    pub(super) has_signals: bool,
}

/// Everything that can be asked.
pub(super) struct Surface {
    pub(super) views: Vec<View>,
    pub(super) entities: Vec<Entity>,
}

const INTROSPECTION: &str = "{ __schema { queryType { fields { name type { name } } } types {
    name kind
    fields { name args { name } type { kind name ofType { kind name ofType { kind name } } } }
    inputFields { name type { name } }
    enumValues { name } } } }";

impl Surface {
    pub(super) async fn of(counter: &Counter) -> Self {
        let answer = counter.ask(INTROSPECTION).await;
        let schema = answer.at("/data/__schema");
        let types = Types(list(schema, "types").map(|of| (name(of), of)).collect());
        let mut surface = Self { views: Vec::new(), entities: Vec::new() };
        for root in list(&schema["queryType"], "fields") {
            let of = named(&root["type"]);
            if let Some(view) = of.strip_suffix("Result") {
                surface.views.push(types.view(name(root), view));
            } else if let Some(entity) = of.strip_suffix("Connection") {
                surface.entities.push(types.entity(name(root), entity));
            }
        }
        assert!(!surface.views.is_empty() && !surface.entities.is_empty());
        surface
    }
}

/// Types by name.
struct Types<'a>(BTreeMap<&'a str, &'a Value>);

impl<'a> Types<'a> {
    /// The names of a type's members: its `fields`, `inputFields` or `enumValues`.
    fn names(&self, of: &str, members: &str) -> Vec<&'a str> {
        self.0.get(of).map(|of| list(of, members).map(name).collect()).unwrap_or_default()
    }

    fn kind(&self, of: &str) -> &'a str {
        self.0.get(of).and_then(|of| of["kind"].as_str()).unwrap_or_default()
    }

    /// Some fields of an object that hold one value and need no arguments.
    fn values(&self, of: &str) -> String {
        let fields = list(self.0[of], "fields");
        let plain = fields
            .filter(|field| matches!(self.kind(named(&field["type"])), "SCALAR" | "ENUM") && list(field, "args").next().is_none());
        plain.map(name).take(12).collect::<Vec<_>>().join(" ")
    }

    fn view(&self, field: &str, view: &str) -> View {
        let row: BTreeMap<&str, &str> =
            list(self.0[format!("{view}Row").as_str()], "fields").map(|of| (name(of), named(&of["type"]))).collect();
        let dimension = |key: &str| {
            let field = camel(key);
            let of = row.get(field.as_str()).unwrap_or_else(|| panic!("{view}Row has no `{field}`"));
            let selection = if self.kind(of) == "OBJECT" { format!("{field} {{ {} }}", self.values(of)) } else { field };
            Dimension { key: key.to_owned(), selection }
        };
        View {
            field: field.to_owned(),
            metrics: owned(self.names(&format!("{view}Compare"), "fields")),
            scores: owned(self.names(&format!("{view}Contributions"), "fields")),
            dimensions: self.names(&format!("{view}Dimension"), "enumValues").into_iter().map(dimension).collect(),
            grains: owned(self.names(&format!("{view}MovementGrain"), "enumValues")),
            has_cohorts: self.names(&format!("{view}By"), "inputFields").contains(&"cohort"),
        }
    }

    fn entity(&self, field: &str, entity: &str) -> Entity {
        let mut made = Entity {
            list: field.to_owned(),
            values: Vec::new(),
            ones: Vec::new(),
            manies: Vec::new(),
            conditions: self.conditions(entity),
            metrics: owned(self.names(&format!("{entity}Metrics"), "fields")),
            has_signals: false,
        };
        for field in list(self.0[entity], "fields") {
            let (field, of) = (name(field), named(&field["type"]));
            match (self.kind(of), of.strip_suffix("Connection")) {
                ("OBJECT", Some(many)) => {
                    made.manies.push(format!("{field}(first: 5) {{ totalCount nodes {{ {} }} }}", self.values(many)));
                }
                ("OBJECT", None) if of == "Signal" => made.has_signals = true,
                ("OBJECT", None) if of == format!("{entity}Metrics") => {}
                ("OBJECT", None) => made.ones.push(format!("{field} {{ {} }}", self.values(of))),
                _ if field != "id" => made.values.push(field.to_owned()),
                _ => {}
            }
        }
        made
    }

    /// Fields of conditions that lead to a row, with the conditions there.
    fn related(&self, filter: &str) -> Vec<(&'a str, &'a str)> {
        let fields = self.0.get(filter).map(|of| list(of, "inputFields")).into_iter().flatten();
        let fields = fields.map(|field| (name(field), named(&field["type"])));
        fields.filter(|(name, of)| of.ends_with("Where") && !["and", "or", "not"].contains(name)).collect()
    }

    fn conditions(&self, entity: &str) -> Vec<String> {
        let mut conditions = Vec::new();
        for (field, of) in self.related(&format!("{entity}Where")) {
            conditions.extend([format!("{{{field}: {{}}}}"), format!("{{not: {{{field}: {{}}}}}}")]);
            let further = self.related(of).into_iter();
            conditions.extend(further.map(|(next, _)| format!("{{not: {{{field}: {{not: {{{next}: {{}}}}}}}}}}")));
        }
        conditions
    }
}

/// The name of a type, whatever it is wrapped in.
fn named(of: &Value) -> &str {
    let mut of = of;
    while of["name"].is_null() && of["ofType"].is_object() {
        of = &of["ofType"];
    }
    of["name"].as_str().unwrap_or_default()
}

fn list<'a>(of: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    of[key].as_array().into_iter().flatten()
}

fn name(of: &Value) -> &str {
    of["name"].as_str().unwrap_or_default()
}

fn owned(names: Vec<&str>) -> Vec<String> {
    names.into_iter().map(str::to_owned).collect()
}

/// `BUSINESS_UNIT` → `businessUnit`.
fn camel(key: &str) -> String {
    let mut field = String::new();
    for word in key.to_ascii_lowercase().split('_') {
        let (head, rest) = word.split_at(word.len().min(1));
        let head = if field.is_empty() { head.to_owned() } else { head.to_ascii_uppercase() };
        field = field + &head + rest;
    }
    field
}
