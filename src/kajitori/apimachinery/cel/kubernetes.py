"""The environments of Kubernetes: what expressions may use, by the version that has to understand them.

An expression that somebody writes now must still be understood after a rollback to the version before; one that is
stored may use whatever any version has let in. So there are two environments, `new` and `stored`, and the first
depends on the compatibility version, by default the minor version before the server's own.

Promises
    V1  each version has exactly the libraries, syntax and checks of literals that Kubernetes gave it
    V2  the environments of a version are made once, when first asked for

Source: apiserver's pkg/cel/environment/base.go and environment.go, pkg/apis/cel/config.go; apiextensions-apiserver's
pkg/apis/apiextensions/validation/validation.go for the limits of estimates.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from kajitori.apimachinery.cel.environment import Environment
from kajitori.apimachinery.cel.types import Type
from kajitori.apimachinery.cel.validators import Validator, format_strings, homogeneous_literals, literals

__all__ = [
    "CHECK_FREQUENCY",
    "COMPATIBILITY_MINOR",
    "MATCH_CONDITIONS_COST_BUDGET",
    "MESSAGE_BYTES_MAX",
    "PER_CALL_COST_LIMIT",
    "RUNTIME_COST_BUDGET",
    "STATIC_ESTIMATED_COST_LIMIT",
    "STATIC_ESTIMATED_CRD_COST_LIMIT",
    "Environments",
    "environments",
]

COMPATIBILITY_MINOR = 35
"""1.35 is what new expressions must be understood by when the server is 1.36."""

PER_CALL_COST_LIMIT = 1_000_000
"""What one evaluation may cost: about a tenth of a second in Kubernetes."""
RUNTIME_COST_BUDGET = 10_000_000
"""What all rules of one object, or of one policy with one of its bindings, may cost together."""
MATCH_CONDITIONS_COST_BUDGET = 2_500_000
"""What all match conditions of one webhook or policy may cost together."""
STATIC_ESTIMATED_COST_LIMIT = 10_000_000
"""What a rule of a custom resource may cost at most by its estimate."""
STATIC_ESTIMATED_CRD_COST_LIMIT = 100_000_000
"""What all rules of a custom resource's schema may cost at most by their estimates."""
CHECK_FREQUENCY = 100
"""After how many turns of a loop an evaluation looks whether it has been stopped."""
MESSAGE_BYTES_MAX = 5 * 1024
"""How long the message may be that an expression writes."""

_STORED = 1 << 32
"""Above all minor versions: what was removed at some version is not in it, everything else is."""


@dataclass(frozen=True, slots=True)
class Environments:
    """Two of a kind: for expressions that are written now, and for those that are stored."""

    new: Environment
    stored: Environment

    def extend(
        self, *, variables: Mapping[str, Type] | None = None, types: tuple[Type, ...] = ()
    ) -> "Environments":
        """Both with more variables and types."""
        return Environments(
            self.new.extend(variables=variables, types=types),
            self.stored.extend(variables=variables, types=types),
        )


def environments(minor: int = COMPATIBILITY_MINOR) -> Environments:
    """The environments without any variables; `minor` is that of the compatibility version, such as 35 for 1.35."""
    return Environments(_environment(minor), _environment(_STORED))


@lru_cache(maxsize=64)
def _environment(minor: int) -> Environment:
    # Loaded by need: few who read an object evaluate anything.
    from kajitori.apimachinery.cel.libraries.authorizer import authorizer_selectors
    from kajitori.apimachinery.cel.libraries.kubernetes import kubernetes_libraries
    from kajitori.apimachinery.cel.standard import STANDARD

    libraries = [STANDARD, *kubernetes_libraries(minor)]
    if authorizer_selectors not in libraries:
        # For new expressions Kubernetes asks the feature's gate alone, not the version.
        libraries.append(authorizer_selectors)
    validators: list[Validator] = []
    if minor >= 29:
        validators += [homogeneous_literals(frozenset(("format",))), literals, format_strings]
    else:
        validators.append(homogeneous_literals())
    return Environment(
        libraries,
        validators=validators,
        cross_type_comparisons=minor >= 28,
        optional_syntax=minor >= 28,
        keywords_are_fields=minor >= 31,
    )
