"""What /metrics tells of admission, under kube-apiserver's names."""

import asyncio
from types import SimpleNamespace
from typing import Any

from tests.apiserver.admission.policies.support import binding, policy, put
from tests.apiserver.admission.policies.test_mutating import add, bound, mutating, patched
from tests.apiserver.admission.test_webhooks import VALIDATING, answer, configure, webhook
from tests.apiserver.support import CONFIG_MAPS, Api, config_map, served
from tests.apiserver.webhooks.support import listening

from kajitori.apiserver.admission.chain import Chain
from kajitori.apiserver.admission.figures import LABELS_MAX, AdmissionFigures
from kajitori.apiserver.registry.call import Reinvocation


async def counted(api: Api, metric: str, /, **labels: str) -> float:
    """The value of the sample with this name and these labels, among others; 0 where there is none."""
    text = (await api.ok("GET", "/metrics")).raw.decode()
    for line in text.splitlines():
        if line.startswith((f"{metric}{{", f"{metric} ")) and all(
            f'{key}="{labels[key]}"' in line for key in labels
        ):
            return float(line.rpartition(" ")[2])
    return 0.0


class Clock:
    """Time that passes when a plugin says so."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def monotonic(self) -> float:
        return self.seconds

    def now(self) -> Any:
        raise AssertionError("nobody asks for the date")


class Taking:
    """A plugin that takes its time, waits, or refuses."""

    def __init__(self, clock: Clock, name: str, seconds: float, *, waits: bool = False) -> None:
        self.name = name
        self.validate = None
        self.refuses = False
        self._clock, self._seconds, self._waits = clock, seconds, waits

    def handles(self, operation: str, bucket: str, subresource: str) -> bool:
        return True

    def mutate(self, attributes: Any) -> Any:
        async def later() -> None:
            await asyncio.sleep(0)
            self._pass()

        return later() if self._waits else self._pass()

    def _pass(self) -> None:
        self._clock.seconds += self._seconds
        if self.refuses:
            raise ValueError(self.name)


def write() -> Any:
    return SimpleNamespace(
        operation="CREATE", resource=SimpleNamespace(bucket="b"), subresource="", reinvocation=Reinvocation()
    )


def lines_of(figures: AdmissionFigures, name: str) -> dict[str, str]:
    found = (line.partition(" ")[0::2] for line in figures.lines() if line.startswith(name))
    return {labels.removeprefix(name): value for labels, value in found}


async def run(chain: Chain) -> None:
    waiting = chain.mutate(write())
    if waiting is not None:
        await waiting


def test_every_plugin_is_timed_quick_or_slow_waiting_or_refusing() -> None:  # F1
    clock = Clock()
    figures = AdmissionFigures(clock)
    plugins = [
        Taking(clock, "NamespaceLifecycle", 0.001),
        Taking(clock, "LimitRanger", 0.25, waits=True),
        Taking(clock, "Priority", 0.0625),
    ]
    chain = Chain(plugins, figures)

    async def twice() -> None:
        await run(chain)
        await run(chain)
        plugins[2].refuses = True
        try:
            await run(chain)
        except ValueError:
            return
        raise AssertionError("a refusal is passed on")

    asyncio.run(twice())
    name = "apiserver_admission_controller_admission_duration_seconds"
    found = lines_of(figures, name)

    def of(plugin: str, suffix: str, rejected: str = "false", **more: str) -> float:
        labels = f'name="{plugin}",operation="CREATE",rejected="{rejected}",type="admit"'
        labels += "".join(f',{key}="{value}"' for key, value in more.items())
        return float(found.get(f"{suffix}{{{labels}}}", 0))

    assert [of(each.name, "_count") for each in plugins] == [3, 3, 2]
    assert of("NamespaceLifecycle", "_bucket", le="0.005") == 3
    assert abs(of("NamespaceLifecycle", "_sum") - 0.003) < 1e-9
    assert (of("LimitRanger", "_bucket", le="0.1"), of("LimitRanger", "_bucket", le="0.5")) == (0, 3)
    assert of("Priority", "_count", rejected="true") == 1 and of("LimitRanger", "_count", "true") == 0
    steps = lines_of(figures, "apiserver_admission_step_admission_duration_seconds_count")
    assert steps == {
        '{operation="CREATE",rejected="false",type="admit"}': "2",
        '{operation="CREATE",rejected="true",type="admit"}': "1",
    }


def test_labels_do_not_grow_without_bound() -> None:  # F2
    figures = AdmissionFigures(Clock())
    for number in range(LABELS_MAX + 3):
        figures.failed_open(str(number), "admit")
    found = lines_of(figures, "apiserver_admission_webhook_fail_open_count")
    assert len(found) == LABELS_MAX and '{name="2",type="admit"}' not in found


@served
async def test_writes_show_in_the_figures(api: Api) -> None:
    await api.ok("POST", CONFIG_MAPS, config_map())
    name = "apiserver_admission_step_admission_duration_seconds"
    assert await counted(api, f"{name}_count", operation="CREATE", rejected="false", type="admit") >= 1
    assert await counted(api, f"{name}_summary_count", operation="CREATE", type="validate") >= 1
    plugin = "apiserver_admission_controller_admission_duration_seconds_count"
    assert await counted(api, plugin, name="NamespaceLifecycle", operation="CREATE", type="admit") >= 1
    missing = CONFIG_MAPS.replace("default", "missing")
    await api.refused(404, "POST", missing, config_map())
    assert await counted(api, plugin, name="NamespaceLifecycle", rejected="true") == 1


@served
async def test_policies_show_in_the_figures(api: Api) -> None:
    conditions = [{"name": "c", "expression": "object.data.k != '0'"}]
    judging = [{"expression": "object.data.k == '1'"}]
    await put(api, policy(name="v", validations=judging, matchConditions=conditions))
    await put(api, binding(name="vb", of="v", validationActions=["Warn", "Audit"]))
    broken = patched('[JSONPatch{op: "remove", path: "/data/x"}]')
    await put(
        api, mutating(add("/data/j", '"1"'), broken, name="m", failurePolicy="Ignore"), bound("mb", "m")
    )
    await api.ok("POST", CONFIG_MAPS, config_map("a", k="1"))
    await api.ok("POST", CONFIG_MAPS, config_map("b", k="2"))
    await api.ok("POST", CONFIG_MAPS, config_map("c", k="0"))
    checks = "apiserver_validating_admission_policy_check_total"
    for action in ("warn", "audit"):
        labels = {"policy": "v", "policy_binding": "vb", "enforcement_action": action}
        assert await counted(api, checks, **labels, error_type="invalid_error") == 1
    checks = "apiserver_mutating_admission_policy_check_total"
    assert await counted(api, checks, policy="m", policy_binding="mb", error_type="no_error") == 3
    assert await counted(api, checks, policy="m", error_type="invalid_error") == 3
    checks = "apiserver_mutating_admission_policy_check_duration_seconds_count"
    assert await counted(api, checks, policy="m", error_type="no_error") == 3
    evaluated = "apiserver_admission_match_condition_evaluation_seconds_count"
    assert await counted(api, evaluated, name="v", kind="policy", type="validate", operation="CREATE") == 3


@served
async def test_conditions_without_a_value_show_in_the_figures(api: Api) -> None:
    conditions = [{"name": "c", "expression": "object.data.none == '1'"}]
    await put(
        api, mutating(add("/data/j", '"1"'), name="m", failurePolicy="Ignore", matchConditions=conditions)
    )
    await put(api, bound("mb", "m"))
    await api.ok("POST", CONFIG_MAPS, config_map("a", k="1"))
    errors = "apiserver_admission_match_condition_evaluation_errors_total"
    assert await counted(api, errors, name="m", kind="policy", operation="CREATE") == 1


@served
async def test_webhooks_show_in_the_figures(api: Api) -> None:
    async with listening(lambda body: answer(body, allowed=False)) as hook:
        conditions = [{"name": "c", "expression": "object.data.k == '1'"}]
        await configure(api, VALIDATING, webhook(hook, name="w.example.com", matchConditions=conditions))
        await api.ok("POST", CONFIG_MAPS, config_map("a", k="2"))
        await api.refused(400, "POST", CONFIG_MAPS, config_map("b", k="1"))
    labels = {"name": "w.example.com", "type": "validating", "operation": "CREATE"}
    requests = "apiserver_admission_webhook_request_total"
    assert await counted(api, requests, **labels, code="400", rejected="true") == 1
    rejections = "apiserver_admission_webhook_rejection_count"
    assert await counted(api, rejections, **labels, error_type="no_error", rejection_code="400") == 1
    seconds = "apiserver_admission_webhook_admission_duration_seconds_count"
    assert await counted(api, seconds, **labels, rejected="true") == 1
    exclusions = "apiserver_admission_match_condition_exclusions_total"
    assert await counted(api, exclusions, name="w.example.com", kind="webhook", type="validate") == 1
    await api.refused(500, "POST", CONFIG_MAPS, config_map("b", k="1"))
    assert await counted(api, rejections, **labels, error_type="calling_webhook_error") == 1
