"""What the operator sees of one cluster and would do about it, as plain data, without doing it."""

from typing import Any

from kajitori.apis import JsonObject, NamespacedName
from kajitori.client import Client
from kajitori.ctrl import SYSTEM_CLOCK, SYSTEM_RANDOM, Clock, Random
from kajitori.operators.mysql.decide import decide
from kajitori.operators.mysql.observe import Certificates, ClientReader, entropy_of, observe
from kajitori.operators.mysql.plan import Plan, describe
from kajitori.operators.mysql.seen import ClusterSeen
from kajitori.operators.mysql.settings import Settings

__all__ = ["explain", "explanation"]


async def explain(
    client: Client,
    namespace: str,
    name: str,
    *,
    settings: Settings | None = None,
    clock: Clock = SYSTEM_CLOCK,
    random: Random = SYSTEM_RANDOM,
) -> dict[str, Any] | None:
    """What was seen, the state and why, the plan; None when there is no such cluster. Nothing is written.

    Raises: any ApiError of reading.
    """
    seen = await observe(
        ClientReader(client),
        NamespacedName(namespace, name),
        settings=settings or Settings(),
        now=clock.now(),
        entropy=entropy_of(random),
        serves_certificates=await Certificates(client, clock).served(),
    )
    return None if seen is None else explanation(seen, decide(seen))


def explanation(seen: ClusterSeen, plan: Plan) -> dict[str, Any]:
    """The same of something seen and decided already. Holds no secret."""
    metadata = seen.cluster["metadata"]
    return {
        "object": f"MySQLCluster {metadata['namespace']}/{metadata['name']}",
        "seen": {
            "generation": metadata.get("generation", 0),
            "objects": sorted(f"{key.kind} {key.namespace}/{key.name}" for key in seen.live),
            "claims": [_claim(each) for each in seen.claims],
            "pods": [_pod(each) for each in seen.pods],
            "storageClasses": sorted(each["metadata"]["name"] for each in seen.storage_classes),
            "servesCertificates": seen.serves_certificates,
        },
        "state": plan.state.value,
        "reason": plan.reason,
        "problems": [{"reason": each.reason, "message": each.message} for each in plan.problems],
        "plan": [describe(each) for each in plan.actions],
        "writesStatus": plan.status is not None,
        "requeueAfterSeconds": plan.requeue_after_seconds,
    }


def _claim(claim: JsonObject) -> dict[str, Any]:
    requests = ((claim["spec"].get("resources") or {}).get("requests")) or {}
    return {
        "name": claim["metadata"]["name"],
        "phase": (claim.get("status") or {}).get("phase", "Pending"),
        "storage": requests.get("storage"),
        "storageClass": claim["spec"].get("storageClassName"),
    }


def _pod(pod: JsonObject) -> dict[str, Any]:
    return {
        "name": pod["metadata"]["name"],
        "phase": (pod.get("status") or {}).get("phase", "Pending"),
        "node": pod["spec"].get("nodeName", ""),
    }
