"""The typed models are what their generator writes, and what it writes is all of Kubernetes."""

import importlib
import subprocess
import sys
from typing import Any

import msgspec
import pytest
from tests.house.modules import ROOT

from kajitori.apimachinery.built_in import BuiltIn
from kajitori.apis import facts
from kajitori.apis.resources import resources
from kajitori.client import kind_of


@pytest.mark.slow
def test_what_is_committed_is_what_the_generator_writes() -> None:  # G3
    ran = subprocess.run(
        [sys.executable, ROOT / "tools/gen_models.py", "--check"], capture_output=True, text=True
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr


def model_of(definition: str) -> type[BuiltIn]:
    package, _, name = definition.rpartition(".")
    group, version = package.split(".")[-2:]
    module = importlib.import_module(f"kajitori.apis.{group}_{version}")
    model: type[BuiltIn] = getattr(module, name)
    assert issubclass(model, BuiltIn) and name in module.__all__
    return model


def test_every_served_kind_has_a_model_that_knows_its_path() -> None:  # G1
    for each in resources():
        assert each.definition, each.kind
        if (each.kind.group, each.kind.kind) == ("events.k8s.io", "Event"):
            assert each.definition == "io.k8s.api.events.v1.Event"
        assert kind_of(model_of(each.definition)) == each.kind


def test_bodies_of_subresources_have_models_too() -> None:  # G1
    bodies = {
        sub.definition: sub.kind
        for each in resources()
        for sub in each.subresources.values()
        if sub.definition and facts.definition(sub.definition).schema
    }
    assert {each.kind for each in bodies.values()} >= {"Scale", "Eviction", "TokenRequest", "Binding"}
    for definition, kind in bodies.items():
        found = kind_of(model_of(definition))
        assert (found.api_version, found.kind) == (kind.api_version, kind.kind)


def fields(model: Any) -> dict[str, msgspec.structs.FieldInfo]:
    return {each.encode_name: each for each in msgspec.structs.fields(model)}


def test_fields_have_gos_zeros_and_pointers() -> None:  # G2
    for each in resources():
        model = model_of(each.definition)
        known = [field.name for field in facts.definition(each.definition).fields or ()]
        assert list(fields(model)) == [name for name in known if name not in ("apiVersion", "kind")]
        empty: Any = model()
        assert msgspec.json.encode(empty) == b"{}"
        assert msgspec.json.decode(b"{}", type=model) == empty
