//! Text of a request → a validated document, kept by the hash of its text.

use std::sync::Arc;

use apollo_compiler::{
    ExecutableDocument, Schema,
    parser::Parser,
    validation::{DiagnosticList, Valid},
};
use moka::future::Cache;
use sha2::{Digest as _, Sha256};

use crate::{
    error::{LIMIT_EXCEEDED, PARSE_FAILED, Problem, VALIDATION_FAILED, pair},
    limits::Limits,
};

/// Errors of one document that are reported.
const MAX_ERRORS: usize = 20;

/// Validated documents by the digest of their text.
#[derive(Debug, Clone)]
pub(crate) struct Documents {
    cache: Cache<[u8; 32], Arc<Valid<ExecutableDocument>>>,
}

impl Documents {
    /// A cache of that many documents.
    pub(crate) fn new(capacity: u64) -> Self {
        Self { cache: Cache::new(capacity) }
    }

    /// The validated document of a text. Documents that are wrong are not kept.
    pub(crate) async fn get(
        &self,
        schema: &Valid<Schema>,
        text: &str,
        limits: &Limits,
    ) -> Result<Arc<Valid<ExecutableDocument>>, Vec<Problem>> {
        let digest: [u8; 32] = Sha256::digest(text.as_bytes()).into();
        if let Some(document) = self.cache.get(&digest).await {
            return Ok(document);
        }
        let document = Arc::new(parse(schema, text, limits)?);
        self.cache.insert(digest, Arc::clone(&document)).await;
        Ok(document)
    }
}

fn parse(schema: &Valid<Schema>, text: &str, limits: &Limits) -> Result<Valid<ExecutableDocument>, Vec<Problem>> {
    let mut parser = Parser::new().token_limit(limits.tokens).recursion_limit(limits.recursion);
    let ast = match parser.parse_ast(text, "request") {
        Ok(ast) if ast.definitions.is_empty() => return Err(vec![Problem::new(PARSE_FAILED, "the document is empty")]),
        Ok(ast) => ast,
        Err(wrong) => {
            let is_limit = parser.tokens_reached() > limits.tokens || parser.recursion_reached() > limits.recursion;
            let mut problems = problems(&wrong.errors, PARSE_FAILED);
            if is_limit {
                problems.retain(|problem| problem.message.contains("limit"));
                problems.iter_mut().for_each(|problem| problem.code = LIMIT_EXCEEDED);
            }
            return Err(problems);
        }
    };
    ast.to_executable_validate(schema).map_err(|wrong| problems(&wrong.errors, VALIDATION_FAILED))
}

fn problems(errors: &DiagnosticList, code: &'static str) -> Vec<Problem> {
    let mut out: Vec<Problem> = Vec::new();
    for error in errors.iter().take(MAX_ERRORS) {
        let json = error.to_json();
        let problem = Problem { locations: json.locations.into_iter().map(pair).collect(), ..Problem::new(code, json.message) };
        if !out.contains(&problem) {
            out.push(problem);
        }
    }
    out
}
