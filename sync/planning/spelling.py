"""How names and values are spelled in a mapping file: the words its models share."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictInt, StrictStr

Column = Annotated[StrictStr, Field(pattern=r"^[a-z_][a-z0-9_]{0,127}$")]
"""A Web API property name: the logical name, or `_name_value` of a lookup. Case-sensitive (dataverse.md 5)."""
Name = Annotated[StrictStr, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,63}$")]
Path = Annotated[StrictStr, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,63}(\.[A-Za-z][A-Za-z0-9_]{0,63})?$")]
"""A Campaign field, or a field of an item such as `location.city`."""
Length = Annotated[StrictInt, Field(ge=1, le=100_000)]
MappingName = Annotated[StrictStr, Field(pattern=r"^[a-z][a-z0-9_]{0,40}$")]
Option = StrictBool | StrictInt | StrictStr
Text = Annotated[StrictStr, Field(min_length=1)]


class Strict(BaseModel):
    """Exactly the keys that are declared, exactly their types."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)
