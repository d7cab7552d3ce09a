"""What the values of libraries' own types have in common: they are equal only to their like, and say so with an error.

In Kubernetes such a value compared with one of another type gives `no such overload`, where standard CEL would say
`false`; but only when it stands on the left.

Source: the `Equal` methods of apiserver's pkg/cel.
"""

from typing import Any, ClassVar

from kajitori.apimachinery.cel.errors import EvaluationError
from kajitori.apimachinery.cel.types import Type

__all__ = ["OpaqueValue", "no_overload"]


def no_overload() -> EvaluationError:
    """What Kubernetes' functions say to a value they cannot use."""
    return EvaluationError("no such overload")


class OpaqueValue:
    """A value that only functions can look into. Its kind gives `cel_type` and `_identity`."""

    __slots__ = ()

    cel_type: ClassVar[Type]

    def _identity(self) -> Any:
        """What two equal values share."""
        raise NotImplementedError

    def equals(self, other: object) -> bool:
        """Whether the other is equal.

        Raises: EvaluationError when it is of another type.
        """
        if type(other) is not type(self):
            raise no_overload()
        return self == other

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and bool(self._identity() == other._identity())

    def __hash__(self) -> int:
        return hash(self._identity())

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self!s})"
