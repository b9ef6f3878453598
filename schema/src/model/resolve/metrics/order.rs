//! Metrics in an order in which inputs come before what is made of them; circles are reported and left out.

use super::{super::Draft, shape::Shape};
use crate::diagnostic::{Diagnostic, Diagnostics};

/// Positions of metrics, inputs first. Metrics in a circle, and those made of them, are left out.
pub(super) fn inputs_first(draft: &Draft<'_>, shapes: &[Option<Shape>], out: &mut Diagnostics) -> Vec<usize> {
    let inputs: Vec<Vec<usize>> = shapes
        .iter()
        .map(|shape| shape.as_ref().map(|shape| shape.inputs().iter().map(|id| id.index()).collect()).unwrap_or_default())
        .collect();
    let mut waiting_for: Vec<usize> = inputs.iter().map(Vec::len).collect();
    let mut used_by: Vec<Vec<usize>> = vec![Vec::new(); shapes.len()];
    for (id, inputs) in inputs.iter().enumerate() {
        inputs.iter().for_each(|input| used_by[*input].push(id));
    }
    let mut order: Vec<usize> = (0..shapes.len()).filter(|id| waiting_for[*id] == 0).collect();
    let mut next = 0;
    while let Some(id) = order.get(next).copied() {
        next += 1;
        for user in &used_by[id] {
            waiting_for[*user] -= 1;
            if waiting_for[*user] == 0 {
                order.push(*user);
            }
        }
    }
    if order.len() < shapes.len() {
        report_circles(draft, &inputs, &waiting_for, out);
    }
    order
}

/// Follows waiting inputs until a metric repeats; everything on the way is either in a circle or made of one.
fn report_circles(draft: &Draft<'_>, inputs: &[Vec<usize>], waiting_for: &[usize], out: &mut Diagnostics) {
    let mut seen = vec![false; inputs.len()];
    for start in 0..inputs.len() {
        let mut trail: Vec<usize> = Vec::new();
        let mut at = start;
        while waiting_for[at] > 0 && !seen[at] {
            seen[at] = true;
            trail.push(at);
            at = inputs[at].iter().copied().find(|input| waiting_for[*input] > 0).unwrap_or(at);
        }
        let Some(first) = trail.iter().position(|id| *id == at) else { continue };
        let circle = &trail[first..];
        let names: Vec<&str> = circle.iter().chain([&at]).map(|id| draft.index.metrics.at(*id).0.value.as_str()).collect();
        let (name, _) = draft.index.metrics.at(at);
        let mut diagnostic = Diagnostic::error("M040", name.span, format!("metric `{}` is made of itself", name.value))
            .label(names.join(" → "))
            .help("break the circle: one of them must be computed from measures");
        for id in &circle[1..] {
            diagnostic = diagnostic.also(draft.index.metrics.at(*id).0.span, "on the way");
        }
        out.push(diagnostic);
    }
}
