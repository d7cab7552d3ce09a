"""What is declared: names, paths, manifests, and what cannot be one."""

from typing import Any

import pytest
from tests.ctrl.webhooks.asking import router_of
from tests.ctrl.webhooks.widgets import Widget, WidgetRules

from kajitori.apis import Kind
from kajitori.ctrl import AdmissionResponse, Defaulter, Mutating, Validating, Validator
from kajitori.ctrl.webhooks.declared import configuration, declare

PODS = Kind("", "v1", "Pod", "pods")


class Deleting(Validator[Widget]):
    def validate_delete(self, old: Widget) -> None:
        """Never mind."""


def test_paths_are_those_of_controller_runtime() -> None:  # D1
    assert [each.path for each in declare(Widget, WidgetRules(), {})] == [
        "/mutate-example-com-v1-widget",
        "/validate-example-com-v1-widget",
    ]
    allow = Validating(lambda request: AdmissionResponse.allow())
    assert [each.path for each in declare(PODS, allow, {})] == ["/validate--v1-pod"]


def test_operations_follow_from_the_methods() -> None:  # T5
    [declared] = declare(Widget, Deleting(), {})
    assert declared.rules == [
        {
            "apiGroups": ["example.com"],
            "apiVersions": ["v1"],
            "operations": ["DELETE"],
            "resources": ["widgets"],
            "scope": "Namespaced",
        }
    ]


def test_the_manifest_says_what_was_declared() -> None:  # D2
    def mark(request: Any) -> AdmissionResponse:
        return AdmissionResponse.allow()

    [declared] = declare(
        PODS,
        Mutating(mark, operations=("CREATE",)),
        {
            "failure_policy": "Ignore",
            "side_effects": "NoneOnDryRun",
            "match_policy": "Exact",
            "timeout_seconds": 3,
            "object_selector": {"matchLabels": {"a": "b"}},
            "namespace_selector": {"matchExpressions": [{"key": "c", "operator": "Exists"}]},
            "match_conditions": [{"name": "d", "expression": "true"}],
            "reinvocation_policy": "IfNeeded",
        },
    )
    config = {"url": "https://example.com/mutate--v1-pod", "caBundle": "YQ=="}
    assert configuration(declared, config, {"kept": "true"}, {"owner": "o"}) == {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "MutatingWebhookConfiguration",
        "metadata": {"name": "mutate.v1.pods", "labels": {"kept": "true"}, "annotations": {"owner": "o"}},
        "webhooks": [
            {
                "name": "mutate.v1.pods",
                "admissionReviewVersions": ["v1"],
                "clientConfig": config,
                "failurePolicy": "Ignore",
                "matchPolicy": "Exact",
                "matchConditions": [{"name": "d", "expression": "true"}],
                "namespaceSelector": {"matchExpressions": [{"key": "c", "operator": "Exists"}]},
                "objectSelector": {"matchLabels": {"a": "b"}},
                "reinvocationPolicy": "IfNeeded",
                "rules": [
                    {
                        "apiGroups": [""],
                        "apiVersions": ["v1"],
                        "operations": ["CREATE"],
                        "resources": ["pods"],
                        "scope": "Namespaced",
                    }
                ],
                "sideEffects": "NoneOnDryRun",
                "timeoutSeconds": 3,
            }
        ],
    }


@pytest.mark.parametrize(
    ("handler", "options", "told"),
    [
        (object(), {}, "a Validator, a Defaulter, or a function in Validating"),
        (Validator[Any](), {}, "Validator validates nothing; write validate_create"),
        (Deleting(), {"timeout_seconds": 31}, "webhook for Widget: timeout_seconds is 31; use 1 to 30"),
        (Deleting(), {"failure_policy": "fail"}, "failure_policy is 'fail'; use Fail or Ignore"),
        (Deleting(), {"path": "validate"}, "path is 'validate'; write it as /letters"),
        (Deleting(), {"name": "widgets"}, "name is 'widgets'; use three names or more"),
        (Deleting(), {"timeout": 3}, "unknown timeout; known are name, path"),
        (WidgetRules(), {"path": "/a"}, "path: for one webhook only"),
    ],
)
def test_what_cannot_be_registered_is_told_at_once(handler: Any, options: Any, told: str) -> None:  # D3
    with pytest.raises((TypeError, ValueError), match=told):
        declare(Widget, handler, options)


def test_a_path_is_taken_once() -> None:
    router = router_of(Widget, WidgetRules())
    with pytest.raises(ValueError, match="there is a webhook at /validate-example-com-v1-widget already"):
        router.add(declare(Widget, Deleting(), {}))
    with pytest.raises(ValueError, match=r"called validate.v1.widgets.example.com already"):
        router.add(declare(Widget, Deleting(), {"path": "/other"}))
    router.add(declare(Widget, Deleting(), {"path": "/other", "name": "other.widgets.example.com"}))
    assert len(router.webhooks) == 3


def test_a_class_may_only_fill_in() -> None:
    class Fills(Defaulter[Widget]):
        def default(self, value: Widget) -> Widget:
            return value

    assert [each.name for each in declare(Widget, Fills(), {})] == ["mutate.v1.widgets.example.com"]
