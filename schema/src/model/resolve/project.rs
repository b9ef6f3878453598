//! Project documents in, one checked project out.

use jiff::tz::TimeZoneDatabase;

use super::{
    Draft,
    words::{one_of, owned},
};
use crate::{
    definition::{Text, project},
    diagnostic::{Diagnostic, Diagnostics},
    model::{DimensionIndex, ExchangeRates, Project},
    suggest,
    time::Calendar,
};

const MONTHS: [(&str, u8); 12] = [
    ("january", 1),
    ("february", 2),
    ("march", 3),
    ("april", 4),
    ("may", 5),
    ("june", 6),
    ("july", 7),
    ("august", 8),
    ("september", 9),
    ("october", 10),
    ("november", 11),
    ("december", 12),
];

const DAYS: [(&str, u8); 7] =
    [("monday", 1), ("tuesday", 2), ("wednesday", 3), ("thursday", 4), ("friday", 5), ("saturday", 6), ("sunday", 7)];

/// The only project; without one a default in UTC.
pub(super) fn resolve(projects: &[project::Project], out: &mut Diagnostics) -> Project {
    let Some((first, others)) = projects.split_first() else {
        out.push(no_project());
        return Project {
            name: "holdfast".to_owned(),
            description: None,
            time_zone: "UTC".to_owned(),
            calendar: Calendar::default(),
            currency: None,
            exchange_rates: None,
        };
    };
    for other in others {
        out.push(
            Diagnostic::error("M005", other.project.span, "a second project")
                .label("only one file may hold `project:`")
                .also(first.project.span, "the first one"),
        );
    }
    if let Some(version) = first.version.as_ref().filter(|version| version.value != 1) {
        out.push(
            Diagnostic::error("M006", version.span, format!("version {} of the language is not known", version.value))
                .label("expected 1"),
        );
    }
    let option = |text: Option<&Text>, what, options: &[(&str, u8)], out: &mut Diagnostics| {
        text.and_then(|text| one_of(what, text, options, out)).unwrap_or(1)
    };
    Project {
        name: first.project.value.clone(),
        description: owned(first.description.as_ref()),
        time_zone: first.time_zone.as_ref().map_or_else(|| "UTC".to_owned(), |zone| time_zone(zone, out)),
        calendar: Calendar {
            week_start: option(first.week_start.as_ref(), "day", &DAYS, out),
            fiscal_year_start: option(first.fiscal_year_start.as_ref(), "month", &MONTHS, out),
        },
        currency: first.currency.as_ref().and_then(|currency| currency_code(currency, out)),
        exchange_rates: None,
    }
}

/// Where exchange rates stand; needs the entities.
pub(super) fn exchange_rates(draft: &Draft<'_>, out: &mut Diagnostics) -> Option<ExchangeRates> {
    let project = draft.definitions.projects.first()?;
    let written = project.exchange_rates.as_ref()?;
    if project.currency.is_none() {
        out.push(
            Diagnostic::error("M037", written.entity.span, "there are exchange rates, and no currency to convert from")
                .help("add `currency:` with the code of the money that amounts are in"),
        );
    }
    let id = draft.find_entity(&written.entity.value, written.entity.span, out)?;
    let entity = draft.entity(id);
    let day = entity.dimensions.iter().position(|dimension| dimension.time.is_some());
    if day.is_none() {
        out.push(
            Diagnostic::error("M037", written.entity.span, format!("rates of `{}` do not say from when they hold", entity.name))
                .help("add a time dimension to the entity"),
        );
    }
    let mut find = |text: &Text, is_number: bool| {
        let found = draft.dimension(id, std::slice::from_ref(text), out)?.dimension.index;
        let dimension = &entity.dimensions[found.index()];
        if dimension.value_type.is_numeric() == is_number {
            return Some(found);
        }
        let expected = if is_number { "a number" } else { "text" };
        let message = format!("`{}` is {}, and {expected} is needed here", text.value, dimension.value_type.name());
        out.push(Diagnostic::error("M026", text.span, message));
        None
    };
    let [from, to] = [find(&written.from, false), find(&written.to, false)];
    let rate = find(&written.rate, true);
    let kind = match &written.kind {
        Some(kind) => Some((find(kind, false)?, owned(written.default_kind.as_ref()))),
        None => None,
    };
    if let (None, Some(default)) = (&written.kind, &written.default_kind) {
        out.push(
            Diagnostic::error("M037", default.span, "a default, and nothing that it is a value of")
                .help("add `kind:` with the dimension that names rates"),
        );
    }
    Some(ExchangeRates { entity: id, day: DimensionIndex(day? as u16), from: from?, to: to?, rate: rate?, kind })
}

fn no_project() -> Diagnostic {
    Diagnostic {
        severity: crate::diagnostic::Severity::Warning,
        code: "M005",
        message: "there is no `project:` document; days begin in UTC, years in January, weeks on Monday".to_owned(),
        primary: None,
        secondary: Vec::new(),
        help: vec!["add a file `project.yaml` with `project: your_name` and `time_zone: Area/City`".to_owned()],
    }
}

/// The zone's own spelling of its name.
fn time_zone(text: &Text, out: &mut Diagnostics) -> String {
    let zones = TimeZoneDatabase::bundled();
    if let Some(name) = zones.get(&text.value).ok().and_then(|zone| zone.iana_name().map(str::to_owned)) {
        return name;
    }
    let mut diagnostic = Diagnostic::error("M006", text.span, format!("unknown time zone `{}`", text.value))
        .label("expected a name of the IANA time zone database such as `Europe/Berlin`");
    let known: Vec<String> = zones.available().map(|name| name.to_string()).collect();
    let nearest = suggest::nearest(&text.value, known.iter().map(String::as_str));
    if let Some(best) = nearest.first() {
        diagnostic = diagnostic.help(format!("did you mean `{best}`?"));
    }
    out.push(diagnostic);
    "UTC".to_owned()
}

pub(super) fn currency_code(text: &Text, out: &mut Diagnostics) -> Option<String> {
    if text.value.len() == 3 && text.value.bytes().all(|byte| byte.is_ascii_uppercase()) {
        return Some(text.value.clone());
    }
    out.push(
        Diagnostic::error("M006", text.span, format!("`{}` is not a currency code", text.value))
            .label("expected three capitals of ISO 4217 such as `EUR`"),
    );
    None
}
