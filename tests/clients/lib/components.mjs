// Components of an imagined page. Each asks for its own grouping, metrics, range or filter of the same views and entities; a cache that
// keeps them apart shows each exactly what the server answered it.
//
// What a cache needs from queries: `by` in the arguments (a grouping that follows from the selection is for people at a console), and
// `id` wherever there is one.

const q1 = '{between: {from: "2025-01-01", to: "2025-04-01"}}';
const q2 = '{between: {from: "2025-04-01", to: "2025-07-01"}}';
const retention = (by, range, selection, more = "") => `{ retention(by: [${by}], range: ${range}${more}) { ${selection} } }`;
const accounts = (fields, more = "") => `{ accounts(first: 3, asOf: "2026-01-01", orderBy: [{name: {dir: ASC}}]${more}) { nodes { id ${fields} } } }`;

const texts = {
  "nrr by segment": retention("{dimension: SEGMENT}", q1, "rows { id segment nrr }"),
  "grr by segment": retention("{dimension: SEGMENT}", q1, "rows { id segment grr contractionMrr }"),
  "totals of the same question": retention("{dimension: SEGMENT}", q1, "totals { id nrr grr } rowCount"),
  "nrr by region": retention("{dimension: REGION}", q1, "rows { id region nrr }"),
  "nrr by segment and region": retention("{dimension: SEGMENT}, {dimension: REGION}", q1, "rows { id segment region nrr }"),
  "nrr of all": retention("", q1, "rows { id nrr } totals { id nrr }"),
  "nrr by segment, another quarter": retention("{dimension: SEGMENT}", q2, "rows { id segment nrr }"),
  "nrr by segment and month": retention("{dimension: SEGMENT}, {time: {grain: MONTH}}", q1, "rows { id segment nrr period(grain: MONTH) { start label } }"),
  "nrr by segment and quarter": retention("{dimension: SEGMENT}, {time: {grain: QUARTER}}", q1, "rows { id segment nrr period(grain: QUARTER) { start label } }"),
  "contraction by component": retention("{dimension: SEGMENT}", q1, "rows { id segment grr contractionMrr }", ", movementGrain: COMPONENT"),
  "nrr of one region by segment": retention("{dimension: SEGMENT}", q1, "rows { id segment nrr }", ", where: {region: {eq: EMEA}}"),
  "a metric with two filters": retention("{dimension: SEGMENT}", q1, "rows { id segment emea: nrr(where: {region: {eq: EMEA}}) apac: nrr(where: {region: {eq: APAC}}) }"),
  "the same beside the quarter before": retention("{dimension: SEGMENT}", q1, "rows { id segment nrr compare { nrr { previous delta } } }", ", compare: {previousPeriods: 1}"),
  "the worst segment": retention("{dimension: SEGMENT}", q1, "rows { id segment nrr }", ", orderBy: [{nrr: {dir: ASC}}], limit: 1"),
  "accounts of the view": retention("{dimension: ACCOUNT}", q1, "rows { id account { id name } nrr }", ", orderBy: [{nrr: {dir: DESC}}], limit: 3"),
  "why cells are empty": retention("{dimension: SEGMENT}", q1, "rows { id segment status { nrr } }"),
  "accounts and their revenue": accounts(`name metrics(range: ${q1}) { mrr nrr }`),
  "accounts and other metrics": accounts(`metrics(range: ${q1}) { grr contractionMrr }`),
  "accounts, another quarter": accounts(`metrics(range: ${q2}) { mrr nrr }`),
  "accounts, two quarters at once": accounts(`first: metrics(range: ${q1}) { mrr } second: metrics(range: ${q2}) { mrr }`),
  "accounts in another order": accounts(`name metrics(range: ${q1}) { grr }`).replace("ASC", "DESC"),
  "accounts with contraction": accounts("name", `, metrics: {range: ${q1}}, having: {contractionMrr: {gt: "0"}}`),
  "accounts and their contracts": accounts("contracts(first: 2) { totalCount nodes { id startDate } }"),
  "accounts and open renewals": accounts("renewalSurfaces(first: 2, where: {status: {eq: OPEN}}) { totalCount nodes { id dueDate } }"),
  "accounts and all renewals": accounts("renewalSurfaces(first: 2) { totalCount nodes { id dueDate } }"),
  "one account": '{ account(id: "account:A0207", asOf: "2026-01-01") { id name segment } }',
};

/** Name → query, each with a name of its own. */
export const components = Object.entries(texts).map(([name, text], index) => ({ name, query: `query Component${index} ${text}` }));

/** The same account on two days: with the same id, but other facts. */
export const days = ["2024-06-01", "2026-01-01"].map((day, index) => ({
  name: `an account on ${day}`,
  query: `query Day${index} { account(id: "account:A0207", asOf: "${day}") { id metrics(range: {preset: LAST_MONTH}) { mrr } } }`,
}));

/** What no cache can keep apart: two groupings that follow from the selection, under the same arguments. The suites must notice. */
export const inferred = ["segment", "region"].map((dimension, index) => ({
  name: `by ${dimension}, not said in the arguments`,
  query: `query Inferred${index} { retention(range: ${q1}) { rows { id ${dimension} nrr } } }`,
}));
