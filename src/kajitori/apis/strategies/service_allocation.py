"""Cluster IPs and node ports: what a Service holds, and what it is given from what nobody holds.

Pure functions over what is taken; the API server keeps the books and provides the dice.

Promises
    A1  nothing that is taken is handed out, and nothing outside the ranges
    A2  a wish is granted or refused with Kubernetes' words; nothing changes in a Service that is refused an address
    A3  while the upper part of the address range has room, the lower part is left to those who ask by address

Source: pkg/registry/core/service/storage/alloc.go, ipallocator, portallocator.
"""

import ipaddress
from collections.abc import Callable, Iterator, Set
from dataclasses import dataclass

from kajitori.apimachinery.errors import ApiError, FieldError, internal_error, invalid
from kajitori.apimachinery.kind import JsonObject
from kajitori.apis.strategies.service_families import needs_cluster_ip, needs_health_check_port

__all__ = ["DEFAULT_RANGES", "Addresses", "Held", "Network", "Ranges", "allocate", "held"]

_LOWER_MIN, _LOWER_MAX, _LOWER_PART = 16, 256, 16
"""How much of an address range is left to those who ask by address: a sixteenth, within these bounds."""

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True)
class Addresses:
    """The addresses of one family."""

    network: Network

    @property
    def family(self) -> str:
        return f"IPv{self.network.version}"

    @property
    def first(self) -> int:
        """The first address that may be handed out, as a number."""
        return int(self.network.network_address) + 1

    @property
    def last(self) -> int:
        """The last one: IPv4 networks keep their broadcast address."""
        return int(self.network.broadcast_address) - (self.network.version == 4)

    def text(self, number: int) -> str:
        """An address as it is written."""
        return str(type(self.network.network_address)(number))


@dataclass(frozen=True, slots=True)
class Ranges:
    """What there is to hand out: addresses of one family or of both, the default one first."""

    cluster_ips: tuple[Network, ...]
    node_ports: range

    def addresses(self, family: str) -> Addresses:
        """The addresses of a family; `init_ip_families` has seen to it that there are some."""
        return next(Addresses(each) for each in self.cluster_ips if f"IPv{each.version}" == family)


DEFAULT_RANGES = Ranges((ipaddress.IPv4Network("10.96.0.0/16"),), range(30000, 32768))


@dataclass(frozen=True, slots=True)
class Held:
    """What one Service holds."""

    ips: frozenset[str] = frozenset()
    ports: frozenset[int] = frozenset()


def held(service: JsonObject | None) -> Held:
    """What a Service, as it is stored, holds; nothing when there is none."""
    if service is None:
        return Held()
    spec = service["spec"]
    ips = frozenset(spec.get("clusterIPs") or ()) if needs_cluster_ip(spec) else frozenset[str]()
    ports = {each["nodePort"] for each in spec.get("ports") or () if each.get("nodePort")}
    if needs_health_check_port(spec) and spec.get("healthCheckNodePort"):
        ports.add(spec["healthCheckNodePort"])
    return Held(ips - {"None", ""}, frozenset(ports))


def allocate(
    service: JsonObject,
    old: JsonObject | None,
    *,
    ranges: Ranges,
    ips: Set[str],
    ports: Set[int],
    choose: Callable[[int], int],
) -> None:
    """Gives a new or changed Service what it needs and does not hold yet; `held` tells what it holds then.

    `ips` and `ports` are taken, by `old` too; `choose(n)` is a number below n, at random.

    Raises: Invalid where a wish cannot be granted, InternalError where nothing is left.
    """
    kept = held(old)
    _allocate_ips(service, old, ranges, ips - kept.ips, choose)
    hand = _Ports(service, ranges.node_ports, set(ports), kept.ports, choose)
    spec = service["spec"]
    if spec.get("type") in ("NodePort", "LoadBalancer"):
        hand.give_ports(spec.get("ports") or [], is_new=old is None or not kept.ports)
    if needs_health_check_port(spec) and not (old and needs_health_check_port(old["spec"])):
        hand.give_health_check_port(spec)


def _allocate_ips(
    service: JsonObject, old: JsonObject | None, ranges: Ranges, taken: Set[str], choose: Callable[[int], int]
) -> None:
    spec = service["spec"]
    wanted: list[str] = list(spec.get("clusterIPs") or ())
    if not needs_cluster_ip(spec) or wanted[:1] == ["None"]:
        return
    families: list[str] = spec.get("ipFamilies") or ["IPv4"]
    kept = (
        old is not None and needs_cluster_ip(old["spec"]) and wanted == (old["spec"].get("clusterIPs") or [])
    )
    if kept and len(wanted) >= len(families):
        return
    given: list[str] = []
    for index, family in enumerate(families):
        addresses = ranges.addresses(family)
        wish = wanted[index] if index < len(wanted) else ""
        if wish:
            problem = _ip_problem(wish, addresses, taken)
            if problem:
                told = f"failed to allocate IP {wish}: {problem}"
                raise _refused(service, FieldError.invalid("spec.clusterIPs", wanted, told))
            given.append(wish)
            continue
        free = _free_ip(addresses, taken, choose)
        if free is None:
            name = service["metadata"].get("name", "")
            raise _internal(f'failed to allocate a serviceIP for Service "{name}": range is full')
        given.append(free)
    spec["clusterIP"], spec["clusterIPs"] = given[0], given


def _refused(service: JsonObject, error: FieldError) -> ApiError:
    return invalid("Service", "", service["metadata"].get("name", ""), [error])


def _internal(why: str) -> ApiError:
    return internal_error(why)


def _ip_problem(wish: str, addresses: Addresses, taken: Set[str]) -> str:
    address = ipaddress.ip_address(wish)
    network = addresses.network
    if address.version != network.version or not addresses.first <= int(address) <= addresses.last:
        return "the provided network does not match the current range"
    return "provided IP is already allocated" if str(address) in taken else ""


def _free_ip(addresses: Addresses, taken: Set[str], choose: Callable[[int], int]) -> str | None:
    first, last = addresses.first, addresses.last
    size = last - first + 1
    lower = min(max(_LOWER_MIN, size // _LOWER_PART), _LOWER_MAX)
    middle = first + lower if size > lower else first
    for start, end in ((middle, last), (first, middle - 1)):
        for number in _round(start, end, choose):
            text = addresses.text(number)
            if text not in taken:
                return text
    return None


def _round(start: int, end: int, choose: Callable[[int], int]) -> Iterator[int]:
    """All numbers from start to end, beginning somewhere in between."""
    count = end - start + 1
    if count <= 0:
        return
    offset = choose(count)
    for step in range(count):
        yield start + (offset + step) % count


class _Ports:
    """Node ports for one Service."""

    def __init__(
        self,
        service: JsonObject,
        node_ports: range,
        taken: set[int],
        kept: frozenset[int],
        choose: Callable[[int], int],
    ) -> None:
        self._service = service
        self._range = node_ports
        self._taken = taken
        self._kept = kept
        self._choose = choose
        self._given: set[int] = set()

    def give_ports(self, ports: list[JsonObject], *, is_new: bool) -> None:
        """A node port for each port: the one it wishes for, or any. A new Service's equal ports share theirs."""
        shared: dict[int, int] = {}
        spec = self._service["spec"]
        gives = spec.get("type") == "NodePort" or spec.get("allocateLoadBalancerNodePorts", True)
        for index, port in enumerate(ports):
            if not port.get("nodePort"):
                if not gives:
                    continue
                same = shared.get(port["port"]) or (_wished(port["port"], ports) if is_new else 0)
                port["nodePort"] = same if same and is_new else self._any()
            number = port["nodePort"]
            self._take(number, f"spec.ports[{index}].nodePort")
            shared.setdefault(port["port"], number)

    def give_health_check_port(self, spec: JsonObject) -> None:
        wish = spec.get("healthCheckNodePort")
        if not wish:
            spec["healthCheckNodePort"] = self._any()
            return
        problem = self._problem(wish)
        if problem:
            raise _internal(f"failed to allocate requested HealthCheck NodePort {wish}: {problem}")

    def _take(self, number: int, path: str) -> None:
        problem = self._problem(number)
        if problem:
            raise _refused(self._service, FieldError.invalid(path, number, problem))
        self._given.add(number)

    def _problem(self, number: int) -> str:
        if number in self._kept or number in self._given:
            return ""
        if number not in self._range:
            valid = f"{self._range[0]}-{self._range[-1]}"
            return f"provided port is not in the valid range. The range of valid ports is {valid}"
        return "provided port is already allocated" if number in self._taken else ""

    def _any(self) -> int:
        start, end = self._range[0], self._range[-1]
        for number in _round(start, end, self._choose):
            if number not in self._taken and number not in self._given:
                self._given.add(number)
                return number
        raise _internal("failed to allocate a nodePort: range is full")


def _wished(port: int, ports: list[JsonObject]) -> int:
    """The node port that another port of the same number asks for; 0 when none does."""
    return next((each["nodePort"] for each in ports if each["port"] == port and each.get("nodePort")), 0)
