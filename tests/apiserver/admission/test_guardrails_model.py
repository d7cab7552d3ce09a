"""Random users before a Guardrail, against a naive model of who has confirmed what."""

import asyncio
from dataclasses import dataclass, field

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.apiserver.admission.test_guardrails import DRY, confirm, guard, rule, token_in
from tests.apiserver.support import CONFIG_MAPS, MERGE, Api, serving

USERS, NAMES = ("ann", "bob"), ("a", "b")
CONTROLLER = {"impersonate_user": "system:kube-controller-manager", "impersonate_group": "system:masters"}

users, names = st.sampled_from(USERS), st.sampled_from(NAMES)
steps = st.one_of(
    st.tuples(st.just("dry"), users, names),
    st.tuples(st.just("confirm"), users, st.integers(0, 5)),
    st.tuples(st.just("delete"), users, names),
    st.tuples(st.just("touch"), st.just(""), names),
)


@dataclass
class Model:
    """Tokens with what they are for: user, name and version of the object."""

    issued: list[tuple[str, str, str, str]] = field(default_factory=list[tuple[str, str, str, str]])
    confirmed: set[str] = field(default_factory=set[str])

    def allows(self, user: str, name: str, version: str) -> bool:
        return any(token in self.confirmed for token, *of in self.issued if of == [user, name, version])


async def versions_of(api: Api) -> dict[str, str]:
    listed = (await api.ok("GET", CONFIG_MAPS)).body["items"]
    return {each["metadata"]["name"]: each["metadata"]["resourceVersion"] for each in listed}


async def play(api: Api, model: Model, step: tuple[str, str, str | int], number: int) -> None:
    what, user, on = step
    me = {"impersonate_user": user, "impersonate_group": "system:masters"}
    versions = await versions_of(api)
    path = f"{CONFIG_MAPS}/{on}"
    if what == "touch":
        if on in versions:
            await api.ok("PATCH", path, {"data": {"n": str(number)}}, type=MERGE, **CONTROLLER)
        else:
            await api.ok("POST", CONFIG_MAPS, {"metadata": {"name": on}}, **CONTROLLER)
    elif what == "dry" and on in versions:
        token = token_in(await api.ok("DELETE", path + DRY, **me))
        model.issued.append((token, user, str(on), versions[str(on)]))
    elif what == "confirm" and model.issued:
        token, owner, *_ = model.issued[int(on) % len(model.issued)]
        taken = (await confirm(api, token, **me)).status == 201
        if taken:
            assert owner == user
            model.confirmed.add(token)
    elif what == "delete" and on in versions:
        deleted = (await api.ask("DELETE", path, **me)).status == 200
        assert deleted is model.allows(user, str(on), versions[str(on)]), (step, model)


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(steps, min_size=5, max_size=25))
def test_nothing_goes_that_its_user_has_not_confirmed_as_it_is(
    played: list[tuple[str, str, str | int]],
) -> None:
    async def main() -> None:
        async with serving() as api:
            await guard(api, rule("configmaps"))
            for name in NAMES:
                await api.ok("POST", CONFIG_MAPS, {"metadata": {"name": name}})
            model = Model()
            for number, step in enumerate(played):
                await play(api, model, step, number)

    asyncio.run(main())
