"""When a token that is kept in a Secret was used last: a label of the Secret says the day.

Source: Kubernetes' legacy-token tracking, pkg/serviceaccount/legacy.go.
"""

import logging

from kajitori.apimachinery.errors import ApiError
from kajitori.apimachinery.kind import Kind
from kajitori.client import Client

__all__ = ["mark_used"]

SECRETS = Kind("", "v1", "Secret", "secrets")
LABEL = "kubernetes.io/legacy-token-last-used"

_log = logging.getLogger(__name__)


async def mark_used(client: Client, namespace: str, name: str, day: str) -> None:
    """Labels the Secret; one that is gone, or cannot be changed, is not worth an error."""
    try:
        await client.patch(SECRETS, namespace, name, {"metadata": {"labels": {LABEL: day}}})
    except ApiError as error:
        _log.info(
            "the use of a token was not noted", extra={"secret": f"{namespace}/{name}", "why": str(error)}
        )
