"""Whose certificates this server believes, told to API servers that extend it: they are to believe the same.

Promises
    T1  kube-system/extension-apiserver-authentication has what holds since this start

Source: kube-apiserver's cluster authentication trust controller.
"""

from collections.abc import Sequence
from pathlib import Path

import msgspec

from kajitori.apimachinery.kind import JsonObject
from kajitori.apiserver.advertising import keep_right
from kajitori.apiserver.authentication.options import RequestHeaderOptions
from kajitori.storage import Store
from kajitori.world.clock import Clock
from kajitori.world.random import Random

__all__ = ["publish_trust"]


async def publish_trust(
    store: Store,
    client_authorities: Sequence[Path],
    proxy: RequestHeaderOptions,
    *,
    clock: Clock,
    random: Random,
) -> None:
    """Stores the ConfigMap. `client_authorities` are files in PEM; so is the proxy's, where there is one.

    Raises: OSError, StoreError.
    """
    data = {"client-ca-file": "".join(_content(each) for each in client_authorities)}
    if proxy.client_ca_file is not None:
        data["requestheader-allowed-names"] = _listed(proxy.allowed_names)
        data["requestheader-client-ca-file"] = _content(proxy.client_ca_file)
        data["requestheader-extra-headers-prefix"] = _listed(proxy.extra_prefixes)
        data["requestheader-group-headers"] = _listed(proxy.group_headers)
        if proxy.uid_headers:
            data["requestheader-uid-headers"] = _listed(proxy.uid_headers)
        data["requestheader-username-headers"] = _listed(proxy.username_headers)
    obj: JsonObject = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "extension-apiserver-authentication", "namespace": "kube-system"},
        "data": data,
    }
    await keep_right(store, "/configmaps", obj, clock=clock, random=random)


def _content(path: Path) -> str:
    text = path.read_text("ascii", "replace")
    return text if text.endswith("\n") else f"{text}\n"


def _listed(names: Sequence[str]) -> str:
    return msgspec.json.encode(names).decode()
