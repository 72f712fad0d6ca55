"""`python -m sandbox campaign`: the Campaign look-alike on a loopback port."""

from __future__ import annotations

import argparse
import random
import time

from sandbox import serve
from sandbox.campaign.options import REWRITING, VALIDATING, CampaignOptions, RateLimit
from sandbox.campaign.service import CampaignService

EXAMPLES = """examples:
  python -m sandbox campaign --port 8102
  python -m sandbox campaign --addressing filter --no-rewriting --latency-ms 50
  curl -X POST http://127.0.0.1:8102/_sandbox/dump
"""


def main(argv: list[str]) -> int:
    default = CampaignOptions()
    parser = serve.parser(
        "campaign",
        EXAMPLES,
        client_id=default.client_id,
        client_secret=default.client_secret,
        token_ttl_s=default.token_ttl_s,
    )
    parser.add_argument("--org", default=default.org, help="tenant, the first part of the path")
    parser.add_argument("--addressing", choices=("key", "filter", "none"), default=default.addressing)
    parser.add_argument("--dialect", choices=("standard", "v8"), default=default.dialect)
    parser.add_argument(
        "--custom-addressing",
        choices=("key", "filter", "none"),
        default=default.custom_addressing,
        help="the same for custom resources",
    )
    parser.add_argument("--delete-by-key", action="store_true", help="DELETE by externalId works (key mode)")
    parser.add_argument("--unique", action="append", default=[], metavar="FIELD", help="a unique field more")
    parser.add_argument("--no-rewriting", action="store_true", help="data policies check, but change nothing")
    parser.add_argument("--rate-limit", type=int, metavar="CALLS", help="per 300 s, then 429")
    parsed = parser.parse_args(argv)
    try:
        service = CampaignService(clock=time.time, rng=random.Random(parsed.seed), options=_options(parsed))
    except ValueError as wrong:
        parser.error(str(wrong))
    return serve.run(service, serve.listener("campaign", parsed))


def _options(parsed: argparse.Namespace) -> CampaignOptions:
    return CampaignOptions(
        org=parsed.org,
        client_id=parsed.client_id,
        client_secret=parsed.client_secret,
        origin=parsed.origin.rstrip("/"),
        token_ttl_s=parsed.token_ttl,
        dialect=parsed.dialect,
        addressing=parsed.addressing,
        custom_addressing=parsed.custom_addressing,
        delete_by_key=parsed.delete_by_key,
        unique_fields=tuple(parsed.unique),
        policies=dict(VALIDATING if parsed.no_rewriting else REWRITING),
        rate_limit=None if parsed.rate_limit is None else RateLimit(parsed.rate_limit),
    )
