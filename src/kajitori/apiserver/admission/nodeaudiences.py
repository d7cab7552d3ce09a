"""For which audiences a node may ask for tokens: those that the Pod itself, or a driver of its volumes, needs.

Source: validateNodeServiceAccountAudience in plugin/pkg/admission/noderestriction of Kubernetes.
"""

from collections.abc import Sequence

import msgspec

from kajitori.apimachinery.decode import go_quote
from kajitori.apimachinery.kind import JsonObject
from kajitori.apiserver.authorization import Attributes as Question
from kajitori.apiserver.authorization import Authorizer
from kajitori.apiserver.registry.call import Attributes
from kajitori.storage import Store

__all__ = ["check_audience"]

_IN_TREE = {
    "awsElasticBlockStore": "ebs.csi.aws.com",
    "azureDisk": "disk.csi.azure.com",
    "azureFile": "file.csi.azure.com",
    "cinder": "cinder.csi.openstack.org",
    "gcePersistentDisk": "pd.csi.storage.gke.io",
    "portworxVolume": "pxd.portworx.com",
    "vsphereVolume": "csi.vsphere.vmware.com",
}
"""The drivers that have taken over from what was built in."""

_read = msgspec.json.Decoder(JsonObject).decode


def check_audience(
    store: Store, authorizer: Authorizer, attributes: Attributes, audiences: Sequence[str], pod: JsonObject
) -> str:
    """Why a node may not have a token for these audiences for its Pod; empty where it may."""
    if len(audiences) > 1:
        return "node may only request 0 or 1 audiences"
    audience = audiences[0] if audiences else ""
    missing: list[str] = []
    for volume in pod["spec"].get("volumes") or ():
        sources: Sequence[JsonObject] = (volume.get("projected") or {}).get("sources") or ()
        tokens = [
            each["serviceAccountToken"] for each in sources if each.get("serviceAccountToken") is not None
        ]
        if any(each.get("audience", "") == audience for each in tokens):
            return ""
        try:
            driver = _driver(store, pod, volume)
            if driver and _serves(store, driver, audience):
                return ""
        except LookupError as error:
            missing.append(str(error.args[0]))
    if missing:
        told = list(dict.fromkeys(missing))
        why = told[0] if len(told) == 1 else f"[{', '.join(told)}]"
        return f"error validating audience {go_quote(audience)}: {why}"
    question = Question(
        user=attributes.user,
        verb="request-serviceaccounts-token-audience",
        version="v1",
        resource=audience,
        namespace=attributes.namespace,
        name=attributes.name,
    )
    if authorizer.authorize(question).allowed:
        return ""
    told_audience = f"audience {go_quote(audience)} not found in pod spec volume"
    return f"{told_audience}, {attributes.user.name} is not authorized to request tokens for this audience"


def _found(store: Store, bucket: str, key: str, what: str) -> JsonObject:
    """Raises: LookupError."""
    item = store.get(bucket, key)
    if item is None:
        raise LookupError(f"{what} {go_quote(key.rpartition('/')[2])} not found")
    return _read(item.value)


def _driver(store: Store, pod: JsonObject, volume: JsonObject) -> str:
    """The CSI driver of a volume; empty where it has none. Raises: LookupError."""
    metadata: JsonObject = pod["metadata"]
    claim = ""
    if (volume.get("ephemeral") or {}).get("volumeClaimTemplate") is not None:
        claim = f"{metadata['name']}-{volume['name']}"
    elif volume.get("persistentVolumeClaim") is not None:
        claim = volume["persistentVolumeClaim"].get("claimName", "")
    elif volume.get("csi") is not None:
        return str(volume["csi"].get("driver", ""))
    if not claim:
        return next((_IN_TREE[each] for each in _IN_TREE if volume.get(each) is not None), "")
    bucket = "/persistentvolumeclaims"
    found = _found(store, bucket, f"{metadata['namespace']}/{claim}", "persistentvolumeclaim")
    spec: JsonObject = found.get("spec") or {}
    bound = _found(store, "/persistentvolumes", spec.get("volumeName") or "", "persistentvolume")
    of_volume: JsonObject = bound.get("spec") or {}
    if of_volume.get("csi") is not None:
        return str(of_volume["csi"].get("driver", ""))
    return next((_IN_TREE[each] for each in _IN_TREE if of_volume.get(each) is not None), "")


def _serves(store: Store, driver: str, audience: str) -> bool:
    """Whether a driver asks for tokens for an audience. Raises: LookupError."""
    found = _found(store, "storage.k8s.io/csidrivers", driver, "csidriver.storage.k8s.io")
    requests: Sequence[JsonObject] = (found.get("spec") or {}).get("tokenRequests") or ()
    return any(each.get("audience", "") == audience for each in requests)
