"""Typed models of authentication.k8s.io/v1: frozen classes, unset fields at their zero.

Written by tools/gen_models.py from the facts: change that, and run it. What the fields mean is told by
`kubectl explain` and the reference of the API; `apimachinery/built_in` says what all models promise.

Source: https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.36/
"""

from collections.abc import Mapping
from typing import ClassVar

from kajitori.apimachinery.built_in import BuiltIn
from kajitori.apimachinery.declare import Time
from kajitori.apimachinery.frozen import EMPTY
from kajitori.apimachinery.kind import Kind
from kajitori.apimachinery.objectmeta import ObjectMeta

__all__ = [
    "BoundObjectReference",
    "SelfSubjectReview",
    "SelfSubjectReviewStatus",
    "TokenRequest",
    "TokenRequestSpec",
    "TokenRequestStatus",
    "TokenReview",
    "TokenReviewSpec",
    "TokenReviewStatus",
    "UserInfo",
]


class BoundObjectReference(BuiltIn, frozen=True, kw_only=True):
    """`BoundObjectReference` of authentication.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.authentication.v1.BoundObjectReference"
    kind: str = ""
    api_version: str = ""
    name: str = ""
    uid: str = ""


class UserInfo(BuiltIn, frozen=True, kw_only=True):
    """`UserInfo` of authentication.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.authentication.v1.UserInfo"
    username: str = ""
    uid: str = ""
    groups: tuple[str, ...] = ()
    extra: Mapping[str, tuple[str, ...]] = EMPTY


class SelfSubjectReviewStatus(BuiltIn, frozen=True, kw_only=True):
    """`SelfSubjectReviewStatus` of authentication.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.authentication.v1.SelfSubjectReviewStatus"
    user_info: UserInfo = UserInfo()


class SelfSubjectReview(BuiltIn, frozen=True, kw_only=True):
    """`selfsubjectreviews` of authentication.k8s.io/v1, of the cluster."""

    __kind__: ClassVar[Kind] = Kind(
        "authentication.k8s.io", "v1", "SelfSubjectReview", "selfsubjectreviews", False
    )
    __definition__: ClassVar[str] = "io.k8s.api.authentication.v1.SelfSubjectReview"
    metadata: ObjectMeta = ObjectMeta()
    status: SelfSubjectReviewStatus = SelfSubjectReviewStatus()


class TokenRequestSpec(BuiltIn, frozen=True, kw_only=True):
    """`TokenRequestSpec` of authentication.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.authentication.v1.TokenRequestSpec"
    audiences: tuple[str, ...] = ()
    expiration_seconds: int | None = None
    bound_object_ref: BoundObjectReference | None = None


class TokenRequestStatus(BuiltIn, frozen=True, kw_only=True):
    """`TokenRequestStatus` of authentication.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.authentication.v1.TokenRequestStatus"
    token: str = ""
    expiration_timestamp: Time | None = None


class TokenRequest(BuiltIn, frozen=True, kw_only=True):
    """The body of a subresource, TokenRequest of authentication.k8s.io/v1."""

    __kind__: ClassVar[Kind] = Kind("authentication.k8s.io", "v1", "TokenRequest", "", True)
    __definition__: ClassVar[str] = "io.k8s.api.authentication.v1.TokenRequest"
    metadata: ObjectMeta = ObjectMeta()
    spec: TokenRequestSpec = TokenRequestSpec()
    status: TokenRequestStatus = TokenRequestStatus()


class TokenReviewSpec(BuiltIn, frozen=True, kw_only=True):
    """`TokenReviewSpec` of authentication.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.authentication.v1.TokenReviewSpec"
    token: str = ""
    audiences: tuple[str, ...] = ()


class TokenReviewStatus(BuiltIn, frozen=True, kw_only=True):
    """`TokenReviewStatus` of authentication.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.authentication.v1.TokenReviewStatus"
    authenticated: bool = False
    user: UserInfo = UserInfo()
    audiences: tuple[str, ...] = ()
    error: str = ""


class TokenReview(BuiltIn, frozen=True, kw_only=True):
    """`tokenreviews` of authentication.k8s.io/v1, of the cluster."""

    __kind__: ClassVar[Kind] = Kind("authentication.k8s.io", "v1", "TokenReview", "tokenreviews", False)
    __definition__: ClassVar[str] = "io.k8s.api.authentication.v1.TokenReview"
    metadata: ObjectMeta = ObjectMeta()
    spec: TokenReviewSpec = TokenReviewSpec()
    status: TokenReviewStatus = TokenReviewStatus()
