"""A function app that writes down each of its runs (one JSON line in the file RECORD) and does what it is told."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import time

import azure.functions as func

app = func.FunctionApp()
running = 0


def record(event: str, **fields: object) -> None:
    line = json.dumps({"event": event, "at": time.time(), "running": running, **fields})
    with open(os.environ["RECORD"], "a") as file:
        file.write(line + "\n")


@app.queue_trigger(arg_name="message", queue_name="%QUEUE%", connection="AzureWebJobsStorage")
async def work(message: func.QueueMessage, context: func.Context) -> None:
    global running
    text = message.get_body().decode()
    running += 1
    try:
        record(
            "begin",
            body=text,
            id=message.id,
            tries=message.dequeue_count,
            lease=os.environ["MESSAGE_LEASE_S"],
            function=context.function_name,
            inserted=message.insertion_time.isoformat(),
        )
        told = json.loads(text) if text.startswith("{") else {}
        if message.dequeue_count == 1 or not told.get("first_only"):
            await asyncio.sleep(told.get("sleep", 0))
            if told.get("fail"):
                raise ValueError("told to fail")
        record("end", body=text, id=message.id)
    finally:
        running -= 1


@app.timer_trigger(arg_name="timer", schedule="%TICK%", use_monitor=False)
async def tick(timer: func.TimerRequest) -> None:
    record("tick", past_due=timer.past_due)
    await asyncio.sleep(float(os.environ.get("TICK_SLEEP", "0")))
    logging.getLogger("sync").info('{"event":"ticked"}')
    record("tock")


@app.route(route="hello/{name}", auth_level=func.AuthLevel.FUNCTION, methods=["GET", "POST"])
async def hello(req: func.HttpRequest) -> func.HttpResponse:
    if req.params.get("fail"):
        raise ValueError("told to fail")
    text = f"{req.method} {req.route_params['name']} {req.params.get('q')} {req.get_body().decode()}"
    return func.HttpResponse(text, status_code=201, headers={"x-answer": "42"})


@app.route(route="ping", auth_level=func.AuthLevel.ANONYMOUS)
async def ping(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse("pong")
