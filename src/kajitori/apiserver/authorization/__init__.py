"""May they? Who is asked, role-based access control, the reviews that ask, and the roles every cluster begins with.

After authentication, before admission. `Authorizer` answers `Attributes`, by the modes it was given (`rbac`, `node`,
`abac`, `webhook`); `settled` is for those who have to wait for an answer. `reviews` are the API's own
questions; `escalation` keeps people from granting what they do not have; `impersonation` lets one act as
another; `bootstrap` are Kubernetes' default roles.
"""

from kajitori.apiserver.authorization.attributes import Attributes, Decision
from kajitori.apiserver.authorization.authorizer import Authorizer, Member, Mode
from kajitori.apiserver.authorization.bootstrap import bootstrap_rbac
from kajitori.apiserver.authorization.rbac import Rbac, RoleRef
from kajitori.apiserver.authorization.rules import Rule, parse_rules
from kajitori.apiserver.authorization.undecided import Undecided, settled

__all__ = [
    "Attributes",
    "Authorizer",
    "Decision",
    "Member",
    "Mode",
    "Rbac",
    "RoleRef",
    "Rule",
    "Undecided",
    "bootstrap_rbac",
    "parse_rules",
    "settled",
]
