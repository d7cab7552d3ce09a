"""CertificateSigningRequests: approved for nodes, signed for those who were approved, cleaned away when old.

Source: https://kubernetes.io/docs/reference/access-authn-authz/certificate-signing-requests/ and Kubernetes'
certificates controllers.
"""

from kajitori.controllers.certificates.approving import setup_approving
from kajitori.controllers.certificates.cleaning import setup_cleaning
from kajitori.controllers.certificates.signer import setup_signing

__all__ = ["setup_approving", "setup_cleaning", "setup_signing"]
