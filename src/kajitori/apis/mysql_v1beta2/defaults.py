"""What a MySQLCluster gets when it is created, beyond the defaults of its schema.

The CustomResourceDefinition fills in constants; a random number and a finalizer only code can add. Where no
admission calls this (any other cluster), the reconciler does, before anything else.
"""

from collections.abc import Callable

from kajitori.apimachinery.frozen import thaw
from kajitori.apimachinery.kind import JsonObject
from kajitori.apis.mysql_v1beta2.names import FINALIZER

__all__ = ["SERVER_ID_BASE_MAX", "default_cluster", "server_id_base"]

SERVER_ID_BASE_MAX = 0x3FFF_FFFF
"""Half of what an int32 holds: instances count up from the base and must not overflow."""


def server_id_base(entropy: bytes) -> int:
    """A positive `serverIDBase` made of four random bytes."""
    return int.from_bytes(entropy[:4], "little") % SERVER_ID_BASE_MAX + 1


def default_cluster(cluster: JsonObject, random_bytes: Callable[[int], bytes]) -> JsonObject:
    """The cluster with the finalizer and a `serverIDBase`; the given object itself when it has both."""
    finalizers = cluster.get("metadata", {}).get("finalizers") or ()
    has_base = (cluster.get("spec") or {}).get("serverIDBase")
    if FINALIZER in finalizers and has_base:
        return cluster
    filled: JsonObject = thaw(cluster)
    metadata = filled.setdefault("metadata", {})
    if FINALIZER not in finalizers:
        metadata["finalizers"] = [*finalizers, FINALIZER]
    spec = filled.get("spec")
    if isinstance(spec, dict) and not has_base:
        spec["serverIDBase"] = server_id_base(random_bytes(4))
    return filled
