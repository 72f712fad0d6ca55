"""The truth table of `decide` as docs/consent.md shows it (a test compares them)."""

from __future__ import annotations

from sync.consent_row import Agreement, Announced, Kept, Side
from sync.planning.consent import Look, Policy, Terms, decide

THEN, NOW = "then", "now"
WORD = {True: "out", False: "in"}
NOON = 1_000_000.0

KEPT = "Dynamics was in and kept so, both changed since"
Case = tuple[str, Agreement, Look, bool, Announced | None]


def cases() -> list[Case]:
    """What tells a clause from another: circumstances, agreement, look, found, announced."""

    def look(campaign: bool, dynamics: bool, stamp: str = THEN, lead: float = 0.0) -> Look:
        return Look(campaign, dynamics, stamp, NOON + lead, NOON, "7")

    found: list[Case] = [
        ("the same on both sides", Agreement(False, Side.BOTH, THEN), look(True, True), False, None)
    ]
    for campaign, dynamics in ((True, False), (False, True)):
        found.append(
            ("whatever the times", Agreement(False, Side.BOTH, THEN), look(campaign, dynamics), False, None)
        )
    for by in (Side.DYNAMICS, Side.CAMPAIGN, Side.BOTH):
        agreement = Agreement(True, by, THEN)
        found += [
            ("Campaign's time as agreed", agreement, look(True, False), False, None),
            ("Campaign's time moved or unknown", agreement, look(True, False, NOW), False, None),
            ("opt-in in Campaign", agreement, look(False, True, NOW, 600.0), False, None),
        ]
    out = Agreement(True, Side.DYNAMICS, THEN)
    found += [
        ("our opt-in to Campaign, outcome unknown; time as before", out, look(True, False), False,
         Announced(Side.CAMPAIGN, THEN)),
        ("our opt-in to Campaign, outcome unknown; time moved", out, look(False, True, NOW, 600.0), False,
         Announced(Side.CAMPAIGN, THEN)),
        ("our opt-in to Dynamics, outcome unknown; row moved", out, look(False, True, NOW, 600.0), False,
         Announced(Side.DYNAMICS, "6")),
    ]  # fmt: skip
    found.append((KEPT, out, look(False, True, NOW, 600.0), False, None))
    for lead, told in ((600.0, "Campaign newer by more than the tolerance"), (200.0, "Campaign newer, within it"),
                       (-600.0, "Dynamics newer")):  # fmt: skip
        found += [
            (f"profile found; {told}", Agreement(), look(False, True, THEN, lead), True, None),
            (f"profile found; {told}", Agreement(), look(True, False, THEN, lead), True, None),
        ]
    found += [
        ("profile of ours; Campaign newer (our own create)", Agreement(), look(False, True, THEN, 600.0), False, None),
        ("Campaign opted in by our own late write", Agreement(False, Side.BOTH, ""), look(False, True, NOW, 1.0),
         False, None),
    ]  # fmt: skip
    return found


def as_markdown() -> str:
    """The table: one line a case, one column a policy; the value that holds, and the side that is written for it."""
    head = (
        "agreed",
        "set by",
        "Campaign",
        "Dynamics",
        "circumstances",
        *(f"`{policy}`" for policy in Policy),
    )
    lines = ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    for told, agreement, look, found, announced in cases():
        agreed = "–" if agreement.value is None else WORD[agreement.value]
        by = agreement.by.value if agreement.value else "–"
        cells = [agreed, by, WORD[look.campaign], WORD[look.dynamics], told]
        for policy in Policy:
            kept = Kept(campaign=True, dynamics=False, stamp=THEN) if told == KEPT else None
            decision = decide(agreement, look, Terms(policy, found), announced, kept)
            wrote = f" → {decision.write.value.capitalize()}" if decision.write else ""
            cells.append(f"{WORD[decision.value]}{wrote}")
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)
