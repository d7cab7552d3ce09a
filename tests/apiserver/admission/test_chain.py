"""The order of admission plugins, and what names they may have."""

import asyncio
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.apiserver.support import OPTIONS

from kajitori.apiserver.admission.chain import KNOWN_PLUGINS, Chain, UnknownPlugin, enabled_plugins
from kajitori.apiserver.registry.call import Reinvocation
from kajitori.cluster.admission import DEFAULT_PLUGINS
from kajitori.cluster.cluster import Cluster


@dataclass
class Noting:
    """A plugin that writes down what it is asked; it waits once where `waits`."""

    name: str
    notes: list[str]
    waits: bool = False
    kinds: tuple[str, ...] = ("pods",)
    asked: list[str] = field(default_factory=list)

    def handles(self, operation: str, bucket: str, subresource: str) -> bool:
        self.asked.append(f"{operation} {bucket}/{subresource}")
        return bucket in self.kinds

    def _note(self, half: str) -> Any:
        def step(attributes: Any) -> Any:
            async def later() -> None:
                await asyncio.sleep(0)
                self.notes.append(f"{half} {self.name}")

            if self.waits:
                return later()
            self.notes.append(f"{half} {self.name}")
            return None

        return step

    @property
    def mutate(self) -> Any:
        return self._note("mutate")

    @property
    def validate(self) -> Any:
        return self._note("validate")


def write(bucket: str = "pods") -> Any:
    resource = SimpleNamespace(bucket=bucket)
    return SimpleNamespace(operation="CREATE", resource=resource, subresource="", reinvocation=Reinvocation())


@pytest.mark.parametrize("waits", [False, True])
def test_plugins_run_in_kubernetes_order(waits: bool) -> None:  # A1
    notes: list[str] = []
    names = ["ResourceQuota", "LimitRanger", "Priority", "NamespaceLifecycle"]
    chain = Chain([Noting(name, notes, waits=waits and name == "LimitRanger") for name in names])

    async def main() -> None:
        for half in (chain.mutate, chain.validate):
            waiting = half(write())
            if waiting is not None:
                await waiting

    asyncio.run(main())
    order = sorted(names, key=KNOWN_PLUGINS.index)
    assert notes == [f"{half} {name}" for half in ("mutate", "validate") for name in order]


def test_plugins_are_asked_once_whether_they_care() -> None:  # A2
    notes: list[str] = []
    plugin = Noting("LimitRanger", notes)
    chain = Chain([plugin])
    for _ in range(3):
        for bucket in ("pods", "services"):
            assert chain.mutate(write(bucket)) is None
            assert chain.validate(write(bucket)) is None
    assert plugin.asked == ["CREATE pods/", "CREATE services/"]
    assert notes == ["mutate LimitRanger", "validate LimitRanger"] * 3


def test_a_name_that_is_no_plugin_is_refused() -> None:  # A3
    assert enabled_plugins(["Priority"], ["LimitRanger"], ["Priority"]) == {"LimitRanger"}
    with pytest.raises(UnknownPlugin, match="unknown admission plugin Nobody, Noone; known are AlwaysAdmit"):
        enabled_plugins([], ["Nobody"], ["Noone"])
    with pytest.raises(UnknownPlugin, match="Priority is both enabled and disabled"):
        enabled_plugins([], ["Priority"], ["Priority"])


WITHOUT = {"ImagePolicyWebhook", "MutatingAdmissionPolicy", "ValidatingAdmissionPolicy"}
"""Plugins that do nothing yet."""


@pytest.mark.parametrize("plugin", sorted(set(KNOWN_PLUGINS) - WITHOUT))
def test_every_plugin_there_is_can_be_on_or_off_without_a_word(
    plugin: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def start(**options: Any) -> None:
        async with Cluster(replace(OPTIONS, **options)):
            pass

    asyncio.run(start(enable_admission_plugins=(plugin,)))
    asyncio.run(start(disable_admission_plugins=(plugin,)))
    assert not caplog.records
    assert plugin not in DEFAULT_PLUGINS or DEFAULT_PLUGINS.count(plugin) == 1


def test_others_run_in_the_place_of_webhooks_before_anything_is_charged() -> None:
    notes: list[str] = []
    names = ["ResourceQuota", "somebody's", "PodSecurity"]
    Chain([Noting(name, notes) for name in names]).validate(write())
    assert notes == ["validate PodSecurity", "validate somebody's", "validate ResourceQuota"]


@given(st.lists(st.tuples(st.booleans(), st.booleans(), st.booleans()), min_size=1, max_size=5))
def test_there_is_no_third_round(plugins: list[tuple[bool, bool, bool]]) -> None:  # A4
    """Each plugin waits or not, and wants another round in the first and in the second."""
    notes: list[str] = []

    def half(name: str, waits: bool, *wanted: bool) -> Any:
        def step(attributes: Any) -> Any:
            async def later() -> None:
                await asyncio.sleep(0)
                note()

            def note() -> None:
                reinvocation = attributes.reinvocation
                notes.append(f"{name}{int(reinvocation.again)}")
                reinvocation.needed |= wanted[reinvocation.again]

            return later() if waits else note()

        return step

    names = KNOWN_PLUGINS[: len(plugins)]
    chain = Chain(
        [
            SimpleNamespace(name=name, handles=lambda *of: True, mutate=half(name, *plugin), validate=None)
            for name, plugin in zip(names, plugins, strict=True)
        ]
    )

    async def run() -> None:
        waiting = chain.mutate(write())
        if waiting is not None:
            await waiting

    asyncio.run(run())
    again = any(first for _, first, _ in plugins)
    assert notes == [f"{name}{number}" for number in ("01" if again else "0") for name in names]
