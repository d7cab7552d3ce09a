"""Services: their families and addresses, what changes with their type, and what they are given."""

import ipaddress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.apis.support import Road, texts

from kajitori.apimachinery.errors import InternalError, Invalid
from kajitori.apis.strategies.service_allocation import DEFAULT_RANGES, Held, Ranges, allocate, held

SERVICES = Road("", "services")
PORTS = [{"port": 80}]


def service(**spec: Any) -> dict[str, Any]:
    return SERVICES.create({"spec": {"ports": PORTS, "selector": {"app": "a"}, **spec}})


def give(
    obj: dict[str, Any],
    old: dict[str, Any] | None = None,
    *,
    ips: frozenset[str] = frozenset(),
    ports: frozenset[int] = frozenset(),
    ranges: Ranges = DEFAULT_RANGES,
    number: int = 0,
) -> dict[str, Any]:
    allocate(obj, old, ranges=ranges, ips=ips, ports=ports, choose=lambda below: number % below)
    return obj


def test_a_service_gets_an_address_from_the_upper_range_first() -> None:  # A3
    obj = give(service())
    assert obj["spec"]["clusterIP"] == "10.96.1.1" and obj["spec"]["clusterIPs"] == ["10.96.1.1"]
    assert obj["spec"]["ipFamilies"] == ["IPv4"] and obj["spec"]["ipFamilyPolicy"] == "SingleStack"
    assert held(obj) == Held(frozenset({"10.96.1.1"}), frozenset())


def test_an_address_may_be_asked_for() -> None:  # A2
    assert give(service(clusterIP="10.96.0.10"))["spec"]["clusterIPs"] == ["10.96.0.10"]
    with pytest.raises(Invalid) as caught:
        give(service(clusterIP="10.96.0.10"), ips=frozenset({"10.96.0.10"}))
    assert caught.value.message == (
        'Service "a" is invalid: spec.clusterIPs: Invalid value: ["10.96.0.10"]: '
        "failed to allocate IP 10.96.0.10: provided IP is already allocated"
    )
    with pytest.raises(Invalid) as caught:
        give(service(clusterIP="10.0.0.1"))
    assert caught.value.message.endswith(
        "failed to allocate IP 10.0.0.1: the provided network does not match the current range"
    )


def test_headless_and_external_services_get_none() -> None:
    headless = give(service(clusterIP="None"))
    assert headless["spec"]["clusterIPs"] == ["None"] and held(headless) == Held()
    external = give(service(type="ExternalName", externalName="x.example"))
    assert "clusterIP" not in external["spec"] and "ipFamilies" not in external["spec"]


def test_a_headless_service_without_selector_has_both_families() -> None:
    spec = give(service(clusterIP="None", selector={}))["spec"]
    assert spec["ipFamilies"] == ["IPv4", "IPv6"] and spec["ipFamilyPolicy"] == "RequireDualStack"


def test_wishes_that_the_cluster_cannot_grant_are_refused() -> None:
    with pytest.raises(Invalid, match="this cluster is not configured for dual-stack services"):
        service(ipFamilyPolicy="RequireDualStack")
    with pytest.raises(Invalid, match="not configured on this cluster"):
        service(ipFamilies=["IPv6"])
    with pytest.raises(Invalid, match="first value must match `clusterIP`"):
        service(clusterIP="10.96.0.1", clusterIPs=["10.96.0.2"])
    with pytest.raises(Invalid, match=r"must be a valid IP address"):
        service(clusterIP="nonsense")


def test_node_ports_are_given_shared_and_refused() -> None:  # A1 A2
    obj = give(service(type="NodePort"))
    assert obj["spec"]["ports"][0]["nodePort"] == 30000
    obj = give(service(type="NodePort"), ports=frozenset({30000}))
    assert obj["spec"]["ports"][0]["nodePort"] == 30001
    both = [{"name": "t", "port": 53}, {"name": "u", "port": 53, "protocol": "UDP"}]
    obj = give(service(type="NodePort", ports=both))
    assert [each["nodePort"] for each in obj["spec"]["ports"]] == [30000, 30000]
    with pytest.raises(Invalid) as caught:
        give(service(type="NodePort", ports=[{"port": 80, "nodePort": 80}]))
    assert caught.value.message == (
        'Service "a" is invalid: spec.ports[0].nodePort: Invalid value: 80: provided port is not in the valid '
        "range. The range of valid ports is 30000-32767"
    )
    with pytest.raises(Invalid, match="provided port is already allocated"):
        give(service(type="NodePort", ports=[{"port": 80, "nodePort": 30001}]), ports=frozenset({30001}))


def test_a_load_balancer_may_do_without_node_ports_and_needs_a_health_check() -> None:
    obj = give(service(type="LoadBalancer", allocateLoadBalancerNodePorts=False))
    assert "nodePort" not in obj["spec"]["ports"][0]
    obj = give(service(type="LoadBalancer", externalTrafficPolicy="Local"))
    assert obj["spec"]["ports"][0]["nodePort"] == 30000 and obj["spec"]["healthCheckNodePort"] == 30001
    assert held(obj).ports == {30000, 30001}


def test_an_exhausted_range_is_an_internal_error() -> None:
    tiny = Ranges((ipaddress.IPv4Network("10.0.0.0/30"),), range(30000, 30001))
    first = give(service(), ranges=tiny)
    second = give(service(), ranges=tiny, ips=held(first).ips)
    assert {first["spec"]["clusterIP"], second["spec"]["clusterIP"]} == {"10.0.0.1", "10.0.0.2"}
    with pytest.raises(InternalError) as caught:
        give(service(), ranges=tiny, ips=held(first).ips | held(second).ips)
    assert caught.value.message == (
        'Internal error occurred: failed to allocate a serviceIP for Service "a": range is full'
    )
    with pytest.raises(InternalError, match="failed to allocate a nodePort: range is full"):
        give(service(type="NodePort"), ranges=tiny, ports=frozenset({30000}))


def test_an_update_keeps_what_it_does_not_say() -> None:
    old = give(service(type="NodePort"))

    def change(obj: dict[str, Any]) -> None:
        for member in ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"):
            del obj["spec"][member]
        obj["spec"]["ports"] = [{"port": 8080}]

    new, errors = SERVICES.update(old, change)
    assert not errors
    assert new["spec"]["clusterIPs"] == ["10.96.1.1"] and new["spec"]["ports"][0]["nodePort"] == 30000
    give(new, old, ips=held(old).ips, ports=held(old).ports)
    assert held(new) == held(old)


def test_a_cluster_ip_does_not_change() -> None:
    old = give(service())
    _, errors = SERVICES.update(old, lambda obj: obj["spec"].update(clusterIP="10.96.2.2"))
    assert texts(errors) == ['spec.clusterIPs[0]: Invalid value: ["10.96.2.2"]: may not change once set']


def test_what_belongs_to_a_type_goes_with_it() -> None:
    old = give(service(type="LoadBalancer", externalTrafficPolicy="Local"))
    plain, errors = SERVICES.update(old, lambda obj: obj["spec"].update(type="ClusterIP"))
    assert not errors
    assert "nodePort" not in plain["spec"]["ports"][0] and "healthCheckNodePort" not in plain["spec"]
    assert "allocateLoadBalancerNodePorts" not in plain["spec"]
    assert held(plain).ports == frozenset()

    def external(obj: dict[str, Any]) -> None:
        obj["spec"].update(type="ExternalName", externalName="x.example")

    named, _ = SERVICES.update(plain, external)
    assert not {"clusterIP", "ipFamilies", "internalTrafficPolicy"} & set(named["spec"])
    back, _ = SERVICES.update(named, lambda obj: obj["spec"].update(type="ClusterIP"))
    give(back, named)
    assert back["spec"]["clusterIP"] == "10.96.1.1"


def test_warnings_about_services() -> None:
    warnings = SERVICES.strategy.warnings
    assert warnings(service(externalIPs=["1.2.3.4"]), None) == [
        "spec.externalIPs is deprecated and may no longer be implemented in some clusters"
    ]
    assert warnings(service(externalName="x"), None) == [
        'spec.externalName is ignored when spec.type is not "ExternalName"'
    ]
    assert warnings(service(clusterIP="None", sessionAffinity="ClientIP"), None) == [
        "spec.SessionAffinity is ignored for headless services"
    ]


@given(
    st.lists(
        st.sampled_from(["ClusterIP", "NodePort", "LoadBalancer", "ExternalName"]), min_size=1, max_size=12
    ),
    st.integers(0, 10_000),
)
def test_no_two_services_hold_the_same(kinds: list[str], number: int) -> None:  # A1
    small = Ranges((ipaddress.IPv4Network("10.0.0.0/26"),), range(30000, 30064))
    ips: frozenset[str] = frozenset()
    ports: frozenset[int] = frozenset()
    for kind in kinds:
        extra = {"externalName": "x.example"} if kind == "ExternalName" else {}
        mine = held(give(service(type=kind, **extra), ips=ips, ports=ports, ranges=small, number=number))
        assert not mine.ips & ips and not mine.ports & ports
        assert all(ipaddress.ip_address(each) in small.cluster_ips[0] for each in mine.ips)
        assert all(each in small.node_ports for each in mine.ports)
        ips |= mine.ips
        ports |= mine.ports
