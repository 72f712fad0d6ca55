"""Trigger bindings only: every function is a few lines that call the app (design 2).

Queue and schedule names come from app settings and `sync.model.Lane`; the Functions host reads this file's decorators.
"""

from __future__ import annotations

import json
import logging

import azure.functions as func

from sync.model import Lane
from sync.worker import worker_app

# The SDKs log every request at INFO, URL included (reference azure.md 3.5).
for noisy in ("azure", "httpx", "aiohttp"):
    logging.getLogger(noisy).setLevel(logging.WARNING)

app = func.FunctionApp(http_auth_level=func.AuthLevel.FUNCTION)
STORAGE = "AzureWebJobsStorage"


@app.timer_trigger(arg_name="timer", schedule="%PULL_SCHEDULE%", use_monitor=False)
async def pull_changes(timer: func.TimerRequest) -> None:
    """Follow the deltas of all mappings."""
    await (await worker_app()).pull_changes()


@app.timer_trigger(arg_name="timer", schedule="%FEED_SCHEDULE%", use_monitor=False)
async def feed_backfill(timer: func.TimerRequest) -> None:
    """Keep the backfill lane at a minute's work."""
    await (await worker_app()).feed_backfill()


@app.timer_trigger(arg_name="timer", schedule="%CONSENT_SCHEDULE%", use_monitor=False)
async def pull_consents(timer: func.TimerRequest) -> None:
    """Find the profiles whose opt-outs changed in Campaign."""
    await (await worker_app()).pull_consents()


@app.timer_trigger(arg_name="timer", schedule="%WAKE_SCHEDULE%", use_monitor=False)
async def wake_parked(timer: func.TimerRequest) -> None:
    """Wake what a crash left parked."""
    await (await worker_app()).wake_parked()


@app.timer_trigger(arg_name="timer", schedule="%EXPIRE_SCHEDULE%")
async def expire_rows(timer: func.TimerRequest) -> None:
    """Remove history, counters and tombstones that are old enough."""
    await (await worker_app()).expire_rows()


@app.timer_trigger(arg_name="timer", schedule="%RECONCILE_SCHEDULE%")
async def reconcile_sample(timer: func.TimerRequest) -> None:
    """Begin to compare a part of the records with Campaign."""
    await (await worker_app()).reconcile_sample()


@app.timer_trigger(arg_name="timer", schedule="%EVENTS_SCHEDULE%", use_monitor=False)
async def pull_email_events(timer: func.TimerRequest, context: func.Context) -> None:
    """Read Campaign's log exports, and send what waited for its contact; nothing while no container is set."""
    await (await worker_app()).pull_email_events(invocation=context.invocation_id)


@app.queue_trigger(arg_name="message", queue_name=Lane.EVENTS.value, connection=STORAGE)
async def apply_events(message: func.QueueMessage, context: func.Context) -> None:
    """Write the open events of some partitions to the timeline."""
    await (await worker_app()).apply_events(
        message.get_body().decode(),
        dequeue_count=message.dequeue_count or 1,
        invocation=context.invocation_id,
    )


@app.queue_trigger(arg_name="message", queue_name=Lane.CONSENT.value, connection=STORAGE)
async def consent(message: func.QueueMessage, context: func.Context) -> None:
    """Look at one contact's consent on both sides."""
    await (await worker_app()).consent(message.get_body().decode(), invocation=context.invocation_id)


@app.queue_trigger(arg_name="message", queue_name=Lane.LIVE.value, connection=STORAGE)
async def apply_live(message: func.QueueMessage, context: func.Context) -> None:
    """Work a chunk of live changes."""
    await _apply(Lane.LIVE, message, context)


@app.queue_trigger(arg_name="message", queue_name=Lane.BACKFILL.value, connection=STORAGE)
async def apply_backfill(message: func.QueueMessage, context: func.Context) -> None:
    """Work a chunk of a full read, replay or sweep."""
    await _apply(Lane.BACKFILL, message, context)


@app.queue_trigger(arg_name="message", queue_name=Lane.CONTROL.value, connection=STORAGE)
async def control(message: func.QueueMessage, context: func.Context) -> None:
    """Carry out a command: run now, full read, replay, sweep."""
    await (await worker_app()).control(message.get_body().decode(), invocation=context.invocation_id)


@app.queue_trigger(arg_name="message", queue_name=f"{Lane.CONSENT.value}-poison", connection=STORAGE)
async def consent_poison(message: func.QueueMessage) -> None:
    """Return a poisoned hint."""
    await (await worker_app()).poison(Lane.CONSENT, message.get_body().decode())


@app.queue_trigger(arg_name="message", queue_name=f"{Lane.LIVE.value}-poison", connection=STORAGE)
async def live_poison(message: func.QueueMessage) -> None:
    """Return a poisoned live chunk, record by record."""
    await (await worker_app()).poison(Lane.LIVE, message.get_body().decode())


@app.queue_trigger(arg_name="message", queue_name=f"{Lane.BACKFILL.value}-poison", connection=STORAGE)
async def backfill_poison(message: func.QueueMessage) -> None:
    """Return a poisoned backfill chunk, record by record."""
    await (await worker_app()).poison(Lane.BACKFILL, message.get_body().decode())


@app.queue_trigger(arg_name="message", queue_name=f"{Lane.CONTROL.value}-poison", connection=STORAGE)
async def control_poison(message: func.QueueMessage) -> None:
    """Return a poisoned command."""
    await (await worker_app()).poison(Lane.CONTROL, message.get_body().decode())


@app.queue_trigger(arg_name="message", queue_name=f"{Lane.EVENTS.value}-poison", connection=STORAGE)
async def events_poison(message: func.QueueMessage) -> None:
    """Return a poisoned message of events, partition by partition."""
    await (await worker_app()).poison(Lane.EVENTS, message.get_body().decode())


@app.route(route="health", methods=["GET"])
async def health(req: func.HttpRequest) -> func.HttpResponse:
    """200 while every mapping was pulled within FRESHNESS_S, else 503; the body says which and why."""
    healthy, mappings = await (await worker_app()).health()
    body = {
        "healthy": healthy,
        "mappings": [
            {"mapping": item.mapping, "fresh": item.fresh, "age_s": item.age_s, "waiting": item.paused}
            for item in mappings
        ],
    }
    return func.HttpResponse(
        json.dumps(body), status_code=200 if healthy else 503, mimetype="application/json"
    )


async def _apply(lane: Lane, message: func.QueueMessage, context: func.Context) -> None:
    await (await worker_app()).apply(
        lane,
        message.get_body().decode(),
        dequeue_count=message.dequeue_count or 1,
        invocation=context.invocation_id,
    )
