"""The facts about Kubernetes 1.36, and the resources made of them."""

import gzip
import hashlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kajitori.apis import facts
from kajitori.apis.definitions import built_in_definitions, zero_value
from kajitori.apis.resources import find_kind, find_resource, resources


def test_a_definition_has_its_schema_and_its_fields_in_gos_order() -> None:
    pod = facts.definition("io.k8s.api.core.v1.Pod")
    assert [each.name for each in pod.fields or []] == ["kind", "apiVersion", "metadata", "spec", "status"]
    assert set(pod.schema["properties"]) == {"kind", "apiVersion", "metadata", "spec", "status"}


def test_an_unknown_definition_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        facts.definition("io.k8s.api.core.v1.Nothing")


@given(st.sampled_from(facts.definition_names()))
def test_every_definition_reads_and_its_fields_are_its_properties(name: str) -> None:  # F1
    definition = facts.definition(name)
    if definition.fields is not None and definition.schema.get("properties"):
        assert {each.name for each in definition.fields} == set(definition.schema["properties"])


@given(st.sampled_from(sorted(facts.openapi_v3_hashes())))
def test_an_openapi_document_has_the_hash_of_its_text(path: str) -> None:  # F2
    document = facts.openapi_v3(path)
    text = gzip.decompress(document.gzipped)
    assert json.loads(text)["openapi"] == "3.0.0"
    assert hashlib.sha512(text).hexdigest().upper() == document.hash


def test_options_that_groups_share_tell_all_their_kinds() -> None:
    kinds = facts.definition("io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions").schema
    groups = {each["group"] for each in kinds["x-kubernetes-group-version-kind"]}
    assert {"", "apps", "batch", "resource.k8s.io"} <= groups


def test_all_resources_of_discovery_are_there() -> None:  # R1
    listed = {
        (group["metadata"].get("name", ""), version["version"], each["resource"])
        for root in ("api", "apis")
        for group in facts.discovery(root)["items"]
        for version in group["versions"]
        for each in version["resources"]
    }
    assert {(each.kind.group, each.kind.version, each.kind.plural) for each in resources()} == listed
    assert all(each.definition for each in resources())


def test_a_resource_is_found_by_path_and_by_kind() -> None:
    deployments = find_resource("apps", "v1", "deployments")
    assert deployments is not None and deployments is find_kind("apps", "v1", "Deployment")
    assert deployments.kind.namespaced and deployments.singular == "deployment"
    assert deployments.short_names == ("deploy",) and deployments.categories == ("all",)
    assert deployments.subresources["scale"].kind.kind == "Scale"
    assert deployments.subresources["scale"].kind.group == "autoscaling"
    assert deployments.subresources["status"].definition == deployments.definition
    assert deployments.storage_version_hash == "8aSe+NMegvE="
    assert find_resource("apps", "v1", "widgets") is None
    assert find_kind("", "v1", "Deployment") is None


def test_versions_that_share_objects_share_their_bucket() -> None:  # R2
    old, new = find_resource("", "v1", "events"), find_resource("events.k8s.io", "v1", "events")
    assert old is not None and new is not None
    assert old.bucket == new.bucket == "/events" and new.storage_version == "v1"
    one = find_resource("autoscaling", "v1", "horizontalpodautoscalers")
    two = find_resource("autoscaling", "v2", "horizontalpodautoscalers")
    assert one is not None and two is not None
    assert one.bucket == two.bucket and one.storage_version == two.storage_version == "autoscaling/v2"


def test_what_is_never_stored_says_so() -> None:  # R3
    assert {each.kind.plural for each in resources() if not each.stored} == {
        "bindings",
        "componentstatuses",
        "localsubjectaccessreviews",
        "selfsubjectaccessreviews",
        "selfsubjectreviews",
        "selfsubjectrulesreviews",
        "subjectaccessreviews",
        "tokenreviews",
    }


def test_schemas_say_what_go_leaves_out_and_what_it_always_writes() -> None:  # D2
    pod_spec = built_in_definitions().get("io.k8s.api.core.v1.PodSpec")
    assert "nodeName" in pod_spec.omit_zero and "terminationGracePeriodSeconds" not in pod_spec.omit_zero
    assert pod_spec.emitted == {"containers": None}
    assert built_in_definitions().get("io.k8s.api.core.v1.PodSpec") is pod_spec  # D1


def test_zero_values_are_what_go_writes() -> None:
    assert zero_value("io.k8s.api.apps.v1.DeploymentSpec") == {
        "selector": None,
        "template": {"metadata": {}, "spec": {"containers": None}},
        "strategy": {},
    }
    assert zero_value("[]string") is None and zero_value("*int32") is None
    assert zero_value("string=v1.Protocol") == "" and zero_value("bool") is False
