"""`cost`: what a month costs and how many engine calls it takes, from numbers that the caller gives."""

from __future__ import annotations

from dataclasses import asdict, replace
from enum import StrEnum
from functools import partial
from typing import Annotated

import typer

from sync.cli.cost_model import Calls, Line, Load, Prices, bill, calls
from sync.cli.frame import OK, run_bare
from sync.cli.options import AsJson
from sync.cli.output import Output, duration, number
from sync.cli.session import Desk, UsageProblem
from sync.storage.budget import BACKFILL_SHARE, Limit

CHUNK = 40
"""The largest take of the budget as shipped: two chunks of 20."""


class Addressing(StrEnum):
    """How Campaign finds a record; `doctor` tells."""

    KEY = "key"
    FILTER = "filter"


def cost(
    context: typer.Context,
    contacts: Annotated[int, typer.Option("--contacts", min=0, help="Contacts that are synced.")],
    changes: Annotated[
        float, typer.Option("--changes-per-day", min=0, help="Contacts created, changed or deleted a day.")
    ],
    events: Annotated[
        float,
        typer.Option("--events-per-day", min=0, help="Email events of Campaign a day."),
    ] = 0.0,
    addressing: Annotated[
        Addressing, typer.Option("--addressing", help="How Campaign finds a record.")
    ] = Addressing.KEY,
    memory: Annotated[int, typer.Option("--memory", min=512, help="Memory of an instance in MB.")] = 2048,
    ready: Annotated[
        int, typer.Option("--ready", min=0, help="Instances kept ready, for pull and live lane together.")
    ] = 2,
    private: Annotated[bool, typer.Option("--private", help="With the private network.")] = False,
    limit: Annotated[int, typer.Option("--limit", min=200, help="Campaign calls in a window.")] = 4000,
    window: Annotated[
        float, typer.Option("--window", min=1, help="Length of that window in seconds.")
    ] = 300.0,
    price: Annotated[
        list[str] | None, typer.Option("--price", metavar="NAME=VALUE", help="Another price in US dollars.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Estimate Azure's bill for a month, and the Campaign calls. Needs no settings and asks nobody.

    The prices are list prices of one region at one time. Replace them by yours: docs/cost.md lists the names.

    Examples:

      python -m sync cost --contacts 500000 --changes-per-day 20000

      python -m sync cost --contacts 500000 --changes-per-day 20000 --private --price log_gb=2.30
    """
    load = Load(contacts, changes, events, addressing.value, memory / 1024, ready, private)
    rate = Limit("campaign", limit, window, 100, CHUNK)
    run_bare(context, partial(_cost, load=load, rate=rate, given=price or []), as_json=as_json)


async def _cost(desk: Desk, out: Output, *, load: Load, rate: Limit, given: list[str]) -> int:
    prices = _prices(given)
    lines = list(bill(load, prices))
    total = sum(line.usd for line in lines)
    licensed = rate.calls / rate.window_s
    told = calls(load, calls_per_s=1 / rate.interval, share=BACKFILL_SHARE, licensed_per_s=licensed)
    if out.as_json:
        out.json(
            {
                "usd_per_month": round(total, 2),
                "lines": [asdict(line) | {"usd": round(line.usd, 2)} for line in lines],
                "campaign_calls": {
                    "first_load": told.first_load,
                    "first_load_s": round(told.first_load_s, 1),
                    "per_day": told.per_day,
                    "licensed_share": round(told.licensed_share, 4),
                },
            }
        )
        return OK
    _show(lines, total, told, out)
    return OK


def _show(lines: list[Line], total: float, told: Calls, out: Output) -> None:
    out.table(("a month", "amount", "USD"), [(line.item, line.amount, f"{line.usd:,.2f}") for line in lines])
    out.line(
        f"about {total:,.0f} USD a month at the prices used; the real bill is in Cost Management.", "bold"
    )
    out.line()
    out.line(f"First load: {number(told.first_load)} Campaign calls, {duration(told.first_load_s)}.")
    share = f"{100 * told.licensed_share:.1f} % of the licensed rate"
    out.line(f"Afterwards: {number(told.per_day)} Campaign calls a day, {share}.")


def _prices(given: list[str]) -> Prices:
    prices = Prices()
    for text in given:
        name, _, value = text.partition("=")
        if name not in Prices.names():
            raise UsageProblem(f"there is no price {name!r}", f"Use one of {', '.join(Prices.names())}.")
        try:
            prices = replace(prices, **{name: float(value)})
        except ValueError:
            raise UsageProblem(f"the price {name} is no number", "Write it as 0.05.") from None
    return prices
