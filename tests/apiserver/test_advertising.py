"""Where the API is found from inside the cluster."""

from typing import Any

import msgspec
import pytest

from kajitori.apiserver.advertising import advertise, advertised
from kajitori.storage import Store, open_store
from kajitori.testing import run_virtual
from kajitori.world.clock import SYSTEM_CLOCK
from kajitori.world.random import SeededRandom

ENDPOINTS = ("/endpoints", "default/kubernetes")
SLICE = ("discovery.k8s.io/endpointslices", "default/kubernetes")


def stored(store: Store, key: tuple[str, str]) -> Any:
    item = store.get(*key)
    return None if item is None else msgspec.json.decode(item.value)


def test_the_address_is_one_that_others_reach() -> None:  # A3
    assert advertised("192.0.2.7") == "192.0.2.7"
    assert advertised("0.0.0.0", "2001:db8:0::7") == "2001:db8::7"
    for host in ("127.0.0.1", "0.0.0.0", "::", "localhost"):
        assert advertised(host) not in ("127.0.0.1", "0.0.0.0", "::1", "::", "localhost")
    for wrong in ("127.0.0.1", "0.0.0.0", "here", "fe80::1"):
        with pytest.raises(ValueError, match="--advertise-address"):
            advertised("192.0.2.7", wrong)


def test_endpoints_follow_the_server() -> None:  # A1 A2
    async def main() -> None:
        store = await open_store(None)

        async def start(address: str, port: int) -> None:
            await advertise(store, address, port, clock=SYSTEM_CLOCK, random=SeededRandom(1))

        await start("192.0.2.7", 6443)
        endpoints, slice_ = stored(store, ENDPOINTS), stored(store, SLICE)
        assert endpoints["subsets"] == [
            {
                "addresses": [{"ip": "192.0.2.7"}],
                "ports": [{"name": "https", "port": 6443, "protocol": "TCP"}],
            }
        ]
        assert (slice_["addressType"], slice_["endpoints"][0]["addresses"]) == ("IPv4", ["192.0.2.7"])
        revision = store.revision
        await start("192.0.2.7", 6443)
        assert store.revision == revision
        await start("192.0.2.7", 7443)
        assert stored(store, ENDPOINTS)["subsets"][0]["ports"][0]["port"] == 7443
        again = stored(store, SLICE)
        assert again["metadata"]["uid"] == slice_["metadata"]["uid"] and again["metadata"]["generation"] == 2
        await start("2001:db8::7", 7443)
        assert stored(store, SLICE)["addressType"] == "IPv6"
        await store.close()

    run_virtual(main())
