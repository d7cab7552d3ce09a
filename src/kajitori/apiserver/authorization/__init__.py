"""May they? Role-based access control, the reviews that ask it, and the roles every cluster begins with.

After authentication, before admission. `Authorizer` answers `Attributes`; `reviews` are the API's own
questions; `escalation` keeps people from granting what they do not have; `impersonation` lets one act as
another; `bootstrap` are Kubernetes' default roles.
"""

from kajitori.apiserver.authorization.attributes import Attributes, Decision
from kajitori.apiserver.authorization.bootstrap import bootstrap_rbac
from kajitori.apiserver.authorization.rbac import Authorizer, RoleRef
from kajitori.apiserver.authorization.rules import Rule, parse_rules

__all__ = ["Attributes", "Authorizer", "Decision", "RoleRef", "Rule", "bootstrap_rbac", "parse_rules"]
