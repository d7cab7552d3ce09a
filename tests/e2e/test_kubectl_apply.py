"""kubectl apply, on the client's side and on the server's; diff; custom resources."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.e2e.manifests import DEPLOYMENT, configmap, custom_resource_definition
from tests.support.kubectl import Kubectl
from tests.support.waiting import until

pytestmark = pytest.mark.e2e

NEWER = DEPLOYMENT.replace("nginx:1", "nginx:2")
IMAGE = ".spec.template.spec.containers[0].image"


def test_apply_tells_whether_it_changed_anything(kubectl: Kubectl) -> None:
    def apply(manifest: str) -> str:
        return kubectl("apply", "-f", "-", given=manifest)

    assert apply(DEPLOYMENT) == "deployment.apps/app created\n"
    assert apply(DEPLOYMENT) == "deployment.apps/app unchanged\n"
    differing = kubectl.run("diff", "-f", "-", given=NEWER)
    assert differing.code == 1
    assert "-      - image: nginx:1\n+      - image: nginx:2\n" in differing.out
    assert apply(NEWER) == "deployment.apps/app configured\n"
    assert kubectl.field(IMAGE, "deploy", "app") == "nginx:2"
    assert kubectl.run("diff", "-f", "-", given=NEWER).code == 0
    # What somebody else has set stays; what was applied and is left out goes.
    kubectl("scale", "deploy", "app", "--replicas=5")
    kubectl("annotate", "deploy", "app", "note=mine")
    apply(NEWER.replace("  replicas: 2\n", "").replace("  labels:\n    app: app\n", "", 1))
    assert kubectl.field(".metadata.annotations.note", "deploy", "app") == "mine"
    assert kubectl.field(".metadata.labels", "deploy", "app") == ""
    assert kubectl.field(".spec.replicas", "deploy", "app") == "1"
    assert "image: nginx:2" in kubectl("apply", "view-last-applied", "deploy", "app")


def test_apply_refuses_what_cannot_be_changed(kubectl: Kubectl) -> None:
    kubectl("apply", "-f", "-", given=DEPLOYMENT)
    other = DEPLOYMENT.replace("      app: app", "      app: other").replace(
        "        app: app", "        app: other"
    )
    refused = kubectl.fails("apply", "-f", "-", given=other)
    assert 'The Deployment "app" is invalid' in refused and "field is immutable" in refused


def test_prune(kubectl: Kubectl) -> None:
    def labelled(name: str) -> str:
        return configmap(name, a="b").replace("metadata:", "metadata:\n  labels: {set: one}")

    kubectl("apply", "-f", "-", given=f"{labelled('a')}\n---\n{labelled('b')}")
    kubectl(
        "apply",
        "--prune",
        "-l",
        "set=one",
        "--prune-allowlist=core/v1/ConfigMap",
        "-f",
        "-",
        given=labelled("a"),
    )
    assert kubectl.names("cm") == ["configmap/a", "configmap/kube-root-ca.crt"]


def test_kustomize(kubectl: Kubectl, tmp_path: Path) -> None:
    (tmp_path / "cm.yaml").write_text(configmap("c", a="b"))
    (tmp_path / "kustomization.yaml").write_text("namePrefix: my-\nresources: [cm.yaml]\n")
    assert kubectl("apply", "-k", str(tmp_path)) == "configmap/my-c created\n"
    assert kubectl("delete", "-k", str(tmp_path)).startswith('configmap "my-c" deleted')


def test_fields_have_owners_who_may_disagree(kubectl: Kubectl) -> None:
    def apply(manifest: str, manager: str, *flags: str) -> str:
        return kubectl(
            "apply", "--server-side", f"--field-manager={manager}", *flags, "-f", "-", given=manifest
        )

    assert apply(DEPLOYMENT, "one") == "deployment.apps/app serverside-applied\n"
    refused = kubectl.fails("apply", "--server-side", "--field-manager=two", "-f", "-", given=NEWER)
    assert refused.startswith(
        'error: Apply failed with 1 conflict: conflict with "one": '
        '.spec.template.spec.containers[name="web"].image\n'
        "Please review the fields above--they currently have other managers."
    )
    assert kubectl.field(IMAGE, "deploy", "app") == "nginx:1"
    apply(NEWER, "two", "--force-conflicts")
    assert kubectl.field(IMAGE, "deploy", "app") == "nginx:2"
    assert kubectl.run("diff", "--server-side", "--field-manager=two", "-f", "-", given=NEWER).code == 0
    # Who no longer applies a field gives it up; with its last owner it goes, or becomes the default again.
    without = NEWER.replace("  replicas: 2\n", "")
    apply(without, "two")
    assert kubectl.field(".spec.replicas", "deploy", "app") == "2"
    managed: Any = kubectl.json("get", "deploy", "app", "--show-managed-fields")
    owners = {
        each["manager"]
        for each in managed["metadata"]["managedFields"]
        if "f:replicas" in each["fieldsV1"]["f:spec"]
    }
    assert owners == {"one"}
    kubectl("scale", "deploy", "app", "--replicas=3")
    refused = kubectl.fails("apply", "--server-side", "--field-manager=one", "-f", "-", given=NEWER)
    assert 'conflict with "kubectl" with subresource "scale" using apps/v1: .spec.replicas' in refused


def test_from_client_side_apply_to_server_side(kubectl: Kubectl) -> None:
    kubectl("apply", "-f", "-", given=DEPLOYMENT)
    kubectl("apply", "--server-side", "-f", "-", given=NEWER)
    assert kubectl.field(IMAGE, "deploy", "app") == "nginx:2"
    managed: Any = kubectl.json("get", "deploy", "app", "--show-managed-fields")
    managers = {each["manager"]: each["operation"] for each in managed["metadata"]["managedFields"]}
    assert managers == {"kubectl": "Apply", "kubectl-last-applied": "Apply"}


@pytest.fixture
def ships(kubectl: Kubectl) -> Iterator[str]:
    """A group of its own with the kind Ship, gone again afterwards."""
    group = f"{kubectl.namespace}.example.com"[-60:].lstrip("-.")
    kubectl("apply", "-f", "-", given=custom_resource_definition(group))
    kubectl("wait", "--for=condition=Established", f"crd/ships.{group}")
    yield group
    kubectl("delete", "crd", f"ships.{group}")


def test_custom_resources_are_like_any_other(kubectl: Kubectl, ships: str) -> None:
    kind = f"ships.{ships}"
    beagle = f"apiVersion: {ships}/v1\nkind: Ship\nmetadata: {{name: beagle}}\nspec: {{length: 27}}\n"
    # kubectl looks again for kinds that it does not know, but only after a while for a group whose kinds it does.
    assert kubectl("apply", "-f", "-", given=beagle) == f"ship.{ships}/beagle created\n"
    (row,) = kubectl.run("get", kind).table()
    assert row == {"NAME": "beagle", "LENGTH": "27"}
    assert kubectl.field(".spec.crew", kind, "beagle") == "3"
    kubectl("scale", kind, "beagle", "--replicas=70")
    assert kubectl.field(".spec.crew", kind, "beagle") == "70"
    kubectl("patch", kind, "beagle", "--subresource=status", "--type=merge", "-p", '{"status":{"aboard":69}}')
    assert kubectl.field(".status.aboard", kind, "beagle") == "69"
    assert kubectl.field(".metadata.generation", kind, "beagle") == "2"
    refused = kubectl.fails("patch", kind, "beagle", "--type=merge", "-p", '{"spec":{"length":0}}')
    assert (
        "spec.length: Invalid value: 0: spec.length in body should be greater than or equal to 1" in refused
    )
    assert 'unknown field "spec.lenght"' in kubectl.fails(
        "create", "-f", "-", given=beagle.replace("beagle", "b2").replace("length", "lenght")
    )
    explained = until(lambda: kubectl.run("explain", f"{kind}.spec"), lambda ran: ran.code == 0).out
    assert "From bow to stern." in explained and "-required-" in explained
    assert "beagle" in kubectl("describe", kind)
    assert kubectl("delete", kind, "--all").startswith(f'ship.{ships} "beagle" deleted')


def test_a_definition_that_makes_no_sense_is_refused(kubectl: Kubectl) -> None:
    definition = custom_resource_definition("no.example.com")
    refused = kubectl.fails("create", "-f", "-", given=definition.replace("name: ships.no", "name: boats.no"))
    assert (
        'metadata.name: Invalid value: "boats.no.example.com": must be spec.names.plural+"."+spec.group'
        in refused
    )
    refused = kubectl.fails(
        "create", "-f", "-", given=definition.replace("type: integer, minimum", "type: int, minimum")
    )
    assert 'Unsupported value: "int"' in refused
