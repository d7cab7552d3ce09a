"""CustomResourceDefinition: its defaults, validation, naming and life, and what it makes the server serve.

Everything here is a function of definitions; whoever stores them, and calls the functions, is elsewhere. The typed
models are loaded when they are asked for: the server works on JSON.

Source: https://kubernetes.io/docs/reference/kubernetes-api/extend-resources/custom-resource-definition-v1/
"""

import importlib
import typing

from kajitori.apis.apiextensions_v1.naming import (
    CLEANUP_FINALIZER,
    finish_deletion,
    initial_status,
    mark_deleted,
    report_deletion,
    sync_approval,
    sync_established,
    sync_names,
    sync_structure,
)
from kajitori.apis.apiextensions_v1.serving import ScalePaths, ServedVersion, served_resources, validate_scale
from kajitori.apis.apiextensions_v1.strategy import (
    default_crd,
    prepare_create,
    prepare_update,
    warnings_on_create,
    warnings_on_update,
)
from kajitori.apis.apiextensions_v1.validation import (
    validate_crd,
    validate_crd_status_update,
    validate_crd_update,
)

if typing.TYPE_CHECKING:
    from kajitori.apis.apiextensions_v1.models import (
        CustomResourceColumnDefinition,
        CustomResourceConversion,
        CustomResourceDefinition,
        CustomResourceDefinitionCondition,
        CustomResourceDefinitionNames,
        CustomResourceDefinitionSpec,
        CustomResourceDefinitionStatus,
        CustomResourceDefinitionVersion,
        CustomResourceSubresources,
        CustomResourceSubresourceScale,
        CustomResourceSubresourceStatus,
        CustomResourceValidation,
        ExternalDocumentation,
        JSONSchemaProps,
        SelectableField,
        ServiceReference,
        ValidationRule,
        WebhookClientConfig,
        WebhookConversion,
    )

__all__ = [
    "CLEANUP_FINALIZER",
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
    "ScalePaths",
    "SelectableField",
    "ServedVersion",
    "ServiceReference",
    "ValidationRule",
    "WebhookClientConfig",
    "WebhookConversion",
    "default_crd",
    "finish_deletion",
    "initial_status",
    "mark_deleted",
    "prepare_create",
    "prepare_update",
    "report_deletion",
    "served_resources",
    "sync_approval",
    "sync_established",
    "sync_names",
    "sync_structure",
    "validate_crd",
    "validate_crd_status_update",
    "validate_crd_update",
    "validate_scale",
    "warnings_on_create",
    "warnings_on_update",
]


def __getattr__(name: str) -> typing.Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = globals()[name] = getattr(importlib.import_module(f"{__name__}.models"), name)
    return found
