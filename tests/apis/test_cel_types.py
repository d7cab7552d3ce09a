"""Types of built-in kinds as expressions see them."""

import pytest

from kajitori.apimachinery.cel.cost import Size
from kajitori.apimachinery.cel.environment import Environment
from kajitori.apimachinery.cel.errors import CompileError
from kajitori.apimachinery.cel.standard import STANDARD
from kajitori.apimachinery.cel.types import Type
from kajitori.apis.cel_types import built_in_type


def typed(text: str, group: str, version: str, kind: str) -> Type:
    one = built_in_type(group, version, kind)
    assert one is not None
    return Environment([STANDARD]).extend(variables={"object": one}, types=[one]).check(text).type


def shown(text: str) -> str:
    return str(typed(text, "apps", "v1", "Deployment"))


def test_fields_have_the_types_of_their_definitions() -> None:
    assert shown("object") == "Deployment"
    assert shown("object.spec.replicas") == "int"
    assert shown("object.metadata.labels") == "map(string, string)"
    assert shown("object.metadata.creationTimestamp") == "google.protobuf.Timestamp"
    assert shown("object.spec.strategy.rollingUpdate.maxSurge") == "dyn"
    assert (
        shown("object.spec.template.spec.containers") == "list(Deployment.spec.template.spec.containers.@idx)"
    )
    assert shown("object.spec.template.spec.containers.all(c, c.image != '')") == "bool"


def test_a_quantity_has_no_type_and_so_cannot_be_named() -> None:
    with pytest.raises(CompileError, match="undefined field 'limits'"):
        shown("object.spec.template.spec.containers[0].resources.limits")


def test_sizes_are_what_fits_into_a_request() -> None:
    containers = typed("object.spec.template.spec.containers", "apps", "v1", "Deployment")
    # A container is at least {}: its name is required, but the definition has a default for it.
    assert containers.size == Size(0, (3 * 1024 * 1024 - 2) // 3)


def test_a_kind_that_contains_itself_ends() -> None:
    kind = ("apiextensions.k8s.io", "v1", "CustomResourceDefinition")
    schema = "object.spec.versions[0].schema.openAPIV3Schema"
    with pytest.raises(CompileError, match="undefined field 'title'"):
        typed(f"{schema}.properties['a'].title", *kind)


def test_what_is_no_built_in_kind_has_no_type() -> None:
    assert built_in_type("example.com", "v1", "Thing") is None
