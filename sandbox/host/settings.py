"""What a host reads before it starts an app: local.settings.json, host.json, and their overrides."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Mapping, MutableMapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sandbox.azurite import connection_string

OVERRIDE = "AzureFunctionsJobHost__"
WELL_KNOWN = "UseDevelopmentStorage=true"


class SettingError(ValueError):
    """A setting is missing or has a value that this host cannot use; the text says which and what to do."""


def load_values(path: Path) -> dict[str, str]:
    """The `Values` of a local.settings.json; raises SettingError."""
    try:
        document = json.loads(path.read_text())
    except FileNotFoundError:
        raise SettingError(f"{path} does not exist; copy local.settings.sample.json to it") from None
    except json.JSONDecodeError as error:
        raise SettingError(f"{path} is not JSON: {error.msg} in line {error.lineno}") from None
    if not isinstance(document, dict) or not isinstance(document.get("Values", {}), dict):
        raise SettingError(f"{path} must hold an object with an object `Values`")
    if document.get("IsEncrypted"):
        raise SettingError(f"{path} is encrypted; run `func settings decrypt` first")
    values: dict[str, str] = {}
    for name, value in document.get("Values", {}).items():
        if not isinstance(value, str):
            raise SettingError(f"{path}: the value of {name} must be a string")
        values[name] = value
    return values


def apply_values(values: Mapping[str, str], environ: MutableMapping[str, str]) -> list[str]:
    """Puts the values into the environment, as Core Tools does; what is there wins and is returned."""
    kept = [name for name, value in values.items() if environ.get(name, value) != value]
    for name, value in values.items():
        environ.setdefault(name, value)
    return kept


def resolve(text: str, environ: Mapping[str, str]) -> str:
    """Replaces each `%NAME%` by the setting of that name; raises SettingError."""

    def value(match: re.Match[str]) -> str:
        name = match.group(1)
        if name not in environ:
            raise SettingError(f"the setting {name} is missing; a binding names it as %{name}%")
        return environ[name]

    return re.sub(r"%([^%]+)%", value, text)


def storage_connection(name: str, environ: Mapping[str, str]) -> str:
    """The connection string behind a binding's `connection` (plain, or with the prefix `AzureWebJobs`).

    Raises SettingError, also for identity-based connections (`X__queueServiceUri`): there is none here.
    """
    name = name or "AzureWebJobsStorage"
    for candidate in (name, f"AzureWebJobs{name}"):
        value = environ.get(candidate)
        if value:
            return connection_string() if value.strip().rstrip(";") == WELL_KNOWN else value
    if any(key.startswith(f"{name}__") for key in environ):
        raise SettingError(f"{name} is identity-based; the local host takes a connection string only")
    raise SettingError(f"the setting {name} (a storage connection string, or {WELL_KNOWN}) is missing")


@dataclass(frozen=True, slots=True)
class QueueOptions:
    """`extensions.queues` of host.json; times in seconds. Defaults and ranges: azure.md 2.2."""

    batch_size: int = 16
    new_batch_threshold: int = 8
    max_dequeue_count: int = 5
    visibility_timeout_s: float = 0.0
    max_polling_interval_s: float = 60.0
    base64: bool = True

    def __post_init__(self) -> None:
        problems = [
            *(["batchSize must be 1..32"] if not 1 <= self.batch_size <= 32 else []),
            *(["newBatchThreshold must be ≥ 0"] if self.new_batch_threshold < 0 else []),
            *(["maxDequeueCount must be ≥ 1"] if self.max_dequeue_count < 1 else []),
            *(["maxPollingInterval must be ≥ 100 ms"] if self.max_polling_interval_s < 0.1 else []),
        ]
        if problems:
            raise SettingError("host.json, extensions.queues: " + "; ".join(problems))


@dataclass(frozen=True, slots=True)
class HostOptions:
    """The parts of host.json that this host knows. `function_timeout_s` None: unbounded."""

    queues: QueueOptions
    function_timeout_s: float | None
    route_prefix: str


def load_host_json(path: Path, environ: Mapping[str, str]) -> HostOptions:
    """host.json with its overrides (`AzureFunctionsJobHost__extensions__queues__batchSize`) applied.

    Raises SettingError, also for options of `extensions.queues` that this host does not know.
    """
    try:
        document = json.loads(path.read_text())
    except FileNotFoundError:
        raise SettingError(f"{path} does not exist; --app must name the folder of the function app") from None
    except json.JSONDecodeError as error:
        raise SettingError(f"{path} is not JSON: {error.msg} in line {error.lineno}") from None
    if document.get("version") != "2.0":
        raise SettingError(f'{path}: "version" must be "2.0"')
    for name, value in environ.items():
        if name.lower().startswith(OVERRIDE.lower()):
            _put(document, re.split("__|:", name[len(OVERRIDE) :]), value)
    queues = _section(document, "extensions", "queues")
    http = _section(document, "extensions", "http")
    timeout = str(document.get("functionTimeout", "00:30:00"))
    return HostOptions(
        queues=_queue_options(queues),
        function_timeout_s=None if timeout == "-1" else seconds(timeout),
        route_prefix=str(http.get("routePrefix", "api")).strip("/"),
    )


def seconds(text: str) -> float:
    """A .NET TimeSpan (`00:00:30`, `1.00:00:00`, `00:00:00.5`) in seconds; raises SettingError."""
    match = re.fullmatch(r"(?:(\d+)\.)?(\d{1,2}):(\d{2}):(\d{2}(?:\.\d+)?)", text.strip())
    if match is None or int(match[2]) > 23 or int(match[3]) > 59 or float(match[4]) >= 60:
        raise SettingError(f"{text!r} is not a time span like 00:00:30")
    return int(match[1] or 0) * 86400 + int(match[2]) * 3600 + int(match[3]) * 60 + float(match[4])


def _queue_options(section: Mapping[str, Any]) -> QueueOptions:
    known = {
        "batchsize",
        "newbatchthreshold",
        "maxdequeuecount",
        "visibilitytimeout",
        "maxpollinginterval",
        "messageencoding",
    }
    given = {key.lower(): str(value) for key, value in section.items()}
    if unknown := sorted(set(given) - known):
        raise SettingError(f"host.json, extensions.queues: unknown option {', '.join(unknown)}")
    encoding = given.get("messageencoding", "base64").lower()
    if encoding not in {"none", "base64"}:
        raise SettingError('host.json, extensions.queues: messageEncoding must be "none" or "base64"')
    batch = int(given.get("batchsize", "16"))
    return QueueOptions(
        batch_size=batch,
        # On Flex the default depends on the number of processors; host.json should say it (azure.md 2.2).
        new_batch_threshold=int(given.get("newbatchthreshold", str(batch // 2 * (os.cpu_count() or 1)))),
        max_dequeue_count=int(given.get("maxdequeuecount", "5")),
        visibility_timeout_s=seconds(given.get("visibilitytimeout", "00:00:00")),
        max_polling_interval_s=seconds(given.get("maxpollinginterval", "00:01:00")),
        base64=encoding == "base64",
    )


def _section(document: Mapping[str, Any], *names: str) -> Mapping[str, Any]:
    part: Any = document
    for name in names:
        part = next((value for key, value in part.items() if key.lower() == name), {})
        if not isinstance(part, dict):
            raise SettingError(f"host.json: {'.'.join(names)} must be an object")
    return dict(part)


def _put(document: dict[str, Any], names: Iterable[str], value: str) -> None:
    *parents, last = names
    for name in parents:
        key = next((key for key in document if key.lower() == name.lower()), name)
        child = document.setdefault(key, {})
        if not isinstance(child, dict):
            raise SettingError(f"{OVERRIDE}{'__'.join([*parents, last])} does not fit host.json")
        document = child
    document[next((key for key in document if key.lower() == last.lower()), last)] = value
