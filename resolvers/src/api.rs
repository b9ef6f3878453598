//! The compiled GraphQL surface of one model: built once per generation of definitions, then only read.

use std::{collections::BTreeSet, sync::Arc};

use apollo_compiler::{
    ExecutableDocument, Name, Node, Schema,
    collections::HashMap,
    executable::Operation,
    introspection,
    parser::Parser,
    response::{ExecutionResponse, JsonMap},
    schema::Implementers,
    validation::Valid,
};
use async_graphql::Request;
use bytes::Bytes;
use holdfast_schema::{
    definition::test::SavedQuestion,
    diagnostic::{Diagnostic, Diagnostics},
    model::Model,
    query::Hidden,
    source::{FileId, Span},
};

use crate::{
    Answer, Limits, OperationKind, RequestContext, Runner,
    conceal::{Concealer, Written},
    cost::{self, Costs},
    document::Documents,
    error::{BAD_USER_INPUT, OPERATION_RESOLUTION_FAILURE, Problem, Step, VALIDATION_FAILED, pair, write_all},
    federation::Service,
    fetch::{self, Asker},
    limits,
    plan::{Planner, RootKind, RootPlan},
    refusal::{refuse, turned_away},
    select,
    surface::Surface,
    types, variables,
    write::{self, Writer},
};

/// Settings of the surface.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// Limits of documents and pages.
    pub limits: Limits,
    /// Whether `__schema` and `__type` are answered.
    pub introspection: bool,
    /// Whether metric questions may leave out `by` and be grouped by what they select.
    pub inferred_grouping: bool,
    /// Whether errors suggest names that exist, and name what they found; without, they hold no name that the request does not.
    pub suggestions: bool,
    /// Whether every answer tells what it cost.
    pub show_cost: bool,
    /// Validated documents kept.
    pub document_cache: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            introspection: true,
            inferred_grouping: true,
            suggestions: true,
            show_cost: false,
            document_cache: 1_000,
        }
    }
}

/// The GraphQL surface of one model.
#[derive(Debug)]
pub struct Api {
    model: Arc<Model>,
    settings: Settings,
    surface: Surface,
    sdl: String,
    schema: Valid<Schema>,
    implementers: HashMap<Name, Implementers>,
    costs: Costs,
    /// Absent where errors may name what there is.
    concealer: Option<Concealer>,
    documents: Documents,
    service: Service,
    /// Positions of the saved queries that speak of what is not there.
    unasked: BTreeSet<usize>,
}

impl Api {
    /// Builds the surface. Fails when names of the model collide in GraphQL, or documents that it saves cannot be asked.
    pub fn new(model: Arc<Model>, settings: Settings) -> Result<Self, Diagnostics> {
        let api = Self::build(model, settings, Hidden::default())?;
        let mut out = Diagnostics::default();
        check_saved(&api.model, &api.schema, &settings, &mut out);
        if out.has_errors() { Err(out) } else { Ok(api) }
    }

    /// The same surface for those for whom some dimensions and metrics do not exist: no name of theirs is in it.
    pub fn without(&self, hidden: Hidden) -> Self {
        // Names that did not collide do not collide when some are taken away.
        Self::build(Arc::clone(&self.model), self.settings, hidden).expect("a part of a surface is a surface")
    }

    fn build(model: Arc<Model>, settings: Settings, hidden: Hidden) -> Result<Self, Diagnostics> {
        let mut out = Diagnostics::default();
        let surface = Surface::new(&model, hidden, &mut out);
        if out.has_errors() {
            return Err(out);
        }
        let built = types::sdl(&model, &surface, &settings.limits, types::Reader::Client)
            .map_err(|error| error.to_string())
            .and_then(|sdl| {
                let schema = Parser::new().parse_ast(sdl.as_str(), "schema").map_err(|wrong| wrong.to_string())?;
                let schema = schema.to_schema_validate().map_err(|wrong| wrong.errors.to_string())?;
                Ok((sdl, schema))
            });
        let (sdl, schema) = match built {
            Ok(built) => built,
            Err(message) => {
                // Names were checked before, so what is left is a bug of ours; say it where everything begins.
                let place = model.entities.first().map_or(Span { file: FileId(0), start: 0, end: 0 }, |entity| entity.span);
                out.push(Diagnostic::error("G009", place, format!("the definitions make no valid GraphQL schema: {message}")));
                return Err(out);
            }
        };
        let implementers = schema.implementers_map();
        let documents = Documents::new(settings.document_cache);
        let costs = Costs::new(&model);
        let concealer = (!settings.suggestions).then(|| Concealer::new(&model));
        let service = Service::default();
        let unasked = if surface.is_whole() { BTreeSet::new() } else { unasked(&model, &surface, &schema, &settings) };
        Ok(Self { model, settings, surface, sdl, schema, implementers, costs, concealer, documents, service, unasked })
    }

    /// The schema in GraphQL's schema language.
    pub fn sdl(&self) -> &str {
        &self.sdl
    }

    /// The schema as the gateway of a federated graph reads it: with keys.
    pub fn federation_sdl(&self) -> &str {
        self.service.sdl(&self.model, &self.surface, &self.settings.limits)
    }

    /// The model behind the surface.
    pub fn model(&self) -> &Arc<Model> {
        &self.model
    }

    /// The text of a document that the definitions save under a name. One that speaks of what is not there for its reader is not
    /// there either.
    pub fn saved_document(&self, name: &str) -> Option<&str> {
        let position = self.model.saved_queries.iter().position(|(known, _)| known == name)?;
        let (_, saved) = self.model.saved_queries.get(position).filter(|_| !self.unasked.contains(&position))?;
        match &saved.question {
            SavedQuestion::Document(text) => Some(&text.value),
            SavedQuestion::Ask(_) => None,
        }
    }

    /// Answers a request. The response is complete whatever happens; nothing here panics on what a caller sends.
    pub async fn execute(&self, runner: Arc<dyn Runner>, context: RequestContext, request: Request) -> Answer {
        match self.prepare(&request, &context.correlation_id).await {
            Ok(prepared) => self.run(runner, context, &prepared).await,
            Err(refused) => refused,
        }
    }

    /// Validates a request and reads its variables; nothing is asked yet. The error is the response to send.
    pub async fn prepare(&self, request: &Request, correlation_id: &str) -> Result<Prepared, Answer> {
        self.try_prepare(request).await.map_err(|problems| self.refuse(problems, &Written::of(request), correlation_id))
    }

    async fn try_prepare(&self, request: &Request) -> Result<Prepared, Vec<Problem>> {
        let document = self.documents.get(&self.schema, &request.query, &self.settings).await?;
        let operation = document
            .operations
            .get(request.operation_name.as_deref())
            .map_err(|error| vec![Problem::new(OPERATION_RESOLUTION_FAILURE, error.message().to_string())])?
            .clone();
        let variables = self.check(&document, &operation, request).map_err(|problem| vec![problem])?;
        Ok(Prepared { document, operation, variables, written: Written::of(request) })
    }

    /// Answers a prepared request, once. It must have been prepared by this surface: names of another may be gone.
    pub async fn run(&self, runner: Arc<dyn Runner>, context: RequestContext, prepared: &Prepared) -> Answer {
        let correlation_id = context.correlation_id.clone();
        let answer = self.answer(runner, context, prepared).await;
        answer.unwrap_or_else(|problem| self.refuse(vec![problem], &prepared.written, &correlation_id))
    }

    /// A response without data.
    fn refuse(&self, mut problems: Vec<Problem>, written: &Written, correlation_id: &str) -> Answer {
        self.conceal(&mut problems, written);
        refuse(&problems, correlation_id)
    }

    /// Takes from errors what their reader is not to learn from them.
    fn conceal(&self, problems: &mut [Problem], written: &Written) {
        if let Some(concealer) = &self.concealer {
            concealer.conceal(problems, written);
        }
    }

    /// Limits, introspection's permission, variables: everything that refuses a request as a whole.
    fn check(
        &self,
        document: &Valid<ExecutableDocument>,
        operation: &Operation,
        request: &Request,
    ) -> Result<Valid<JsonMap>, Problem> {
        limits::check(&self.settings.limits, document, operation)?;
        let asks_schema = operation.root_fields(document).any(|field| matches!(field.name.as_str(), "__schema" | "__type"));
        if asks_schema && !self.settings.introspection {
            return Err(Problem::new(VALIDATION_FAILED, "introspection is not allowed here"));
        }
        introspection::check_max_depth(document, operation)
            .map_err(|error| Problem::new(crate::error::LIMIT_EXCEEDED, error.message().to_string()))?;
        let given = serde_json::to_vec(&request.variables).and_then(|bytes| serde_json::from_slice::<JsonMap>(&bytes));
        let given = given.map_err(|_| Problem::new(BAD_USER_INPUT, "the variables are no object"))?;
        variables::coerce(&self.schema, document, operation, &given, self.settings.suggestions)
    }

    async fn answer(&self, runner: Arc<dyn Runner>, mut context: RequestContext, prepared: &Prepared) -> Result<Answer, Problem> {
        let Prepared { document, operation, variables, written } = prepared;
        // Whatever day a question is about, what its caller may see is what holds on the day of the request.
        context.caller.today = self.model.project.day_of(context.now);
        context.planning = context.planning.within(self.settings.limits.planning);
        let planner = Planner {
            model: &self.model,
            surface: &self.surface,
            settings: &self.settings,
            request: select::Request { schema: &self.schema, document, variables },
            now: context.now,
            service: &self.service,
            unasked: &self.unasked,
        };
        let plans = planner.roots(planner.request.root(&operation.selection_set), &context.planning);
        let correlation_id = context.correlation_id.clone();
        let shows_cost = context.shows_cost || self.settings.show_cost;
        let units = self.costs.of(&self.model, &self.settings.limits, &plans);
        let charge = cost::charge(&*runner, &context, units, self.settings.limits.cost)?;
        let asker = Asker::new(runner, Arc::new(context), self.surface.is_whole());
        let fetched = fetch::roots(&asker, &self.model, &plans).await;
        if let Some(problem) = turned_away(&plans, &fetched) {
            return Err(problem);
        }
        let introspection = self.introspect(document, operation, variables, &plans);

        let mut writer = Writer::new(&self.model, &self.surface, &asker, self.settings.limits.response_bytes);
        writer.out.extend_from_slice(b"{\"data\":");
        let places: Vec<_> = plans
            .iter()
            .map(|plan| {
                plan.selected.place().and_then(|place| place.line_column(&document.sources)).map(pair).into_iter().collect()
            })
            .collect();
        writer.note(introspection.errors.iter().map(introspection_problem));
        writer.data(&plans, &fetched, &introspection.data.unwrap_or_default(), &places);
        let (mut out, mut problems) = writer.finish();
        self.conceal(&mut problems, written);
        write_all(&mut out, b",\"errors\":", &problems, &correlation_id);
        write::extensions(&mut out, &plans, shows_cost.then_some(&charge));
        out.push(b'}');
        Ok(Answer {
            body: Bytes::from(out),
            had_errors: !problems.is_empty(),
            is_request_error: false,
            is_unreadable: false,
            cache: asker.cache(),
            retry: None,
        })
    }

    /// Answers `__schema`, `__type` and `__typename` at the root.
    fn introspect(
        &self,
        document: &Valid<ExecutableDocument>,
        operation: &Operation,
        variables: &Valid<JsonMap>,
        plans: &[RootPlan<'_>],
    ) -> ExecutionResponse {
        let nothing = ExecutionResponse { errors: Vec::new(), data: None };
        if !plans.iter().any(|plan| matches!(plan.kind, RootKind::Introspection)) {
            return nothing;
        }
        introspection::partial_execute(&self.schema, &self.implementers, document, operation, variables).unwrap_or(nothing)
    }
}

/// A request whose document is valid and within limits, with its variables.
#[derive(Debug, Clone)]
pub struct Prepared {
    document: Arc<Valid<ExecutableDocument>>,
    operation: Node<Operation>,
    variables: Valid<JsonMap>,
    written: Written,
}

impl Prepared {
    /// What kind of operation it is.
    pub fn kind(&self) -> OperationKind {
        if self.operation.is_query() {
            OperationKind::Query
        } else if self.operation.is_mutation() {
            OperationKind::Mutation
        } else {
            OperationKind::Subscription
        }
    }
}

/// Positions of saved queries that a part of the surface does not answer.
fn unasked(model: &Model, surface: &Surface, schema: &Valid<Schema>, settings: &Settings) -> BTreeSet<usize> {
    let is_refused = |question: &SavedQuestion| match question {
        SavedQuestion::Document(text) => Documents::check(schema, &text.value, settings).is_err(),
        SavedQuestion::Ask(ask) => !surface.answers(model, ask),
    };
    let saved = model.saved_queries.iter().enumerate();
    saved.filter(|(_, (_, saved))| is_refused(&saved.question)).map(|(position, _)| position).collect()
}

/// Checks the documents that the definitions save against the surface made from them.
fn check_saved(model: &Model, schema: &Valid<Schema>, settings: &Settings, out: &mut Diagnostics) {
    for (name, saved) in &model.saved_queries {
        let SavedQuestion::Document(text) = &saved.question else { continue };
        for problem in Documents::check(schema, &text.value, settings).err().unwrap_or_default() {
            let place = match problem.locations.first() {
                Some((line, column)) => format!("line {line}, column {column} of the document: "),
                None => String::new(),
            };
            let mut diagnostic =
                Diagnostic::error("G010", text.span, format!("saved query `{name}` cannot be asked: {}", problem.message))
                    .label(format!("{place}{}", problem.message));
            if let Some(nearest) = problem.suggestions.first() {
                diagnostic = diagnostic.help(format!("did you mean `{nearest}`?"));
            }
            if let Some(help) = &problem.help {
                diagnostic = diagnostic.help(help.clone());
            }
            out.push(diagnostic);
        }
    }
}

fn introspection_problem(error: &apollo_compiler::response::GraphQLError) -> Problem {
    use apollo_compiler::response::ResponseDataPathSegment;
    let path = error.path.iter().map(|step| match step {
        ResponseDataPathSegment::Field(name) => Step::Key(name.to_string()),
        ResponseDataPathSegment::ListIndex(index) => Step::Index(*index),
    });
    Problem {
        path: path.collect(),
        locations: error.locations.iter().copied().map(pair).collect(),
        ..Problem::new(BAD_USER_INPUT, error.message.clone())
    }
}
