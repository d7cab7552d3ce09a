"""What a selection reads of an object, and how often."""

from tests.apiserver.support import CONFIG_MAPS, Api, config_map, served

from kajitori.apiserver.options import ListOptions
from kajitori.apiserver.registry.resource import Remembered
from kajitori.apiserver.registry.selection import select


def test_the_last_two_values_are_remembered() -> None:
    read: list[bytes] = []

    def size(value: bytes) -> int:
        read.append(value)
        return len(value)

    remembered = Remembered(size)
    old, new, other = b"a", b"bb", b"ccc"
    for _ in range(3):
        assert (remembered(new), remembered(old)) == (2, 1)
    assert read == [new, old]
    assert [remembered(each) for each in (other, old, new)] == [3, 1, 2]
    assert read == [new, old, other, new]


@served
async def test_one_name_narrows_the_selection(api: Api) -> None:
    await api.ok("POST", CONFIG_MAPS, config_map("a"))
    resource = api.catalog.find("", "v1", "configmaps")
    assert resource is not None
    one = select(resource, "ns", ListOptions(field_selector="metadata.name=a"))
    assert one.only == "ns/a" and one.covers("ns/a") and not one.covers("ns/ab")
    assert select(resource, "", ListOptions(field_selector="metadata.name=a")).only is None
    everything = select(resource, "ns", ListOptions())
    assert everything.matches is None and everything.covers("ns/x") and not everything.covers("nsx/x")
