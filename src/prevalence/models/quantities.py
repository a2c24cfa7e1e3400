"""What a model's posterior reports, and under which label."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Quantity:
    """Something that is reported.

    Parameters
    ----------
    group
        A group, or ``degree``.
    role
        ``hidden``, ``known`` (left out of its own scaling), ``degree``.
    domain_type, domain
        Where.
    """

    group: str
    role: str
    domain_type: str
    domain: str

    @property
    def label(self) -> str:
        """One word for tables of draws and diagnostics."""
        return f"{self.role}:{self.group}:{self.domain_type}:{self.domain}"


def national_size(group: str) -> Quantity:
    """Give what stands for a hidden group's size in the nation."""
    return Quantity(group, "hidden", "national", "national")
