//! What policies hide has no name: for every set of roles that the shipped policies speak of, all words that it can get at are looked
//! through, wherever they are from: the schema, introspection, the catalogue, saved documents, provenance, costs, and errors about
//! names that are nearly right.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    sync::Arc,
};

use async_graphql::{Request, Variables};
use holdfast_resolvers::{Api, Planning, RequestContext, RequestId, Settings};
use holdfast_schema::{
    model::{DimensionId, DimensionIndex, Model, RelationshipId, RelationshipIndex, View},
    query::{Caller, Hidden, hidden_from},
    sql::Dialect,
    value::Value,
};
use holdfast_server::recorder::Recorder;
use serde_json::{Value as Json, json};

use crate::cases::SHIPPED;

/// One set of roles, and what it must not read of.
struct Reader {
    api: Api,
    caller: Caller,
    hidden: Hidden,
    secrets: Secrets,
}

/// Names of what is hidden and of what is made of it, as far as nothing that is shown has the same name.
#[derive(Debug, Default)]
struct Secrets {
    /// Without capitals and underscores.
    names: BTreeSet<String>,
    /// Those that are no part of what is shown, so that they may not be a part of any word.
    parts: BTreeSet<String>,
    /// Labels of several words, in small letters.
    labels: BTreeSet<String>,
    /// Declared values, as GraphQL writes them.
    values: BTreeSet<String>,
}

fn folded(name: &str) -> String {
    name.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|letter: char| !letter.is_alphanumeric() && letter != '_').filter(|word| !word.is_empty())
}

impl Secrets {
    fn of(model: &Model, all_hidden: &Hidden) -> Self {
        let hidden = &all_hidden.dimensions;
        let mut out = Self::default();
        let mut shown: BTreeSet<String> = BTreeSet::new();
        let mut labels: BTreeSet<String> = BTreeSet::new();
        let mut values: BTreeSet<String> = BTreeSet::new();
        let mut of_metrics: BTreeSet<&str> = BTreeSet::new();
        for (id, entity) in model.entity_ids() {
            for (index, relationship) in entity.relationships.iter().enumerate() {
                let id = RelationshipId { entity: id, index: RelationshipIndex(index as u16) };
                let is_hidden = all_hidden.relationships.contains(&id);
                if is_hidden { &mut out.names } else { &mut shown }.insert(folded(&relationship.name));
            }
            shown.insert(folded(&entity.name));
            shown.insert(folded(&entity.name) + "s");
            labels.insert(entity.label.to_lowercase());
            for (index, dimension) in entity.dimensions.iter().enumerate() {
                let is_hidden = hidden.contains(&DimensionId { entity: id, index: DimensionIndex(index as u16) });
                if is_hidden {
                    out.names.insert(folded(&dimension.name));
                    let place = folded(&format!("{}{}", entity.name, dimension.name));
                    out.parts.extend([format!("{place}enum"), place]);
                    out.labels.insert(dimension.label.to_lowercase());
                    out.values.extend(dimension.values.iter().map(|value| value.to_uppercase()));
                } else {
                    shown.insert(folded(&dimension.name));
                    labels.insert(dimension.label.to_lowercase());
                    values.extend(dimension.values.iter().map(|value| value.to_uppercase()));
                }
            }
        }
        for view in &model.views {
            if !all_hidden.shows_view(view) {
                of_metrics.insert(view.name.as_str());
                continue;
            }
            shown.insert(folded(&view.name));
            for dimension in &view.dimensions {
                let is_hidden = !all_hidden.shows_dimension(model, view, dimension);
                if is_hidden { &mut out.names } else { &mut shown }.insert(folded(&dimension.name));
            }
        }
        for segment in &model.segments {
            let is_hidden = !all_hidden.shows_segment(segment);
            let (names, all_labels) = if is_hidden { (&mut out.names, &mut out.labels) } else { (&mut shown, &mut labels) };
            names.insert(folded(&segment.name));
            all_labels.insert(segment.label.to_lowercase());
        }
        for (id, metric) in model.metric_ids() {
            if !all_hidden.metrics.contains(&id) {
                shown.insert(folded(&metric.name));
                labels.insert(metric.label.to_lowercase());
            } else {
                of_metrics.insert(metric.name.as_str());
            }
        }
        for rule in &model.rules {
            if all_hidden.shows_rule(rule) {
                shown.insert(folded(&rule.name));
            } else {
                of_metrics.insert(rule.name.as_str());
            }
        }
        out.names.retain(|name| !shown.contains(name));
        // A short name may be a part of any word; a long one is not there by chance.
        out.parts.extend(out.names.iter().filter(|name| name.len() > 7).cloned());
        out.parts.retain(|part| !shown.iter().any(|name| name.contains(part)));
        // A single word is one that anybody may use, and several together may be a part of another name.
        let of_metrics = of_metrics.into_iter().filter(|name| name.contains('_')).map(folded);
        out.names.extend(of_metrics.filter(|name| !shown.contains(name)));
        out.labels.retain(|label| label.contains(' ') && !labels.contains(label));
        out.values.retain(|value| !values.contains(value));
        out
    }

    /// What of it a text tells.
    fn in_text(&self, text: &str) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        for word in words(text).collect::<HashSet<_>>() {
            let name = folded(word);
            found.extend(self.names.get(&name).cloned());
            found.extend(self.parts.iter().filter(|part| name.contains(part.as_str())).cloned());
            found.extend(self.values.get(word).cloned());
        }
        let text = text.to_lowercase();
        found.extend(self.labels.iter().filter(|label| text.contains(label.as_str())).cloned());
        found
    }
}

impl Reader {
    fn new(all: &Api, roles: &[String]) -> Self {
        let model = all.model();
        let claims = BTreeMap::from([("accounts".to_owned(), vec![Value::Text("A0207".to_owned())])]);
        let caller = Caller { subject: "ann".to_owned(), roles: roles.to_vec(), claims, ..Caller::default() };
        let hidden = hidden_from(model, &caller);
        Self { api: all.without(hidden.clone()), caller, secrets: Secrets::of(model, &hidden), hidden }
    }

    /// The whole response, with what it cost.
    async fn ask(&self, document: &str, variables: Json) -> String {
        let context = RequestContext {
            request: RequestId::next(),
            model: Arc::clone(self.api.model()),
            caller: self.caller.clone(),
            now: "2026-01-15T12:00:00Z".parse().expect("an instant"),
            correlation_id: String::new(),
            shows_cost: true,
            planning: Planning::untimed(),
        };
        let recorder = Arc::new(Recorder::new(Dialect::Postgres, Arc::default()));
        let request = Request::new(document).variables(Variables::from_json(variables));
        String::from_utf8(self.api.execute(recorder, context, request).await.body.to_vec()).expect("it is text")
    }

    async fn json(&self, document: &str) -> Json {
        let answer: Json = serde_json::from_str(&self.ask(document, json!({})).await).expect("it is JSON");
        assert_eq!(answer.get("errors"), None, "{document}");
        answer
    }

    /// Every text that there is to read, and where it is from.
    async fn texts(&self) -> Vec<(String, String)> {
        let types = Types::of(&self.json(INTROSPECTION).await);
        let mut texts = vec![
            ("sdl".to_owned(), self.api.sdl().to_owned()),
            ("the sdl for gateways".to_owned(), self.api.federation_sdl().to_owned()),
        ];
        let mut documents = vec![(INTROSPECTION.to_owned(), json!({})), ("{ _service { sdl } }".to_owned(), json!({}))];
        for (root, kind) in types.fields("Query") {
            if ["Metric", "Dimension", "View", "Entity", "Rule", "Segment", "SavedQuery"].contains(&kind.as_str())
                && root != "metric"
            {
                documents.push((format!("{{ {root} {{ {} }} }}", types.everything_of(kind)), json!({})));
            } else if types.has(kind, "provenance") {
                let provenance = types.leaves("Provenance").join(" ");
                documents.push((format!("{{ {root}(by: []) {{ rowCount provenance {{ {provenance} }} }} }}"), json!({})));
            } else if types.has(kind, "pageInfo") {
                documents.push((format!("{{ {root} {{ totalCount asKnownNow nodes {{ id }} }} }}"), json!({})));
            }
        }
        // What is nearly one name may be another, and what a request says is said again in errors.
        let is_secret = |guess: &Guess| !self.secrets.in_text(&nearly(&guess.name)).is_empty();
        let guesses = self.guesses(&types).into_iter().filter(|guess| !is_secret(guess));
        documents.extend(guesses.map(|guess| guess.with(&nearly)));
        for (name, _) in &self.api.model().saved_queries {
            if let Some(document) = self.api.saved_document(name) {
                texts.push((format!("saved query `{name}`"), document.to_owned()));
                documents.push((document.to_owned(), json!({"asOf": "2026-01-01", "account": "account:A0207", "metric": "nrr"})));
            }
        }
        for (document, variables) in documents {
            let answer = self.ask(&document, variables).await;
            texts.push((document, answer));
        }
        texts
    }

    /// Places where the name of something hidden could be tried.
    fn guesses(&self, types: &Types) -> Vec<Guess> {
        let model = self.api.model();
        let root = |kind: &str| types.fields("Query").iter().find(|(_, known)| known == kind).map(|(field, _)| field.clone());
        let mut out = Vec::new();
        for id in &self.hidden.dimensions {
            let (entity, dimension) = (model.entity(id.entity), model.dimension(*id));
            let (field, kind) = (camel(&dimension.name), pascal(&entity.name));
            let list = root(&format!("{kind}Connection")).expect("every entity has a list");
            for document in [
                format!("{{ {list} {{ nodes {{ ? }} }} }}"),
                format!("{{ {list} {{ edges {{ node {{ ? }} }} }} }}"),
                format!("{{ {list}(where: {{?: {{isNull: true}}}}) {{ totalCount }} }}"),
                format!("{{ {list}(where: {{not: {{?: {{eq: null}}}}}}) {{ totalCount }} }}"),
                format!("{{ {list}(orderBy: [{{?: {{dir: ASC}}}}]) {{ totalCount }} }}"),
            ] {
                out.push(Guess { document, variable: None, name: field.clone() });
            }
            let document = format!("query ($where: {kind}Where) {{ {list}(where: $where) {{ totalCount }} }}");
            out.push(Guess { document, variable: Some("where"), name: field });
            // Something that is shown may have the same name.
            let is_secret = self.secrets.names.contains(&folded(&dimension.name));
            for document in [
                "{ metrics(compatibleWith: [\"?\"]) { name } }",
                "{ dimensions(forMetrics: [\"?\"]) { name } }",
                "{ metric(name: \"?\") { name } }",
            ]
            .into_iter()
            .filter(|_| is_secret)
            {
                out.push(Guess { document: document.to_owned(), variable: None, name: dimension.name.clone() });
            }
            let document = format!("{{ __type(name: \"{kind}?Enum\") {{ name enumValues {{ name }} }} }}");
            out.push(Guess { document, variable: None, name: pascal(&dimension.name) });
        }
        for id in &self.hidden.relationships {
            let (entity, relationship) = (model.entity(id.entity), model.relationship(*id));
            let list = root(&format!("{}Connection", pascal(&entity.name))).expect("every entity has a list");
            let guess = |document: String| Guess { document, variable: None, name: camel(&relationship.name) };
            out.push(guess(format!("{{ {list} {{ nodes {{ ? {{ id }} }} }} }}")));
            out.push(guess(format!("{{ node(id: \"x\") {{ ... on {} {{ ? {{ __typename }} }} }} }}", pascal(&entity.name))));
            out.push(guess(format!("{{ {list}(where: {{?: {{eq: \"x\"}}}}) {{ totalCount }} }}")));
        }
        for view in model.views.iter().filter(|view| self.hidden.shows_view(view)) {
            for dimension in &view.dimensions {
                if self.hidden.shows_dimension(model, view, dimension) {
                    continue;
                }
                let (root, field) = (camel(&view.name), camel(&dimension.name));
                for document in [
                    format!("{{ {root}(by: []) {{ rows {{ ? }} }} }}"),
                    format!("{{ {root}(by: [], where: {{?: {{isNull: true}}}}) {{ rowCount }} }}"),
                    format!("{{ {root}(by: [], orderBy: [{{?: {{dir: ASC}}}}]) {{ rowCount }} }}"),
                ] {
                    out.push(Guess { document, variable: None, name: field.clone() });
                }
                let name = dimension.name.to_uppercase();
                for item in ["{dimension: ?}", "{time: {dimension: ?, grain: MONTH}}"] {
                    let document = format!("{{ {root}(by: [{item}]) {{ rowCount }} }}");
                    out.push(Guess { document, variable: None, name: name.clone() });
                }
            }
        }
        out.extend(self.guesses_of_metrics());
        out
    }

    /// Every metric that is hidden in one of the places, every view and every rule.
    fn guesses_of_metrics(&self) -> Vec<Guess> {
        let model = self.api.model();
        let mut out = Vec::new();
        let mut guess = |document: String, name: String| out.push(Guess { document, variable: None, name });
        // Short names are parts of other words.
        let hidden = self.hidden.metrics.iter().map(|id| (*id, model.metric(*id))).filter(|(_, metric)| metric.name.len() > 4);
        for (number, (id, metric)) in hidden.enumerate() {
            let has_metric = |view: &&View| self.hidden.shows_view(view) && view.metrics.contains(&id);
            let view = model.views.iter().find(has_metric).filter(|view| view.dimension_named(&metric.name).is_none());
            let root = view.map_or("accountHealth".to_owned(), |view| camel(&view.name));
            let documents = [
                format!("{{ {root}(by: []) {{ rows {{ ? }} }} }}"),
                format!("{{ {root}(by: []) {{ totals {{ ? }} }} }}"),
                format!("{{ {root}(by: []) {{ rows {{ compare {{ ? {{ delta }} }} }} }} }}"),
                format!("{{ {root}(by: []) {{ rows {{ status {{ ? }} }} }} }}"),
                format!("{{ {root}(by: []) {{ rows {{ contributions {{ ? {{ input }} }} }} }} }}"),
                format!("{{ {root}(by: [], having: {{?: {{isNull: true}}}}) {{ rowCount }} }}"),
                format!("{{ {root}(by: [], orderBy: [{{?: {{dir: ASC}}}}]) {{ rowCount }} }}"),
                "{ accounts { nodes { metrics { ? } } } }".to_owned(),
                "{ accounts(having: {?: {isNull: true}}) { totalCount } }".to_owned(),
                "{ accounts(orderBy: [{metrics: {?: {dir: ASC}}}]) { totalCount } }".to_owned(),
                format!("subscription {{ {root}(by: []) {{ rows {{ ? }} }} }}"),
            ];
            guess(documents[number % documents.len()].clone(), camel(&metric.name));
            let named = ["{ metric(name: \"?\") { name } }", "{ dimensions(forMetrics: [\"?\"]) { name } }"];
            guess(named[number % named.len()].to_owned(), metric.name.clone());
        }
        for view in model.views.iter().filter(|view| !self.hidden.shows_view(view)) {
            guess("{ ?(by: []) { rowCount } }".to_owned(), camel(&view.name));
            guess("{ metrics(view: \"?\") { name } }".to_owned(), view.name.clone());
            guess("{ __type(name: \"?Row\") { name } }".to_owned(), pascal(&view.name));
        }
        for rule in model.rules.iter().filter(|rule| !self.hidden.shows_rule(rule)) {
            guess("{ signals(where: {rule: [\"?\"]}) { totalCount } }".to_owned(), rule.name.clone());
        }
        out
    }
}

/// A document with a place for a name, or a variable with one for a key.
struct Guess {
    document: String,
    variable: Option<&'static str>,
    name: String,
}

impl Guess {
    fn with(&self, change: &dyn Fn(&str) -> String) -> (String, Json) {
        let name = change(&self.name);
        match self.variable {
            Some(variable) => (self.document.clone(), json!({ variable: { name: { "isNull": true } } })),
            None => (self.document.replace('?', &name), json!({})),
        }
    }
}

/// Right but for the last letter.
fn nearly(name: &str) -> String {
    name[..name.len() - 1].to_owned()
}

/// As long, and wrong.
fn nonsense(name: &str) -> String {
    let letter = if name.starts_with(char::is_uppercase) { "Q" } else { "q" };
    letter.repeat(name.len())
}

fn pascal(name: &str) -> String {
    name.split('_').map(|word| word[..1].to_uppercase() + &word[1..]).collect()
}

fn camel(name: &str) -> String {
    let name = pascal(name);
    name[..1].to_lowercase() + &name[1..]
}

const INTROSPECTION: &str = "{ __schema { description directives { name description args { name description } }
    types { kind name description enumValues(includeDeprecated: true) { name description deprecationReason }
        possibleTypes { name } inputFields(includeDeprecated: true) { name description defaultValue type { ...t } }
        fields(includeDeprecated: true) { name description deprecationReason type { ...t }
            args(includeDeprecated: true) { name description defaultValue type { ...t } } } } } }
    fragment t on __Type { kind name ofType { kind name ofType { kind name ofType { kind name } } } }";

/// Types by name: their fields without arguments that are needed, and what these are.
struct Types {
    fields: HashMap<String, Vec<(String, String)>>,
    leaves: BTreeSet<String>,
}

impl Types {
    fn of(answer: &Json) -> Self {
        let list = |value: &Json| value.as_array().cloned().unwrap_or_default();
        let text = |value: &Json| value.as_str().unwrap_or_default().to_owned();
        fn bare(kind: &Json) -> &Json {
            if kind["ofType"].is_null() { kind } else { bare(&kind["ofType"]) }
        }
        let mut out = Self { fields: HashMap::new(), leaves: BTreeSet::new() };
        for kind in list(&answer["data"]["__schema"]["types"]) {
            if kind["kind"] == "SCALAR" || kind["kind"] == "ENUM" {
                out.leaves.insert(text(&kind["name"]));
            }
            let fields = list(&kind["fields"]);
            let fields = fields.iter().map(|field| (text(&field["name"]), text(&bare(&field["type"])["name"])));
            out.fields.insert(text(&kind["name"]), fields.collect());
        }
        assert!(out.fields.len() > 100, "there is a schema");
        out
    }

    fn fields(&self, kind: &str) -> &[(String, String)] {
        self.fields.get(kind).map_or(&[], Vec::as_slice)
    }

    fn has(&self, kind: &str, field: &str) -> bool {
        self.fields(kind).iter().any(|(name, _)| name == field)
    }

    fn leaves(&self, kind: &str) -> Vec<&str> {
        self.fields(kind).iter().filter(|(_, kind)| self.leaves.contains(kind)).map(|(name, _)| name.as_str()).collect()
    }

    /// Everything of a type, and the names of what is below.
    fn everything_of(&self, kind: &str) -> String {
        let below =
            self.fields(kind).iter().filter(|(_, kind)| self.has(kind, "name")).map(|(name, _)| format!("{name} {{ name }}"));
        below.chain(self.leaves(kind).into_iter().map(str::to_owned)).collect::<Vec<_>>().join(" ")
    }
}

/// All sets of the roles that policies name.
fn role_sets(model: &Model) -> Vec<Vec<String>> {
    let of_metrics = model.metric_policies.iter().map(|policy| &policy.roles);
    let roles = model.policies.iter().map(|policy| &policy.roles).chain(of_metrics);
    let roles: BTreeSet<String> = roles.flatten().cloned().collect();
    assert!((1..6).contains(&roles.len()), "{roles:?}");
    let roles: Vec<String> = roles.into_iter().chain(["of_no_policy".to_owned()]).collect();
    (0..1 << roles.len())
        .map(|set| roles.iter().enumerate().filter(|(bit, _)| set & (1 << bit) != 0).map(|(_, role)| role.clone()).collect())
        .collect()
}

#[tokio::test]
async fn no_role_reads_a_name_that_is_hidden_from_it() {
    let model = SHIPPED.model();
    let mut told: HashMap<Hidden, usize> = HashMap::new();
    for roles in role_sets(model) {
        let reader = Reader::new(&SHIPPED, &roles);
        // Sets of roles from which the same is hidden have the same surface.
        if reader.hidden.is_empty() || told.contains_key(&reader.hidden) {
            continue;
        }
        let everything = Reader { secrets: Secrets::of(model, &reader.hidden), ..Reader::new(&SHIPPED, &[]) };
        let whole: String = everything.texts().await.into_iter().map(|(_, text)| text).collect();
        let secrets = &reader.secrets;
        let read = secrets.in_text(&whole);
        for secret in secrets.names.iter().chain(&secrets.labels).chain(&secrets.values) {
            assert!(read.contains(secret), "`{secret}` is nowhere, so that nobody would notice if it were told");
        }
        let texts = reader.texts().await;
        for (place, text) in &texts {
            let found = secrets.in_text(text);
            assert!(found.is_empty(), "{roles:?} reads {found:?} in {place}:\n{}", around(text, &found));
        }
        told.insert(reader.hidden.clone(), texts.len());
    }
    assert!(!told.is_empty() && told.values().all(|texts| *texts > 200), "{:?}", told.values());
}

/// Where a suggestion would tell, an error must not depend on whether what is guessed exists.
#[tokio::test]
async fn what_is_hidden_is_refused_as_what_has_never_been() {
    let all = Api::new(Arc::clone(SHIPPED.model()), Settings { suggestions: false, ..Settings::default() });
    let reader = Reader::new(&all.unwrap_or_else(|wrong| panic!("{wrong:?}")), &["external".to_owned()]);
    let types = Types::of(&reader.json(INTROSPECTION).await);
    let guesses = reader.guesses(&types);
    assert!(guesses.len() > 70, "{}", guesses.len());
    for guess in guesses {
        let (right, wrong) = (guess.with(&str::to_owned), guess.with(&nonsense));
        let right = reader.ask(&right.0, right.1).await.replace(&guess.name, "?");
        let wrong = reader.ask(&wrong.0, wrong.1).await.replace(&nonsense(&guess.name), "?");
        assert_eq!(right, wrong, "{} with {}", guess.document, guess.name);
    }
}

/// The first places in a text that tell.
fn around(text: &str, found: &BTreeSet<String>) -> String {
    let tells = |line: &&str| found.iter().any(|secret| folded(line).contains(&folded(secret)));
    let lines = text.split(['\n', '{']).filter(tells).take(5);
    lines.map(|line| line.chars().take(300).collect::<String>()).collect::<Vec<_>>().join("\n")
}
