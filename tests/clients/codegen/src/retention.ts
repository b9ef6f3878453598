// A table of retention: a grouping, a range and a filter as variables.

import { graphql } from "../generated/gql";
import type { Grain, RetentionDimension, RetentionWhere } from "../generated/gql/graphql";
import { execute } from "./execute";

const RetentionTable = graphql(`
  query RetentionTable($by: [RetentionBy!]!, $range: TimeRange!, $where: RetentionWhere, $grain: Grain!) {
    retention(by: $by, range: $range, where: $where, compare: {previousPeriods: 1}) {
      rows {
        id
        segment
        period(grain: $grain) { start label isComplete }
        nrr
        grr
        compare { nrr { previous delta } }
        status { nrr }
      }
      totals { id nrr grr }
      rowCount
      truncated
      asOf
    }
  }
`);

export interface Row {
  segment: string;
  month: string;
  nrr: number;
  change: string;
}

export async function table(url: string, dimension: RetentionDimension, grain: Grain, where: RetentionWhere): Promise<Row[]> {
  const data = await execute(url, RetentionTable, {
    by: [{ dimension }, { time: { grain } }],
    range: { between: { from: "2025-01-01", to: "2026-01-01" } },
    where,
    grain,
  });
  // Decimals are text, and may be missing: the types make that plain.
  return (data.retention?.rows ?? []).map((row) => ({
    segment: row.segment ?? "none",
    month: row.period?.label ?? "",
    nrr: Number.parseFloat(row.nrr ?? "NaN"),
    change: row.compare?.nrr?.delta ?? row.status?.nrr ?? "",
  }));
}

export const enterprises = (url: string) => table(url, "SEGMENT", "MONTH", { segment: { in: ["ENTERPRISE"] }, name: { startsWith: "F" } });
