"""Settings and host.json are read as Azure's host reads them; what is wrong is said in one line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sandbox.host.launch import host_process
from sandbox.host.settings import (
    QueueOptions,
    SettingError,
    apply_values,
    load_host_json,
    load_values,
    resolve,
    seconds,
    storage_connection,
)
from sandbox.node import ROOT
from sandbox.process import ProcessEnded
from tests.sandbox.probe import APPS

COMPLETE = {"AzureWebJobsStorage": "UseDevelopmentStorage=true"}


def test_the_shipped_host_json_says_what_the_design_says() -> None:
    options = load_host_json(ROOT / "host.json", {})
    assert options.queues == QueueOptions(
        batch_size=16,
        new_batch_threshold=8,
        max_dequeue_count=5,
        visibility_timeout_s=30,
        max_polling_interval_s=2,
        base64=False,
    )
    assert options.function_timeout_s == 1800


def test_settings_override_host_json() -> None:
    names = {"batchSize": "4", "maxPollingInterval": "00:00:05"}
    environ = {f"AzureFunctionsJobHost__extensions__queues__{name}": value for name, value in names.items()}
    options = load_host_json(ROOT / "host.json", environ)
    assert (options.queues.batch_size, options.queues.max_polling_interval_s) == (4, 5)
    assert options.queues.max_dequeue_count == 5


@pytest.mark.parametrize(
    ("section", "said"),
    [
        ({"batchSize": 33}, "batchSize must be 1..32"),
        ({"maxDequeueCount": 0}, "maxDequeueCount"),
        ({"messageEncoding": "utf8"}, "messageEncoding"),
        ({"batchsizes": 4}, "unknown option batchsizes"),
        ({"visibilityTimeout": "30"}, "not a time span"),
        ({"maxPollingInterval": "00:00:00.05"}, "maxPollingInterval"),
    ],
)
def test_a_wrong_queue_option_is_named(tmp_path: Path, section: dict[str, object], said: str) -> None:
    file = tmp_path / "host.json"
    file.write_text(json.dumps({"version": "2.0", "extensions": {"queues": section}}))
    with pytest.raises(SettingError, match=said):
        load_host_json(file, {})


@pytest.mark.parametrize(
    ("text", "value"), [("00:00:30", 30), ("01:00:00", 3600), ("1.00:00:01", 86401), ("00:00:00.5", 0.5)]
)
def test_time_spans(text: str, value: float) -> None:
    assert seconds(text) == value


def test_the_environment_wins_over_the_file() -> None:
    environ = {"A": "environment"}
    assert apply_values({"A": "file", "B": "file"}, environ) == ["A"]
    assert environ == {"A": "environment", "B": "file"}


def test_percent_names_are_settings() -> None:
    assert resolve("sync-%LANE%", {"LANE": "live"}) == "sync-live"
    with pytest.raises(SettingError, match="LANE"):
        resolve("%LANE%", {})


def test_connections_by_name_prefix_and_emulator_shorthand() -> None:
    assert storage_connection("Other", {"AzureWebJobsOther": "x"}) == "x"
    assert "http://127.0.0.1:10001/devstoreaccount1" in storage_connection("AzureWebJobsStorage", COMPLETE)
    with pytest.raises(SettingError, match="identity-based"):
        storage_connection("AzureWebJobsStorage", {"AzureWebJobsStorage__queueServiceUri": "x"})
    with pytest.raises(SettingError, match="AzureWebJobsStorage"):
        storage_connection("AzureWebJobsStorage", {})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "not JSON"),
        ("[]", "Values"),
        ('{"Values": {"A": 1}}', "must be a string"),
        (None, "does not exist"),
    ],
)
def test_an_unusable_settings_file_is_explained(tmp_path: Path, text: str | None, said: str) -> None:
    file = tmp_path / "local.settings.json"
    if text is not None:
        file.write_text(text)
    with pytest.raises(SettingError, match=said):
        load_values(file)


@pytest.mark.parametrize(
    ("app", "settings", "said"),
    [
        ("probe", {}, "setting QUEUE is missing"),
        ("broken", {}, "the app was refused: FunctionLoadError: cannot load the work function"),
        ("nowhere", {}, "host.json does not exist"),
        ("probe", {"QUEUE": "q", "TICK": "often"}, "schedule 'often'"),
        ("probe", {"QUEUE": "q", "TICK": "0 * * * * *", "AzureWebJobsStorage": ""}, "AzureWebJobsStorage"),
    ],
)
def test_an_app_that_cannot_start_is_refused_in_words(app: str, settings: dict[str, str], said: str) -> None:
    with (
        pytest.raises(ProcessEnded, match=said) as refused,
        host_process(COMPLETE | settings, app_dir=APPS / app),
    ):
        pass
    assert "ended with 3" in str(refused.value) or "ended with 2" in str(refused.value)
