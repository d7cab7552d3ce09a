"""The certificate that an agent shows to the operator, made by cert-manager.

Only where the API server serves cert-manager.io. Elsewhere there is no Certificate and no Secret, and the
Pods' volume for it is optional, so that they start without.
"""

from typing import Any

from kajitori.apis import JsonObject
from kajitori.apis.mysql_v1beta2.names import system_labels
from kajitori.operators.mysql.objects.base import Rendering

__all__ = ["certificate", "grpc_secret"]


def certificate(rendering: Rendering) -> JsonObject:
    """For every Pod of the cluster, by the wildcard of the headless Service."""
    names = rendering.names
    return {
        "apiVersion": "cert-manager.io/v1",
        "kind": "Certificate",
        "metadata": {
            "name": names.certificate,
            "namespace": rendering.settings.system_namespace,
            "labels": system_labels(rendering.namespace, rendering.name),
        },
        "spec": {
            "dnsNames": [f"*.{names.prefixed}.{rendering.namespace}.svc"],
            "secretName": names.certificate,
            "usages": ["digital signature", "key encipherment", "server auth"],
            "issuerRef": {"kind": "Issuer", "name": rendering.settings.grpc_issuer},
        },
    }


def grpc_secret(rendering: Rendering, issued: dict[str, Any]) -> JsonObject:
    """The copy, in the cluster's namespace, of the Secret that cert-manager issued."""
    secret = rendering.owned("v1", "Secret", rendering.names.grpc_secret)
    return {**secret, "data": dict(issued.get("data") or {})}
