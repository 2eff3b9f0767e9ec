"""What every mapping of the files has in common."""

from pydantic import BaseModel, ConfigDict


class Shape(BaseModel):
    """A mapping with known keys: every other key is a mistake, and no value is turned into another kind."""

    model_config = ConfigDict(
        strict=True, extra="forbid", frozen=True, arbitrary_types_allowed=True, populate_by_name=False
    )
