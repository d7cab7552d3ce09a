"""Nobody may grant what they do not have.

Called by the registry before a Role, ClusterRole or a binding is written. Being allowed the verb `escalate`
on the role, or `bind` on the role that is bound, lifts the restriction.

Promises
    E1  a write passes only when every part of every rule is covered by some rule that the writer has there
    E2  the refusal lists exactly what is missing

Source: https://kubernetes.io/docs/reference/access-authn-authz/rbac/#privilege-escalation-prevention-and-bootstrapping
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from kajitori.apimachinery.decode import go_quote
from kajitori.apimachinery.errors import forbidden, not_found
from kajitori.apiserver.authentication.user import MASTERS, User
from kajitori.apiserver.authorization.attributes import Attributes
from kajitori.apiserver.authorization.authorizer import Authorizer, aggregated
from kajitori.apiserver.authorization.rbac import GROUP, role_of
from kajitori.apiserver.authorization.rules import EVERYTHING, Rule, parse_rules, path_covers

__all__ = ["check_binding", "check_grant", "check_role", "covers", "missing_rules"]


def check_grant(
    authorizer: Authorizer,
    user: User,
    *,
    resource: str,
    obj: Mapping[str, Any],
    before: Mapping[str, Any] | None = None,
    named: bool = True,
) -> None:
    """Lets `user` write an object of the RBAC group, or raises. `named`: whether the request says its name.

    Raises: Forbidden; NotFound when a binding is to a role that is not there.
    """
    if resource in ("roles", "clusterroles"):
        check_role(authorizer, user, resource=resource, role=obj, before=before, named=named)
    elif resource in ("rolebindings", "clusterrolebindings"):
        check_binding(authorizer, user, resource=resource, binding=obj, before=before)


def check_role(
    authorizer: Authorizer,
    user: User,
    *,
    resource: str,
    role: Mapping[str, Any],
    before: Mapping[str, Any] | None = None,
    named: bool = True,
) -> None:
    """Lets a Role or ClusterRole be written by `user`, or raises.

    `resource` is `roles` or `clusterroles`; `before` is the role as it was, None when it is new. Rules that
    do not change grant nothing. Who may escalate a role of a certain name may do so where the request names it.

    Raises: Forbidden.
    """
    metadata = role.get("metadata") or {}
    name, namespace = metadata.get("name", ""), metadata.get("namespace", "")
    if MASTERS in user.groups:
        return
    if before is not None and _same(role, before):
        return
    escalate = Attributes(
        user=user,
        verb="escalate",
        group=GROUP,
        version="*",
        resource=resource,
        namespace=namespace,
        name=name if named else "",
    )
    if authorizer.authorize(escalate).allowed:
        return
    rules = parse_rules(role.get("rules"))
    problem = _problem(authorizer, user, namespace, rules=rules, resource=resource)
    if problem:
        raise forbidden(resource, GROUP, name, problem)
    if role.get("aggregationRule") and _problem(authorizer, user, "", rules=EVERYTHING, resource=resource):
        raise forbidden(
            resource, GROUP, name, "must have cluster-admin privileges to use the aggregationRule"
        )


def check_binding(
    authorizer: Authorizer,
    user: User,
    *,
    resource: str,
    binding: Mapping[str, Any],
    before: Mapping[str, Any] | None = None,
) -> None:
    """Lets a RoleBinding or ClusterRoleBinding be written by `user`, or raises.

    `resource` is `rolebindings` or `clusterrolebindings`; `before` is the binding as it was.

    Raises: Forbidden; NotFound when the role is not there, so that what it would grant is not known.
    """
    if MASTERS in user.groups:
        return
    if before is not None and all(
        (binding.get(part) or None) == (before.get(part) or None) for part in ("roleRef", "subjects")
    ):
        return
    metadata = binding.get("metadata") or {}
    name, namespace = metadata.get("name", ""), metadata.get("namespace", "")
    role = role_of(binding, namespace)
    bind = Attributes(
        user=user,
        verb="bind",
        group=GROUP,
        version="*",
        resource="roles" if role.kind == "Role" else "clusterroles",
        namespace=namespace,
        name=role.name,
    )
    if authorizer.authorize(bind).allowed:
        return
    rules = authorizer.role_rules(role)
    if rules is None:
        # Kubernetes names the resource of the request here, not the role's.
        raise not_found(resource, GROUP, role.name)
    problem = _problem(authorizer, user, namespace, rules=rules, resource=resource)
    if problem:
        raise forbidden(resource, GROUP, name, problem)


def covers(held: Sequence[Rule], wanted: Iterable[Rule]) -> bool:
    """Whether `held` allow everything that `wanted` do."""
    return not missing_rules(held, wanted)


def missing_rules(held: Sequence[Rule], wanted: Iterable[Rule]) -> list[Rule]:
    """The smallest parts of `wanted` that no rule of `held` covers."""
    return [part for rule in wanted for part in _parts(rule) if not any(_covers(each, part) for each in held)]


def _problem(
    authorizer: Authorizer, user: User, namespace: str, *, rules: Sequence[Rule], resource: str
) -> str:
    """What is wrong with `user` granting `rules` in `namespace`; empty when nothing is."""
    held, lost = authorizer.rules_for(user, namespace)
    missing = missing_rules(held, rules)
    if not missing:
        return ""
    groups = " ".join(map(go_quote, user.groups))
    lines = "\n".join(sorted({str(each) for each in _compacted(missing)}))
    text = (
        f"user {go_quote(user.name)} (groups=[{groups}]) is attempting to grant RBAC permissions "
        f"not currently held:\n{lines}"
    )
    # As above, roles that are not there are told as if they were of the request's resource.
    errors = [f"{resource}.{each.partition('.')[2]}" for each in lost]
    return f"{text}; resolution errors: [{aggregated(errors)}]" if errors else text


def _parts(rule: Rule) -> Iterable[Rule]:
    """A rule as rules of one verb on one thing each."""
    for group in rule.api_groups:
        for resource in rule.resources:
            for verb in rule.verbs:
                for name in rule.resource_names or ("",):
                    yield Rule((verb,), (group,), (resource,), (name,) if rule.resource_names else ())
    for url in rule.non_resource_urls:
        for verb in rule.verbs:
            yield Rule((verb,), non_resource_urls=(url,))


def _covers(held: Rule, part: Rule) -> bool:
    return (
        _includes(held.verbs, part.verbs)
        and _includes(held.api_groups, part.api_groups)
        and all(_includes_resource(held.resources, each) for each in part.resources)
        and all(
            any(path_covers(own, each) for own in held.non_resource_urls) for each in part.non_resource_urls
        )
        and (
            not held.resource_names
            or (bool(part.resource_names) and part.resource_names[0] in held.resource_names)
        )
    )


def _includes(held: Sequence[str], wanted: Sequence[str]) -> bool:
    return "*" in held or all(each in held for each in wanted)


def _includes_resource(held: Sequence[str], wanted: str) -> bool:
    if "*" in held or wanted in held:
        return True
    _, slash, subresource = wanted.partition("/")
    return bool(slash) and f"*/{subresource}" in held


def _compacted(rules: Iterable[Rule]) -> list[Rule]:
    """Parts about the same thing joined again, verbs in order."""
    verbs: dict[Rule, list[str]] = {}
    for each in rules:
        about = Rule((), each.api_groups, each.resources, each.resource_names, each.non_resource_urls)
        if each.non_resource_urls:
            about = each  # these stay apart
        verbs.setdefault(about, []).extend(each.verbs)
    return [
        Rule(tuple(found), about.api_groups, about.resources, about.resource_names, about.non_resource_urls)
        for about, found in verbs.items()
    ]


def _same(role: Mapping[str, Any], before: Mapping[str, Any]) -> bool:
    return parse_rules(role.get("rules")) == parse_rules(before.get("rules")) and (
        role.get("aggregationRule") or None
    ) == (before.get("aggregationRule") or None)
