"""`scripts/demo`: the contacts flow on this machine, with stand-ins for Dynamics, Campaign and Azure."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from datetime import datetime
from urllib.error import URLError

from sandbox.demo import mailing
from sandbox.demo.consent import OptOuts
from sandbox.demo.measure import calls_of
from sandbox.demo.report import Report
from sandbox.demo.run import LIMIT, Stuck, prepare
from sandbox.demo.signals import Signals
from sandbox.demo.stack import Setup, Stack, stack
from sandbox.demo.tenant import FEWEST
from sandbox.process import ProcessEnded

EPILOG = """\
examples:
  scripts/demo                             watch it work, then try it yourself until Ctrl-C
  scripts/demo --once                      end after the comparison: exit code 0 only if both sides agree
  scripts/demo --once --contacts 5000 --seed 7
  scripts/demo --once --json 2>/dev/null | tail -1
"""
DESCRIPTION = """\
Seeds a made-up Dynamics tenant, runs the function app against look-alikes of Dynamics and Adobe Campaign and a local
storage emulator, lets people edit, delete and re-create contacts, and compares both sides record by record;
then sends a small campaign, shows what salespeople see on two timelines, and lets a contact opt out in each system.
Nothing leaves this machine, and nothing keeps running or stays behind when it ends.
"""


def main(argv: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(argv)
    report = Report(stderr=options.json)
    signals = Signals()
    signals.install()
    changed = {"CAMPAIGN_LIMIT": str(LIMIT), "CAMPAIGN_ADDRESSING": "key", **mailing.SETTINGS}
    setup = Setup(changed, signals=signals)
    equal = None
    try:
        report.line("starting Azurite and the look-alikes of Dynamics and Campaign")
        with stack(setup) as running:
            report.line(f"Dynamics at {running.dynamics.url}, Campaign at {running.campaign.url}")
            report.line(
                f"settings as shipped, but for {LIMIT} Campaign calls in 5 min instead of 4000, and data policies "
                "of Campaign that rewrite values are off"
            )
            equal = _play(running, report, options)
    except KeyboardInterrupt:
        report.line("stopped")
        return 130 if equal is None else 0
    except (Stuck, ProcessEnded) as error:
        print(f"scripts/demo: {error}", file=sys.stderr)
        return 1
    except URLError as error:
        print(f"scripts/demo: a look-alike does not answer any more: {error.reason}", file=sys.stderr)
        return 1
    return 0 if equal else 1


def _play(running: Stack, report: Report, options: argparse.Namespace) -> bool:
    demo = prepare(running, report, contacts=options.contacts, seed=options.seed)
    mail = mailing.Mailing(running, report)
    mail.prepare()
    result = demo.play()
    plain = {contact.id for contact in demo.story.contacts.values() if not contact.kind}
    there = [record["contactid"] for record in running.dynamics.records() if record["contactid"] in plain]
    mailed = mail.play(there[:12])
    carried = OptOuts(running, report).play(there[12:])
    report.result(result, demo.story.contacts)
    if options.json:
        print(json.dumps(result.as_json()), flush=True)
    if not options.once:
        report.addresses(running, next(c.id for c in demo.story.contacts.values() if not c.kind))
        _watch(running, report)
    return result.equal and mailed and carried


def _watch(running: Stack, report: Report) -> None:
    """Shows every call to Campaign until a signal comes or the function app ends."""
    _, seen = running.campaign.log(10**9)
    while running.host is not None and running.host.child.running:
        time.sleep(1.0)
        entries, seen = running.campaign.log(seen)
        for call in calls_of(entries):
            at = datetime.fromtimestamp(call.at).strftime("%H:%M:%S")
            ended = "" if call.ok else ": not there" if call.status == 404 else f": refused ({call.status})"
            report.plain(f"{at}  Campaign: {call.did or 'look-up'} {call.record_id}{ended}")
    raise Stuck(running.ended())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="scripts/demo",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--once", action="store_true", help="end after the comparison; exit code 1 if the sides differ"
    )
    parser.add_argument(
        "--contacts",
        type=_count,
        default=500,
        metavar="N",
        help=f"contacts to begin with, from {FEWEST} (500)",
    )
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="another seed, other people (1)")
    parser.add_argument(
        "--json",
        action="store_true",
        help="one JSON object as the last line of stdout; the rest goes to stderr",
    )
    return parser


def _count(text: str) -> int:
    count = int(text)
    if count < FEWEST:
        raise argparse.ArgumentTypeError(f"the story needs {FEWEST} contacts or more")
    return count
