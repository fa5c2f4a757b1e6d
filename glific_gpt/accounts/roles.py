"""Roles: what a person may do in an organization, each with all that the one below may."""

from enum import StrEnum


class Role(StrEnum):
    """From the one that reads to the one that decides about people."""

    VIEWER = "viewer"
    EDITOR = "editor"
    OWNER = "owner"

    def includes(self, other: "Role") -> bool:
        """Whether who has this role may do what the other may."""
        return _ORDER.index(self) >= _ORDER.index(other)


_ORDER = tuple(Role)
