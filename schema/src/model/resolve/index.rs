//! Names in, positions out: every kind of thing sorted by name, with the second of a name reported.

use std::collections::HashMap;

use crate::{
    definition::{Definitions, Text, access, entity, metric, test, view},
    diagnostic::{Diagnostic, Diagnostics},
    source::Span,
    suggest,
};

/// Every named thing of the definitions.
pub(in crate::model) struct Index<'a> {
    pub(in crate::model) entities: Kind<'a, entity::Entity>,
    pub(in crate::model) metrics: Kind<'a, metric::Metric>,
    pub(in crate::model) views: Kind<'a, view::View>,
    pub(in crate::model) segments: Kind<'a, access::Segment>,
    pub(in crate::model) rules: Kind<'a, access::Rule>,
    pub(in crate::model) policies: Kind<'a, access::Policy>,
    pub(in crate::model) saved_queries: Kind<'a, test::SavedQuery>,
    pub(in crate::model) fixtures: Kind<'a, test::Fixture>,
    /// Names that are defined twice. Which one is meant is not known, so neither is there, and those who use the name are right.
    pub(in crate::model) twice: Vec<&'a str>,
}

/// Things of one kind, sorted by name; a position is an id.
pub(in crate::model) struct Kind<'a, T> {
    what: &'static str,
    code: &'static str,
    items: Vec<(&'a Text, &'a T)>,
    ids: HashMap<&'a str, usize>,
}

/// Ids have 16 bits.
const MOST: usize = u16::MAX as usize;

impl<'a> Index<'a> {
    pub(in crate::model) fn new(definitions: &'a Definitions, out: &mut Diagnostics) -> Self {
        let mut twice = Vec::new();
        let found = &mut (&mut twice, out);
        Self {
            entities: Kind::new("entity", "M010", definitions.entities.iter().map(|item| (&item.entity, item)), found),
            metrics: Kind::new("metric", "M013", pairs(&definitions.metrics), found),
            views: Kind::new("view", "M015", definitions.views.iter().map(|item| (&item.view, item)), found),
            segments: Kind::new("segment", "M018", pairs(&definitions.segments), found),
            rules: Kind::new("rule", "M018", pairs(&definitions.rules), found),
            policies: Kind::new("policy", "M018", pairs(&definitions.policies), found),
            saved_queries: Kind::new("saved query", "M018", pairs(&definitions.saved_queries), found),
            fixtures: Kind::new("fixture", "M016", pairs(&definitions.fixtures), found),
            twice,
        }
    }
}

fn pairs<T>(named: &[(Text, T)]) -> impl Iterator<Item = (&Text, &T)> {
    named.iter().map(|(name, item)| (name, item))
}

impl<'a, T> Kind<'a, T> {
    fn new(
        what: &'static str,
        code: &'static str,
        items: impl Iterator<Item = (&'a Text, &'a T)>,
        (twice, out): &mut (&mut Vec<&'a str>, &mut Diagnostics),
    ) -> Self {
        let mut items: Vec<_> = items.collect();
        items.sort_by(|(one, _), (other, _)| one.value.cmp(&other.value).then(one.span.cmp(&other.span)));
        let before = twice.len();
        items.dedup_by(|(again, _), (first, _)| {
            let is_again = again.value == first.value;
            if is_again {
                out.push(twice_named(what, again, first.span));
                twice.push(&first.value);
            }
            is_again
        });
        items.retain(|(name, _)| !twice[before..].contains(&name.value.as_str()));
        if items.len() > MOST {
            let (name, _) = items[MOST];
            out.push(Diagnostic::error("M008", name.span, format!("more than {MOST} definitions of kind {what}")));
            items.truncate(MOST);
        }
        let ids = items.iter().enumerate().map(|(id, (name, _))| (name.value.as_str(), id)).collect();
        Self { what, code, items, ids }
    }

    /// The id of a name.
    pub(in crate::model) fn get(&self, name: &str) -> Option<usize> {
        self.ids.get(name).copied()
    }

    /// The id of a name that someone wrote; reports a name that is not there.
    pub(in crate::model) fn find(&self, name: &str, span: Span, out: &mut Diagnostics) -> Option<usize> {
        let id = self.get(name);
        if id.is_none() {
            out.push(unknown(self.code, self.what, name, span, self.names()));
        }
        id
    }

    /// Every name, sorted.
    pub(in crate::model) fn names(&self) -> impl Iterator<Item = &'a str> + Clone {
        self.items.iter().map(|(name, _)| name.value.as_str())
    }

    /// Every name with its definition, in order of ids.
    pub(in crate::model) fn iter(&self) -> impl Iterator<Item = (&'a Text, &'a T)> {
        self.items.iter().copied()
    }

    /// The definition of an id.
    pub(in crate::model) fn at(&self, id: usize) -> (&'a Text, &'a T) {
        self.items[id]
    }

    /// How many there are.
    pub(in crate::model) fn len(&self) -> usize {
        self.items.len()
    }

    /// Look-up by owned name.
    pub(in crate::model) fn ids<I>(&self, id: impl Fn(u16) -> I) -> HashMap<String, I> {
        self.items.iter().enumerate().map(|(index, (name, _))| (name.value.clone(), id(index as u16))).collect()
    }

    /// Copies with their names.
    pub(in crate::model) fn owned(&self) -> Vec<(String, T)>
    where
        T: Clone,
    {
        self.items.iter().map(|(name, item)| (name.value.clone(), (*item).clone())).collect()
    }
}

/// Two things of one kind and name.
pub(in crate::model) fn twice_named(what: &str, again: &Text, first: Span) -> Diagnostic {
    Diagnostic::error("M002", again.span, format!("{what} `{}` is defined twice", again.value))
        .label("the second one")
        .also(first, "the first one")
        .help("rename or remove one of them")
}

/// Names that are shown where none is near.
const SHOWN: usize = 10;

/// A name that is not there, with the nearest that are, or some of those there are.
pub(in crate::model) fn unknown<'n>(
    code: &'static str,
    what: &str,
    name: &str,
    span: Span,
    candidates: impl IntoIterator<Item = &'n str>,
) -> Diagnostic {
    let candidates: Vec<&str> = candidates.into_iter().collect();
    let diagnostic = Diagnostic::error(code, span, format!("unknown {what} `{name}`")).label("no such name");
    match (did_you_mean(name, candidates.iter().copied()), candidates.as_slice()) {
        (Some(question), _) => diagnostic.help(question),
        (None, []) => diagnostic.help("there is none to choose from"),
        (None, few) if few.len() <= SHOWN => diagnostic.help(format!("there is: {}", few.join(", "))),
        (None, many) => {
            let (shown, others) = many.split_at(SHOWN);
            diagnostic.help(format!("there is: {}, and {} more", shown.join(", "), others.len()))
        }
    }
}

/// The nearest names as a question.
pub(in crate::model) fn did_you_mean<'n>(name: &str, candidates: impl IntoIterator<Item = &'n str>) -> Option<String> {
    let nearest = suggest::nearest(name, candidates);
    let names: Vec<String> = nearest.iter().map(|name| format!("`{name}`")).collect();
    (!names.is_empty()).then(|| format!("did you mean {}?", names.join(" or ")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::FileId;

    #[test]
    fn what_there_is_is_listed_when_nothing_is_near() {
        let span = Span { file: FileId(0), start: 0, end: 1 };
        let help = |names: &[&str]| unknown("M016", "fixture", "zzzzzz", span, names.iter().copied()).help;
        let names = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m"];
        assert_eq!(help(&[]), ["there is none to choose from"]);
        assert_eq!(help(&names[..10]), ["there is: a, b, c, d, e, f, g, h, i, j"]);
        assert_eq!(help(&names), ["there is: a, b, c, d, e, f, g, h, i, j, and 3 more"]);
        assert_eq!(help(&["zzzzz", "b"]), ["did you mean `zzzzz`?"]);
    }
}
