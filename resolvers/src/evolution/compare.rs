//! Types, members and arguments of two schemas side by side.

use std::collections::HashSet;

use apollo_compiler::{
    Name, Node, Schema,
    ast::{DirectiveList, FieldDefinition, InputValueDefinition, Type},
    collections::IndexMap,
    schema::ExtendedType,
};

use super::{
    Change,
    Severity::{self, Breaking, Dangerous, Safe},
};

/// Every change.
pub(super) fn schemas(old: &Schema, new: &Schema) -> Vec<Change> {
    let mut walk = Walk { new, returned: returned_enums(old), changes: Vec::new() };
    for (name, found) in keyed(&old.types, &new.types) {
        match found {
            Pair::Removed(kind) => walk.note(Breaking, name, format!("{} is gone", kind_of(kind))),
            Pair::Added(kind) => walk.note(Safe, name, format!("{} is new", kind_of(kind))),
            Pair::Both(old, new) => walk.types(name, old, new),
        }
    }
    let roots = [
        ("query", &old.schema_definition.query, &new.schema_definition.query),
        ("mutation", &old.schema_definition.mutation, &new.schema_definition.mutation),
        ("subscription", &old.schema_definition.subscription, &new.schema_definition.subscription),
    ];
    for (operation, old, new) in roots {
        match (old, new) {
            (Some(old), Some(new)) if old == new => {}
            (None, None) => {}
            (None, Some(_)) => walk.note(Safe, operation, "operations of this kind are new".to_owned()),
            (Some(_), _) => walk.note(Breaking, operation, "operations of this kind begin elsewhere".to_owned()),
        }
    }
    for (name, found) in keyed(&old.directive_definitions, &new.directive_definitions) {
        let path = format!("@{name}");
        match found {
            Pair::Removed(_) => walk.note(Breaking, &path, "directive is gone".to_owned()),
            Pair::Added(_) => walk.note(Safe, &path, "directive is new".to_owned()),
            Pair::Both(old, new) => {
                if old.repeatable && !new.repeatable {
                    walk.note(Breaking, &path, "directive is not repeatable any more".to_owned());
                }
                for location in old.locations.iter().filter(|location| !new.locations.contains(*location)) {
                    walk.note(Breaking, &path, format!("directive does not stand at {location} any more"));
                }
                walk.arguments(&path, &old.arguments, &new.arguments);
            }
        }
    }
    walk.changes
}

/// Something of one name in either schema.
enum Pair<'a, T> {
    Removed(&'a T),
    Added(&'a T),
    Both(&'a T, &'a T),
}

fn keyed<'a, T>(old: &'a IndexMap<Name, T>, new: &'a IndexMap<Name, T>) -> impl Iterator<Item = (&'a str, Pair<'a, T>)> {
    let gone_or_kept = old.iter().map(|(name, old)| match new.get(name) {
        Some(new) => (name.as_str(), Pair::Both(old, new)),
        None => (name.as_str(), Pair::Removed(old)),
    });
    let added = new.iter().filter(|(name, _)| !old.contains_key(*name)).map(|(name, new)| (name.as_str(), Pair::Added(new)));
    gone_or_kept.chain(added)
}

struct Walk<'a> {
    new: &'a Schema,
    /// Enums that fields return.
    returned: HashSet<&'a str>,
    changes: Vec<Change>,
}

impl Walk<'_> {
    fn note(&mut self, severity: Severity, path: &str, what: String) {
        self.changes.push(Change { severity, path: path.to_owned(), what });
    }

    fn types(&mut self, name: &str, old: &ExtendedType, new: &ExtendedType) {
        match (old, new) {
            (ExtendedType::Scalar(old), ExtendedType::Scalar(new)) => {
                let (before, after) = (specified_by(&old.directives), specified_by(&new.directives));
                if before != after {
                    self.note(Dangerous, name, "scalar is specified elsewhere".to_owned());
                }
            }
            (ExtendedType::Object(old), ExtendedType::Object(new)) => {
                self.members(name, &old.implements_interfaces, &new.implements_interfaces, "implementation of", Dangerous);
                self.fields(name, &old.fields, &new.fields);
            }
            (ExtendedType::Interface(old), ExtendedType::Interface(new)) => {
                self.members(name, &old.implements_interfaces, &new.implements_interfaces, "implementation of", Dangerous);
                self.fields(name, &old.fields, &new.fields);
            }
            (ExtendedType::Union(old), ExtendedType::Union(new)) => {
                self.members(name, &old.members, &new.members, "member", Dangerous);
            }
            (ExtendedType::Enum(old), ExtendedType::Enum(new)) => {
                let added = if self.returned.contains(name) { Dangerous } else { Safe };
                for (value, found) in keyed(&old.values, &new.values) {
                    let path = format!("{name}.{value}");
                    match found {
                        Pair::Removed(_) => self.note(Breaking, &path, "value is gone".to_owned()),
                        Pair::Added(_) => self.note(added, &path, "value is new".to_owned()),
                        Pair::Both(old, new) => self.deprecation(&path, &old.directives, &new.directives),
                    }
                }
            }
            (ExtendedType::InputObject(old), ExtendedType::InputObject(new)) => {
                match (old.directives.has("oneOf"), new.directives.has("oneOf")) {
                    (false, true) => self.note(Breaking, name, "input takes exactly one field now".to_owned()),
                    (true, false) => self.note(Dangerous, name, "input takes more than one field now".to_owned()),
                    (true, true) | (false, false) => {}
                }
                for (field, found) in keyed(&old.fields, &new.fields) {
                    let path = format!("{name}.{field}");
                    match found {
                        Pair::Removed(_) => self.note(Breaking, &path, "input field is gone".to_owned()),
                        Pair::Added(field) => self.added_input(&path, "input field", field),
                        Pair::Both(old, new) => self.input(&path, old, new),
                    }
                }
            }
            (old, new) => self.note(Breaking, name, format!("{} became {}", kind_of(old), kind_of(new))),
        }
    }

    /// Interfaces of a type, or members of a union.
    fn members<'n>(
        &mut self,
        name: &str,
        old: impl IntoIterator<Item = &'n Node<Name>>,
        new: impl IntoIterator<Item = &'n Node<Name>>,
        what: &str,
        added: Severity,
    ) {
        let (old, new): (Vec<_>, Vec<_>) = (old.into_iter().collect(), new.into_iter().collect());
        let has = |all: &[&Node<Name>], one: &Node<Name>| all.iter().any(|other| other == &one);
        for one in old.iter().filter(|one| !has(&new, one)) {
            self.note(Breaking, name, format!("{what} `{}` is gone", one));
        }
        for one in new.iter().filter(|one| !has(&old, one)) {
            self.note(added, name, format!("{what} `{}` is new", one));
        }
    }

    fn fields(&mut self, name: &str, old: &IndexMap<Name, Node<FieldDefinition>>, new: &IndexMap<Name, Node<FieldDefinition>>) {
        for (field, found) in keyed(old, new) {
            let path = format!("{name}.{field}");
            match found {
                Pair::Removed(_) => self.note(Breaking, &path, "field is gone".to_owned()),
                Pair::Added(_) => self.note(Safe, &path, "field is new".to_owned()),
                Pair::Both(old, new) => {
                    if old.ty != new.ty {
                        let severity = if self.is_read_as(&new.ty, &old.ty) { Safe } else { Breaking };
                        self.note(severity, &path, format!("type `{}` became `{}`", old.ty, new.ty));
                    }
                    self.deprecation(&path, &old.directives, &new.directives);
                    self.arguments(&path, &old.arguments, &new.arguments);
                }
            }
        }
    }

    fn arguments(&mut self, path: &str, old: &[Node<InputValueDefinition>], new: &[Node<InputValueDefinition>]) {
        for argument in old {
            let path = format!("{path}({})", argument.name);
            match new.iter().find(|other| other.name == argument.name) {
                Some(other) => self.input(&path, argument, other),
                None => self.note(Breaking, &path, "argument is gone".to_owned()),
            }
        }
        for argument in new.iter().filter(|argument| !old.iter().any(|other| other.name == argument.name)) {
            self.added_input(&format!("{path}({})", argument.name), "argument", argument);
        }
    }

    fn added_input(&mut self, path: &str, what: &str, input: &InputValueDefinition) {
        let (severity, how) = match (input.is_required(), &input.default_value) {
            (true, _) => (Breaking, "new and required"),
            (false, Some(_)) => (Dangerous, "new and has a default"),
            (false, None) => (Safe, "new and optional"),
        };
        self.note(severity, path, format!("{what} is {how}"));
    }

    fn input(&mut self, path: &str, old: &InputValueDefinition, new: &InputValueDefinition) {
        if old.ty != new.ty {
            let severity = if is_given_as(&old.ty, &new.ty) { Safe } else { Breaking };
            self.note(severity, path, format!("type `{}` became `{}`", old.ty, new.ty));
        }
        if old.default_value != new.default_value {
            let text =
                |value: &InputValueDefinition| value.default_value.as_ref().map_or("none".to_owned(), |value| format!("`{value}`"));
            self.note(Dangerous, path, format!("default {} became {}", text(old), text(new)));
        }
        self.deprecation(path, &old.directives, &new.directives);
    }

    fn deprecation(&mut self, path: &str, old: &DirectiveList, new: &DirectiveList) {
        match (old.has("deprecated"), new.has("deprecated")) {
            (false, true) => self.note(Safe, path, "is deprecated now".to_owned()),
            (true, false) => self.note(Safe, path, "is not deprecated any more".to_owned()),
            (true, true) | (false, false) => {}
        }
    }

    /// Whether who expects one output type can read another.
    fn is_read_as(&self, found: &Type, expected: &Type) -> bool {
        match (found, expected) {
            (Type::NonNullNamed(found), Type::NonNullNamed(expected) | Type::Named(expected))
            | (Type::Named(found), Type::Named(expected)) => found == expected || self.new.is_subtype(expected, found),
            (Type::NonNullList(found), Type::NonNullList(expected) | Type::List(expected))
            | (Type::List(found), Type::List(expected)) => self.is_read_as(found, expected),
            _ => false,
        }
    }
}

/// Whether what was given as one input type can be given as another.
fn is_given_as(given: &Type, expected: &Type) -> bool {
    match (given, expected) {
        (Type::NonNullNamed(given), Type::NonNullNamed(expected) | Type::Named(expected))
        | (Type::Named(given), Type::Named(expected)) => given == expected,
        (Type::NonNullList(given), Type::NonNullList(expected) | Type::List(expected))
        | (Type::List(given), Type::List(expected)) => is_given_as(given, expected),
        _ => false,
    }
}

fn returned_enums(schema: &Schema) -> HashSet<&str> {
    let fields = schema.types.values().flat_map(|kind| match kind {
        ExtendedType::Object(object) => object.fields.values().collect::<Vec<_>>(),
        ExtendedType::Interface(interface) => interface.fields.values().collect(),
        ExtendedType::Scalar(_) | ExtendedType::Union(_) | ExtendedType::Enum(_) | ExtendedType::InputObject(_) => Vec::new(),
    });
    fields.map(|field| field.ty.inner_named_type().as_str()).filter(|name| schema.get_enum(name).is_some()).collect()
}

fn specified_by(directives: &DirectiveList) -> Option<String> {
    directives.get("specifiedBy").and_then(|directive| directive.specified_argument_by_name("url")).map(|url| url.to_string())
}

fn kind_of(kind: &ExtendedType) -> &'static str {
    match kind {
        ExtendedType::Scalar(_) => "scalar",
        ExtendedType::Object(_) => "type",
        ExtendedType::Interface(_) => "interface",
        ExtendedType::Union(_) => "union",
        ExtendedType::Enum(_) => "enum",
        ExtendedType::InputObject(_) => "input",
    }
}
