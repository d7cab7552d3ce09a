"""Kubernetes' own structs, as messages show them."""

from kajitori.apis.validation.go_values import go_difference, go_struct


def test_pods_have_the_host_in_their_security_context() -> None:  # G1
    shown = go_struct("core.v1.PodSpec", {"hostPID": True, "serviceAccount": "a", "containers": []})
    assert list(shown)[:4] == ["Volumes", "InitContainers", "Containers", "EphemeralContainers"]
    assert "DeprecatedServiceAccount" not in shown and "HostPID" not in shown
    context = shown["SecurityContext"]
    assert list(context)[:6] == [
        "HostNetwork",
        "HostPID",
        "HostIPC",
        "ShareProcessNamespace",
        "HostUsers",
        "SELinuxOptions",
    ]
    assert (context["HostNetwork"], context["HostPID"], context["HostUsers"]) == (False, True, None)


def test_metadata_is_embedded() -> None:  # G1
    template = {"metadata": {"labels": {"a": "b"}}, "spec": {}}
    assert list(go_struct("core.v1.PodTemplateSpec", template)) == ["labels", "Spec"]


def test_names_of_one_struct_only() -> None:  # G1
    volume = go_struct("core.v1.RBDVolumeSource", {"monitors": ["m"], "image": "i"})
    assert (volume["CephMonitors"], volume["RBDImage"]) == (["m"], "i")
    assert "Image" in go_struct("core.v1.Container", {"image": "i"})


def test_differences_are_unified() -> None:  # G2
    old, new = ({"a": 1, "b": [1, 2], "c": value, "d": None} for value in ("x", "y"))
    assert go_difference(old, new) == (
        '@@ -4,6 +4,6 @@\n   1,\n   2\n  ],\n- "c": "x",\n+ "c": "y",\n  "d": null\n }\n'
    )
    assert go_difference(old, old) == ""
