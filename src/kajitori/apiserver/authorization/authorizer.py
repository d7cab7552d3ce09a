"""Who is asked whether somebody may: one after another, until one allows it or denies it.

`--authorization-mode` or `--authorization-config` say who. Members of system:masters are asked about by nobody.

Promises
    Z1  the first that allows or denies decides; what none of them allows is refused, with the reasons of all
    Z2  members of system:masters may do everything, whoever is asked
    Z3  who is asked may change while the server runs, from one question to the next
    Z4  roles are known, and nobody grants what they do not have, even where RBAC is not asked

Source: apiserver's pkg/authorization/union, pkg/authorization/metrics, authorizerfactory.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Protocol, Self

from kajitori.apiserver.authentication.user import MASTERS, User
from kajitori.apiserver.authorization.attributes import NO_OPINION, Attributes, Decision
from kajitori.apiserver.authorization.impersonations import Impersonations
from kajitori.apiserver.authorization.rbac import Rbac, RoleRef
from kajitori.apiserver.authorization.rules import Held, Rule
from kajitori.apiserver.operating.exposition import family, labelled

if TYPE_CHECKING:
    from kajitori.storage import Store

__all__ = ["Authorizer", "Member", "Mode", "aggregated"]

_ALLOWED = Decision(True)


class Mode(Protocol):
    """One way to decide."""

    def authorize(self, attributes: Attributes) -> Decision:
        """Raises: Undecided."""
        ...

    def held(self, user: User, namespace: str) -> Held: ...


class Member:
    """One that is asked: `type` is as `--authorization-mode` has it, `name` as metrics do."""

    __slots__ = ("allowed", "authorize", "denied", "held", "name", "type")

    def __init__(self, type_: str, mode: Mode, name: str = "") -> None:
        self.type = type_
        self.name = name or type_.lower()
        self.authorize = mode.authorize
        self.held = mode.held
        self.allowed = self.denied = 0


class Authorizer:
    """Decides."""

    def __init__(self, rbac: Rbac, members: Sequence[Member] | None = None) -> None:
        """`members`: who is asked, in that order; None: `rbac`."""
        self._rbac = rbac
        self._members = [Member("RBAC", rbac)] if members is None else list(members)
        self._gone: dict[tuple[str, str], tuple[int, int]] = {}
        """What those had decided that are asked no more."""
        self.impersonations = Impersonations()

    @classmethod
    def of_store(cls, store: "Store") -> Self:
        """By the roles and bindings in a store alone."""
        return cls(Rbac.of_store(store))

    def replace(self, members: Sequence[Member]) -> None:
        """Asks others from the next question on."""
        for each in self._members:
            allowed, denied = self._gone.get((each.type, each.name), (0, 0))
            self._gone[each.type, each.name] = allowed + each.allowed, denied + each.denied
        self._members = list(members)

    def authorize(self, attributes: Attributes) -> Decision:
        """The answer to one question. Raises: Undecided where somebody has to be asked first."""
        if MASTERS in attributes.user.groups:
            return _ALLOWED
        passed: list[Decision] | None = None
        for member in self._members:
            decision = member.authorize(attributes)
            if decision is NO_OPINION:
                continue  # as that of nodes about everybody else
            if decision.allowed:
                member.allowed += 1
                return decision
            if decision.denied:
                member.denied += 1
                return decision
            if decision.reason or decision.error:
                passed = [decision] if passed is None else [*passed, decision]
        if passed is None:
            return NO_OPINION
        if len(passed) == 1:
            return passed[0]
        errors = list(dict.fromkeys(each.error for each in passed if each.error))
        return Decision(
            False, "\n".join(each.reason for each in passed if each.reason), error=aggregated(errors)
        )

    def held(self, user: User, namespace: str) -> Held:
        """What somebody may do in a namespace, by all that are asked."""
        total = Held()
        for member in self._members:
            found = member.held(user, namespace)
            total.rules += found.rules
            if found.errors:
                total.errors.append(aggregated(found.errors))
            total.incomplete = total.incomplete or found.incomplete
        return total

    def role_rules(self, role: RoleRef) -> tuple[Rule, ...] | None:
        """The rules of a role, None when there is no such role."""
        return self._rbac.role_rules(role)

    def rules_for(self, user: User, namespace: str) -> tuple[list[Rule], list[str]]:
        """What roles let a user do in a namespace (empty: everywhere), and what went wrong while looking."""
        return self._rbac.rules_for(user, namespace)

    def lines(self) -> Iterator[str]:
        """What was decided, and by whom."""
        decided = dict(self._gone)
        for each in self._members:
            allowed, denied = decided.get((each.type, each.name), (0, 0))
            decided[each.type, each.name] = allowed + each.allowed, denied + each.denied
        yield from family(
            "apiserver_authorization_decisions_total",
            "counter",
            "Decisions, by who made them.",
            (
                (labelled({"decision": decision, "name": name, "type": type_}), count)
                for (type_, name), counts in sorted(decided.items())
                for decision, count in zip(("allowed", "denied"), counts, strict=True)
                if count
            ),
        )
        yield from self.impersonations.lines()


def aggregated(errors: Sequence[str]) -> str:
    """Several errors as Kubernetes tells them together."""
    told = list(dict.fromkeys(errors))
    return told[0] if len(told) == 1 else f"[{', '.join(told)}]" if told else ""
