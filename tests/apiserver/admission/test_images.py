"""ImagePolicyWebhook: a server of somebody else's that is asked about images."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.apiserver.operating.support import lines
from tests.apiserver.support import MERGE, OPTIONS, PODS, Api, pod, serving
from tests.apiserver.webhooks.support import Hook, certificate, listening

from kajitori.apiserver.admission.chain import ConfigurationError
from kajitori.apiserver.admission.images import RETRIES_MAX, image_settings
from kajitori.cluster.cluster import ClusterError
from kajitori.cluster.operating import Operating
from kajitori.testing import run_virtual

Review = dict[str, Any]


def answering(review: Review) -> Any:
    """Denies images that are called bad, and says nothing where one is called broken."""
    images = [each["image"] for each in review["spec"]["containers"]]
    if "broken" in images:
        return b"HTTP/1.1 500 Internal Server Error\r\ncontent-length: 0\r\n\r\n"
    if "garbage" in images:
        return [1]
    status = {"allowed": "bad" not in images, "reason": "bad", "auditAnnotations": {"seen": "yes"}}
    return {**review, "status": status}


@asynccontextmanager
async def asked(folder: Path, **policy: Any) -> AsyncIterator[tuple[Api, Hook]]:
    """A server that asks a webhook about images, which is given too."""
    async with listening(answering) as hook:
        authority, kubeconfig, file = (folder / name for name in ("ca.pem", "kubeconfig", "admission.yaml"))
        authority.write_bytes(certificate()[0])
        server = f"https://127.0.0.1:{hook.port}/review"
        cluster = {"server": server, "certificate-authority": str(authority)}
        kubeconfig.write_text(
            json.dumps(
                {
                    "clusters": [{"name": "w", "cluster": cluster}],
                    "users": [{"name": "u", "user": {"token": "secret"}}],
                    "contexts": [{"name": "c", "context": {"cluster": "w", "user": "u"}}],
                    "current-context": "c",
                }
            )
        )
        said = {"imagePolicy": {"kubeConfigFile": str(kubeconfig), **policy}}
        plugins = [{"name": "ImagePolicyWebhook", "configuration": said}]
        kind = {"apiVersion": "apiserver.config.k8s.io/v1", "kind": "AdmissionConfiguration"}
        file.write_text(json.dumps({**kind, "plugins": plugins}))
        audit = folder / "audit.yaml"
        options = replace(
            OPTIONS,
            admission_control_config_file=file,
            enable_admission_plugins=("ImagePolicyWebhook",),
            operating=Operating(audit_policy_file=audit, audit_log=str(folder / "audit.log"))
            if audit.exists()
            else Operating(),
        )
        async with serving(options) as api:
            yield api, hook


def of(image: str, name: str = "a", **metadata: Any) -> dict[str, Any]:
    made = pod(name, containers=[{"name": "c", "image": image}])
    made["metadata"] |= metadata
    return made


def asking(test: Callable[[Api, Hook], Any], folder: Path, **policy: Any) -> None:
    async def main() -> None:
        async with asked(folder, **policy) as (api, hook):
            await test(api, hook)

    run_virtual(main())


def test_the_webhook_is_told_images_and_its_own_annotations(tmp_path: Path) -> None:  # I1
    async def test(api: Api, hook: Hook) -> None:
        annotations = {"mine.image-policy.k8s.io/ticket": "7", "other": "x"}
        await api.ok("POST", PODS, of("good", annotations=annotations))
        [review] = hook.reviews
        assert (review["apiVersion"], review["kind"]) == ("imagepolicy.k8s.io/v1alpha1", "ImageReview")
        assert review["spec"] == {
            "containers": [{"image": "good"}],
            "annotations": {"mine.image-policy.k8s.io/ticket": "7"},
            "namespace": "default",
        }
        assert "authorization: bearer secret" in hook.heads[0].lower()
        await api.ok("PATCH", f"{PODS}/a/status", {"status": {"phase": "Running"}}, type=MERGE)
        assert len(hook.reviews) == 1
        debug = {"spec": {"ephemeralContainers": [{"name": "d", "image": "bad"}]}}
        told = await api.refused(403, "PATCH", f"{PODS}/a/ephemeralcontainers", debug, type=MERGE)
        assert told.message.endswith("image policy webhook backend denied one or more images: bad")
        assert hook.reviews[1]["spec"]["containers"] == [{"image": "bad"}]

    asking(test, tmp_path)


def test_answers_are_believed_for_a_while(tmp_path: Path) -> None:  # I2
    async def test(api: Api, hook: Hook) -> None:
        for name in ("a", "b"):
            await api.ok("POST", PODS, of("good", name))
            await api.refused(403, "POST", PODS, of("bad", name))
        assert [each["spec"]["containers"][0]["image"] for each in hook.reviews] == ["good", "bad", "bad"]

    asking(test, tmp_path, denyTTL=-1)


def test_without_an_answer_nobody_comes_in(tmp_path: Path) -> None:  # I3, I4
    async def test(api: Api, hook: Hook) -> None:
        told = await api.refused(403, "POST", PODS, of("broken"))
        assert told.message.startswith('pods "a" is forbidden: ')
        assert len(hook.reviews) == RETRIES_MAX
        told = await api.refused(403, "POST", PODS, of("garbage"))
        assert "json: cannot unmarshal array into Go value" in told.message
        assert len(hook.reviews) == RETRIES_MAX + 1

    asking(test, tmp_path)


def test_or_everybody_which_is_audited(tmp_path: Path) -> None:  # I3
    async def test(api: Api, hook: Hook) -> None:
        await api.ok("POST", PODS, of("broken"))
        await api.ok("POST", PODS, of("good", "b"))
        await api.refused(403, "POST", PODS, of("bad", "c"))

    policy = {"apiVersion": "audit.k8s.io/v1", "kind": "Policy", "rules": [{"level": "Metadata"}]}
    (tmp_path / "audit.yaml").write_text(json.dumps({**policy, "omitStages": ["RequestReceived"]}))
    asking(test, tmp_path, defaultAllow=True, retryBackoff=1)
    told = [event["annotations"] for event in lines(tmp_path / "audit.log") if event["verb"] == "create"]
    prefix = "imagepolicywebhook.image-policy.k8s.io/"
    assert [each.get(f"{prefix}failed-open") for each in told] == ["true", None, None]
    assert [each.get(f"{prefix}seen") for each in told] == [None, "yes", "yes"]


@pytest.mark.parametrize(
    ("policy", "said"),
    [
        ({"allowTTL": 1801}, "allowTTL: valid value is between 1s and 30m0s, got 30m1s"),
        ({"denyTTL": -2}, "denyTTL: valid value is between 1s and 30m0s, got -2s"),
        ({"retryBackoff": 300_001}, "retryBackoff: valid value is between 1ns and 5m0s, got 5m0.001s"),
        ({"allowTTL": "5m"}, "imagePolicy.allowTTL: Expected `int`, got `str`"),
    ],
)
def test_what_no_configuration_may_say(policy: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        image_settings({"imagePolicy": policy})
    assert said in str(raised.value)


def test_durations_have_defaults_and_can_be_turned_off() -> None:
    settings = image_settings({"imagePolicy": {"denyTTL": -1}})
    assert (settings.allow_seconds, settings.deny_seconds, settings.retry_seconds) == (300.0, 0.0, 0.5)


def test_the_plugin_needs_a_configuration() -> None:
    async def main() -> None:
        with pytest.raises(ClusterError, match="ImagePolicyWebhook: no config specified"):
            async with serving(replace(OPTIONS, enable_admission_plugins=("ImagePolicyWebhook",))):
                pass

    run_virtual(main())
