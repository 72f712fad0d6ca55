"""Alerts, workbook and documents ask for what the code logs, in KQL that Microsoft's parser accepts."""

from __future__ import annotations

import json
import re
import subprocess

import pytest

from sandbox.node import node_binary
from sync import telemetry
from tests.infra.bicep import INFRA, ROOT, parsed
from tests.infra.queries import TABLES, KqlText, alert_queries, all_queries, logged_events, workbook_queries

QUERIES = {query.where: query for query in all_queries()}
BROKEN = "traces | where mesage startswith 'x' | sumarize count()"


@pytest.fixture(scope="module")
def diagnostics() -> dict[str, list[str]]:
    """What the parser says of every query, and of a broken one."""
    texts = {**{where: query.text for where, query in QUERIES.items()}, "broken": BROKEN}
    done = subprocess.run(
        [str(node_binary()), str(ROOT / "tests" / "infra" / "kql.cjs"), str(ROOT / "node_modules")],
        input=json.dumps({"tables": TABLES, "queries": list(texts.values())}),
        capture_output=True,
        text=True,
        check=True,
    )
    return dict(zip(texts, json.loads(done.stdout), strict=True))


@pytest.mark.parametrize("where", QUERIES)
def test_microsofts_parser_accepts_the_query(diagnostics: dict[str, list[str]], where: str) -> None:
    assert diagnostics[where] == []


def test_microsofts_parser_refuses_a_misspelt_column(diagnostics: dict[str, list[str]]) -> None:
    assert any("mesage" in line for line in diagnostics["broken"])


@pytest.mark.parametrize("where", QUERIES)
def test_the_query_asks_for_events_and_fields_of_the_code(where: str) -> None:
    query = QUERIES[where]
    logged = logged_events()
    assert query.events <= set(logged), f"no code logs {query.events - set(logged)}"
    known = set().union(*(logged[event] for event in query.events)) if query.events else set()
    assert query.fields <= known, f"{query.events} have no {query.fields - known}"
    if len(query.events) == 1:
        assert query.fields, "an event without a field says nothing"


def test_a_query_filters_on_text_that_telemetry_writes(caplog: pytest.LogCaptureFixture) -> None:
    """The filters look at the message's first characters: `event` comes first, without blanks."""
    caplog.set_level("INFO", logger="sync")
    telemetry.event("pulled", flow="pull")
    assert caplog.records[-1].message.startswith('{"event":"pulled"')
    for query in QUERIES.values():
        assert len(re.findall("message startswith", query.text)) == len(
            re.findall(r"""message startswith '\{"event":"\w+"'""", query.text)
        ), query.where


def test_every_alert_has_a_query_and_every_query_an_alert() -> None:
    text = (INFRA / "modules" / "alerts.bicep").read_text("utf-8")
    ids = [
        alert["id"] for alert in parsed(INFRA / "modules" / "alerts.bicep")["variables"]["alerts"]["value"]
    ]
    used = re.findall(r"\.\./queries/([\w-]+)\.kql", text)
    assert ids == used
    assert set(used) == {query.where for query in alert_queries()}


def test_an_alert_splits_by_columns_that_its_query_gives() -> None:
    """Azure Monitor refuses a dimension that is no column of the result."""
    queries = {query.where: query.text for query in alert_queries()}
    for alert in parsed(INFRA / "modules" / "alerts.bicep")["variables"]["alerts"]["value"]:
        for column in alert["by"]:
            assert re.search(rf"\b{column} = |project .*\b{column}\b", queries[alert["id"]]), alert["id"]


def test_the_workbook_answers_the_operators_questions() -> None:
    workbook = json.loads((INFRA / "workbook.json").read_text("utf-8"))
    assert workbook["version"] == "Notebook/1.0"
    names = {query.where.removeprefix("workbook ") for query in workbook_queries()}
    assert {"freshness", "lag", "backlog", "eta", "throughput", "calls", "budget", "errors", "trace"} <= names
    for item in workbook["items"]:
        if item["type"] == 3:
            assert item["content"]["title"], item["name"]
            assert item["content"]["timeContextFromParameter"] == "TimeRange"


def test_the_periods_of_an_alert_cover_what_its_query_looks_at() -> None:
    """`ago(12h)` in a window of 15 minutes would see 15 minutes."""
    hours = {"PT15M": 0.25, "PT1H": 1.0, "P1D": 24.0}
    queries = {query.where: query for query in alert_queries()}
    for alert in parsed(INFRA / "modules" / "alerts.bicep")["variables"]["alerts"]["value"]:
        for number, unit in re.findall(r"ago\((\d+)([hm])\)", queries[alert["id"]].text):
            assert float(number) / (1 if unit == "h" else 60) <= hours[alert["window"]], alert["id"]


def test_a_new_query_in_a_document_is_found() -> None:
    assert all(isinstance(query, KqlText) for query in QUERIES.values())
    assert sum(where.startswith("operations.md") for where in QUERIES) >= 10
