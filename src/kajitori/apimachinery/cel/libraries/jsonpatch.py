"""What expressions that make JSON patches need: only where mutations are written, since Kubernetes 1.32.

Source: apiserver's pkg/cel/library/jsonpatch.go.
"""

from kajitori.apimachinery.cel.functions import Library, Overload
from kajitori.apimachinery.cel.prices import by_size, priced
from kajitori.apimachinery.cel.types import STRING

__all__ = ["jsonpatch"]


def _escape_key(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")


jsonpatch = Library(
    "kubernetes.jsonpatch",
    functions=(
        priced(
            "jsonpatch.escapeKey",
            by_size(keeps_size=True),
            Overload("string_jsonpatch_escapeKey_string", (STRING,), STRING, call=_escape_key),
        ),
    ),
)
