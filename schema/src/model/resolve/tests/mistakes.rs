//! Mistakes in definitions: each has its message, and no mistake has a second one.

use super::{BASE, base_with, model_with, resolve};

/// Definitions added to the base, and the messages they cause.
const MISTAKES: &[(&str, &[&str])] = &[
    ("project: again\n", &["M005: a second project"]),
    ("entity: x\nsource: a.b.c\nkey: x_id\n", &["M004: a source has at most a schema and a table"]),
    (
        "entity: x\nsource: {sql: \"select 1; drop table t\"}\nkey: x_id\n",
        &["M009: the query of a source is one statement, without a semicolon"],
    ),
    ("entity: x\nsource: {sql: \"delete from t\"}\nkey: x_id\n", &["M009: the query of a source begins with `select` or `with`"]),
    ("entity: x\nsource: x\nkey: [a, a]\n", &["M020: `a` is in the key twice"]),
    ("entity: account\nsource: x\nkey: x_id\n", &["M002: entity `account` is defined twice"]),
    ("entity: x\nsource: x\nkey: XId\n", &["M001: the key column `XId` needs a dimension with a name of its own"]),
    ("entity: x\nsource: x\nkey: x_id\ndisplay: nmae\ndimensions: {name: string}\n", &["M011: unknown dimension of `x` `nmae`"]),
    (
        "entity: x\nsource: x\nkey: x_id\nrelationships: {name: {to: account, key: a}}\ndimensions: {name: string}\n",
        &["M002: `x`: dimension or relationship `name` is defined twice"],
    ),
    ("entity: x\nsource: x\nkey: x_id\nrelationships: {account: {to: acount, key: a}}\n", &["M010: unknown entity `acount`"]),
    (
        "entity: x\nsource: x\nkey: x_id\nrelationships: {account: {to: account, key: [a, b]}}\n",
        &["M021: `account` names 2 columns, the key of `account` has 1"],
    ),
    (
        "entity: x\nsource: x\nkey: x_id\nrelationships: {up: {to: x, key: a}, top: {top_of: up, levels: 2, key: a}}\n",
        &["M022: `top` is of more than one kind"],
    ),
    ("entity: x\nsource: x\nkey: x_id\nrelationships: {up: {to: x, key: a, levels: 2}}\n", &["M022: `up` follows no chain"]),
    (
        "entity: x\nsource: x\nkey: x_id\nrelationships: {top: {top_of: up, levels: 2}}\n",
        &["M012: unknown relationship of `x` `up`"],
    ),
    (
        "entity: x\nsource: x\nkey: x_id\nrelationships: {account: {to: account, key: a}, top: {top_of: account, levels: 2}}\n",
        &["M023: `account` does not lead from one `x` to another `x`"],
    ),
    (
        "entity: x\nsource: x\nkey: x_id\nrelationships: {down: {to: x, key: a, many: true}, top: {top_of: down, levels: 2}}\n",
        &["M023: `down` does not lead from one `x` to another `x`"],
    ),
    (
        "entity: x\nsource: x\nkey: x_id\nrelationships: {up: {to: x, key: a}, top: {top_of: up}}\n",
        &["M023: `top` does not say how long a chain can be"],
    ),
    (
        "entity: x\nsource: x\nkey: x_id\nrelationships: {up: {to: x, key: a}, top: {top_of: up, levels: 13}}\n",
        &["M023: `top` does not say how long a chain can be"],
    ),
    (
        "entity: x\nsource: x\nkey: x_id\nrelationships: {account: {to: account, key: a, many: true, unique: true}}\n",
        &["M022: `account` is of more than one kind"],
    ),
    (
        "entity: y\nsource: y\nkey: y_id\ndimensions: {name: string, began: date}\n---\nentity: x\nsource: x\nkey: [y_id, month]\ntime: {month: {grain: month, snapshot: end_of_period}}\nrelationships: {y: {to: y, key: y_id}}\nmeasures: {m: {sum: b, over_time: last}}\nmovements: {owner: y, grains: {y: [y]}}\n---\nmetrics: {c: {cohort: {of: x.m}}}\n",
        &["M049: `x` does not say when its owners began"],
    ),
    (
        "entity: y\nsource: y\nkey: y_id\ndimensions: {name: string, began: date}\n---\nentity: x\nsource: x\nkey: [y_id, month]\ntime: {month: {grain: month, snapshot: end_of_period}}\nrelationships: {y: {to: y, key: y_id}}\nmeasures: {m: {sum: b, over_time: last}}\nmovements: {owner: y, cohort: name, grains: {y: [y]}}\n---\nmetrics: {c: {cohort: {of: x.m}}}\n",
        &["M049: `name` is not a date, so nothing begins on it"],
    ),
    (
        "entity: y\nsource: y\nkey: y_id\ndimensions: {name: string, began: date}\n---\nentity: x\nsource: x\nkey: [y_id, month]\ntime: {month: {grain: month, snapshot: end_of_period}}\nrelationships: {y: {to: y, key: y_id}}\nmeasures: {m: {sum: b, over_time: last}}\nmovements: {owner: y, cohort: begn, grains: {y: [y]}}\n---\nmetrics: {c: {cohort: {of: x.m}}}\n",
        &["M011: unknown dimension of `y` `begn`"],
    ),
    (
        "entity: y\nsource: y\nkey: y_id\ndimensions: {name: string, began: date}\n---\nentity: x\nsource: x\nkey: [y_id, month]\ntime: {month: {grain: month, snapshot: end_of_period}}\nrelationships: {y: {to: y, key: y_id}}\nmeasures: {m: {sum: b, over_time: last}}\nmovements: {owner: y, cohort: began, grains: {y: [y]}}\n---\nmetrics: {c: {cohort: {of: x.m, over: lives}}}\n",
        &["M006: `lives` is not a stretch of a life"],
    ),
    (
        "entity: y\nsource: y\nkey: y_id\ndimensions: {name: string, began: date}\n---\nentity: x\nsource: x\nkey: [y_id, month]\ntime: {month: {grain: month, snapshot: end_of_period}}\nrelationships: {y: {to: y, key: y_id}}\nmeasures: {m: {sum: b, over_time: last}}\nmovements: {owner: y, cohort: began, grains: {y: [y]}}\n---\nmetrics: {c: {cohort: {of: x.m}}, s: {share: {of: c}}}\n",
        &["M044: `c` is about cohorts, and `s` cannot be made of it"],
    ),
    (
        "entity: y\nsource: y\nkey: y_id\ndimensions: {name: string, began: date}\n---\nentity: x\nsource: x\nkey: [y_id, month]\ntime: {month: {grain: month, snapshot: end_of_period}}\nrelationships: {y: {to: y, key: y_id}}\nmeasures: {m: {sum: b, over_time: last}}\nmovements: {owner: y, cohort: began, grains: {y: [y]}}\n---\nmetrics: {c: {cohort: {of: x.m}}, s: {per_entity: {entity: y, where: c > 1}}}\n",
        &["M044: `c` is about cohorts, and `s` cannot be made of it"],
    ),
    ("entity: x\nsource: x\nkey: x_id\ndimensions: {a: {expr: b}, b: {expr: a}}\n", &["M025: `a` is made of itself"]),
    ("entity: x\nsource: x\nkey: x_id\ndimensions: {a: {expr: upper(a)}}\n", &["M025: `a` is made of itself"]),
    ("entity: x\nsource: x\nkey: x_id\ndimensions: {a: {expr: \"coalesce(b, c)\"}}\n", &["M027: the type of `a` cannot be told"]),
    ("entity: x\nsource: x\nkey: x_id\ndimensions: {a: {type: date, expr: upper(b)}}\n", &["M027: `a` is declared to be a date"]),
    ("entity: x\nsource: x\nkey: x_id\ndimensions: {a: {expr: account.name}}\n", &["M034: `account.name` leads to another entity"]),
    ("entity: x\nsource: x\nkey: x_id\ndimensions: {a: strng}\n", &["M006: `strng` is not a type"]),
    (
        "entity: x\nsource: x\nkey: x_id\ndimensions: {a: {bands: {of: b, edges: [{up_to: 10, name: low}, {below: 10, name: mid}, {name: high}]}}}\n",
        &["M024: band `mid` ends before it begins"],
    ),
    (
        "entity: x\nsource: x\nkey: x_id\ntime: {day: {snapshot: end_of_period}}\n",
        &["M028: the snapshot `day` does not say how often it is taken"],
    ),
    (
        "entity: x\nsource: x\nkey: x_id\ntime: {day: {}}\nmeasures: {m: {sum: b, over_time: last}}\n",
        &["M029: `m` is a balance, but `x` has no snapshots"],
    ),
    (
        "entity: x\nsource: x\nkey: x_id\ntime: {day: {}}\nmeasures: {m: {count: rows, where: day <= as_of}}\n",
        &["M036: `as_of` has no meaning here"],
    ),
    (
        "entity: x\nsource: x\nkey: x_id\ntime: {day: {}}\ndimensions: {late: {expr: day < as_of, type: bool}}\n",
        &["M036: `as_of` has no meaning here"],
    ),
    (
        "entity: x\nsource: x\nkey: x_id\ntime: {day: {}}\nmeasures: {m: {count: rows, where: day >= today, over_time: as_of}}\n",
        &["M036: `today` has no meaning here"],
    ),
    (
        "entity: x\nsource: x\nkey: x_id\ntime: {day: {grain: day, snapshot: end_of_period}}\nmeasures: {m: {sum: b, unit: u, where: day >= today, over_time: last}}\n",
        &["M036: `today` has no meaning here"],
    ),
    (
        "entity: x\nsource: x\nkey: x_id\ntime: {day: {}}\ndimensions: {late: {expr: day < today, type: bool}}\n",
        &["M036: `today` has no meaning here"],
    ),
    (
        "entity: x\nsource: x\nkey: x_id\ntime: {day: {}}\nmeasures: {m: {count: rows, where: day >= today + 1}}\n",
        &["M026: `+` needs a number, found a date"],
    ),
    (
        "entity: x\nsource: x\nkey: x_id\ntime: {day: {}}\nmeasures: {m: {count: rows, time: day, over_time: as_of}}\n",
        &["M036: `m` is seen from a day, so it belongs to no time"],
    ),
    (
        "entity: x\nsource: x\nkey: x_id\ntime: {day: {}}\nmeasures: {m: {count: rows, latest: {per: x_id, by: day}}}\n",
        &["M036: `m` has no day from which the latest could be told"],
    ),
    (
        "entity: x\nsource: x\nkey: x_id\ntime: {day: {}}\nmeasures: {m: {count: rows, where: as_of > 3, over_time: as_of}}\n",
        &["M026: `>` brings a date and a whole number together"],
    ),
    (
        "entity: x\nsource: x\nkey: x_id\ntime: {day: {}}\nmeasures: {m: {min: \"days_between(as_of, day)\", over_time: as_of}}\n---\nmetrics: {n: {measure: x.m}, o: {cumulative: {of: n, window: all}}}\n",
        &["M044: `n` is seen from a day; its values over time do not add up"],
    ),
    (
        "entity: x\nsource: x\nkey: x_id\ndimensions: {a: string}\nmeasures: {m: {sum: a}}\n",
        &["M026: `sum` needs a number, found text"],
    ),
    ("entity: x\nsource: x\nkey: x_id\nfreshness: {ttl: soon}\n", &["M007: `soon` is not a duration"]),
    (
        "entity: x\nsource: x\nkey: x_id\ntime: {m: {grain: month, snapshot: end_of_period}}\nrelationships: {account: {to: account, key: a}}\nmovements: {owner: account, grains: {account: [account], own: [x_id]}}\n",
        &["M030: grain `own` does not hold its owner `account`"],
    ),
    ("metrics: {m: {measure: component_value.mmr}}\n", &["M014: unknown measure `component_value.mmr`"]),
    ("metrics: {m: {measure: usage.sessions}, n: {expr: m + mm}}\n", &["M013: unknown metric `mm`"]),
    ("metrics: {n: {expr: usage.sessions + 1}}\n", &["M013: unknown metric `usage.sessions`"]),
    ("metrics: {a: {expr: b}, b: {expr: c + 1}, c: {expr: a}, d: {expr: a * 2}}\n", &["M040: metric `a` is made of itself"]),
    (
        "metrics: {m: {measure: usage.sessions}, n: {expr: m, where: account.size > 1}}\n",
        &["M042: `where` does not apply to a metric that is made of other metrics"],
    ),
    ("metrics: {m: {measure: usage.sessions}, n: {ratio: m * 100}}\n", &["M043: a ratio is one division"]),
    (
        "metrics: {m: {measure: component_value.mrr}, n: {cumulative: {of: m, window: 12 months}}}\n",
        &["M044: `m` is a balance; its values over time do not add up"],
    ),
    (
        "metrics: {m: {measure: usage.sessions}, n: {series: {of: m, grain: month, window: 90 days, take: slope}}}\n",
        &["M045: `90 days` is not a whole number of periods by month"],
    ),
    (
        "metrics: {m: {measure: usage.sessions}, n: {series: {of: m, grain: month, window: 6 months, take: slope, at_least: 7}}}\n",
        &["M045: `at_least` is 7 and the window has 6 periods"],
    ),
    (
        "metrics: {m: {measure: usage.sessions}, n: {series: {of: m, grain: month, window: 6 months, take: slope, horizon: 1 month}}}\n",
        &["M045: `slope` does not look ahead"],
    ),
    (
        "metrics: {m: {measure: usage.sessions}, n: {series: {of: m, grain: month, window: 72 months, take: falls}}}\n",
        &["M045: `falls` looks at 60 periods at most"],
    ),
    (
        "metrics: {m: {measure: usage.sessions}, n: {series: {of: m, grain: month, window: 6 months, take: slop}}}\n",
        &["M006: `slop` is not a value of `take`"],
    ),
    (
        "metrics: {m: {measure: usage.sessions}, n: {expr: m > 1}, o: {series: {of: n, grain: month, window: 6 months, take: mean}}}\n",
        &["M026: a series is made of numbers, found a truth value"],
    ),
    ("metrics: {m: {movement: {of: usage.sessions}}}\n", &["M046: `usage` does not say how its members are compared"]),
    ("metrics: {m: {movement: {of: component_value.mrr, is: contracton}}}\n", &["M006: `contracton` is not a class"]),
    (
        "metrics: {m: {movement: {of: component_value.mrr, grain: produkt}}}\n",
        &["M017: unknown movement grain of `component_value` `produkt`"],
    ),
    ("metrics: {m: {movement: {of: component_value.mrr, when: openning > 0}}}\n", &["M046: unknown value of a member `openning`"]),
    (
        "metrics: {m: {movement: {of: component_value.mrr, take: opening - clsing}}}\n",
        &["M046: unknown value of a member `clsing`"],
    ),
    (
        "metrics: {m: {movement: {of: component_value.mrr, take: transfer_in}}}\n",
        &["M046: `component_value.mrr` does not say what value moves with"],
    ),
    (
        "metrics: {m: {movement: {of: component_value.mrr, take: fx}}}\n",
        &["M046: `component_value.mrr` does not say what it was before conversion"],
    ),
    (
        "metrics: {m: {movement: {of: component_value.mrr, with: {q: usage.sessions}, take: opening_q * 2}}}\n",
        &["M046: `usage.sessions` is not a balance beside `mrr`"],
    ),
    (
        "metrics: {m: {movement: {of: component_value.mrr, with: {q: account.segment}, when: closing_q < opening_q}}}\n",
        &["M026: what is compared at both ends is a number, found text"],
    ),
    (
        "metrics: {m: {movement: {of: component_value.mrr, with: {q: account.segmnt}, when: closing_q < opening_q}}}\n",
        &["M014: unknown measure `account.segmnt`"],
    ),
    (
        "metrics: {m: {movement: {of: component_value.mrr, with: {q: contract.billed.segmnt}, when: closing_q < opening_q}}}\n",
        &["M011: unknown dimension of `account` `segmnt`"],
    ),
    (
        "metrics: {m: {movement: {of: component_value.mrr, with: {q: stakeholder.role}, when: closing_q < opening_q}}}\n",
        &["M032: no relationship leads from `component_value` to one `stakeholder`"],
    ),
    (
        "metrics: {m: {movement: {of: component_value.mrr, with: {q: month}, when: opening_q > 0 and closing_r > 0}}}\n",
        &["M026: what is compared at both ends is a number, found a date", "M046: unknown value of a member `closing_r`"],
    ),
    (
        "entity: x\nsource: x\nkey: x_id\ntime: {m: {grain: month, snapshot: end_of_period}}\nrelationships: {account: {to: account, key: a}, c: {to: stakeholder, key: c}}\nmovements: {owner: account, component: c, grains: {account: [account]}}\n",
        &["M030: a snapshot of `x` may have several rows of one `c`"],
    ),
    (
        "entity: x\nsource: x\nkey: [c, m]\ntime: {m: {grain: month, snapshot: end_of_period}}\nrelationships: {account: {to: account, key: a}, c: {to: stakeholder, key: c}}\nmovements: {owner: account, component: c, replaces: account, grains: {account: [account]}}\n",
        &["M030: `account` does not lead from one `stakeholder` to another `stakeholder`"],
    ),
    (
        "entity: p\nsource: p\nkey: p_id\nrelationships: {before: {to: p, key: b}, first: {top_of: before, levels: 2}}\n---\nentity: x\nsource: x\nkey: [c, m]\ntime: {m: {grain: month, snapshot: end_of_period}}\nrelationships: {account: {to: account, key: a}, c: {to: p, key: c}}\nmovements: {owner: account, component: c, replaces: first, grains: {account: [account]}}\n",
        &["M030: `first` is the end of a chain, not what one `p` replaces"],
    ),
    (
        "entity: x\nsource: x\nkey: [c, m]\ntime: {m: {grain: month, snapshot: end_of_period}}\nrelationships: {account: {to: account, key: a}}\nmeasures: {v: {sum: v, unit: money, over_time: last, currency: {local: l, rate: r, code: k}}}\nmovements: {owner: account, grains: {account: [account]}}\n",
        &["M030: `v` has a currency, but nothing tells which balance at the opening it is compared with"],
    ),
    (
        "metrics: {m: {movement: {of: component_value.components}}}\n",
        &["M046: `components` is not a balance, so it has no opening and closing"],
    ),
    ("metrics: {m: {measure: usage.sessions}, n: {per_entity: {entity: account}}}\n", &["M047: nothing is evaluated per entity"]),
    (
        "metrics: {m: {measure: usage.sessions}, n: {series: {of: m, grain: month, window: 6 months, take: correlation}}}\n",
        &["M045: a correlation is of several series"],
    ),
    (
        "metrics: {m: {measure: usage.sessions}, n: {series: {of: m, grain: month, window: 6 months, take: mean, per: account}}}\n",
        &["M045: `mean` is said of one series"],
    ),
    (
        "metrics: {m: {measure: usage.sessions}, n: {series: {of: m, grain: month, window: 6 months, take: correlation, per: account, at_least: 1}}}\n",
        &["M045: `at_least` is 1, and it takes two to compare"],
    ),
    (
        "metrics: {m: {measure: usage.sessions}, n: {series: {of: m, grain: month, window: 6 months, take: correlation, per: contract}}}\n",
        &["M032: no relationship leads from `usage` to one `contract`"],
    ),
    (
        "metrics: {m: {measure: usage.sessions}, n: {per_entity: {entity: account, of: m, aggregate: top_share}}}\n",
        &["M047: this does not say how many are the top"],
    ),
    (
        "metrics: {m: {measure: usage.sessions}, n: {per_entity: {entity: account, of: m, aggregate: top_share, top: 10}}}\n",
        &["M047: the top cannot be 10 of all"],
    ),
    (
        "metrics: {m: {measure: usage.sessions}, n: {per_entity: {entity: account, of: m, aggregate: top_share, top: 0.1, at_least: 0}}}\n",
        &["M047: there cannot be at least 0 entities"],
    ),
    (
        "metrics: {m: {measure: usage.sessions}, n: {per_entity: {entity: account, of: m, aggregate: sum, top: 0.1}}}\n",
        &["M047: only a `top_share` has `top` and `at_least`"],
    ),
    (
        "metrics: {m: {measure: usage.sessions}, n: {peers: {of: m, entity: account, take: rank}}}\n",
        &["M006: `rank` is not a value of `take`"],
    ),
    (
        "metrics: {m: {measure: usage.sessions}, n: {peers: {of: m, entity: account, take: gap, at_least: 0.5}}}\n",
        &["M065: there cannot be 0.5 peers"],
    ),
    (
        "metrics: {m: {measure: usage.sessions}, n: {peers: {of: m, entity: account, take: gap}, empty: zero}}\n",
        &["M065: too few peers would look like zero"],
    ),
    (
        "metrics: {m: {measure: usage.sessions}, n: {peers: {of: m, entity: account, group: [account.stakeholders.role, sgment], take: gap}}}\n",
        &["M033: one `account` has many `stakeholders`", "M011: unknown dimension of `account` `sgment`"],
    ),
    (
        "metrics: {m: {measure: usage.sessions}, n: {peers: {of: m, entity: contract, take: gap}}}\n",
        &["M032: no relationship leads from `usage` to one `contract`"],
    ),
    (
        "metrics: {m: {measure: usage.sessions}, f: {expr: m > 1}, n: {peers: {of: f, entity: account, take: gap}}}\n",
        &["M026: peers are compared by a number, found a truth value"],
    ),
    (
        "metrics: {m: {measure: usage.sessions}, n: {peers: {of: m, entity: account, take: gap}}, o: {per_entity: {entity: account, of: n}}}\n---\nview: v\nmetrics: [m, n, o]\ndimensions: [account.segment]\n",
        &["M055: `n` compares each `account` with others, and the view has no `account` to group by"],
    ),
    (
        "metrics: {m: {measure: component_value.mrr}, n: {peers: {of: m, entity: account, take: gap}}}\n---\nrules: {r: {per: contract, when: n < 0}}\n",
        &["M060: `n` compares each `account` with others, not each `contract`"],
    ),
    (
        "metrics: {m: {measure: usage.sessions}, n: {per_entity: {entity: contract, of: m}}}\n",
        &["M032: no relationship leads from `usage` to one `contract`"],
    ),
    (
        "metrics: {m: {measure: usage.sessions, where: account.sgment = 'smb'}}\n",
        &["M011: unknown dimension of `account` `sgment`"],
    ),
    (
        "metrics: {m: {measure: usage.sessions, where: account.stakeholders.role = 'x'}}\n",
        &["M033: one `account` has many `stakeholders`"],
    ),
    (
        "metrics: {m: {measure: usage.sessions, where: stakeholder.role = 'x'}}\n",
        &["M032: no relationship leads from `usage` to one `stakeholder`"],
    ),
    ("metrics: {m: {measure: usage.sessions, where: account.size}}\n", &["M026: a condition is needed here, this is a number"]),
    ("metrics: {m: {measure: usage.sessions, where: claims.x = 'x'}}\n", &["M012: unknown entity or relationship `claims`"]),
    ("metrics: {m: {measure: usage.sessions, direction: up}}\n", &["M006: `up` is not a direction"]),
    (
        "metrics: {m: {measure: usage.sessions}}\n---\nview: v\nmetrics: [m]\ndimensions: [contract.auto_renew, stakeholder.role]\n",
        &[
            "M050: `auto_renew` does not fit `m`: no relationship leads from `usage` to one `contract`",
            "M050: `role` does not fit `m`: one `usage` has many `stakeholder`",
        ],
    ),
    (
        "metrics: {m: {measure: usage.sessions}}\n---\nview: v\nmetrics: [m]\ndimensions: [account.segment, {path: account.parent.segment}]\n",
        &["M051: two dimensions of this view are called `segment`"],
    ),
    (
        "metrics: {m: {measure: usage.sessions}}\n---\nview: v\nmetrics: [m]\ndimensions: [account.segmnt, acount]\n",
        &["M011: unknown dimension or relationship of `account` `segmnt`", "M010: unknown entity `acount`"],
    ),
    (
        "metrics: {m: {measure: usage.sessions}}\n---\nrules: {r: {per: account, when: m + 1 > 2}}\n",
        &["M060: a rule compares one metric with a number"],
    ),
    (
        "metrics: {m: {measure: usage.sessions}, n: {per_entity: {entity: account, of: m, aggregate: top_share, top: 10%}}}\n",
        &["D005: `top` is a number such as 10000 or 0.05, not `10%`"],
    ),
    (
        "metrics: {m: {measure: usage.sessions}, n: {per_entity: {entity: account, of: m, aggregate: mean}}}\n",
        &["M006: `mean` is not an aggregate"],
    ),
    (
        "metrics: {m: {measure: usage.sessions, where: account.segment = null}}\n",
        &["M026: a comparison with `null` holds for nothing"],
    ),
    (
        "metrics: {m: {measure: usage.sessions, where: \"account.segment not in ('smb', null)\"}}\n",
        &["M026: a comparison with `null` holds for nothing"],
    ),
    (
        "metrics: {m: {measure: usage.sessions}}\n---\nview: v\nmetrics: [m]\n---\nview: v\nmetrics: [m, nothing]\n",
        &["M002: view `v` is defined twice"],
    ),
    ("policies: {p: {applies_to: account, roles: [csm]}}\n", &["M061: policy `p` restricts nothing"]),
    (
        "metrics: {m: {measure: usage.sessions}}\n---\npolicies: {p: {metrics: [m, missing, mm]}}\n",
        &["M013: unknown metric `missing`", "M013: unknown metric `mm`"],
    ),
    (
        "metrics: {m: {measure: usage.sessions}}\n---\npolicies: {p: {metrics: m, rows: segment = 'smb', mask: [name], peers: everyone}}\n",
        &[
            "M061: policy `p` is about metrics, so it has no `rows`",
            "M061: policy `p` is about metrics, so it has no `mask`",
            "M061: policy `p` is about metrics, so it has no `peers`",
        ],
    ),
    (
        "metrics: {m: {measure: usage.sessions}}\n---\npolicies: {p: {applies_to: account, metrics: [m], mask: [name]}}\n",
        &["D006: `applies_to` and `metrics` cannot both say what it is about"],
    ),
    (
        "metrics: {m: {measure: usage.sessions}, n: {expr: m + 1}}\n---\nrules: {above: {per: account, when: n > 1}}\n---\npolicies: {p: {metrics: [m], rules: [above]}, q: {metrics: [n], rules: [abve]}, s: {applies_to: account, hide: [size, size_band], rules: []}}\n",
        &[
            "M061: rule `above` is about `n`, which is not among the metrics",
            "M018: unknown rule `abve`",
            "M061: policy `s` is about an entity, so it has no `rules`",
        ],
    ),
    ("policies: {p: {roles: csm}}\n", &["D007: this policy does not say what it is about"]),
    ("policies: {p: {applies_to: account, mask: [account_id]}}\n", &["M061: `account_id` is part of the key of `account`"]),
    (
        "metrics: {m: {measure: usage.sessions}}\n---\nview: v\nmetrics: [m]\ndimensions: [account.segment]\n---\nsaved_queries: {q: {ask: {metrics: [m], by: [segmnt, day, period(mont)], order_by: [n], range: 2025-13}}}\n",
        &[
            "M011: unknown dimension of view `v` `segmnt`",
            "M011: unknown dimension of view `v` `day`",
            "M006: `mont` is not a grain",
            "M070: unknown column of this question `n`",
            "M007: `2025-13` is not a range",
        ],
    ),
    (
        "metrics: {m: {measure: usage.sessions, tests: [{given: [nothing], ask: {range: 2025}, expect: []}]}}\n",
        &["M016: unknown fixture `nothing`", "M070: no view has the metrics of this question"],
    ),
    (
        "metrics: {m: {measure: usage.sessions, tests: [{given: [nothing], ask: {range: 2025-13, by: period(month), as_of: soon}, expect: [{period: 2025-01, n: 1}], expect_totals: {o: 2}}]}}\n",
        &[
            "M016: unknown fixture `nothing`",
            "M070: no view has the metrics of this question",
            "M007: `2025-13` is not a range",
            "M007: `soon` is not a day",
            "M070: unknown column of this question `n`",
            "M070: unknown column of this question `o`",
        ],
    ),
];

#[test]
fn every_mistake_has_its_message_and_no_other() {
    for (documents, expected) in MISTAKES {
        let (model, messages) = base_with(documents);
        let mut messages: Vec<&str> = messages.iter().map(String::as_str).collect();
        let mut expected = expected.to_vec();
        messages.sort_unstable();
        expected.sort_unstable();
        assert_eq!(messages, expected, "{documents}");
        assert!(model.is_none(), "{documents}");
    }
}

#[test]
fn a_question_without_a_view_is_asked_through_one_that_has_what_it_names() {
    let views = "---\nview: a\nmetrics: [m]\n---\nview: b\nmetrics: [m]\ndimensions: [account.segment]\n";
    model_with(&format!(
        "metrics: {{m: {{measure: usage.sessions}}}}\n{views}---\nsaved_queries: {{q: {{ask: {{metrics: [m], by: segment}}}}}}\n"
    ));
}

#[test]
fn mistakes_of_one_load_are_told_together() {
    let singles = MISTAKES.iter().filter(|(documents, _)| documents.starts_with("metrics: {m: {measure: usage.sessions, "));
    let metrics: Vec<String> = singles
        .clone()
        .enumerate()
        .map(|(index, (documents, _))| documents.replace("metrics: {m:", &format!("metrics: {{m{index}:")))
        .collect();
    let (_, messages) = base_with(&metrics.join("---\n"));
    assert_eq!(messages.len(), singles.map(|(_, expected)| expected.len()).sum::<usize>(), "{messages:#?}");
}

#[test]
fn exchange_rates_say_what_is_what() {
    let with = |project: &str| {
        let rates = "---\nentity: fx\nsource: fx\nkey: fx_id\ntime: {since: {}}\ndimensions: {code: string, base: string, value: decimal}\n";
        resolve(&BASE.replace("project: test\n", &format!("project: test\n{project}\n")).replacen(
            "---\n",
            &format!("{rates}---\n"),
            1,
        ))
    };
    let (model, messages) = with("currency: USD\nexchange_rates: {entity: fx, from: code, to: base, rate: value}");
    assert_eq!(messages, Vec::<String>::new());
    assert!(model.is_some_and(|model| model.project.exchange_rates.is_some_and(|rates| rates.kind.is_none())));
    for (project, expected) in [
        (
            "exchange_rates: {entity: fx, from: code, to: base, rate: value}",
            "M037: there are exchange rates, and no currency to convert from",
        ),
        (
            "currency: USD\nexchange_rates: {entity: contract, from: contract_id, to: contract_id, rate: value}",
            "M037: rates of `contract` do not say from when they hold",
        ),
        (
            "currency: USD\nexchange_rates: {entity: fx, from: value, to: base, rate: value}",
            "M026: `value` is decimal, and text is needed here",
        ),
        (
            "currency: USD\nexchange_rates: {entity: fx, from: code, to: base, rate: value, default_kind: spot}",
            "M037: a default, and nothing that it is a value of",
        ),
    ] {
        let (_, messages) = with(project);
        assert!(messages.iter().any(|message| message == expected), "{project}: {messages:#?}");
    }
}

#[test]
fn an_ambiguous_way_names_both() {
    let (_, messages) = base_with(
        "entity: invoice
source: invoice
key: invoice_id
relationships: {buyer: {to: account, key: a}, payer: {to: account, key: b}}
measures: {invoices: {count: rows}}
---
metrics: {invoices: {measure: invoice.invoices, where: account.size > 1}, fine: {measure: invoice.invoices, where: payer.size > 1}}
",
    );
    assert_eq!(messages, ["M031: `account` is reached from `invoice` in two ways"]);
}

#[test]
fn a_broken_relationship_costs_one_message() {
    let (_, messages) = base_with(
        "entity: invoice
source: invoice
key: invoice_id
relationships: {account: {to: acount, key: a}}
measures: {invoices: {count: rows}}
---
metrics: {invoices: {measure: invoice.invoices, where: account.size > 1}}
---
view: v
metrics: [invoices]
dimensions: [account.segment]
",
    );
    assert_eq!(messages, ["M010: unknown entity `acount`"]);
}

#[test]
fn a_reference_to_what_could_not_be_read_is_no_second_mistake() {
    let (model, messages) = base_with(
        "entity: invoice
key: invoice_id
dimensions: {number: string}
measures: {amount: {sum: amount}}
---
metrics:
  broken: {mesure: usage.sessions}
  made: {expr: broken * 2}
  billed: {measure: invoice.amount}
---
view: v
metrics: [broken, made, billed]
dimensions: [invoice.number]
---
saved_queries: {q: {ask: {view: v, metrics: [broken]}}}
",
    );
    assert!(model.is_none());
    assert_eq!(messages.len(), 2, "one for the entity without a source, one for the metric: {messages:#?}");
}
