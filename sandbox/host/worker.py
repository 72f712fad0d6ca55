"""Microsoft's Python worker library, driven without the gRPC channel and the .NET host.

`azure_functions_runtime` imports no protobuf: it is handed a module of message classes with every request.
Here that is the small stand-in below; import of function_app.py, binding validation, decoding of trigger payloads,
running and encoding of results are Microsoft's (azure.md 3.2). Its state is global: one app per process.
"""

from __future__ import annotations

import json
import sys
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import azure_functions_runtime as library
from azure.storage.queue import QueueMessage


class Message:
    """A protobuf-like bag of fields: what is not set reads as None."""

    def __init__(self, **fields: Any) -> None:
        self.__dict__.update(fields)

    def __getattr__(self, name: str) -> Any:
        # The library probes for `TypedData` on a value; real messages raise here.
        if name == "TypedData" or name.startswith("__"):
            raise AttributeError(name)
        return None

    def WhichOneof(self, _group: str) -> str | None:
        return next(iter(self.__dict__), None)


class BindingInfo(Message):
    """Direction and data type, numbered as in FunctionRpc.proto."""

    in_, out, inout = 0, 1, 2
    undefined, string, binary, stream = 0, 1, 2, 3


class StatusResult(Message):
    Failure, Success, Cancelled = 0, 1, 2


class RpcHttpCookie(Message):
    SameSite = SimpleNamespace(**{"None": 0, "Lax": 1, "Strict": 2, "ExplicitNone": 3})


class TypedData(Message):
    """One of string, bytes, json, http ... is set."""


class _Input(SimpleNamespace):
    def WhichOneof(self, _group: str) -> str:
        return "data"


_PLAIN = (
    "FunctionEnvironmentReloadResponse FunctionLoadResponse FunctionMetadataResponse InvocationResponse "
    "NullableBool NullableDouble NullableString NullableTimestamp ParameterBinding RpcException "
    "RpcFunctionMetadata RpcHttp RpcRetryOptions WorkerInitResponse WorkerMetadata"
)
PROTOS = SimpleNamespace(
    BindingInfo=BindingInfo,
    StatusResult=StatusResult,
    RpcHttpCookie=RpcHttpCookie,
    TypedData=TypedData,
    **{name: type(name, (Message,), {}) for name in _PLAIN.split()},
)


class AppError(RuntimeError):
    """The worker library refused the function app; the text holds its message and the stack."""


@dataclass(frozen=True, slots=True)
class Binding:
    """One binding of a function, as the host receives it (the keys of a function.json)."""

    type: str
    name: str
    properties: Mapping[str, Any]

    def text(self, key: str, default: str = "") -> str:
        return str(self.properties.get(key) or default)


@dataclass(frozen=True, slots=True)
class Function:
    """An indexed function and its trigger."""

    name: str
    function_id: str
    trigger: Binding


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an invocation ended. `error` is None on success; `http` is set by HTTP functions."""

    error: str | None = None
    stack: str = ""
    http: Any = None


class Worker:
    """Loads one function app and runs its functions on the current event loop."""

    def __init__(self, app_dir: Path) -> None:
        self._app_dir = str(app_dir)

    async def start(self) -> list[Function]:
        """Imports and indexes the app; raises AppError for what the real worker would refuse."""
        if self._app_dir not in sys.path:
            sys.path.insert(0, self._app_dir)
        library.start_threadpool_executor()
        content = SimpleNamespace(capabilities={}, function_app_directory=self._app_dir)
        self._require(await library.worker_init_request(_request(worker_init_request=content)))
        listing = await library.functions_metadata_request(_request())
        functions = []
        for metadata in listing.function_metadata_results or []:
            content = SimpleNamespace(function_id=metadata.function_id, metadata=metadata)
            self._require(await library.function_load_request(_request(function_load_request=content)))
            functions.append(_function(metadata))
        if not functions:
            raise AppError(f"no function was found in {self._app_dir}/function_app.py")
        return functions

    async def timer(self, function: Function, *, past_due: bool = False) -> Outcome:
        payload = {"Schedule": {"AdjustForDST": True}, "ScheduleStatus": None, "IsPastDue": past_due}
        return await self._invoke(function, TypedData(json=json.dumps(payload)))

    async def queue(self, function: Function, body: str | bytes, message: QueueMessage) -> Outcome:
        """`body` is the decoded content of `message`."""
        data = TypedData(bytes=body) if isinstance(body, bytes) else TypedData(string=body)
        metadata = {
            "Id": TypedData(string=str(message.id)),
            "PopReceipt": TypedData(string=str(message.pop_receipt)),
            "DequeueCount": TypedData(json=str(message.dequeue_count or 1)),
            "QueueTrigger": TypedData(string=str(message.content)),
        }
        times = {
            "InsertionTime": message.inserted_on,
            "ExpirationTime": message.expires_on,
            "NextVisibleTime": message.next_visible_on,
        }
        for name, moment in times.items():
            metadata[name] = TypedData(json=json.dumps(moment.isoformat() if moment else None))
        return await self._invoke(function, data, metadata)

    async def http(
        self,
        function: Function,
        *,
        method: str,
        url: str,
        headers: Mapping[str, str],
        query: Mapping[str, str],
        route: Mapping[str, str],
        body: bytes,
    ) -> Outcome:
        request = SimpleNamespace(
            method=method,
            url=url,
            headers=dict(headers),
            query=dict(query),
            params=dict(route),
            body=TypedData(bytes=body),
        )
        return await self._invoke(function, TypedData(http=request))

    async def _invoke(
        self, function: Function, data: TypedData, metadata: Mapping[str, TypedData] | None = None
    ) -> Outcome:
        request = SimpleNamespace(
            invocation_id=str(uuid.uuid4()),
            function_id=function.function_id,
            input_data=[_Input(name=function.trigger.name, data=data)],
            trigger_metadata=metadata or {},
            trace_context=SimpleNamespace(trace_parent="", trace_state="", attributes={}),
            retry_context=SimpleNamespace(retry_count=0, max_retry_count=0, exception=None),
        )
        response = await library.invocation_request(_request(invocation_request=request))
        if response.result.status != StatusResult.Success:
            problem = response.result.exception
            return Outcome(error=problem.message, stack=problem.stack_trace or "")
        value = response.return_value
        return Outcome(http=value.http if value is not None else None)

    @staticmethod
    def _require(response: Any) -> None:
        if response.result.status != StatusResult.Success:
            problem = response.result.exception
            raise AppError(f"{problem.message}\n{problem.stack_trace or ''}".rstrip())


def _request(**content: Any) -> SimpleNamespace:
    return SimpleNamespace(
        request=SimpleNamespace(**content), properties={"host": "127.0.0.1", "protos": PROTOS}
    )


def _function(metadata: Any) -> Function:
    bindings = [json.loads(raw) for raw in metadata.raw_bindings]
    triggers = [one for one in bindings if one["type"].endswith("Trigger")]
    others = [
        one["type"] for one in bindings if not one["type"].endswith("Trigger") and one["type"] != "http"
    ]
    known = {"timerTrigger", "queueTrigger", "httpTrigger"}
    if len(triggers) != 1 or triggers[0]["type"] not in known or others:
        kinds = ", ".join(one["type"] for one in bindings)
        raise AppError(
            f"{metadata.name}: this stand-in knows timer, queue and HTTP triggers only, not: {kinds}"
        )
    trigger = triggers[0]
    return Function(metadata.name, metadata.function_id, Binding(trigger["type"], trigger["name"], trigger))
