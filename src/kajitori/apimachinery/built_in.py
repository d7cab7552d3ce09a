"""What the typed models of Kubernetes' own kinds have in common.

The classes themselves are generated, a module for each group and version: `kajitori.apis.core_v1` and its like.
docs/reference/models.md says how to use them.

Promises
    M1  a field that is not set has Go's zero: None where Go has a pointer, "", 0, False, () or an empty map elsewhere,
        and for structs one whose fields are all unset; so reading asks for None only where it means something
    M2  what is written is what was set: a field that has its default value is not sent; but the message of a Condition
        is, since definitions that contain Conditions require one, which may be empty
    M3  fields that the class does not know are not kept
    M4  an instance cannot be changed, nor can what it is made of, as far as type checkers see

Source: how Go decodes and encodes the structs of k8s.io/api, whose fields and pointers these follow.
"""

from typing import ClassVar

import msgspec

__all__ = ["BuiltIn"]


class BuiltIn(
    msgspec.Struct, frozen=True, rename="camel", omit_defaults=True, repr_omit_defaults=True, gc=False
):
    """A struct of a built-in kind.

    The cyclic collector passes instances by: what cannot be changed cannot be made to contain itself.
    """

    __definition__: ClassVar[str] = ""
    """Name of its definition in OpenAPI: `io.k8s.api.core.v1.PodSpec`."""
