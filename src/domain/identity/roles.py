"""Who may make whom what."""

from __future__ import annotations

from collections.abc import Iterable

from domain.shared.errors import NotAllowed

_ADMINS = frozenset({"SUPER_ADMIN", "ADMIN"})


class RoleNotGrantable(NotAllowed):
    """The role is above what this person may give, or take from whoever has it."""

    code = "role_not_grantable"

    def __init__(self, role: str) -> None:
        super().__init__(role=role)


def may_grant(granter_roles: Iterable[str], role: str) -> bool:
    """Whether holders of these roles may give a role: administrators are made by super admins alone."""
    granters = frozenset(granter_roles)
    return "SUPER_ADMIN" in granters if role in _ADMINS else not granters.isdisjoint(_ADMINS)
