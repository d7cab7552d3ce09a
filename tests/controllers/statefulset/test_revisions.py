"""Names of revisions."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from kajitori.controllers.statefulset.revisions import (
    new_revision,
    revision_hash,
    same_template,
    template_of,
)


def a_set(template: Any, **metadata: Any) -> Any:
    return {"metadata": {"name": "test", "namespace": "default", **metadata}, "spec": {"template": template}}


KUBERNETES_TEMPLATE = {
    "metadata": {"annotations": {"test": "value"}, "labels": {"app": "foo"}},
    "spec": {
        "containers": [
            {
                "image": "test",
                "imagePullPolicy": "Always",
                "name": "test",
                "resources": {},
                "terminationMessagePath": "/dev/termination-log",
                "terminationMessagePolicy": "File",
            }
        ],
        "dnsPolicy": "ClusterFirst",
        "restartPolicy": "Always",
        "schedulerName": "default-scheduler",
        "securityContext": {},
        "terminationGracePeriodSeconds": 30,
    },
}


def test_the_name_is_the_one_that_kubernetes_gives() -> None:  # R1
    data = template_of(a_set(KUBERNETES_TEMPLATE))
    assert revision_hash(data, 0) == "776999688b"  # what Kubernetes 1.34 called the revision of this template
    made = new_revision(a_set(KUBERNETES_TEMPLATE, annotations={"a": "b"}), data, 2, {"uid": "u"})
    assert made["metadata"] == {
        "name": "test-776999688b",
        "namespace": "default",
        "labels": {"app": "foo", "controller.kubernetes.io/hash": "776999688b"},
        "annotations": {"a": "b"},
        "ownerReferences": [{"uid": "u"}],
    }
    assert made["data"] == data and made["revision"] == 2


def test_characters_that_go_escapes_count_as_go_writes_them() -> None:
    plain = {"spec": {"template": {"x": "\\u003c"}}}
    escaped = {"spec": {"template": {"x": "<"}}}
    assert revision_hash(plain, 0) != revision_hash(escaped, 0)
    # FNV-1 of {"spec":{"template":{"x":"\u003c"}}}0, in letters.
    number = 0x811C9DC5
    for byte in b'{"spec":{"template":{"x":"\\u003c"}}}0':
        number = (number * 0x01000193 & 0xFFFFFFFF) ^ byte
    letters = "bcdfghjklmnpqrstvwxz2456789"
    assert revision_hash(escaped, 0) == "".join(letters[ord(digit) % 27] for digit in str(number))


values = st.recursive(
    st.none() | st.booleans() | st.integers(-10, 10) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=10,
)


@given(st.dictionaries(st.text(max_size=4), values, max_size=4), st.integers(0, 5), st.randoms())
def test_the_same_template_has_the_same_name_in_whatever_order_it_is_written(
    template: dict[str, Any], collisions: int, random: Any
) -> None:  # R1
    names = list(template)
    random.shuffle(names)
    shuffled = {name: template[name] for name in names}
    one, two = template_of(a_set(template)), template_of(a_set(shuffled))
    assert revision_hash(one, collisions) == revision_hash(two, collisions)
    assert same_template({"data": one}, two)
    assert revision_hash(one, collisions) != revision_hash(one, collisions + 1)


def test_a_long_name_of_a_set_is_cut() -> None:
    made = new_revision(a_set(KUBERNETES_TEMPLATE, name="x" * 250), {}, 1, {})
    assert made["metadata"]["name"].startswith("x" * 223 + "-") and len(made["metadata"]["name"]) <= 253
