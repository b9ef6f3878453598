// A list of accounts, page by page, with a fragment that only its own component can read.

import { graphql, readFragment, type FragmentType } from "../generated/gql";
import { execute } from "./execute";

const AccountCard = graphql(`
  fragment AccountCard on Account {
    id
    name
    segment
    firstActiveDate
    referenceCustomer
    quarter: metrics(range: {between: {from: "2025-10-01", to: "2026-01-01"}}) { mrr nrr activeUsers }
    contracts(first: 2) { totalCount nodes { id startDate endDate autoRenew } }
  }
`);

const AccountPage = graphql(`
  query AccountPage($after: String, $where: AccountWhere, $orderBy: [AccountOrder!]) {
    accounts(first: 20, after: $after, where: $where, orderBy: $orderBy, asOf: "2026-01-01") {
      totalCount
      edges { cursor node { id ...AccountCard } }
      pageInfo { hasNextPage endCursor }
    }
  }
`);

const AnyRow = graphql(`
  query AnyRow($id: ID!) {
    node(id: $id) {
      __typename
      id
      ... on Account { name }
      ... on Contract { startDate endDate }
    }
  }
`);

export function card(masked: FragmentType<typeof AccountCard>): string {
  const account = readFragment(AccountCard, masked);
  const users: string | null | undefined = account.quarter?.activeUsers;
  const since: string | null | undefined = account.firstActiveDate;
  return `${account.name ?? account.id} (${account.segment ?? "none"}) since ${since}: ${account.quarter?.mrr ?? "–"}, ${users ?? "0"} users, ${account.contracts?.totalCount ?? 0} contracts`;
}

export async function cards(url: string): Promise<string[]> {
  const all: string[] = [];
  let after: string | null | undefined;
  do {
    const { accounts } = await execute(url, AccountPage, { after, where: { segment: { eq: "ENTERPRISE" } }, orderBy: [{ name: { dir: "ASC" } }] });
    if (!accounts) break;
    all.push(...accounts.edges.map((edge) => card(edge.node)));
    after = accounts.pageInfo.hasNextPage ? accounts.pageInfo.endCursor : null;
  } while (after);
  return all;
}

export async function title(url: string, id: string): Promise<string> {
  const { node } = await execute(url, AnyRow, { id });
  switch (node?.__typename) {
    case "Account":
      return node.name ?? node.id;
    case "Contract":
      return `${node.startDate} – ${node.endDate}`;
    default:
      return node?.id ?? "nothing";
  }
}
