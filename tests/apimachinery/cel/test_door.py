"""What the package offers, as somebody who uses it as a library of its own sees it."""

import subprocess
import sys

import pytest

from kajitori.apimachinery import cel


def test_everything_offered_is_there() -> None:
    for name in cel.__all__:
        assert getattr(cel, name) is not None
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        cel.nothing  # noqa: B018


def test_an_expression_from_its_text_to_its_value() -> None:
    environment = cel.environments().new.extend(variables={"object": cel.types.DYN})
    program = environment.compile("object.spec.replicas <= 5")
    assert program.evaluate({"object": {"spec": {"replicas": 3}}}) is True
    with pytest.raises(cel.EvaluationError, match="no such key: spec"):
        program.evaluate({"object": {}})
    with pytest.raises(cel.CompileError, match="undeclared reference to 'objekt'"):
        environment.compile("objekt.spec")


def test_a_schema_gives_types_and_values() -> None:
    schema = {
        "type": "object",
        "properties": {"share": {"type": "number"}, "wait": {"type": "string", "format": "duration"}},
    }
    self_type = cel.declared_type(schema, "self")
    assert self_type is not None
    environment = cel.environments().new.extend(variables={"self": self_type}, types=[self_type])
    program = environment.compile("self.share * 2.0 > 1.0 && self.wait < duration('1m')")
    assert program.evaluate({"self": cel.converter(schema)({"share": 1, "wait": "30s"})}) is True


def test_the_door_loads_nothing_before_it_is_asked() -> None:
    code = "import sys, kajitori.apimachinery.cel; print(sum('apimachinery.cel.' in name for name in sys.modules))"
    code += "; kajitori.apimachinery.cel.types.DYN"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "0"
