"""`python -m sandbox dynamics`: the Dataverse look-alike on a loopback port."""

from __future__ import annotations

import argparse
import random
import time

from sandbox import serve
from sandbox.dynamics.options import Application, DynamicsOptions, RowCosts
from sandbox.dynamics.service import DynamicsService

EXAMPLES = """examples:
  python -m sandbox dynamics --port 8101
  python -m sandbox dynamics --latency-ms 50 --no-limits
  python -m sandbox dynamics --row-costs --application second:secret:11111111-2222-4333-8444-555555555555
  curl -X POST http://127.0.0.1:8101/_sandbox/seed -d '{"records":[{"lastname":"Lovelace"}]}'
"""


def main(argv: list[str]) -> int:
    default = DynamicsOptions()
    parser = serve.parser(
        "dynamics",
        EXAMPLES,
        client_id=default.client_id,
        client_secret=default.client_secret,
        token_ttl_s=default.token_ttl_s,
    )
    parser.add_argument("--tenant", default=default.tenant)
    parser.add_argument("--organization-id", default=default.organization_id)
    parser.add_argument("--anchor", choices=("first", "last"), default=default.anchor)
    parser.add_argument("--no-limits", action="store_true", help="service protection off")
    parser.add_argument(
        "--row-costs",
        action="store_true",
        help="charge execution time per written row (service protection), and answer as late",
    )
    parser.add_argument(
        "--application",
        action="append",
        default=[],
        type=_application,
        metavar="ID:SECRET:USER",
        help="one more application user with limits of its own; may be given several times",
    )
    parser.add_argument(
        "--no-bulk", action="store_true", help="activity tables take no CreateMultiple, UpdateMultiple"
    )
    parsed = parser.parse_args(argv)
    options = DynamicsOptions(
        origin=parsed.origin.rstrip("/"),
        tenant=parsed.tenant,
        client_id=parsed.client_id,
        client_secret=parsed.client_secret,
        organization_id=parsed.organization_id.lower(),
        token_ttl_s=parsed.token_ttl,
        anchor=parsed.anchor,
        limits=not parsed.no_limits,
        row_costs=RowCosts() if parsed.row_costs else None,
        applications=tuple(parsed.application),
        bulk_messages=not parsed.no_bulk,
    )
    service = DynamicsService(clock=time.time, rng=random.Random(parsed.seed), options=options)
    return serve.run(service, serve.listener("dynamics", parsed))


def _application(text: str) -> Application:
    if text.count(":") != 2:
        raise argparse.ArgumentTypeError("ID:SECRET:USER, three texts with colons between them")
    client_id, secret, user_id = text.split(":")
    return Application(client_id, secret, user_id.lower())
