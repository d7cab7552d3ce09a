"""The operator's admission, for an API server that runs it in its own process."""

from collections.abc import Callable

from kajitori.apis import JsonObject
from kajitori.apis.mysql_v1beta2.admission import Lookup, Operation, admit
from kajitori.ctrl import SYSTEM_RANDOM, Random
from kajitori.operators.mysql.observe import entropy_of

__all__ = ["Admission", "admission"]

Admission = Callable[[Operation, JsonObject, JsonObject | None, Lookup], JsonObject]
"""`admit(operation, object, old object, lookup)`: the object to store. Raises Invalid or Forbidden."""


def admission(random: Random = SYSTEM_RANDOM) -> Admission:
    """Defaulting and validation of MySQLCluster and BackupPolicy; other kinds pass unchanged."""

    def admit_with_randomness(
        operation: Operation, obj: JsonObject, old: JsonObject | None, lookup: Lookup
    ) -> JsonObject:
        return admit(operation, obj, old, lookup, random_bytes=lambda size: entropy_of(random)[:size])

    return admit_with_randomness
