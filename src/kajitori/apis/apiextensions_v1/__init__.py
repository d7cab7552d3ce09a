"""CustomResourceDefinition: its defaults, validation, naming and life, and what it makes the server serve.

Everything here is a function of definitions; whoever stores them, and calls the functions, is elsewhere.

Source: https://kubernetes.io/docs/reference/kubernetes-api/extend-resources/custom-resource-definition-v1/
"""

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

__all__ = [
    "CLEANUP_FINALIZER",
    "ScalePaths",
    "ServedVersion",
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
