"""What an analyst's script does: ask with variables, compute with exact numbers, walk through pages, and tell errors apart.

Writes a line of JSON for each check: its name, and what went wrong if anything did.
"""

import json
import sys
import traceback
from datetime import date
from decimal import Decimal

from gql import Client, gql
from gql.transport.exceptions import TransportQueryError
from gql.transport.httpx import HTTPXTransport
from gql.utilities import update_schema_scalar
from graphql import GraphQLError, GraphQLScalarType

URL = sys.argv[1]
YEAR = {"between": {"from": "2025-01-01", "to": "2026-01-01"}}
CHECKS = []


def check(body):
    CHECKS.append(body)
    return body


def connect():
    """A client that knows the schema: it checks documents itself, and makes values of the types that the schema says."""
    client = Client(transport=HTTPXTransport(url=URL, timeout=60), fetch_schema_from_transport=True, parse_results=True)
    with client:
        pass
    update_schema_scalar(client.schema, "Decimal", GraphQLScalarType("Decimal", serialize=str, parse_value=exact))
    update_schema_scalar(client.schema, "BigInt", GraphQLScalarType("BigInt", serialize=str, parse_value=whole))
    update_schema_scalar(client.schema, "Date", GraphQLScalarType("Date", serialize=str, parse_value=date.fromisoformat))
    return client


def exact(text):
    # A float here would mean that digits were lost on the way.
    assert isinstance(text, str), f"a decimal came as {text!r}"
    return Decimal(text)


def whole(text):
    assert isinstance(text, str), f"a big integer came as {text!r}"
    return int(text)


@check
def the_schema_is_fetched(client):
    schema = client.schema
    assert schema.query_type.name == "Query"
    for name in ("Decimal", "Date", "DateTime", "BigInt", "TimeZone", "Currency"):
        assert name in schema.type_map, name


@check
def a_query_with_variables(client):
    query = gql(
        """
        query BySegment($range: TimeRange!, $by: [RetentionBy!]!) {
          retention(by: $by, range: $range) {
            rows { id segment nrr openingAccounts }
            totals { nrr openingAccounts }
          }
        }
        """
    )
    query.variable_values = {"range": YEAR, "by": [{"dimension": "SEGMENT"}]}
    answer = client.execute(query)["retention"]
    assert {row["segment"] for row in answer["rows"]} == {"ENTERPRISE", "MID_MARKET", "SMB"}, answer
    assert all(isinstance(row["nrr"], Decimal) for row in answer["rows"])
    assert all(isinstance(row["openingAccounts"], int) for row in answer["rows"])
    assert sum(row["openingAccounts"] for row in answer["rows"]) == answer["totals"]["openingAccounts"]


@check
def money_adds_up_to_the_last_digit(client):
    """Movements are money, so those of the months of a year add up to the difference between its ends, in every cent."""
    query = gql(
        """
        query Bridge($range: TimeRange!) {
          retention(by: [{time: {grain: MONTH}}], range: $range) {
            rows {
              period(grain: MONTH) { start }
              openingMrr newMrr reactivationMrr expansionMrr contractionMrr churnedMrr closingMrr
            }
          }
        }
        """
    )
    query.variable_values = {"range": YEAR}
    rows = client.execute(query)["retention"]["rows"]
    assert [row["period"]["start"] for row in rows] == [date(2025, month, 1) for month in range(1, 13)]
    for before, after in zip(rows, rows[1:]):
        assert before["closingMrr"] == after["openingMrr"], (before, after)
    gained = sum(row["newMrr"] + row["reactivationMrr"] + row["expansionMrr"] for row in rows)
    lost = sum(row["contractionMrr"] + row["churnedMrr"] for row in rows)
    difference = rows[-1]["closingMrr"] - rows[0]["openingMrr"]
    assert gained - lost == difference, f"{gained} - {lost} is not {difference}"


@check
def pages_hold_every_account_once(client):
    query = gql(
        """
        query Page($after: String, $size: Int!) {
          accounts(first: $size, after: $after, asOf: "2026-01-01", orderBy: [{segment: {dir: ASC}}, {name: {dir: DESC}}]) {
            totalCount
            nodes { id name }
            pageInfo { hasNextPage endCursor }
          }
        }
        """
    )
    seen, after, pages = [], None, 0
    while True:
        query.variable_values = {"after": after, "size": 77}
        page = client.execute(query)["accounts"]
        seen += [account["id"] for account in page["nodes"]]
        pages += 1
        if not page["pageInfo"]["hasNextPage"]:
            break
        after = page["pageInfo"]["endCursor"]
    assert len(seen) == len(set(seen)) == page["totalCount"], (len(seen), len(set(seen)), page["totalCount"])
    assert pages == -(-page["totalCount"] // 77)


@check
def the_schema_refuses_what_is_not_there(client):
    try:
        client.execute(gql("{ accounts { nothing } }"))
    except GraphQLError as error:
        assert "nothing" in error.message
    else:
        raise AssertionError("an unknown field passed the client's own check")


@check
def an_error_has_a_code_and_a_path(client):
    query = gql("{ retention(by: [{dimension: SEGMENT}]) { rows { region nrr } } }")
    try:
        client.execute(query)
    except TransportQueryError as failure:
        error = failure.errors[0]
        assert error["extensions"]["code"] == "DIMENSION_NOT_GROUPED", error
        assert error["extensions"]["correlationId"]
        assert error["path"][0] == "retention"
    else:
        raise AssertionError("it was answered")


@check
def a_wrong_variable_has_a_code(client):
    query = gql('query ($n: Int!) { accounts(first: $n, asOf: "2026-01-01") { totalCount } }')
    query.variable_values = {"n": "three"}
    try:
        client.execute(query)
    except TransportQueryError as failure:
        assert failure.errors[0]["extensions"]["code"] == "BAD_USER_INPUT", failure.errors
    else:
        raise AssertionError("it was answered")


def main():
    client = connect()
    for body in CHECKS:
        error = None
        try:
            body(client)
        except Exception:
            error = traceback.format_exc(limit=-3)
        print(json.dumps({"name": body.__name__.replace("_", " "), "error": error}), flush=True)


main()
