"""What goes with what is deleted."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from kajitori.apis.guardrails_v1alpha1.consequences import consequences_of, told


def make(kind: str, name: str, *owners: str, namespace: str = "shop", **members: Any) -> dict[str, Any]:
    references = [{"uid": f"uid-{owner}", "name": owner} for owner in owners]
    metadata = {"name": name, "namespace": namespace, "uid": f"uid-{name}", "ownerReferences": references}
    metadata["labels"] = members.pop("labels", {})
    return {"apiVersion": members.pop("version", "v1"), "kind": kind, "metadata": metadata, **members}


READY = {"conditions": [{"type": "Ready", "status": "True"}]}


def pod(name: str, *owners: str, **labels: str) -> dict[str, Any]:
    return make("Pod", name, *owners, labels=labels, status=READY)


def names(objects: Any) -> list[str]:
    return sorted(each["metadata"]["name"] for each in objects)


def test_a_dependent_goes_with_the_last_of_its_owners() -> None:  # C1
    one, two = make("ReplicaSet", "one", "top"), make("ReplicaSet", "two")
    around = [one, two, pod("a", "one"), pod("b", "one", "two"), pod("c", "two"), pod("d", "one", "gone")]
    assert names(consequences_of([one], around).dependents) == ["a", "d"]
    assert names(consequences_of([one, two], around).dependents) == ["a", "b", "c", "d"]
    assert names(consequences_of([make("Deployment", "top")], around).dependents) == ["a", "d", "one"]
    assert consequences_of([one], around, cascades=False).dependents == []


def test_namespaces_and_definitions_go_with_what_is_in_them() -> None:  # C2
    around = [
        pod("a"),
        make("Widget", "w", version="x.io/v1", namespace="far"),
        make("Pod", "b", namespace="far"),
    ]
    shop = make("Namespace", "shop", namespace="")
    spec = {"group": "x.io", "names": {"kind": "Widget", "plural": "widgets"}}
    definition = make("CustomResourceDefinition", "widgets.x.io", namespace="", spec=spec)
    assert names(consequences_of([shop], around).dependents) == ["a"]
    assert names(consequences_of([definition], around).dependents) == ["w"]


def test_a_volumes_data_goes_where_its_policy_says_so() -> None:  # C3
    def volume(name: str, policy: str) -> dict[str, Any]:
        return make("PersistentVolume", name, namespace="", spec={"persistentVolumeReclaimPolicy": policy})

    def claim(name: str, volume: str) -> dict[str, Any]:
        return make("PersistentVolumeClaim", name, "set", spec={"volumeName": volume})

    around = [volume("v", "Delete"), volume("w", "Retain"), claim("c", "v"), claim("d", "w"), claim("e", "?")]
    found = consequences_of([make("StatefulSet", "set")], around)
    assert found.lost == ["PersistentVolume v of PersistentVolumeClaim shop/c"]
    assert [line.rpartition(" (")[2] for line in found.kept] == [
        "Retain)",
        "its reclaim policy could not be read)",
    ]


def test_services_and_budgets_that_lose_pods_are_named() -> None:  # C4
    service = make("Service", "web", spec={"selector": {"app": "web"}})
    selector = {"selector": {"matchLabels": {"app": "web"}}}
    budget = make(
        "PodDisruptionBudget", "web", spec=selector, status={"disruptionsAllowed": 1}, version="policy/v1"
    )
    budget["metadata"]["uid"] = "uid-budget"
    first, second, other = pod("a", app="web"), pod("b", app="web"), pod("c", app="db")
    around = [service, budget, first, second, other]
    some = consequences_of([first], around)
    assert some.emptied == []
    assert some.budgets == ["PodDisruptionBudget shop/web: 1 of its Pods, of which 1 may go now"]
    assert consequences_of([first, second], around).emptied == ["Service shop/web"]
    assert consequences_of([service, first, second], around).emptied == []
    assert told(first) == "Pod shop/a"


graphs = st.lists(st.lists(st.integers(0, 9), max_size=3), min_size=1, max_size=10)


@given(graphs, st.integers(0, 9))
def test_nothing_that_an_owner_keeps_goes_and_nothing_ownerless_stays(
    graph: list[list[int]], top: int
) -> None:
    """C1, against the collector's rule: what has owners goes when none of them stays."""
    objects = [make("Pod", str(number), *map(str, owners)) for number, owners in enumerate(graph)]
    going = objects[top % len(objects)]
    gone = {going["metadata"]["name"], *names(consequences_of([going], objects).dependents)}
    for number, owners in enumerate(graph):
        there = {str(owner) for owner in owners if owner < len(graph)}
        if str(number) in gone and str(number) != going["metadata"]["name"]:
            assert there & gone and not there - gone
        elif there & gone and str(number) not in gone:
            assert there - gone
