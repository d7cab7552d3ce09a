"""What of a binding's rights an audit log cannot show, whoever uses them.

Promises
    B1  what only admission, policies, kubelets or other servers ask for is unseen
    B2  with the server's audit policy, what it leaves out for one of the subjects is unseen as well; of a `*` those
        things that the policy names, or all where it names none
"""

from collections.abc import Iterator

from kajitori.apiserver.authentication.user import (
    AUTHENTICATED,
    User,
    service_account_groups,
    service_account_user,
)
from kajitori.apiserver.authorization import Attributes, Rule
from kajitori.apiserver.operating.audit.policy import NONE, Policy
from kajitori.posture.rbac.grants import Binding, Subject

__all__ = ["STANDARD_VERBS", "Part", "Unseen"]

STANDARD_VERBS = ("get", "list", "watch", "create", "update", "patch", "delete", "deletecollection")
"""Those of requests for resources."""

Part = tuple[str, str, str]
"""Verb, group, resource with its subresource; a `*` is one."""

_IN_LOG = ("*", "approve", "attest", "bind", "escalate", "sign")
"""Verbs that are asked within a request which the log has; impersonation is there as well."""
_KUBELET_PARTS = ("checkpoint", "configz", "healthz", "log", "metrics", "pods", "proxy", "spec", "stats")
_LEFT_OUT = "the audit policy leaves it out"


class Unseen:
    """Of one binding."""

    def __init__(self, binding: Binding, policy: Policy | None = None) -> None:
        self._namespace = binding.namespace
        self._users = [_user(each) for each in binding.subjects] if policy is not None else []
        self._policy = policy
        named = [] if policy is None else [each for each in policy.rules if each.level == NONE]
        self._things = [
            (each.group, resource)
            for rule in named
            for each in rule.resources
            for resource in each.resources or ("*",)
        ]
        self._paths = [path for rule in named for path in rule.non_resource_urls]

    def parts(self, rule: Rule) -> Iterator[tuple[Part, str]]:
        """What of a rule is unseen, with why."""
        for group in rule.api_groups:
            for resource in rule.resources:
                for verb in rule.verbs:
                    why = _asked_elsewhere(verb, group, resource)
                    if why:
                        yield (verb, group, resource), why
                    elif self._policy is not None:
                        yield from ((part, _LEFT_OUT) for part in self._left_out(verb, group, resource))

    def paths(self, rule: Rule) -> Iterator[tuple[str, str]]:
        """What of its paths is unseen, with why."""
        for url in rule.non_resource_urls:
            if url != "*":
                yield url, "other servers than the API server may ask for it"
            else:
                for path in self._paths:
                    if any(
                        self._is_left_out(Attributes(user=each, verb="get", path=path))
                        for each in self._users
                    ):
                        yield path, _LEFT_OUT

    def _left_out(self, verb: str, group: str, resource: str) -> Iterator[Part]:
        verbs = STANDARD_VERBS if verb == "*" else (verb,)
        things = [(group, resource)]
        if "*" in (group, resource):
            things += [
                each
                for each in self._things
                if group in ("*", each[0]) and resource in ("*", each[1]) and "*" not in each
            ]
        for one in verbs:
            for each in things:
                name, _, subresource = each[1].partition("/")
                if any(
                    self._is_left_out(
                        Attributes(
                            user=user,
                            verb=one,
                            group=each[0],
                            resource=name,
                            subresource=subresource,
                            namespace=self._namespace,
                        )
                    )
                    for user in self._users
                ):
                    yield (one, *each)

    def _is_left_out(self, attributes: Attributes) -> bool:
        assert self._policy is not None, "asked only where there is one"
        return self._policy.wanted(attributes).level == NONE


def _user(subject: Subject) -> User:
    """Whoever the subject is, as a request would be of it."""
    if subject.kind == "ServiceAccount":
        name = service_account_user(subject.namespace, subject.name)
        return User(name, groups=(*service_account_groups(subject.namespace), AUTHENTICATED))
    if subject.kind == "Group":
        return User("", groups=(subject.name, AUTHENTICATED))
    return User(subject.name, groups=(AUTHENTICATED,))


def _asked_elsewhere(verb: str, group: str, resource: str) -> str:
    """Why no request shows it (B1); empty when one does."""
    name, slash, part = resource.partition("/")
    if slash and part == "finalizers":
        return "admission asks for it"
    if name == "nodes" and part in _KUBELET_PARTS and group in ("", "*"):
        return "kubelets ask for it"
    if verb not in STANDARD_VERBS and verb not in _IN_LOG and not verb.startswith("impersonate"):
        return "admission and policies ask for it"
    return ""
