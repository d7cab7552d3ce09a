"""What was used of RBAC, and what would have been enough."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.posture.objects import account, binding, checks, inventory, paths, role, rule
from tests.posture.rbac.events import event, event_of, lines

from kajitori.apiserver.authentication.user import User, service_account_groups
from kajitori.apiserver.authorization import Attributes, Authorizer, Rbac, parse_rules
from kajitori.apiserver.authorization.escalation import missing_rules
from kajitori.apiserver.operating.audit.policy import Policy, parse_policy
from kajitori.posture.findings import Section
from kajitori.posture.inventory import Inventory
from kajitori.posture.rbac.auditlog import LogRead
from kajitori.posture.rbac.grants import Grants
from kajitori.posture.rbac.judging import judge_rbac, named_resources
from kajitori.posture.rbac.usage import BindingUse

# Small worlds, so that rules and requests meet.
VERBS = ["get", "list", "update", "use", "escalate", "*"]
GROUPS = ["", "apps", "*"]
RESOURCES = ["pods", "pods/log", "nodes/metrics", "things/finalizers", "*", "*/log"]
NAMES = ["a", "b"]
SPACES = ["x", "y"]
URLS = ["/healthz", "/healthz/*", "/metrics", "*"]
USERS = [
    User("jane", groups=("ops",)),
    User("joe"),
    User("system:serviceaccount:x:web", groups=service_account_groups("x")),
]
SUBJECTS = ["User jane", "User joe", "Group ops", "x/web", "Group system:serviceaccounts:x"]


def some(values: list[str]) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(values), min_size=1, max_size=3, unique=True)


rules = st.one_of(
    st.builds(
        lambda verbs, groups, resources, names: {"verbs": verbs, "apiGroups": groups, "resources": resources}
        | ({"resourceNames": names} if names else {}),
        some(VERBS), some(GROUPS), some(RESOURCES), st.lists(st.sampled_from(NAMES), max_size=2, unique=True),
    ),
    st.builds(lambda verbs, urls: {"verbs": verbs, "nonResourceURLs": urls}, some(VERBS), some(URLS)),
)  # fmt: skip
requests = st.one_of(
    st.builds(
        lambda user, verb, group, resource, sub, space, name: Attributes(
            user=user, verb=verb, group=group, resource=resource, subresource=sub, namespace=space, name=name
        ),
        st.sampled_from(USERS), st.sampled_from(VERBS[:-1]), st.sampled_from(["", "apps"]),
        st.sampled_from(["pods", "nodes", "things"]), st.sampled_from(["", "log", "metrics"]),
        st.sampled_from(["", *SPACES]), st.sampled_from(["", *NAMES]),
    ),
    st.builds(
        lambda user, verb, path: Attributes(user=user, verb=verb, path=path),
        st.sampled_from(USERS), st.sampled_from(["get", "update"]),
        st.sampled_from(["/healthz", "/healthz/x", "/other"]),
    ),
)  # fmt: skip


@st.composite
def clusters(draw: st.DrawFn) -> list[dict[str, Any]]:
    objects = []
    for index in range(draw(st.integers(1, 3))):
        cluster = draw(st.booleans())
        objects.append(
            role(f"r{index}", *draw(st.lists(rules, min_size=1, max_size=3)), space="" if cluster else "x")
        )
    kinds = [(each["kind"] == "ClusterRole", each["metadata"]["name"]) for each in objects]
    for index in range(draw(st.integers(1, 4))):
        cluster, name = draw(st.sampled_from(kinds))
        space = draw(st.sampled_from(["", *SPACES])) if cluster else "x"
        objects.append(binding(f"b{index}", name, *draw(some(SUBJECTS)), space=space, cluster_role=cluster))
    return objects


def authorizer(*objects: dict[str, Any]) -> Authorizer:
    def listed(resource: str) -> list[dict[str, Any]]:
        return [each for each in objects if each["kind"].lower() + "s" == resource]

    return Authorizer(Rbac(listed))


def log_of(grants: Grants, *events: dict[str, Any]) -> LogRead:
    read = LogRead(files=["audit.log"])
    for line in lines(*events).splitlines():
        read.recorded.add(line, named_resources(grants))
    return read


def judged(
    found: Inventory, *events: dict[str, Any], policy: Policy | None = None
) -> tuple[Section, dict[str, BindingUse]]:
    grants = Grants(found)
    section = judge_rbac(found, grants, log_of(grants, *events), policy=policy)
    return section, {each.binding: each for each in section.judged if isinstance(each, BindingUse)}


def applied(objects: list[dict[str, Any]], uses: dict[str, BindingUse]) -> list[dict[str, Any]]:
    """The objects with every proposal in place, and without the bindings that nobody used."""
    after = {
        (each["kind"], each["metadata"].get("namespace", ""), each["metadata"]["name"]): each
        for each in objects
    }
    for use in uses.values():
        if use.replaces or (use.wider and not use.proposal):
            kind, _, shown = use.binding.partition(" ")
            namespace, _, name = shown.rpartition("/")
            del after[kind, namespace, name]
        for each in use.proposal:
            made: Any = each
            after[made["kind"], made["metadata"].get("namespace", ""), made["metadata"]["name"]] = made
    return list(after.values())


@settings(max_examples=70)
@given(clusters(), st.lists(requests, max_size=12))
def test_whatever_was_recorded_is_still_allowed_and_nothing_new(
    objects: list[dict[str, Any]], asked: list[Attributes]
) -> None:  # N1, N2
    before = authorizer(*objects)
    allowed = [each for each in asked if before.authorize(each).allowed]
    events = [event_of(each, refused=each not in allowed) for each in asked]
    _, uses = judged(inventory(*objects), *events)
    after = authorizer(*applied(objects, uses))
    for each in allowed:
        assert after.authorize(each).allowed, each
    for user in USERS:
        for space in SPACES:
            assert missing_rules(before.rules_for(user, space)[0], after.rules_for(user, space)[0]) == []


@settings(max_examples=40)
@given(clusters(), st.lists(requests, max_size=12))
def test_what_was_narrowed_cannot_be_narrowed_further(
    objects: list[dict[str, Any]], asked: list[Attributes]
) -> None:
    before = authorizer(*objects)
    events = [event_of(each) for each in asked if before.authorize(each).allowed]
    _, uses = judged(inventory(*objects), *events)
    _, again = judged(inventory(*applied(objects, uses)), *events)
    assert [each.binding for each in again.values() if each.wider] == []


def test_rules_verbs_and_resources_that_nobody_used() -> None:
    found = inventory(
        role(
            "r", rule("get,list,delete", "pods,secrets"), rule("create", "jobs", groups="batch"), space="shop"
        ),
        binding("b", "r", "shop/web", "User jane", space="shop"),
        account("shop", "web"),
    )
    section, uses = judged(found, event("system:serviceaccount:shop:web", "list", "/pods@shop"))
    use = uses["RoleBinding shop/b"]
    assert (use.requests, use.wider, use.replaces, use.unused_subjects) == (1, True, False, ("User jane",))
    first, second = use.rules
    assert (first.used, first.unused_verbs, first.unused_resources) == (True, ("get", "delete"), ("secrets",))
    assert not second.used
    assert use.proposal == (
        role("r", {"verbs": ["list"], "apiGroups": [""], "resources": ["pods"]}, space="shop"),
    )
    (finding,) = [each for each in section.findings if each.check == "wider-than-used"]
    assert finding.evidence == (
        "rules[0] verbs never used: get, delete; resources never used: secrets",
        f"rules[1] never used: {second.rule}",
        "never seen: User jane",
    )


def test_what_two_bindings_allow_is_used_in_both() -> None:  # V1
    found = inventory(
        role("r", rule("get", "pods"), space="shop"), role("all", rule("get", "pods")),
        binding("a", "r", "User jane", space="shop"), binding("b", "all", "Group ops"),
    )  # fmt: skip
    _, uses = judged(found, event("jane", "get", "/pods@shop:p", groups=("ops",)))
    assert {name: (each.requests, each.wider) for name, each in uses.items()} == {
        "ClusterRoleBinding b": (1, False),
        "RoleBinding shop/a": (1, False),
    }


def test_wildcards_are_told_with_what_they_were_used_for() -> None:
    found = inventory(role("r", rule("*", "*", groups="*"), paths("*", "*")), binding("b", "r", "User jane"))
    section, uses = judged(
        found,
        event("jane", "list", "/pods@shop"),
        event("jane", "patch", "apps/deployments/scale@shop:web"),
        event("jane", "get", "//version"),
    )
    use = uses["ClusterRoleBinding b"]
    assert use.rules[0].wildcards == (
        "verbs: list, patch",
        "apiGroups: apps, core",
        "resources: deployments/scale, pods",
    )
    assert use.rules[1].wildcards == ("verbs: get", "nonResourceURLs: /version")
    assert use.namespaces == ("shop",)
    (proposed,) = use.proposal
    assert proposed["rules"] == [
        {"verbs": ["list"], "apiGroups": [""], "resources": ["pods"]},
        {"verbs": ["patch"], "apiGroups": ["apps"], "resources": ["deployments/scale"]},
        {"verbs": ["get"], "nonResourceURLs": ["/version"]},
    ]
    assert ("medium", "wider-than-used", "ClusterRoleBinding b") in checks(section.findings)


def test_what_no_log_shows_stays() -> None:  # N3, V2
    hidden = [
        rule("update", "deployments/finalizers", groups="apps"),
        rule("use", "things", groups="example.com"),
        rule("get", "nodes/metrics"),
        paths("get", "/metrics"),
    ]
    section, uses = judged(inventory(role("r", *hidden), binding("b", "r", "User jane")))
    use = uses["ClusterRoleBinding b"]
    assert not use.wider and use.proposal == ()
    assert all(each.unseen for each in use.rules)
    assert [each.check for each in section.findings] == []
    _, uses = judged(inventory(role("r", *hidden, rule("get", "pods")), binding("b", "r", "User jane")))
    (proposed,) = uses["ClusterRoleBinding b"].proposal
    wanted: Any = proposed["rules"]
    assert missing_rules(parse_rules(wanted), parse_rules(hidden)) == []


POLICY = """
apiVersion: audit.k8s.io/v1
kind: Policy
rules:
- {level: None, users: [jane], verbs: [watch], resources: [{group: "", resources: [endpoints, pods]}]}
- {level: None, userGroups: [ops], resources: [{group: apps}]}
- {level: None, nonResourceURLs: ["/healthz*"]}
- {level: Metadata}
"""


def test_what_the_audit_policy_leaves_out_stays() -> None:  # B2
    policy = parse_policy(POLICY.encode())
    objects = [
        role("exact", rule("get,watch", "pods,secrets")), role("some", rule("*", "*"), paths("*", "*")),
        role("apps", rule("get", "*", groups="apps")),
        binding("a", "exact", "User jane"), binding("b", "exact", "User joe"), binding("c", "some", "User jane"),
        binding("d", "apps", "Group ops"),
    ]  # fmt: skip
    section, uses = judged(inventory(*objects), event("jane", "get", "/pods@shop:p"), policy=policy)
    found = {name: use.proposal[0]["rules"] if use.proposal else None for name, use in uses.items()}
    assert found == {
        "ClusterRoleBinding a": [{"verbs": ["get", "watch"], "apiGroups": [""], "resources": ["pods"]}],
        "ClusterRoleBinding b": None,
        "ClusterRoleBinding c": [
            {"verbs": ["get", "watch"], "apiGroups": [""], "resources": ["pods"]},
            {"verbs": ["watch"], "apiGroups": [""], "resources": ["endpoints"]},
            {"verbs": ["*"], "nonResourceURLs": ["/healthz*"]},
        ],
        "ClusterRoleBinding d": None,
    }
    assert not uses["ClusterRoleBinding d"].wider, "whatever they do is left out"
    assert uses["ClusterRoleBinding a"].rules[0].unseen == ("watch pods: the audit policy leaves it out",)
    assert "what the audit policy leaves out" not in " ".join(section.notes)


def test_rights_that_a_write_may_have_needed_stay() -> None:
    rbac = "rbac.authorization.k8s.io"
    objects = (
        role("r", rule("*", "*", groups=rbac), rule("bind", "clusterroles", "view", groups=rbac)),
        binding("b", "r", "User jane"),
    )
    _, uses = judged(inventory(*objects), event("jane", "create", f"{rbac}/rolebindings@shop:x", code=201))
    (proposed,) = uses["ClusterRoleBinding b"].proposal
    assert proposed["rules"] == [
        {"verbs": ["bind"], "apiGroups": [rbac], "resources": ["clusterroles", "roles"]},
        {"verbs": ["create"], "apiGroups": [rbac], "resources": ["rolebindings"]},
    ]


def test_roles_of_others_are_left_alone() -> None:  # N4
    mine = role("mine", rule("get,list", "pods"))
    shared = role("shared", rule("get,list", "pods"))
    aggregated = role("part", rule("get,list", "pods"))
    aggregated["metadata"]["labels"] = {"to": "whole"}
    whole = role("whole") | {"aggregationRule": {"clusterRoleSelectors": [{"matchLabels": {"to": "whole"}}]}}
    found = inventory(
        mine, shared, aggregated, whole,
        binding("a", "mine", "User jane"), binding("b", "shared", "User jane"),
        binding("c", "shared", "User joe", space="shop", cluster_role=True),
        binding("d", "part", "User jane"), binding("e", "view", "User jane"),
        binding("b-used", "gone", "User jill"),
    )  # fmt: skip
    _, uses = judged(found, *(event(each, "get", "/pods@shop:p") for each in ("jane", "joe")))
    names = {
        each: [(str(one["kind"]), one["metadata"]["name"]) for one in uses[each].proposal]  # type: ignore[index]
        for each in uses
    }
    assert names == {
        "ClusterRoleBinding a": [("ClusterRole", "mine")],
        "ClusterRoleBinding b": [("ClusterRole", "b-used-2"), ("ClusterRoleBinding", "b-used-2")],
        "RoleBinding shop/c": [("Role", "c-used"), ("RoleBinding", "c-used")],
        "ClusterRoleBinding d": [("ClusterRole", "d-used"), ("ClusterRoleBinding", "d-used")],
        "ClusterRoleBinding e": [("ClusterRole", "e-used"), ("ClusterRoleBinding", "e-used")],
    }
    assert [each for each in uses if uses[each].replaces] == list(uses)[1:]


def test_a_binding_that_nobody_used() -> None:
    found = inventory(
        role("r", rule("get", "pods"), space="shop"), binding("b", "r", "User jane", space="shop")
    )
    section, uses = judged(found, event("joe", "get", "/pods@shop:p"))
    assert uses["RoleBinding shop/b"].proposal == ()
    (finding,) = section.findings
    assert (finding.check, finding.severity) == ("unused-binding", "low")
    assert finding.advice == "kubectl delete rolebinding b -n shop"


def test_names_stay_names() -> None:
    found = inventory(
        role("r", rule("get,update", "configmaps", "a", "b", "c"), space="shop"),
        binding("b", "r", "User jane", space="shop"),
    )
    _, uses = judged(
        found,
        event("jane", "get", "/configmaps@shop:a"),
        event("jane", "get", "/configmaps@shop:b"),
        event("jane", "update", "/configmaps@shop:b"),
    )
    (proposed,) = uses["RoleBinding shop/b"].proposal
    wanted: Any = proposed["rules"]
    decided = [
        (verb, name)
        for verb in ("get", "update")
        for name in ("a", "b", "c")
        if any(
            each.allows(Attributes(user=User("jane"), verb=verb, resource="configmaps", name=name))
            for each in parse_rules(wanted)
        )
    ]
    assert decided == [("get", "a"), ("get", "b"), ("update", "b")]


def test_notes_tell_how_much_a_log_can_tell() -> None:
    found = inventory()
    section, _ = judged(found, event("jane", "get", "//x"))
    assert section.notes[0].startswith(
        "the audit log (1 file) has 1 events from 2026-01-01T00:00:00.000000Z to "
    )
    assert section.notes[1].startswith("that is less than a day")
    grants = Grants(found)
    log = log_of(grants)
    log.bad("audit.log:3", "JSON is malformed")
    told = judge_rbac(found, grants, log)
    assert told.missing == ("1 lines are no events: audit.log:3: JSON is malformed",)
    early = judge_rbac(found, grants, log_of(grants, event("jane", "get", "//x", stage="RequestReceived")))
    assert early.missing == (
        "the audit log has only the stage RequestReceived, which does not say what was allowed",
    )
    assert judge_rbac(found, grants).notes == ("without --audit-log nobody knows what of this is used",)
