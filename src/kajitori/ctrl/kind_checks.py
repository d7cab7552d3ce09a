"""Whether a cluster's definitions go with the classes that an operator reads and writes: asked once, when it starts.

    await check_kinds(client, [Widget])

A manager asks about every class that its controllers watch and logs what it hears, errors as errors; it goes on, since
a definition may be installed or changed while it runs. What cannot be asked, for want of a right, is not known.

Promises
    H1  one request for each kind; kinds of Kubernetes, and those without a class, cost none
    H2  nothing that goes wrong here ends the operator
"""

import logging
from collections.abc import Iterable
from typing import Any, cast

from kajitori.apimachinery.crd_match import Mismatch, mismatches
from kajitori.apimachinery.declare import declaration_of
from kajitori.apimachinery.errors import ApiError, NotFound
from kajitori.client.client import Client
from kajitori.client.objects import Model
from kajitori.client.transport import TransportError
from kajitori.ctrl.definitions import CUSTOM_RESOURCE_DEFINITIONS

__all__ = ["check_kinds", "report_mismatches"]

_log = logging.getLogger(__name__)


async def check_kinds(client: Client, models: Iterable[Model]) -> list[Mismatch]:
    """What does not fit of classes declared with `@kind`; other models are left out.

    Raises: Forbidden when we may not read definitions; any other ApiError; TransportError.
    """
    found: list[Mismatch] = []
    for model in dict.fromkeys(models):
        try:
            declared = declaration_of(cast(type, model))
        except TypeError:
            continue  # a Kind, or a class of Kubernetes' own
        try:
            name = f"{declared.plural}.{declared.group}"
            definition = await client.get(CUSTOM_RESOURCE_DEFINITIONS, "", name)
        except NotFound:
            definition = None
        found += mismatches(cast(Any, model), definition)
    return found


async def report_mismatches(client: Client, models: Iterable[Model]) -> None:
    """Logs them."""
    try:
        found = await check_kinds(client, models)
    except (ApiError, TransportError) as error:
        _log.debug("definitions were not compared with the operator's classes", extra={"error": str(error)})
        return
    except Exception:
        _log.exception("definitions could not be compared with the operator's classes")
        return
    for each in found:
        level = logging.ERROR if each.level == "error" else logging.WARNING
        _log.log(
            level, "the cluster's definition does not fit the operator's class", extra={"mismatch": each.text}
        )
