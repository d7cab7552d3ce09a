"""Who is asked whether somebody may: the modes that the options name.

A mode is imported when it is one of them: the usual ones need neither a policy file nor webhooks.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kajitori.apiserver.authorization import Authorizer, Member, Rbac

if TYPE_CHECKING:
    from kajitori.storage import Store

__all__ = ["MODES", "Authorization", "AuthorizationError", "authorizer_of"]

MODES = ("AlwaysAllow", "AlwaysDeny", "ABAC", "Webhook", "RBAC", "Node")
"""Every mode that kube-apiserver knows, in the order in which it names them."""

DEFAULT_MODES = ("Node", "RBAC")


class AuthorizationError(ValueError):
    """What is wrong with how authorization is configured, in one sentence."""


@dataclass(frozen=True, slots=True)
class Authorization:
    """The flags `--authorization-*`, as kube-apiserver has them."""

    modes: tuple[str, ...] | None = None
    """Who is asked, in that order. None: nodes about themselves, then roles."""
    policy_file: Path | None = None
    """The lines of mode ABAC."""


def authorizer_of(options: Authorization, store: "Store") -> Authorizer:
    """The authorizer that the options describe, over the objects of `store`. Raises: AuthorizationError."""
    modes = DEFAULT_MODES if options.modes is None else options.modes
    _check(options, modes)
    rbac = Rbac.of_store(store)
    return Authorizer(rbac, [_member(mode, options, store, rbac) for mode in modes])


def _check(options: Authorization, modes: Sequence[str]) -> None:
    errors: list[str] = []
    if not modes:
        errors.append("at least one authorization-mode must be passed")
    for mode in modes:
        if mode not in MODES:
            errors.append(f'authorization-mode "{mode}" is not a valid mode; use {", ".join(MODES)}')
        if mode == "ABAC" and options.policy_file is None:
            errors.append("authorization-mode ABAC's authorization policy file not passed")
    if options.policy_file is not None and "ABAC" not in modes:
        errors.append("cannot specify --authorization-policy-file without mode ABAC")
    if len(set(modes)) != len(modes):
        quoted = " ".join(f'"{each}"' for each in modes)
        errors.append(f"authorization-mode [{quoted}] has mode specified more than once")
    if errors:
        raise AuthorizationError(errors[0] if len(errors) == 1 else f"[{', '.join(errors)}]")


def _member(mode: str, options: Authorization, store: "Store", rbac: Rbac) -> Member:
    if mode == "RBAC":
        return Member(mode, rbac)
    if mode == "Node":
        from kajitori.apiserver.authorization.node import NodeAuthorizer

        return Member(mode, NodeAuthorizer(store))
    from kajitori.apiserver.authorization import abac

    if mode == "ABAC":
        assert options.policy_file is not None, "checked"
        try:
            return Member(mode, abac.Abac(abac.read_policies(options.policy_file)))
        except abac.PolicyFileError as error:
            raise AuthorizationError(str(error)) from None
    return Member(mode, abac.AlwaysAllow() if mode == "AlwaysAllow" else abac.AlwaysDeny())
