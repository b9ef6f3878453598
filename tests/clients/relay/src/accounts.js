// A list of accounts that grows in both directions, and a card that can ask for its own account again.

import { graphql } from "relay-runtime";

export const query = graphql`
  query accountsQuery($first: Int, $last: Int) {
    ...accounts_list @arguments(first: $first, last: $last)
  }
`;

export const list = graphql`
  fragment accounts_list on Query
  @refetchable(queryName: "accountsPageQuery")
  @argumentDefinitions(first: {type: "Int"}, after: {type: "String"}, last: {type: "Int"}, before: {type: "String"}) {
    accounts(
      first: $first, after: $after, last: $last, before: $before
      asOf: "2026-01-01", where: {segment: {eq: MID_MARKET}}, orderBy: [{name: {dir: ASC}}]
    ) @connection(key: "accounts_accounts") {
      totalCount
      edges {
        node {
          id
          ...accounts_card
        }
      }
    }
  }
`;

export const card = graphql`
  fragment accounts_card on Account
  @refetchable(queryName: "accountsCardQuery")
  @argumentDefinitions(range: {type: "TimeRange", defaultValue: {between: {from: "2025-10-01", to: "2026-01-01"}}}) {
    name
    metrics(range: $range) { mrr nrr }
  }
`;

export const one = graphql`
  query accountsOneQuery($id: ID!) {
    node(id: $id) {
      id
      ... on Account @alias(as: "account") {
        ...accounts_card
        ...accounts_contracts
      }
    }
  }
`;

// A connection below an entity.
export const contracts = graphql`
  fragment accounts_contracts on Account
  @refetchable(queryName: "accountsContractsQuery")
  @argumentDefinitions(first: {type: "Int", defaultValue: 1}, after: {type: "String"}) {
    contracts(first: $first, after: $after) @connection(key: "accounts_contracts") {
      totalCount
      edges { node { id startDate } }
    }
  }
`;
