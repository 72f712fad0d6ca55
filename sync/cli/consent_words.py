"""The consent journal and rows in sentences."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sync.consent_row import ConsentRow
from sync.model import to_iso
from sync.planning.consent import SENTENCES, Rule
from sync.storage.consent_journal import ASKED, Entry

WORDS = {
    "out": "opted out",
    "in": "opted in",
    "unknown": "not known",
    "neither": "neither (counts as out)",
    "": "nothing",
}
UNTOLD = "its worker ended without saying how that went, or is at it"
SYSTEM = {"campaign": "Campaign", "dynamics": "Dynamics"}


def sentence(entry: Entry) -> str:
    """A journal line in words."""
    rule = SENTENCES[Rule(entry.rule)]
    if entry.rule in (Rule.CREATED, Rule.CREATED_CLOSED):
        return f"{entry.field}: {_creation(entry, rule)}"
    seen = f"{entry.field}: Campaign {WORDS[entry.campaign]}"
    seen += f" (since {entry.campaign_at})" if entry.campaign_at else ""
    seen += f", Dynamics {WORDS[entry.dynamics]} (record of {entry.dynamics_at or 'unknown time'})"
    seen += f", agreed was {WORDS[entry.agreed]}. " if entry.agreed else ", nothing agreed yet. "
    return f"{seen}{rule[:1].upper()}{rule[1:]}. {_effect(entry)}"


def _effect(entry: Entry) -> str:
    decided = WORDS[entry.decided]
    if entry.wrote:
        system = SYSTEM[entry.wrote]
        if entry.outcome == "done":
            return f"{system} was set to {decided}."
        if entry.outcome == "unknown":
            return f"{system} was asked to set {decided}; its answer was lost, so it is looked at again."
        if entry.outcome == ASKED:
            return f"{system} was asked to set {decided}, or was about to be; {UNTOLD}, so it is looked at again."
        return f"{system} was not set to {decided} ({entry.outcome})."
    if entry.outcome == "kept":
        return f"It would be {decided}; the other side is not written, both values are kept."
    if entry.outcome == "braked":
        return f"It would be {decided}; the opt-in brake waits for an approval."
    return f"Agreed: {decided}; nothing was written."


def _creation(entry: Entry, rule: str) -> str:
    if entry.outcome == "done":
        return f"{rule}: opted out."
    if entry.outcome == ASKED:
        return f"A profile was to be created opted out; {UNTOLD}."
    if entry.outcome == "unknown":
        return "A profile was to be created opted out; the answer was lost."
    return f"No profile was created ({entry.outcome})."


def standing(row: ConsentRow) -> Iterator[str]:
    """How each field stands now."""
    for name, state in sorted(row.fields.items()):
        if state.kept is not None:
            values = (
                WORDS["out" if state.kept.campaign else "in"],
                WORDS["out" if state.kept.dynamics else "in"],
            )
            yield f"{name}: Campaign {values[0]}, Dynamics {values[1]}; both are kept"
        elif state.agreement.value is not None:
            agreed = WORDS["out" if state.agreement.value else "in"]
            yield f"{name}: {agreed}, set by {SYSTEM.get(state.agreement.by.value, 'both sides')}"
        else:
            yield f"{name}: undecided"
    if row.claim_owner:
        yield "somebody works on it, or its last worker did not finish"


def told_of(entry: Entry) -> dict[str, Any]:
    """A journal line for `--json`."""
    told = {
        name: getattr(entry, name) for name in Entry.__dataclass_fields__ if name not in ("at", "record_id")
    }
    return {"at": to_iso(entry.at), **told, "sentence": sentence(entry)}
