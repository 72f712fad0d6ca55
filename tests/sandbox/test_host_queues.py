"""The host gives queue messages the life that Azure's host gives them (azure.md 2.3)."""

from __future__ import annotations

import json
import time

import pytest

from tests.sandbox.probe import Probe, eventually

pytestmark = pytest.mark.waits


def test_a_message_is_worked_once_and_then_deleted(probe: Probe) -> None:
    probe.send("Zoë <&> 😀")
    with probe.host(message_lease_s=600):
        eventually(lambda: probe.events("end"))
        eventually(lambda: probe.waiting() == 0)
    (begin,) = probe.events("begin")
    assert begin["body"] == "Zoë <&> 😀"
    assert begin["tries"] == 1
    assert begin["lease"] == "600"
    assert begin["function"] == "work"


def test_a_queue_that_is_missing_is_made(probe: Probe) -> None:
    assert probe.waiting() == -1
    with probe.host():
        eventually(lambda: probe.waiting() == 0)


def test_a_message_that_fails_five_times_goes_to_the_poison_queue_as_a_new_message(probe: Probe) -> None:
    body = json.dumps({"fail": True})
    probe.send(body)
    with probe.host() as host:
        eventually(lambda: probe.waiting(poison=True) == 1, within_s=30)
        eventually(lambda: probe.waiting() == 0)
        assert "Message has reached MaxDequeueCount of 5. Moving message to queue" in host.child.output()
        assert "work failed: ValueError: told to fail" in host.child.output()
    begins = probe.events("begin")
    assert [one["tries"] for one in begins] == [1, 2, 3, 4, 5]
    assert len({one["id"] for one in begins}) == 1
    assert probe.poisoned() == [(body, 0)]


def test_a_failed_message_is_hidden_for_the_visibility_timeout(probe: Probe) -> None:
    probe.send(json.dumps({"fail": True, "first_only": True}))
    with probe.host(AzureFunctionsJobHost__extensions__queues__visibilityTimeout="00:00:03"):
        eventually(lambda: probe.events("end"))
    first, second = probe.events("begin")
    assert 2.5 < second["at"] - first["at"] < 6


def test_a_message_received_too_often_is_poisoned_without_a_call(probe: Probe) -> None:
    probe.send("crashes")
    for _ in range(2):
        probe.take(hidden_s=1)
        time.sleep(1.1)
    with probe.host(AzureFunctionsJobHost__extensions__queues__maxDequeueCount="2"):
        eventually(lambda: probe.waiting(poison=True) == 1)
    assert probe.events("begin") == []
    assert probe.poisoned() == [("crashes", 0)]


def test_failures_of_a_poison_queue_trigger_stay_hidden_and_never_move(probe: Probe) -> None:
    probe.queue_name += "-poison"
    probe.send(json.dumps({"fail": True, "first_only": True}))
    with probe.host(message_lease_s=4, AzureFunctionsJobHost__extensions__queues__maxDequeueCount="1"):
        eventually(lambda: probe.events("end"))
    first, second = probe.events("begin")
    assert second["tries"] == 2
    assert second["at"] - first["at"] > 3.5, "hidden for the rest of its lease, not for visibilityTimeout"
    assert probe.waiting(poison=True) == -1


def test_the_lease_is_renewed_while_the_function_runs(probe: Probe) -> None:
    probe.send(json.dumps({"sleep": 5}))
    with probe.host(message_lease_s=2):
        eventually(lambda: probe.events("end"))
        eventually(lambda: probe.waiting() == 0)
    assert len(probe.events("begin")) == 1


def test_a_killed_host_leaves_its_message_hidden_until_the_lease_ends(probe: Probe) -> None:
    probe.send(json.dumps({"sleep": 60, "first_only": True}))
    with probe.host(message_lease_s=5) as host:
        eventually(lambda: probe.events("begin"))
        host.kill()
    with probe.host(message_lease_s=5):
        eventually(lambda: probe.events("end"))
    first, second = probe.events("begin")
    assert second["tries"] == 2
    assert second["at"] - first["at"] > 4.5


def test_a_stopped_host_finishes_the_work_in_hand_and_takes_no_more(probe: Probe) -> None:
    probe.send(json.dumps({"sleep": 2}))
    with probe.host() as host:
        eventually(lambda: probe.events("begin"))
        host.child.process.terminate()
        eventually(lambda: "stopping: 1 functions in work" in host.child.output())
        probe.send("too late")
        assert host.child.process.wait(10) == 0
    assert len(probe.events("end")) == 1
    assert probe.waiting() == 1


def test_work_that_outlasts_the_drain_time_is_left_without_being_cancelled(probe: Probe) -> None:
    probe.send(json.dumps({"sleep": 60}))
    with probe.host(drain_s=1) as host:
        eventually(lambda: probe.events("begin"))
        assert host.stop() == 1
    assert probe.waiting() == 1
    assert probe.events("end") == []


def test_no_more_messages_are_in_work_than_batch_size_and_threshold_allow(probe: Probe) -> None:
    probe.send(*[json.dumps({"sleep": 0.2 + n % 2 * 0.8}) for n in range(9)])
    with probe.host(
        AzureFunctionsJobHost__extensions__queues__batchSize="2",
        AzureFunctionsJobHost__extensions__queues__newBatchThreshold="1",
    ):
        eventually(lambda: len(probe.events("end")) == 9)
    assert max(one["running"] for one in probe.events("begin")) == 3


def test_a_function_that_runs_too_long_ends_the_process(probe: Probe) -> None:
    probe.send(json.dumps({"sleep": 60}))
    with probe.host(AzureFunctionsJobHost__functionTimeout="00:00:01") as host:
        assert host.child.process.wait(20) == 70
        assert "work ran into functionTimeout" in host.child.output()
    assert probe.waiting() == 1


@pytest.mark.parametrize(("encoding", "seen"), [("base64", "plain"), ("none", "cGxhaW4=")])
def test_message_encoding_decides_how_a_body_is_read(probe: Probe, encoding: str, seen: str) -> None:
    probe.send("cGxhaW4=")
    with probe.host(AzureFunctionsJobHost__extensions__queues__messageEncoding=encoding):
        eventually(lambda: probe.events("begin"))
    assert probe.events("begin")[0]["body"] == seen
