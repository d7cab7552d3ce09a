"""The kinds that Kubernetes' own controllers work with."""

from kajitori.apimachinery.kind import Kind

__all__ = [
    "CERTIFICATE_SIGNING_REQUESTS",
    "CLUSTER_ROLES",
    "CONFIG_MAPS",
    "CONTROLLER_REVISIONS",
    "DEVICE_CLASSES",
    "NAMESPACES",
    "PERSISTENT_VOLUMES",
    "PERSISTENT_VOLUME_CLAIMS",
    "PODS",
    "POD_DISRUPTION_BUDGETS",
    "RESOURCE_CLAIMS",
    "RESOURCE_QUOTAS",
    "SECRETS",
    "SERVICE_ACCOUNTS",
    "STATEFUL_SETS",
    "SUBJECT_ACCESS_REVIEWS",
    "VALIDATING_ADMISSION_POLICIES",
    "VOLUME_ATTRIBUTES_CLASSES",
]

NAMESPACES = Kind("", "v1", "Namespace", "namespaces", namespaced=False)
SERVICE_ACCOUNTS = Kind("", "v1", "ServiceAccount", "serviceaccounts")
SECRETS = Kind("", "v1", "Secret", "secrets")
CONFIG_MAPS = Kind("", "v1", "ConfigMap", "configmaps")
PODS = Kind("", "v1", "Pod", "pods")
PERSISTENT_VOLUME_CLAIMS = Kind("", "v1", "PersistentVolumeClaim", "persistentvolumeclaims")
PERSISTENT_VOLUMES = Kind("", "v1", "PersistentVolume", "persistentvolumes", namespaced=False)
POD_DISRUPTION_BUDGETS = Kind("policy", "v1", "PodDisruptionBudget", "poddisruptionbudgets")
STATEFUL_SETS = Kind("apps", "v1", "StatefulSet", "statefulsets")
CONTROLLER_REVISIONS = Kind("apps", "v1", "ControllerRevision", "controllerrevisions")
CLUSTER_ROLES = Kind("rbac.authorization.k8s.io", "v1", "ClusterRole", "clusterroles", namespaced=False)
VOLUME_ATTRIBUTES_CLASSES = Kind(
    "storage.k8s.io", "v1", "VolumeAttributesClass", "volumeattributesclasses", namespaced=False
)
RESOURCE_QUOTAS = Kind("", "v1", "ResourceQuota", "resourcequotas")
RESOURCE_CLAIMS = Kind("resource.k8s.io", "v1", "ResourceClaim", "resourceclaims")
DEVICE_CLASSES = Kind("resource.k8s.io", "v1", "DeviceClass", "deviceclasses", namespaced=False)
CERTIFICATE_SIGNING_REQUESTS = Kind(
    "certificates.k8s.io",
    "v1",
    "CertificateSigningRequest",
    "certificatesigningrequests",
    namespaced=False,
)
SUBJECT_ACCESS_REVIEWS = Kind(
    "authorization.k8s.io", "v1", "SubjectAccessReview", "subjectaccessreviews", namespaced=False
)
VALIDATING_ADMISSION_POLICIES = Kind(
    "admissionregistration.k8s.io",
    "v1",
    "ValidatingAdmissionPolicy",
    "validatingadmissionpolicies",
    namespaced=False,
)
