//! One mapping being read key by key: what is asked for is known, what is left over is a mistake.
//!
//! Every decoder is a list of such questions, so the keys of a mapping stand in one place, beside the fields they fill.

use std::cell::RefCell;

use super::Context;
use crate::{
    definition::{
        Named, Text,
        yaml::{Kind, Node},
    },
    diagnostic::Diagnostic,
    source::{Span, Spanned},
    suggest,
};

/// The entries of one mapping and the keys asked for so far.
pub(super) struct Map<'a> {
    context: &'a Context<'a>,
    /// What the mapping is, for messages: `metric`.
    what: &'static str,
    /// Where a missing key is reported.
    place: Span,
    entries: &'a [(Text, Node)],
    known: RefCell<Vec<&'static str>>,
    /// Keys that should have been written, with what to say. Told at the end: a mistyped key is one mistake, not two.
    missing: RefCell<Vec<(Vec<&'static str>, Diagnostic)>>,
}

impl<'a> Map<'a> {
    /// Opens a mapping; `name` is the key it stands under, where a missing key is reported.
    pub(super) fn open(context: &'a Context<'a>, node: &'a Node, what: &'static str, name: Option<Span>) -> Option<Self> {
        let Kind::Mapping(entries) = &node.kind else {
            context.wrong_kind(node, &format!("a mapping with the keys of {}", with_article(what)));
            return None;
        };
        let place = name.or_else(|| entries.first().map(|(key, _)| key.span)).unwrap_or(node.span);
        Some(Self { context, what, place, entries, known: RefCell::default(), missing: RefCell::default() })
    }

    /// The node under a key, which is known from now on.
    pub(super) fn node(&self, key: &'static str) -> Option<(&'a Text, &'a Node)> {
        self.known.borrow_mut().push(key);
        self.entries.iter().find(|(found, _)| found.value == key).map(|(key, value)| (key, value))
    }

    /// A value by its own decoder.
    pub(super) fn optional<T>(&self, key: &'static str, decode: impl FnOnce(&Context<'_>, &Text, &Node) -> Option<T>) -> Option<T> {
        let (name, node) = self.node(key)?;
        if node.is_null() {
            self.context.push(
                Diagnostic::error("D004", name.span, format!("`{key}` has no value")).help("give it a value or remove the key"),
            );
            return None;
        }
        decode(self.context, name, node)
    }

    /// A value by its own decoder; its absence is reported.
    pub(super) fn required<T>(&self, key: &'static str, decode: impl FnOnce(&Context<'_>, &Text, &Node) -> Option<T>) -> Option<T> {
        if self.has(key) {
            return self.optional(key, decode);
        }
        self.known.borrow_mut().push(key);
        let message = format!("this {} has no `{key}`", self.what);
        let error = Diagnostic::error("D002", self.place, message).label(format!("`{key}:` is required"));
        self.missing.borrow_mut().push((vec![key], error));
        None
    }

    /// Whether a key was written.
    pub(super) fn has(&self, key: &str) -> bool {
        self.entries.iter().any(|(found, _)| found.value == key)
    }

    /// A word or sentence.
    pub(super) fn text(&self, key: &'static str) -> Option<Text> {
        self.optional(key, |context, _, node| context.text(node))
    }

    /// A word or sentence that must be there.
    pub(super) fn required_text(&self, key: &'static str) -> Option<Text> {
        self.required(key, |context, _, node| context.text(node))
    }

    /// An expression.
    pub(super) fn expression(&self, key: &'static str) -> Option<Text> {
        self.optional(key, |context, _, node| context.expression(node))
    }

    /// An expression that must be there.
    pub(super) fn required_expression(&self, key: &'static str) -> Option<Text> {
        self.required(key, |context, _, node| context.expression(node))
    }

    /// A list of words, or one word; absent is empty.
    pub(super) fn texts(&self, key: &'static str) -> Vec<Text> {
        self.list(key, |context, node| context.text(node))
    }

    /// A list of words, or one word; at least one.
    pub(super) fn required_texts(&self, key: &'static str) -> Option<Vec<Text>> {
        self.required(key, |context, name, node| {
            let texts: Vec<_> = context.items(node).iter().filter_map(|item| context.text(item)).collect();
            if matches!(&node.kind, Kind::Sequence(items) if items.is_empty()) {
                context.push(Diagnostic::error("D004", name.span, format!("`{key}` needs at least one value")));
            }
            (!texts.is_empty()).then_some(texts)
        })
    }

    /// A list, or one item of it; absent is empty.
    pub(super) fn list<T>(&self, key: &'static str, decode: impl Fn(&Context<'_>, &Node) -> Option<T>) -> Vec<T> {
        self.optional(key, |context, _, node| Some(context.items(node).iter().filter_map(|item| decode(context, item)).collect()))
            .unwrap_or_default()
    }

    /// `true` or `false`.
    pub(super) fn flag(&self, key: &'static str) -> Option<Spanned<bool>> {
        self.optional(key, |context, _, node| {
            let text = context.text(node)?;
            match text.value.as_str() {
                "true" => Some(Spanned::new(true, text.span)),
                "false" => Some(Spanned::new(false, text.span)),
                other => {
                    let message = format!("`{key}` is `true` or `false`, not `{other}`");
                    context.push(Diagnostic::error("D005", text.span, message));
                    None
                }
            }
        })
    }

    /// A whole number.
    pub(super) fn whole(&self, key: &'static str) -> Option<Spanned<i64>> {
        self.optional(key, |context, _, node| {
            let text = context.text(node)?;
            let Ok(number) = text.value.parse() else {
                context.push(Diagnostic::error("D005", text.span, format!("`{key}` is a whole number, not `{}`", text.value)));
                return None;
            };
            Some(Spanned::new(number, text.span))
        })
    }

    /// A decimal number, kept as written.
    pub(super) fn decimal(&self, key: &'static str) -> Option<Text> {
        self.optional(key, |context, _, node| {
            let text = context.text(node)?;
            if crate::value::canonical_decimal(&text.value).is_none() {
                let message = format!("`{key}` is a number such as 10000 or 0.05, not `{}`", text.value);
                context.push(Diagnostic::error("D005", text.span, message));
                return None;
            }
            Some(text)
        })
    }

    /// A decimal number, or `parameters.name`, kept as written.
    pub(super) fn number(&self, key: &'static str) -> Option<Text> {
        let is_parameter = |node: &Node| matches!(&node.kind, Kind::Scalar { text, .. } if text.starts_with("parameters."));
        match self.entries.iter().find(|(found, _)| found.value == key) {
            Some((_, node)) if is_parameter(node) => self.text(key),
            Some(_) | None => self.decimal(key),
        }
    }

    /// A mapping of names to things; absent is empty. A thing that cannot be read is left out and its name remembered.
    pub(super) fn named<T>(&self, key: &'static str, decode: impl Fn(&Context<'_>, &Text, &Node) -> Option<T>) -> Named<T> {
        self.optional(key, |context, _, node| context.named(node, decode)).unwrap_or_default()
    }

    /// The keys of `keys` that were written; all of them are known from now on. More than one is reported.
    pub(super) fn one_of(&self, keys: &'static [&'static str], what: &str) -> Option<&'static str> {
        let mut written: Vec<(&'static str, Span)> = Vec::new();
        for key in keys {
            if let Some((name, _)) = self.node(key) {
                written.push((key, name.span));
            }
        }
        written.sort_by_key(|(_, span)| span.start);
        let (first, span) = *written.first()?;
        for (other, at) in &written[1..] {
            let message = format!("`{first}` and `{other}` cannot both say {what}");
            self.context.push(
                Diagnostic::error("D006", *at, message)
                    .label("the second")
                    .also(span, "the first")
                    .help(format!("keep one of: {}", keys.join(", "))),
            );
        }
        Some(first)
    }

    /// Like [`Map::one_of`], and reports when none was written.
    pub(super) fn exactly_one_of(&self, keys: &'static [&'static str], what: &str) -> Option<&'static str> {
        let found = self.one_of(keys, what);
        if found.is_none() {
            let message = format!("this {} does not say {what}", self.what);
            let error = Diagnostic::error("D007", self.place, message).help(format!("write one of: {}", keys.join(", ")));
            self.missing.borrow_mut().push((keys.to_vec(), error));
        }
        found
    }

    /// Reports every key that nobody asked for, and what is missing unless one of those was probably meant to be it.
    pub(super) fn finish(self) {
        let mut known = self.known.into_inner();
        known.sort_unstable();
        known.dedup();
        let mut meant = Vec::new();
        for (key, value) in self.entries.iter().filter(|(key, _)| !known.contains(&key.value.as_str())) {
            let what = with_article(self.what);
            let error = Diagnostic::error("D001", key.span, format!("{what} has no key `{}`", key.value)).label("unknown key");
            if value.is_null() && key.value.contains(' ') {
                self.context.push(error.help("between `{` and `}` a comma ends a value: put text with a comma into quotes"));
                continue;
            }
            let near = suggest::nearest(&key.value, known.iter().copied()).into_iter().next();
            let error = match &near {
                Some(near) => error.help(format!("did you mean `{near}`?")),
                None => error,
            };
            meant.extend(near);
            self.context.push(error.help(format!("{what} has: {}", known.join(", "))));
        }
        for (keys, error) in self.missing.into_inner() {
            if !keys.iter().any(|key| meant.iter().any(|near| near == key)) {
                self.context.push(error);
            }
        }
    }
}

fn with_article(what: &str) -> String {
    let article = if what.starts_with(['a', 'e', 'i', 'o']) { "an" } else { "a" };
    format!("{article} {what}")
}
