"""What a write is, told to webhooks and policies.

Source: admission.k8s.io/v1 AdmissionRequest; meta.k8s.io/v1 CreateOptions, UpdateOptions, DeleteOptions.
"""

from kajitori.apimachinery.kind import JsonObject
from kajitori.apiserver.admission.matching import is_of_namespaces
from kajitori.apiserver.options import DeleteOptions, WriteOptions
from kajitori.apiserver.registry.call import Attributes
from kajitori.apiserver.registry.resource import Resource
from kajitori.apiserver.webhooks.review import Asked

__all__ = ["request_asked"]


def request_asked(attributes: Attributes, resource: Resource, uid: str) -> Asked:
    """A write in the words of a review; `resource` is the version that was matched."""
    namespace = attributes.namespace
    if is_of_namespaces(attributes.resource):
        namespace = attributes.name  # as the paths of namespaces have it
    part = attributes.resource.part(attributes.subresource)
    return Asked(
        uid=uid,
        kind=resource.kind if part is None else part.kind,
        subresource=attributes.subresource,
        request_kind=attributes.resource.kind if part is None else part.kind,
        operation=attributes.operation,
        name=attributes.name,
        namespace=namespace,
        user=attributes.user.to_json(),
        dry_run=attributes.dry_run,
        options=_options(attributes),
    )


def _options(attributes: Attributes) -> JsonObject | None:
    options = attributes.options
    if isinstance(options, DeleteOptions):
        return _deletion(options)
    if not isinstance(options, WriteOptions):
        return None
    kind = "CreateOptions" if attributes.operation == "CREATE" else "UpdateOptions"
    told: JsonObject = {"kind": kind, "apiVersion": "meta.k8s.io/v1"}
    if options.dry_run:
        told["dryRun"] = ["All"]
    if options.field_manager:
        told["fieldManager"] = options.field_manager
    if options.field_validation != "Warn":
        told["fieldValidation"] = options.field_validation
    return told


def _deletion(options: DeleteOptions) -> JsonObject:
    told: JsonObject = {"kind": "DeleteOptions", "apiVersion": "meta.k8s.io/v1"}
    if options.grace_period_seconds is not None:
        told["gracePeriodSeconds"] = options.grace_period_seconds
    preconditions = {"uid": options.uid, "resourceVersion": options.resource_version}
    if any(preconditions.values()):
        told["preconditions"] = {key: value for key, value in preconditions.items() if value}
    if options.orphan_dependents is not None:
        told["orphanDependents"] = options.orphan_dependents
    if options.propagation is not None:
        told["propagationPolicy"] = options.propagation
    if options.dry_run:
        told["dryRun"] = ["All"]
    return told
