"""Typed models of apiextensions.k8s.io/v1: frozen classes, unset fields at their zero.

Written by tools/gen_models.py from the facts: change that, and run it. What the fields mean is told by
`kubectl explain` and the reference of the API; `apimachinery/built_in` says what all models promise.

Source: https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.36/
"""

from collections.abc import Mapping
from typing import Any, ClassVar

import msgspec

from kajitori.apimachinery.built_in import BuiltIn
from kajitori.apimachinery.declare import Time
from kajitori.apimachinery.frozen import EMPTY
from kajitori.apimachinery.kind import Kind
from kajitori.apimachinery.objectmeta import ObjectMeta

__all__ = [
    "CustomResourceColumnDefinition",
    "CustomResourceConversion",
    "CustomResourceDefinition",
    "CustomResourceDefinitionCondition",
    "CustomResourceDefinitionNames",
    "CustomResourceDefinitionSpec",
    "CustomResourceDefinitionStatus",
    "CustomResourceDefinitionVersion",
    "CustomResourceSubresourceScale",
    "CustomResourceSubresourceStatus",
    "CustomResourceSubresources",
    "CustomResourceValidation",
    "ExternalDocumentation",
    "JSONSchemaProps",
    "SelectableField",
    "ServiceReference",
    "ValidationRule",
    "WebhookClientConfig",
    "WebhookConversion",
]


class CustomResourceColumnDefinition(BuiltIn, frozen=True, kw_only=True):
    """`CustomResourceColumnDefinition` of apiextensions.v1."""

    __definition__: ClassVar[str] = (
        "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceColumnDefinition"
    )
    name: str = ""
    type: str = ""
    format: str = ""
    description: str = ""
    priority: int = 0
    json_path: str = ""


class ServiceReference(BuiltIn, frozen=True, kw_only=True):
    """`ServiceReference` of apiextensions.v1."""

    __definition__: ClassVar[str] = (
        "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.ServiceReference"
    )
    namespace: str = ""
    name: str = ""
    path: str | None = None
    port: int | None = None


class WebhookClientConfig(BuiltIn, frozen=True, kw_only=True):
    """`WebhookClientConfig` of apiextensions.v1."""

    __definition__: ClassVar[str] = (
        "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.WebhookClientConfig"
    )
    url: str | None = None
    service: ServiceReference | None = None
    ca_bundle: bytes = b""


class WebhookConversion(BuiltIn, frozen=True, kw_only=True):
    """`WebhookConversion` of apiextensions.v1."""

    __definition__: ClassVar[str] = (
        "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.WebhookConversion"
    )
    client_config: WebhookClientConfig | None = None
    conversion_review_versions: tuple[str, ...] = ()


class CustomResourceConversion(BuiltIn, frozen=True, kw_only=True):
    """`CustomResourceConversion` of apiextensions.v1."""

    __definition__: ClassVar[str] = (
        "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceConversion"
    )
    strategy: str = ""
    webhook: WebhookConversion | None = None


class CustomResourceDefinitionNames(BuiltIn, frozen=True, kw_only=True):
    """`CustomResourceDefinitionNames` of apiextensions.v1."""

    __definition__: ClassVar[str] = (
        "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinitionNames"
    )
    plural: str = ""
    singular: str = ""
    short_names: tuple[str, ...] = ()
    kind: str = ""
    list_kind: str = ""
    categories: tuple[str, ...] = ()


class ExternalDocumentation(BuiltIn, frozen=True, kw_only=True):
    """`ExternalDocumentation` of apiextensions.v1."""

    __definition__: ClassVar[str] = (
        "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.ExternalDocumentation"
    )
    description: str = ""
    url: str = ""


class ValidationRule(BuiltIn, frozen=True, kw_only=True):
    """`ValidationRule` of apiextensions.v1."""

    __definition__: ClassVar[str] = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.ValidationRule"
    rule: str = ""
    message: str = ""
    message_expression: str = ""
    reason: str | None = None
    field_path: str = ""
    optional_old_self: bool | None = None


class JSONSchemaProps(BuiltIn, frozen=True, kw_only=True):
    """`JSONSchemaProps` of apiextensions.v1."""

    __definition__: ClassVar[str] = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps"
    id: str = ""
    schema: str = msgspec.field(default="", name="$schema")
    ref: str | None = msgspec.field(default=None, name="$ref")
    description: str = ""
    type: str = ""
    format: str = ""
    title: str = ""
    default: Any = None
    maximum: float | None = None
    exclusive_maximum: bool = False
    minimum: float | None = None
    exclusive_minimum: bool = False
    max_length: int | None = None
    min_length: int | None = None
    pattern: str = ""
    max_items: int | None = None
    min_items: int | None = None
    unique_items: bool = False
    multiple_of: float | None = None
    enum: tuple[Any, ...] = ()
    max_properties: int | None = None
    min_properties: int | None = None
    required: tuple[str, ...] = ()
    items: "JSONSchemaProps | tuple[JSONSchemaProps, ...] | None" = None
    all_of: "tuple[JSONSchemaProps, ...]" = ()
    one_of: "tuple[JSONSchemaProps, ...]" = ()
    any_of: "tuple[JSONSchemaProps, ...]" = ()
    not_: "JSONSchemaProps | None" = None
    properties: "Mapping[str, JSONSchemaProps]" = EMPTY
    additional_properties: "JSONSchemaProps | bool | None" = None
    pattern_properties: "Mapping[str, JSONSchemaProps]" = EMPTY
    dependencies: "Mapping[str, JSONSchemaProps | tuple[str, ...]]" = EMPTY
    additional_items: "JSONSchemaProps | bool | None" = None
    definitions: "Mapping[str, JSONSchemaProps]" = EMPTY
    external_docs: ExternalDocumentation | None = None
    example: Any = None
    nullable: bool = False
    x_kubernetes_preserve_unknown_fields: bool | None = msgspec.field(
        default=None, name="x-kubernetes-preserve-unknown-fields"
    )
    x_kubernetes_embedded_resource: bool = msgspec.field(default=False, name="x-kubernetes-embedded-resource")
    x_kubernetes_int_or_string: bool = msgspec.field(default=False, name="x-kubernetes-int-or-string")
    x_kubernetes_list_map_keys: tuple[str, ...] = msgspec.field(default=(), name="x-kubernetes-list-map-keys")
    x_kubernetes_list_type: str | None = msgspec.field(default=None, name="x-kubernetes-list-type")
    x_kubernetes_map_type: str | None = msgspec.field(default=None, name="x-kubernetes-map-type")
    x_kubernetes_validations: tuple[ValidationRule, ...] = msgspec.field(
        default=(), name="x-kubernetes-validations"
    )


class CustomResourceValidation(BuiltIn, frozen=True, kw_only=True):
    """`CustomResourceValidation` of apiextensions.v1."""

    __definition__: ClassVar[str] = (
        "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceValidation"
    )
    open_api_v3_schema: JSONSchemaProps | None = msgspec.field(default=None, name="openAPIV3Schema")


class CustomResourceSubresourceStatus(BuiltIn, frozen=True, kw_only=True):
    """`CustomResourceSubresourceStatus` of apiextensions.v1."""

    __definition__: ClassVar[str] = (
        "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceSubresourceStatus"
    )


class CustomResourceSubresourceScale(BuiltIn, frozen=True, kw_only=True):
    """`CustomResourceSubresourceScale` of apiextensions.v1."""

    __definition__: ClassVar[str] = (
        "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceSubresourceScale"
    )
    spec_replicas_path: str = ""
    status_replicas_path: str = ""
    label_selector_path: str | None = None


class CustomResourceSubresources(BuiltIn, frozen=True, kw_only=True):
    """`CustomResourceSubresources` of apiextensions.v1."""

    __definition__: ClassVar[str] = (
        "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceSubresources"
    )
    status: CustomResourceSubresourceStatus | None = None
    scale: CustomResourceSubresourceScale | None = None


class SelectableField(BuiltIn, frozen=True, kw_only=True):
    """`SelectableField` of apiextensions.v1."""

    __definition__: ClassVar[str] = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.SelectableField"
    json_path: str = ""


class CustomResourceDefinitionVersion(BuiltIn, frozen=True, kw_only=True):
    """`CustomResourceDefinitionVersion` of apiextensions.v1."""

    __definition__: ClassVar[str] = (
        "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinitionVersion"
    )
    name: str = ""
    served: bool = False
    storage: bool = False
    deprecated: bool = False
    deprecation_warning: str | None = None
    schema: CustomResourceValidation | None = None
    subresources: CustomResourceSubresources | None = None
    additional_printer_columns: tuple[CustomResourceColumnDefinition, ...] = ()
    selectable_fields: tuple[SelectableField, ...] = ()


class CustomResourceDefinitionSpec(BuiltIn, frozen=True, kw_only=True):
    """`CustomResourceDefinitionSpec` of apiextensions.v1."""

    __definition__: ClassVar[str] = (
        "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinitionSpec"
    )
    group: str = ""
    names: CustomResourceDefinitionNames = CustomResourceDefinitionNames()
    scope: str = ""
    versions: tuple[CustomResourceDefinitionVersion, ...] = ()
    conversion: CustomResourceConversion | None = None
    preserve_unknown_fields: bool = False


class CustomResourceDefinitionCondition(BuiltIn, frozen=True, kw_only=True):
    """`CustomResourceDefinitionCondition` of apiextensions.v1."""

    __definition__: ClassVar[str] = (
        "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinitionCondition"
    )
    type: str = ""
    status: str = ""
    last_transition_time: Time | None = None
    reason: str = ""
    message: str = ""
    observed_generation: int = 0


class CustomResourceDefinitionStatus(BuiltIn, frozen=True, kw_only=True):
    """`CustomResourceDefinitionStatus` of apiextensions.v1."""

    __definition__: ClassVar[str] = (
        "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinitionStatus"
    )
    conditions: tuple[CustomResourceDefinitionCondition, ...] = ()
    accepted_names: CustomResourceDefinitionNames = CustomResourceDefinitionNames()
    stored_versions: tuple[str, ...] = ()
    observed_generation: int = 0


class CustomResourceDefinition(BuiltIn, frozen=True, kw_only=True):
    """`customresourcedefinitions` of apiextensions.k8s.io/v1, of the cluster."""

    __kind__: ClassVar[Kind] = Kind(
        "apiextensions.k8s.io", "v1", "CustomResourceDefinition", "customresourcedefinitions", False
    )
    __definition__: ClassVar[str] = (
        "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinition"
    )
    metadata: ObjectMeta = ObjectMeta()
    spec: CustomResourceDefinitionSpec = CustomResourceDefinitionSpec()
    status: CustomResourceDefinitionStatus = CustomResourceDefinitionStatus()
