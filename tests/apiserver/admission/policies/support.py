"""Policies and their bindings, as tests write them."""

from typing import Any

from tests.apiserver.support import Api

GROUP = "/apis/admissionregistration.k8s.io/v1"
MAPS = {
    "resourceRules": [
        {"apiGroups": [""], "apiVersions": ["v1"], "resources": ["configmaps"], "operations": ["*"]}
    ],
    "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "default"}},
}


def policy(kind: str = "Validating", name: str = "p", **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": f"{kind}AdmissionPolicy",
        "metadata": {"name": name},
        "spec": {"matchConstraints": MAPS, **spec},
    }


def binding(kind: str = "Validating", name: str = "b", of: str = "p", **spec: Any) -> dict[str, Any]:
    if kind == "Validating":
        spec.setdefault("validationActions", ["Deny"])
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": f"{kind}AdmissionPolicyBinding",
        "metadata": {"name": name},
        "spec": {"policyName": of, **spec},
    }


async def put(api: Api, *objects: dict[str, Any]) -> None:
    for obj in objects:
        kind = obj["kind"].lower()
        plural = f"{kind}s" if kind.endswith("binding") else kind.replace("policy", "policies")
        await api.ok("POST", f"{GROUP}/{plural}", obj)
