"""Who is asked, in which order, and what comes of it."""

import asyncio
from pathlib import Path

import pytest
from tests.apiserver.authorization.given import ALICE, authorizer_of, binding, role, rule, wish

from kajitori.apiserver.authentication import User
from kajitori.apiserver.authorization import Attributes, Authorizer, Decision, Member, Rbac, Rule
from kajitori.apiserver.authorization.abac import AlwaysAllow, AlwaysDeny
from kajitori.apiserver.authorization.escalation import check_role
from kajitori.apiserver.authorization.rules import Held
from kajitori.cluster.authorization import Authorization, AuthorizationError, Authorizing
from kajitori.storage import open_store
from kajitori.world.clock import SYSTEM_CLOCK

QUESTION = wish(ALICE, "get", "pods", namespace="ns")


class Fixed:
    """Gives one answer, and counts."""

    def __init__(self, decision: Decision, held: Held | None = None) -> None:
        self.decision = decision
        self.asked = 0
        self._held = held or Held()

    def authorize(self, attributes: Attributes) -> Decision:
        self.asked += 1
        return self.decision

    def held(self, user: User, namespace: str) -> Held:
        return self._held


def chain(*modes: Fixed) -> Authorizer:
    return Authorizer(Rbac(), [Member("Webhook", each, f"m{at}") for at, each in enumerate(modes)])


YES, DENIED = Decision(True, "yes"), Decision(False, "never", denied=True)


def test_the_first_that_allows_or_denies_decides() -> None:  # Z1
    shrugs, allows, denies = Fixed(Decision(False, "hm")), Fixed(YES), Fixed(DENIED)
    assert chain(shrugs, allows, denies).authorize(QUESTION) == YES
    assert denies.asked == 0
    assert chain(shrugs, denies, allows).authorize(QUESTION) == DENIED
    assert allows.asked == 1


def test_what_none_allows_is_refused_with_the_reasons_of_all() -> None:  # Z1
    silent, one, two = Fixed(Decision(False)), Fixed(Decision(False, "a")), Fixed(Decision(False, "b"))
    assert chain(silent, silent).authorize(QUESTION) == Decision(False)
    assert chain(silent, one, two).authorize(QUESTION) == Decision(False, "a\nb")
    broken, other = Fixed(Decision(False, error="x")), Fixed(Decision(False, "c", error="y"))
    assert chain(broken).authorize(QUESTION) == Decision(False, error="x")
    assert chain(broken, one, other).authorize(QUESTION) == Decision(False, "a\nc", error="[x, y]")


def test_masters_are_not_asked_about() -> None:  # Z2
    denies = Fixed(DENIED)
    root = User("root", groups=("system:masters",))
    assert chain(denies).authorize(wish(root, "delete", "nodes")).allowed
    assert denies.asked == 0


def test_others_are_asked_from_one_question_to_the_next() -> None:  # Z3
    authorizer = chain(Fixed(YES))
    assert authorizer.authorize(QUESTION).allowed
    authorizer.replace([Member("AlwaysDeny", AlwaysDeny())])
    assert authorizer.authorize(QUESTION) == Decision(False, "Everything is forbidden.")
    authorizer.replace([Member("Webhook", Fixed(DENIED), "m0"), Member("AlwaysAllow", AlwaysAllow())])
    assert not authorizer.authorize(QUESTION).allowed
    assert [line for line in authorizer.lines() if not line.startswith("#")] == [
        'apiserver_authorization_decisions_total{decision="allowed",name="m0",type="Webhook"} 1',
        'apiserver_authorization_decisions_total{decision="denied",name="m0",type="Webhook"} 1',
    ]


def test_nobody_grants_what_they_do_not_have_whoever_is_asked() -> None:  # Z4
    roles = {"roles": [role("held", rule("get", "", "pods"), namespace="ns")]}
    bound = {"rolebindings": [binding("held", "Role/held", "User/alice", namespace="ns")]}
    rbac = Rbac(lambda resource: (roles | bound).get(resource, []))
    authorizer = Authorizer(rbac, [Member("Webhook", Fixed(Decision(False)))])
    check_role(authorizer, ALICE, resource="roles", role=role("x", rule("get", "", "pods"), namespace="ns"))
    wanted = role("x", rule("get", "", "secrets"), namespace="ns")
    with pytest.raises(Exception, match="attempting to grant RBAC permissions not currently held"):
        check_role(authorizer, ALICE, resource="roles", role=wanted)


def test_what_all_that_are_asked_say_is_listed_together() -> None:
    one, two = Rule(("get",), ("",), ("pods",)), Rule(("list",), ("",), ("pods",))
    blind = Held(errors=["cannot tell"], incomplete=True)
    held = chain(Fixed(YES, Held([one])), Fixed(YES, blind), Fixed(YES, Held([two], ["a", "b", "a"]))).held(
        ALICE, "ns"
    )
    assert (held.rules, held.errors, held.incomplete) == ([one, two], ["cannot tell", "[a, b]"], True)
    assert not authorizer_of().held(ALICE, "ns").incomplete


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (Authorization(modes=()), "at least one authorization-mode must be passed"),
        (Authorization(modes=("Rbac",)), 'authorization-mode "Rbac" is not a valid mode; use AlwaysAllow,'),
        (
            Authorization(modes=("RBAC", "Node", "RBAC")),
            'authorization-mode ["RBAC" "Node" "RBAC"] has mode specified more than once',
        ),
        (
            Authorization(modes=("ABAC",)),
            "authorization-mode ABAC's authorization policy file not passed",
        ),
        (
            Authorization(policy_file=Path("x")),
            "cannot specify --authorization-policy-file without mode ABAC",
        ),
        (
            Authorization(modes=("ABAC",), policy_file=Path("/no/file")),
            "invalid authorization config: open /no/file: no such file or",
        ),
        (
            Authorization(modes=("ABAC", "ABAC")),
            "[authorization-mode ABAC's authorization policy file not passed, authorization-mode ABAC's "
            "authorization policy file not passed, authorization-mode",
        ),
    ],
)
def test_modes_that_make_no_sense_stop_the_start(options: Authorization, told: str) -> None:
    async def start() -> None:
        store = await open_store(None)
        try:
            Authorizing(options, store, SYSTEM_CLOCK)
        finally:
            await store.close()

    with pytest.raises(AuthorizationError) as refused:
        asyncio.run(start())
    assert str(refused.value).startswith(told)
