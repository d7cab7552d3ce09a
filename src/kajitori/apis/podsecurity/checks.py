"""What each check of the Pod Security Standards looks at, and what it says.

A check gets a Pod's metadata and spec and gives why and what exactly is wrong, or None. Containers are told in the
order of init containers, containers and ephemeral ones.

Source: pod-security-admission's policy/check_*.go.
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Any

from kajitori.apimachinery.decode import go_quote
from kajitori.apimachinery.kind import JsonObject

__all__ = ["Check", "Problem"]

Problem = tuple[str, str]
"""The reason, and its detail."""

Check = Callable[[JsonObject, JsonObject], Problem | None]

_APP_ARMOR = "container.apparmor.security.beta.kubernetes.io/"
_SECCOMP_POD = "seccomp.security.alpha.kubernetes.io/pod"
_SECCOMP_CONTAINER = "container.seccomp.security.alpha.kubernetes.io/"
_CONFINED = ("RuntimeDefault", "Localhost")
_DEFAULT_CAPABILITIES = frozenset(
    {
        "AUDIT_WRITE",
        "CHOWN",
        "DAC_OVERRIDE",
        "FOWNER",
        "FSETID",
        "KILL",
        "MKNOD",
        "NET_BIND_SERVICE",
        "SETFCAP",
        "SETGID",
        "SETPCAP",
        "SETUID",
        "SYS_CHROOT",
    }
)
_INLINE_VOLUMES = (
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "image",
    "persistentVolumeClaim",
    "projected",
    "secret",
)
_OTHER_VOLUMES = (
    "hostPath",
    "gcePersistentDisk",
    "awsElasticBlockStore",
    "gitRepo",
    "nfs",
    "iscsi",
    "glusterfs",
    "rbd",
    "flexVolume",
    "cinder",
    "cephfs",
    "flocker",
    "fc",
    "azureFile",
    "vsphereVolume",
    "quobyte",
    "azureDisk",
    "photonPersistentDisk",
    "portworxVolume",
    "scaleIO",
    "storageos",
)

# What the checks have in common.


def _containers(spec: JsonObject) -> Iterator[tuple[str, JsonObject]]:
    """Names, and the containers themselves."""
    for member in ("initContainers", "containers", "ephemeralContainers"):
        for each in spec.get(member) or ():
            yield each.get("name", ""), each


def _contexts(spec: JsonObject) -> Iterator[tuple[str, JsonObject]]:
    """Names of the containers, and their security contexts."""
    for name, container in _containers(spec):
        yield name, container.get("securityContext") or {}


def _context(spec: JsonObject) -> JsonObject:
    return spec.get("securityContext") or {}


def _quoted(texts: Iterable[str]) -> str:
    return ", ".join(f'"{each}"' for each in texts)


def _plural(word: str, many: Collection[Any]) -> str:
    return word if len(many) == 1 else f"{word}s"


def _named(word: str, names: Collection[str]) -> str:
    """`containers "a", "b"`."""
    return f"{_plural(word, names)} {_quoted(names)}"


def _setters(pod: bool, containers: Collection[str]) -> str:
    """`pod and container "a"`; empty when it is nobody."""
    return " and ".join((["pod"] if pod else []) + ([_named("container", containers)] if containers else []))


def _is_windows(spec: JsonObject) -> bool:
    return (spec.get("os") or {}).get("name") == "windows"


def _has_own_users(spec: JsonObject) -> bool:
    return spec.get("hostUsers") is False


def unless_windows(check: Check) -> Check:
    """The check for Pods that are not of Windows, whose validation has its own rules."""
    return lambda metadata, spec: None if _is_windows(spec) else check(metadata, spec)


def unless_own_users(check: Check) -> Check:
    """The check for Pods that are not in a user namespace of their own."""
    return lambda metadata, spec: None if _has_own_users(spec) else check(metadata, spec)


# Baseline.


def app_armor_profile(metadata: JsonObject, spec: JsonObject) -> Problem | None:
    values: set[str] = set()

    def is_bad(context: JsonObject) -> bool:
        profile = context.get("appArmorProfile")
        if profile is None or profile.get("type") in _CONFINED:
            return False
        values.add(profile.get("type", ""))
        return True

    pod = is_bad(_context(spec))
    setters = [_setters(pod, [name for name, each in _contexts(spec) if is_bad(each)])]
    annotations = sorted(
        f"{key}={go_quote(value)}"
        for key, value in (metadata.get("annotations") or {}).items()
        if key.startswith(_APP_ARMOR)
        and not (value in ("", "runtime/default") or value.startswith("localhost/"))
    )
    if annotations:
        setters.append(_plural("annotation", annotations))
    told = " and ".join(each for each in setters if each)
    if not told:
        return None
    listed = [*sorted(values), *annotations]
    return (
        _plural("forbidden AppArmor profile", listed),
        f"{told} must not set AppArmor profile type to {_quoted(listed)}",
    )


def default_capabilities(metadata: JsonObject, spec: JsonObject) -> Problem | None:
    names: list[str] = []
    added: set[str] = set()
    for name, context in _contexts(spec):
        beyond = set((context.get("capabilities") or {}).get("add") or ()) - _DEFAULT_CAPABILITIES
        if beyond:
            names.append(name)
            added |= beyond
    if not names:
        return None
    told = f"must not include {_quoted(sorted(added))} in securityContext.capabilities.add"
    return "non-default capabilities", f"{_named('container', names)} {told}"


def host_namespaces(metadata: JsonObject, spec: JsonObject) -> Problem | None:
    shared = [f"{each}=true" for each in ("hostNetwork", "hostPID", "hostIPC") if spec.get(each)]
    return ("host namespaces", ", ".join(shared)) if shared else None


def host_path_volumes(metadata: JsonObject, spec: JsonObject) -> Problem | None:
    names = [each.get("name", "") for each in spec.get("volumes") or () if each.get("hostPath") is not None]
    return ("hostPath volumes", _named("volume", names)) if names else None


def host_ports(metadata: JsonObject, spec: JsonObject) -> Problem | None:
    names: list[str] = []
    taken: set[str] = set()
    for name, container in _containers(spec):
        ports = {str(each["hostPort"]) for each in container.get("ports") or () if each.get("hostPort")}
        if ports:
            names.append(name)
            taken |= ports
    if not names:
        return None
    uses = "uses" if len(names) == 1 else "use"
    told = f"{_named('container', names)} {uses} {_plural('hostPort', taken)} {', '.join(sorted(taken))}"
    return "hostPort", told


def _probed_hosts(container: JsonObject) -> Iterator[str]:
    lifecycle: JsonObject = container.get("lifecycle") or {}
    probes = [container.get(f"{each}Probe") for each in ("liveness", "readiness", "startup")]
    for handler in (*probes, lifecycle.get("postStart"), lifecycle.get("preStop")):
        for member in ("httpGet", "tcpSocket"):
            host = ((handler or {}).get(member) or {}).get("host")
            if host:
                yield host


def probed_hosts(metadata: JsonObject, spec: JsonObject) -> Problem | None:
    names: set[str] = set()
    hosts: set[str] = set()
    for name, container in _containers(spec):
        found = set(_probed_hosts(container))
        if found:
            names.add(name)
            hosts |= found
    if not names:
        return None
    reason = "probe or lifecycle host"
    uses = "uses" if len(names) == 1 else "use"
    return reason, f"{_named('container', sorted(names))} {uses} {_named(reason, sorted(hosts))}"


def privileged(metadata: JsonObject, spec: JsonObject) -> Problem | None:
    names = [name for name, context in _contexts(spec) if context.get("privileged")]
    if not names:
        return None
    return "privileged", f"{_named('container', names)} must not set securityContext.privileged=true"


def proc_mount(metadata: JsonObject, spec: JsonObject) -> Problem | None:
    found = [
        (name, context["procMount"])
        for name, context in _contexts(spec)
        if context.get("procMount") not in (None, "Default")
    ]
    if not found:
        return None
    types = _quoted(sorted({each for _, each in found}))
    told = f"{_named('container', [name for name, _ in found])} must not set securityContext.procMount to {types}"
    return "procMount", told


def _is_seccomp_annotation(value: str) -> bool:
    return value in ("runtime/default", "docker/default") or value.startswith("localhost/")


def seccomp_annotations(metadata: JsonObject, spec: JsonObject) -> Problem | None:
    annotations: dict[str, str] = metadata.get("annotations") or {}
    keys = {_SECCOMP_POD, *(f"{_SECCOMP_CONTAINER}{name}" for name, _ in _containers(spec))}
    wrong = sorted(
        f"{key}={go_quote(annotations[key])}"
        for key in keys
        if key in annotations and not _is_seccomp_annotation(annotations[key])
    )
    if not wrong:
        return None
    return "seccompProfile", f"forbidden {_plural('annotation', wrong)} {', '.join(wrong)}"


def seccomp_baseline(metadata: JsonObject, spec: JsonObject) -> Problem | None:
    values: set[str] = set()

    def is_bad(context: JsonObject) -> bool:
        profile = context.get("seccompProfile")
        if profile is None or profile.get("type") in _CONFINED:
            return False
        values.add(profile.get("type", ""))
        return True

    pod = is_bad(_context(spec))
    told = _setters(pod, [name for name, context in _contexts(spec) if is_bad(context)])
    if not told:
        return None
    wrong = f"must not set securityContext.seccompProfile.type to {_quoted(sorted(values))}"
    return "seccompProfile", f"{told} {wrong}"


def se_linux_options(engine: bool) -> Check:
    """The check with the types of its version: `engine` allows that of container engines."""
    allowed = {"", "container_t", "container_init_t", "container_kvm_t"}
    if engine:
        allowed.add("container_engine_t")

    def check(metadata: JsonObject, spec: JsonObject) -> Problem | None:
        types: set[str] = set()
        told: set[str] = set()

        def is_bad(context: JsonObject) -> bool:
            options: JsonObject = context.get("seLinuxOptions") or {}
            if options.get("type", "") not in allowed:
                types.add(options["type"])
            set_here = {each for each in ("user", "role") if options.get(each)}
            told.update(set_here)
            return bool(set_here) or options.get("type", "") not in allowed

        pod = is_bad(_context(spec))
        setters = _setters(pod, [name for name, context in _contexts(spec) if is_bad(context)])
        if not setters:
            return None
        data = [_named("type", sorted(types))] if types else []
        data += [f"{each} may not be set" for each in ("user", "role") if each in told]
        return "seLinuxOptions", f"{setters} set forbidden securityContext.seLinuxOptions: {'; '.join(data)}"

    return check


def sysctls(*further: str) -> Check:
    """The check with the kernel parameters of its version: the first ones, and `further`."""
    allowed = {
        "kernel.shm_rmid_forced",
        "net.ipv4.ip_local_port_range",
        "net.ipv4.tcp_syncookies",
        "net.ipv4.ping_group_range",
        "net.ipv4.ip_unprivileged_port_start",
        *further,
    }

    def check(metadata: JsonObject, spec: JsonObject) -> Problem | None:
        names = [each.get("name", "") for each in _context(spec).get("sysctls") or ()]
        wrong = [each for each in names if each not in allowed]
        return ("forbidden sysctls", ", ".join(wrong)) if wrong else None

    return check


def windows_host_process(metadata: JsonObject, spec: JsonObject) -> Problem | None:
    def is_bad(context: JsonObject) -> bool:
        return bool((context.get("windowsOptions") or {}).get("hostProcess"))

    names = [name for name, context in _contexts(spec) if is_bad(context)]
    told = _setters(is_bad(_context(spec)), names)
    if not told:
        return None
    return "hostProcess", f"{told} must not set securityContext.windowsOptions.hostProcess=true"


# Restricted.


def allow_privilege_escalation(metadata: JsonObject, spec: JsonObject) -> Problem | None:
    names = [
        name for name, context in _contexts(spec) if context.get("allowPrivilegeEscalation") is not False
    ]
    if not names:
        return None
    told = f"{_named('container', names)} must set securityContext.allowPrivilegeEscalation=false"
    return "allowPrivilegeEscalation != false", told


def restricted_capabilities(metadata: JsonObject, spec: JsonObject) -> Problem | None:
    keeping: list[str] = []
    adding: list[str] = []
    added: set[str] = set()
    for name, context in _contexts(spec):
        capabilities: JsonObject = context.get("capabilities") or {}
        if "ALL" not in (capabilities.get("drop") or ()):
            keeping.append(name)
        beyond = set(capabilities.get("add") or ()) - {"NET_BIND_SERVICE"}
        if beyond:
            adding.append(name)
            added |= beyond
    details: list[str] = []
    if keeping:
        details.append(f'{_named("container", keeping)} must set securityContext.capabilities.drop=["ALL"]')
    if adding:
        told = f"must not include {_quoted(sorted(added))} in securityContext.capabilities.add"
        details.append(f"{_named('container', adding)} {told}")
    return ("unrestricted capabilities", "; ".join(details)) if details else None


def restricted_volumes(metadata: JsonObject, spec: JsonObject) -> Problem | None:
    names: list[str] = []
    types: set[str] = set()
    for volume in spec.get("volumes") or ():
        if any(volume.get(each) is not None for each in _INLINE_VOLUMES):
            continue
        names.append(volume.get("name", ""))
        types.add(next((each for each in _OTHER_VOLUMES if volume.get(each) is not None), "unknown"))
    if not names:
        return None
    uses = "uses" if len(names) == 1 else "use"
    told = f"{_named('volume', names)} {uses} {_named('restricted volume type', sorted(types))}"
    return "restricted volume types", told


def run_as_non_root(metadata: JsonObject, spec: JsonObject) -> Problem | None:
    reason = "runAsNonRoot != true"
    pod = _context(spec).get("runAsNonRoot")
    wrong: list[str] = []
    missing: list[str] = []
    for name, context in _contexts(spec):
        own = context.get("runAsNonRoot")
        if own is False:
            wrong.append(name)
        elif own is None and not pod:
            missing.append(name)
    told = _setters(pod is False, wrong)
    if told:
        return reason, f"{told} must not set securityContext.runAsNonRoot=false"
    if missing:
        return reason, f"pod or {_named('container', missing)} must set securityContext.runAsNonRoot=true"
    return None


def run_as_user(metadata: JsonObject, spec: JsonObject) -> Problem | None:
    names = [name for name, context in _contexts(spec) if context.get("runAsUser") == 0]
    told = _setters(_context(spec).get("runAsUser") == 0, names)
    return ("runAsUser=0", f"{told} must not set runAsUser=0") if told else None


def seccomp_restricted(metadata: JsonObject, spec: JsonObject) -> Problem | None:
    wrong = seccomp_baseline(metadata, spec)
    if wrong is not None or (_context(spec).get("seccompProfile") is not None):
        return wrong
    missing = [name for name, context in _contexts(spec) if context.get("seccompProfile") is None]
    if not missing:
        return None
    told = 'must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"'
    return "seccompProfile", f"pod or {_named('container', missing)} {told}"
