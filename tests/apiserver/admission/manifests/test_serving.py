"""Webhooks and policies from files, on a server in this process."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.apiserver.admission.manifests.test_reading import BINDING, POLICY, WEBHOOKS
from tests.apiserver.admission.policies.support import GROUP, binding, policy, put
from tests.apiserver.admission.test_webhooks import VALIDATING, answer, webhook
from tests.apiserver.support import CONFIG_MAPS, OPTIONS, Api, config_map, serving
from tests.apiserver.webhooks.support import listening

from kajitori.apiserver.admission.manifests.directories import CHECK_SECONDS
from kajitori.cluster.cluster import Cluster, ClusterError
from kajitori.cluster.options import ClusterOptions
from kajitori.testing import run_virtual

POLICIES = f"{GROUP}/validatingadmissionpolicies"
STATIC = ".static.k8s.io"
EVERYTHING = {
    "resourceRules": [
        {"apiGroups": ["*"], "apiVersions": ["*"], "resources": ["*"], "operations": ["CREATE", "DELETE"]}
    ]
}


def from_file(expression: str, name: str = "p", **spec: Any) -> list[dict[str, Any]]:
    """A policy about everything, with its binding."""
    validations = [{"expression": expression}]
    return [
        policy(name=name + STATIC, matchConstraints=EVERYTHING, validations=validations, **spec),
        binding(name=name + STATIC, of=name + STATIC),
    ]


NO_BAD = from_file("request.operation == 'DELETE' || !object.metadata.name.startsWith('bad')")


def write(folder: Path, *objects: dict[str, Any], name: str = "a.yaml") -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(yaml.safe_dump_all(objects))


def playing(folder: Path, test: Callable[[Api], Awaitable[None]], options: ClusterOptions = OPTIONS) -> None:
    async def main() -> None:
        async with serving(replace(options, admission_manifest_dir=folder)) as api:
            await test(api)

    run_virtual(main())


def refusal(options: ClusterOptions) -> str:
    """Why a cluster does not start."""

    async def start() -> None:
        async with Cluster(options):
            pass

    with pytest.raises(ClusterError) as caught:
        asyncio.run(start())
    return str(caught.value)


def test_policies_hold_from_the_first_write_on_and_nobody_sees_them(tmp_path: Path) -> None:  # B5
    write(tmp_path, *NO_BAD)

    async def play(api: Api) -> None:
        told = await api.refused(422, "POST", CONFIG_MAPS, config_map("bad"))
        assert told.message.startswith(
            "configmaps \"bad\" is forbidden: ValidatingAdmissionPolicy 'p.static.k8s.io' with binding "
            "'p.static.k8s.io' denied request: failed expression:"
        )
        await api.ok("POST", CONFIG_MAPS, config_map("good"))
        assert (await api.ok("GET", POLICIES)).body["items"] == []
        await api.refused(404, "DELETE", f"{POLICIES}/p.static.k8s.io")

    playing(tmp_path, play)


def test_policies_come_before_those_of_the_api(tmp_path: Path) -> None:  # B5
    write(tmp_path, *NO_BAD)

    async def play(api: Api) -> None:
        # Their names come before those from files.
        await put(api, policy(name="a", validations=[{"expression": "false"}]), binding(name="a", of="a"))
        told = await api.refused(422, "POST", CONFIG_MAPS, config_map("bad"))
        assert "ValidatingAdmissionPolicy 'p.static.k8s.io'" in told.message
        told = await api.refused(422, "POST", CONFIG_MAPS, config_map("good"))
        assert "ValidatingAdmissionPolicy 'a'" in told.message

    playing(tmp_path, play)


def test_what_others_are_not_asked_about_is_judged(tmp_path: Path) -> None:  # B5, H5
    write(tmp_path, *NO_BAD)

    async def play(api: Api) -> None:
        told = await api.refused(
            422, "POST", POLICIES, policy(name="bad", validations=[{"expression": "true"}])
        )
        assert "p.static.k8s.io" in told.message
        await api.refused(422, "POST", f"{GROUP}/validatingadmissionpolicybindings", binding(name="bad"))
        await api.refused(422, "POST", VALIDATING, {"metadata": {"name": "bad"}})
        await api.ok("POST", POLICIES, policy(name="good", validations=[{"expression": "true"}]))

    playing(tmp_path, play)


def test_webhooks_are_called_before_those_of_the_api_and_for_configurations_too(tmp_path: Path) -> None:  # H5
    async def main() -> None:
        def answering(review: Any) -> Any:
            return answer(review, allowed=review["request"]["name"] != "bad")

        async with listening(answering) as hook:
            rules = [
                {**EVERYTHING["resourceRules"][0], "resources": ["configmaps", "validatingadmissionpolicies"]}
            ]
            hooks = [webhook(hook, rules=rules, namespaceSelector={})]
            meta = {"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration"}
            write(tmp_path, {**meta, "metadata": {"name": "w" + STATIC}, "webhooks": hooks})
            async with serving(replace(OPTIONS, admission_manifest_dir=tmp_path)) as api:
                told = await api.refused(400, "POST", CONFIG_MAPS, config_map("bad"))
                assert (
                    told.message
                    == 'admission webhook "one.example.com" denied the request without explanation'
                )
                await api.ok("POST", CONFIG_MAPS, config_map("good"))
                new = policy(name="bad", validations=[{"expression": "true"}])
                await api.refused(400, "POST", POLICIES, new)
                of_api = {**webhook(hook, "two.example.com", rules=rules), "namespaceSelector": {}}
                await api.ok("POST", VALIDATING, {**meta, "metadata": {"name": "a"}, "webhooks": [of_api]})
                hook.heads.clear()
                await api.ok("POST", POLICIES, policy(name="good", validations=[{"expression": "true"}]))
                await api.ok("POST", CONFIG_MAPS, config_map("better"))
                called = ["one" if "/one." in head else "two" for head in hook.heads]
                assert called[0] == "one" and sorted(called[1:]) == ["one", "two"]

    asyncio.run(main())


def test_reviews_are_judged_by_no_policy_wherever_it_is_from(tmp_path: Path) -> None:
    write(tmp_path, *from_file("false"))

    async def play(api: Api) -> None:
        await api.refused(422, "POST", CONFIG_MAPS, config_map("a"))
        await api.ok("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", {})
        await api.ok("POST", "/apis/authentication.k8s.io/v1/tokenreviews", {"spec": {"token": "x"}})
        asked = {"spec": {"resourceAttributes": {"verb": "get", "resource": "pods"}}}
        await api.ok("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", asked)

    playing(tmp_path, play)


def test_their_names_are_reserved_while_there_are_files(tmp_path: Path) -> None:
    async def with_files(api: Api) -> None:
        for path, obj in (
            (POLICIES, policy(name="x" + STATIC, validations=[{"expression": "true"}])),
            (VALIDATING, {}),
        ):
            told = await api.refused(422, "POST", path, {**obj, "metadata": {"name": "x" + STATIC}})
            assert told.message.endswith(
                'is invalid: metadata.name: Invalid value: "x.static.k8s.io": names ending with ".static.k8s.io" are '
                "reserved for static manifest-based configurations and cannot be managed via the API"
            )

    playing(tmp_path, with_files)

    async def without(api: Api) -> None:
        told = await api.ok("POST", VALIDATING, {"metadata": {"name": "x" + STATIC}})
        assert 'metadata.name: names ending with \\".static.k8s.io\\" are reserved' in told.headers["warning"]

    async def main() -> None:
        async with serving() as api:
            await without(api)

    asyncio.run(main())


# Changes


async def metrics(api: Api) -> dict[str, float]:
    """The figures of the policies' plugin."""
    lines = (await api.ok("GET", "/metrics")).raw.decode().splitlines()
    found: dict[str, float] = {}
    for line in lines:
        if line.startswith("apiserver_manifest_admission_") and '"ValidatingAdmissionPolicy"' in line:
            name, _, value = line.rpartition(" ")
            status = name.partition('status="')[2].partition('"')[0] or name.partition('hash="sha256:')[0]
            found[
                name.partition("{")[0].removeprefix("apiserver_manifest_admission_config_controller_")
                + status
            ] = float(value)
    return found


def test_changes_are_seen_and_those_that_are_wrong_are_not_taken(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:  # D1, D2, D3
    write(tmp_path, *NO_BAD)
    caplog.set_level(logging.INFO, logger="kajitori")

    async def play(api: Api) -> None:
        await api.refused(422, "POST", CONFIG_MAPS, config_map("bad"))
        write(tmp_path, *from_file("object.metadata.name != 'good'"))
        await asyncio.sleep(CHECK_SECONDS + 0.1)
        await api.refused(422, "POST", CONFIG_MAPS, config_map("good"))
        await api.ok("POST", CONFIG_MAPS, config_map("bad"))
        before = await metrics(api)
        assert (
            before["automatic_reloads_totalsuccess"] == 2 and "automatic_reloads_totalfailure" not in before
        )
        caplog.clear()
        write(tmp_path, *from_file("nothing like it"))
        await asyncio.sleep(3 * CHECK_SECONDS)
        (record,) = caplog.records
        assert record.levelno == logging.ERROR
        assert (
            "a.yaml: document 1: ValidatingAdmissionPolicy p.static.k8s.io: spec.valid"
            in vars(record)["error"]
        )
        assert (await metrics(api))["automatic_reloads_totalfailure"] == 1
        await api.refused(422, "POST", CONFIG_MAPS, config_map("good"))
        (tmp_path / "a.yaml").unlink()
        await asyncio.sleep(CHECK_SECONDS + 0.1)
        await api.ok("POST", CONFIG_MAPS, config_map("good"))
        assert (await metrics(api))["automatic_reloads_totalsuccess"] == 3

    playing(tmp_path, play)


def test_what_a_link_leads_to_is_seen_to_change(tmp_path: Path) -> None:  # D2
    """A mounted ConfigMap: links to files in a folder that a link leads to, which is exchanged."""
    folder = tmp_path / "mounted"
    for version, expression in (("1", "false"), ("2", "true")):
        write(tmp_path / version, *from_file(expression))
    folder.mkdir()
    (folder / "..data").symlink_to(tmp_path / "1")
    (folder / "a.yaml").symlink_to("..data/a.yaml")

    async def play(api: Api) -> None:
        await api.refused(422, "POST", CONFIG_MAPS, config_map("a"))
        (folder / "..new").symlink_to(tmp_path / "2")
        (folder / "..new").rename(folder / "..data")
        await asyncio.sleep(CHECK_SECONDS + 0.1)
        await api.ok("POST", CONFIG_MAPS, config_map("a"))

    playing(folder, play)


def test_a_directory_that_goes_leaves_in_use_what_was_there(tmp_path: Path) -> None:  # D1
    folder = tmp_path / "manifests"
    write(folder, *NO_BAD)

    async def play(api: Api) -> None:
        folder.rename(tmp_path / "away")
        await asyncio.sleep(CHECK_SECONDS + 0.1)
        await api.refused(422, "POST", CONFIG_MAPS, config_map("bad"))
        assert (await metrics(api))["automatic_reloads_totalfailure"] == 1
        (tmp_path / "away").rename(folder)
        await asyncio.sleep(CHECK_SECONDS + 0.1)
        await api.refused(422, "POST", CONFIG_MAPS, config_map("bad"))

    playing(folder, play)


# Starting


def test_the_server_does_not_start_with_what_is_wrong(tmp_path: Path) -> None:  # D1
    (tmp_path / "a.yaml").write_text(POLICY + "  foo: 1\n")
    told = refusal(replace(OPTIONS, admission_manifest_dir=tmp_path))
    assert (
        told
        == f'{tmp_path}/a.yaml: document 1: ValidatingAdmissionPolicy p.static.k8s.io: unknown field "spec.foo"'
    )
    told = refusal(replace(OPTIONS, admission_manifest_dir=tmp_path / "nowhere"))
    assert told.endswith("/nowhere: is not there; name a directory with manifests")
    told = refusal(replace(OPTIONS, admission_manifest_dir=tmp_path / "a.yaml"))
    assert told.endswith("/a.yaml: is no directory; name a directory with manifests")


def test_manifests_of_a_plugin_that_is_off_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(WEBHOOKS)
    off = replace(
        OPTIONS, admission_manifest_dir=tmp_path, disable_admission_plugins=("ValidatingAdmissionWebhook",)
    )
    assert "kind is ValidatingWebhookConfiguration; the admission plugins that read" in refusal(off)


def configured(folder: Path, plugin: str, kind: str, **more: str) -> ClusterOptions:
    group = "apiserver.config.k8s.io/v1"
    configuration = {"apiVersion": group, "kind": kind, **more}
    path = folder / "admission.yaml"
    path.write_text(
        yaml.safe_dump(
            {
                "apiVersion": group,
                "kind": "AdmissionConfiguration",
                "plugins": [{"name": plugin, "configuration": configuration}],
            }
        )
    )
    return replace(OPTIONS, admission_control_config_file=path)


OF_POLICIES = ("ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyConfiguration")
OF_WEBHOOKS = ("ValidatingAdmissionWebhook", "WebhookAdmissionConfiguration")


def test_the_configuration_file_names_a_directory_for_each_plugin(tmp_path: Path) -> None:
    folder = tmp_path / "policies"
    write(folder, *NO_BAD)

    async def main() -> None:
        options = configured(tmp_path, *OF_POLICIES, staticManifestsDir=str(folder))
        async with serving(options) as api:
            await api.refused(422, "POST", CONFIG_MAPS, config_map("bad"))
            assert (await metrics(api))["automatic_reloads_totalsuccess"] == 1

    asyncio.run(main())
    (folder / "w.yaml").write_text(WEBHOOKS)
    options = configured(tmp_path, *OF_POLICIES, staticManifestsDir=str(folder))
    assert "w.yaml: document 1: kind is ValidatingWebhookConfiguration" in refusal(options)
    options = configured(tmp_path, *OF_WEBHOOKS, staticManifestsDir=str(folder))
    assert "a.yaml: document 1: kind is ValidatingAdmissionPolicy" in refusal(options)


@pytest.mark.parametrize(
    ("plugin", "more", "told"),
    [
        (OF_POLICIES, {"staticManifestsDir": "here"}, "'here': must be an absolute file path"),
        (OF_POLICIES, {"staticManifestsDir": "/dev/null"}, "'/dev/null': must be a directory"),
        (OF_WEBHOOKS, {"staticManifestsDir": "/dev/nothing"}, "'/dev/nothing': is not there"),
        (OF_POLICIES, {"staticManifestDir": "/"}, "Object contains unknown field `staticManifestDir`"),
        (
            ("ValidatingAdmissionPolicy", "MutatingAdmissionPolicyConfiguration"),
            {},
            "write apiVersion: apiserver.config.k8s.io/v1, kind: ValidatingAdmissionPolicyConfiguration",
        ),
    ],
)
def test_a_configuration_that_is_wrong_is_refused(
    tmp_path: Path, plugin: tuple[str, str], more: dict[str, str], told: str
) -> None:
    assert told in refusal(configured(tmp_path, *plugin, **more))


def test_the_flag_and_the_file_are_not_both_for_one_plugin(tmp_path: Path) -> None:
    folder = tmp_path / "policies"
    write(folder, *NO_BAD)
    options = configured(tmp_path, *OF_POLICIES, staticManifestsDir=str(folder))
    told = refusal(replace(options, admission_manifest_dir=folder))
    assert told.endswith("has a staticManifestsDir for ValidatingAdmissionPolicy: use one of the two")


def test_a_policy_without_a_binding_judges_nothing(tmp_path: Path) -> None:  # B1
    (tmp_path / "a.yaml").write_text(POLICY.replace("'true'", "'false'").replace("pods", "configmaps"))

    async def play(api: Api) -> None:
        await api.ok("POST", CONFIG_MAPS, config_map("a"))
        (tmp_path / "b.yaml").write_text(BINDING)
        await asyncio.sleep(CHECK_SECONDS + 0.1)
        await api.refused(422, "POST", CONFIG_MAPS, config_map("b"))

    playing(tmp_path, play)


def labelling(value: str) -> dict[str, Any]:
    """What a mutation is that labels objects."""
    return {
        "reinvocationPolicy": "Never",
        "mutations": [
            {
                "patchType": "ApplyConfiguration",
                "applyConfiguration": {
                    "expression": "Object{metadata: Object.metadata{labels: {'by': "
                    f"(has(object.metadata.labels) ? object.metadata.labels['by'] + '-' : '') + '{value}'}}}}}}"
                },
            }
        ],
    }


def test_mutating_policies_change_what_is_written_before_those_of_the_api(tmp_path: Path) -> None:  # B5
    about = {"resourceRules": [{**EVERYTHING["resourceRules"][0], "operations": ["CREATE"]}]}
    write(
        tmp_path,
        policy("Mutating", "p" + STATIC, matchConstraints=about, **labelling("file")),
        binding("Mutating", "b" + STATIC, of="p" + STATIC),
    )

    async def play(api: Api) -> None:
        await put(api, policy("Mutating", "a", **labelling("api")), binding("Mutating", "a", of="a"))
        made = await api.ok("POST", CONFIG_MAPS, config_map("a"))
        assert made.body["metadata"]["labels"] == {"by": "file-api"}
        found = await api.ok("GET", f"{GROUP}/mutatingadmissionpolicies/a")
        assert found.body["metadata"]["labels"] == {"by": "file"}

    playing(tmp_path, play)
