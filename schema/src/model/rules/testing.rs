//! What tests of rules share: a small model, and the messages that definitions cause.

use crate::{diagnostic::Diagnostics, source::SourceMap};

/// A project, accounts and a snapshot fact of theirs.
pub(super) const SNAPSHOT: &str = "project: test
---
entity: account
source: account
key: account_id
dimensions:
  name: string
  status: string
  segment: {values: [enterprise, smb]}
---
entity: component_value
source: component_value
key: [component_id, month]
time: {month: {type: date, grain: month, snapshot: end_of_period}}
dimensions:
  amount: {type: decimal, column: mrr}
relationships:
  account: {to: account, key: account_id}
measures:
  mrr: {sum: amount, over_time: last}
  rows_seen: {count: rows}
movements: {owner: account, grains: {account: [account], component: [account, component_id]}}
";

/// `code: message` of every mistake in definitions; documents are separated by `---`.
pub(super) fn codes_of(documents: &str) -> Vec<String> {
    let files = documents.split("---\n").enumerate().map(|(index, text)| (format!("{index:02}.yaml"), text.to_owned()));
    let sources = SourceMap::new(files);
    let mut out = Diagnostics::default();
    let definitions = crate::definition::parse(&sources, &mut out);
    crate::model::resolve(&sources, &definitions, &mut out);
    let shown = out.sorted().into_iter().filter(|item| item.primary.is_some());
    shown.map(|item| format!("{}: {}", item.code, item.message)).collect()
}
