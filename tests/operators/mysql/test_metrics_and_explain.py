"""What the operator tells about itself: figures, and what it would do."""

import json

import msgspec
import pytest
from prometheus_client import CollectorRegistry, generate_latest
from tests.operators.mysql.support import claim_template, new_world

from kajitori.operators.mysql.decide import decide
from kajitori.operators.mysql.explain import explanation
from kajitori.operators.mysql.metrics import ClusterMetrics
from kajitori.operators.mysql.objects.secrets import passwords_of
from kajitori.operators.mysql.plan import RecreateStatefulSet
from kajitori.operators.mysql.seen import SECRET

KEY = ("foo", "default")


def _text(metrics: ClusterMetrics) -> str:
    registry = CollectorRegistry(auto_describe=False)
    registry.register(metrics)
    return generate_latest(registry).decode()


def test_recreations_and_their_failures_are_counted() -> None:
    world = new_world()
    world.settle()
    world.edit(volumeClaimTemplates=[claim_template(storage="2Gi")])
    (action,) = [each for each in decide(world.seen()).actions if isinstance(each, RecreateStatefulSet)]
    metrics = ClusterMetrics()
    with metrics.counting(KEY, action):
        pass
    with pytest.raises(RuntimeError), metrics.counting(KEY, action):
        raise RuntimeError("no")
    text = _text(metrics)
    assert 'moco_cluster_statefulset_recreate_total{name="default",namespace="foo"} 1.0' in text
    assert 'moco_cluster_statefulset_recreate_errors_total{name="default",namespace="foo"} 1.0' in text
    assert 'moco_cluster_volume_resized_total{name="default",namespace="foo"} 0.0' in text


def test_gauges_follow_what_is_seen_and_go_with_the_cluster() -> None:
    world = new_world({"replicas": 3}, annotations={"moco.cybozu.com/clustering-stopped": "true"})
    backup = {"time": "2026-01-01T00:00:00Z", "elapsed": "1m30s", "dumpSize": 10, "warnings": ["x"]}
    world.cluster()["status"] = {"backup": backup}
    metrics = ClusterMetrics()
    metrics.see(world.seen())
    text = _text(metrics)
    assert 'moco_cluster_replicas{name="default",namespace="foo"} 3.0' in text
    assert 'moco_cluster_clustering_stopped{name="default",namespace="foo"} 1.0' in text
    assert 'moco_backup_elapsed_seconds{name="default",namespace="foo"} 90.0' in text
    assert 'moco_backup_warnings{name="default",namespace="foo"} 1.0' in text
    assert "moco_cluster_available" not in text  # nobody measures it
    metrics.forget(KEY)
    assert 'name="default"' not in _text(metrics)


def test_an_explanation_is_plain_data_without_secrets() -> None:
    world = new_world()
    seen = world.seen()
    told = explanation(seen, decide(seen))
    text = json.dumps(told)
    assert told["state"] == "Converging"
    assert {"action": "Create", "kind": "Namespace"}.items() <= told["plan"][0].items()
    world.settle()
    passwords = passwords_of(world.get(SECRET, "moco-default"))
    assert passwords and not any(password in text for password in passwords.values())
    assert "data" not in text


def test_a_settled_cluster_has_an_empty_plan() -> None:
    world = new_world()
    world.settle()
    seen = world.seen()
    told = explanation(seen, decide(seen))
    assert told["state"] == "Settled" and told["plan"] == []
    assert msgspec.json.encode(told)
