//! Requests that are refused as a whole: what is said, and when they may be sent again. There is no `data` then, so that nobody takes
//! it for an answer.

use bytes::Bytes;

use crate::{
    Answer, Retry, RetryReason,
    error::{BUDGET_EXCEEDED, OVERLOADED, PARSE_FAILED, Problem, write_all},
    fetch::Fetched,
    plan::RootPlan,
};

/// A response without `data`.
pub(crate) fn refuse(problems: &[Problem], correlation_id: &str) -> Answer {
    let mut out = Vec::with_capacity(256);
    out.push(b'{');
    write_all(&mut out, b"\"errors\":", problems, correlation_id);
    out.push(b'}');
    Answer {
        body: Bytes::from(out),
        had_errors: true,
        is_request_error: true,
        is_unreadable: problems.iter().any(|problem| problem.code == PARSE_FAILED),
        cache: None,
        retry: retry(problems),
    }
}

/// When a refused request may be sent again.
fn retry(problems: &[Problem]) -> Option<Retry> {
    let problem = problems.iter().max_by_key(|problem| problem.retry_after_seconds)?;
    let reason = if problem.code == BUDGET_EXCEEDED { RetryReason::BudgetSpent } else { RetryReason::Overloaded };
    problem.retry_after_seconds.map(|after_seconds| Retry { reason, after_seconds })
}

/// Why nothing of an operation could be answered, when that is only because too much else is asked. Then it is as if it had not
/// begun, so that its client is told to come back; where a part was answered, the others have errors of their own.
pub(crate) fn turned_away(plans: &[RootPlan<'_>], fetched: &[Result<Fetched, Problem>]) -> Option<Problem> {
    let mut found: Option<Problem> = None;
    for (plan, fetched) in plans.iter().zip(fetched) {
        let problem = match fetched {
            Err(problem) => problem,
            Ok(Fetched::Nodes(levels)) => {
                // Of several entities each has its own; one that was answered is a part.
                let problems: Option<Vec<_>> = levels.iter().map(|level| level.as_ref().err()).collect();
                problems?.into_iter().reduce(|one, other| if one.code == OVERLOADED { other } else { one })?
            }
            // Clients add it to everything.
            Ok(Fetched::Nothing) if plan.selected.name == "__typename" => continue,
            Ok(Fetched::Metrics(_) | Fetched::Keyed(_) | Fetched::Connection(_) | Fetched::Signals(_) | Fetched::Nothing) => {
                return None;
            }
        };
        if problem.code != OVERLOADED {
            return None;
        }
        if found.as_ref().is_none_or(|found| found.retry_after_seconds < problem.retry_after_seconds) {
            found = Some(Problem { path: Vec::new(), locations: Vec::new(), ..problem.clone() });
        }
    }
    found
}
