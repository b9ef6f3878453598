// Each line after a comment with an error number must be refused: this shows that the types say something.

import type { AccountCardFragment, RetentionTableQuery, RetentionTableQueryVariables } from "../generated/gql/graphql";
import { table } from "../src/retention";

declare const row: NonNullable<RetentionTableQuery["retention"]>["rows"][number];
declare const account: AccountCardFragment;

// TS2322: a decimal is text.
export const amount: number | null | undefined = row.nrr;
// TS2322: a cell may be empty.
export const text: string = row.nrr;
// TS2339: what was not asked for is not there.
export const region = row.region;
// TS2339: neither is what the schema does not have.
export const nothing = account.nothing;
// TS2820: an enum has the values of the schema.
export const dimension: Parameters<typeof table>[1] = "SEGMENTS";
// TS2741: variables that are needed are needed.
export const variables: RetentionTableQueryVariables = { by: [], range: { preset: "LAST_MONTH" } };
// TS2322: one of the ranges, not two.
export const range: RetentionTableQueryVariables["range"] = { preset: "LAST_MONTH", between: { from: "2025-01-01" } };
