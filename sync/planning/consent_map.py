"""The consent map: which Dynamics column says what Campaign's opt-out fields say (docs/consent.md)."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictInt, StrictStr

from sync.planning.consent import Direction, Policy
from sync.planning.spelling import Column

TARGETS = (
    "blackList",
    "blackListEmail",
    "blackListFax",
    "blackListMobile",
    "blackListPhone",
    "blackListPostalMail",
    "blackListPushnotification",
    "ccpaOptOut",
)
"""Campaign's eight opt-out fields; documents also spell them `denyList…` (adobe.md A.3, names trap)."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class ConsentField(_Strict):
    """One column and the field it feeds. True in the column is opted out, unless `invert`.

    A choice column names its two options instead: `opted_out` and `opted_in`.
    """

    source: Column
    target: StrictStr
    invert: StrictBool | None = None
    opted_out: StrictInt | None = None
    opted_in: StrictInt | None = None


class ConsentMap(_Strict):
    """The whole file."""

    consent: Annotated[StrictStr, Field(pattern=r"^[a-z][a-z0-9_]{0,40}$")]
    """The mapping whose records it is about."""
    direction: Literal["off", "to_campaign", "to_dynamics", "both"] = "both"
    policy: Literal["agreed", "adobe", "opt_out_always_wins"] = "agreed"
    clock_tolerance: Annotated[StrictInt, Field(ge=0, le=86_400)] = 300
    undecided: Literal["opted_out", "hold"] = "opted_out"
    fields: Annotated[tuple[ConsentField, ...], Field(min_length=1)]

    @property
    def flows(self) -> Direction:
        return Direction(self.direction)

    @property
    def rule(self) -> Policy:
        return Policy(self.policy)


def canonical(target: str) -> str:
    """Campaign's name for a target in either spelling; what is none comes back as it is."""
    return re.sub(r"^denyList", "blackList", target)
