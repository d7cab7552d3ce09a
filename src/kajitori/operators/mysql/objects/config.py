"""ConfigMaps that are named after their content, so that new content is a new name and rolls the Pods."""

from collections.abc import Mapping

from kajitori.apis import JsonObject
from kajitori.apis.mysql_v1beta2.quantities import quantity_or_none
from kajitori.operators.mysql.mycnf import render_my_cnf, slow_log_path
from kajitori.operators.mysql.objects.base import Rendering, content_name
from kajitori.operators.mysql.objects.containers import user_container

__all__ = ["lower_case_table_names", "my_cnf", "slow_log_config"]

MY_CNF_KEY = "my.cnf"
SLOW_LOG_KEY = "fluent-bit.conf"

_SLOW_LOG_TEMPLATE = """\
[SERVICE]
  Log_Level      error
[INPUT]
  Name           tail
  Path           {{ .Path }}
  Read_from_Head true
[OUTPUT]
  Name           file
  Match          *
  Path           /dev
  File           stdout
  Format         template
  Template       {log}
"""


def my_cnf(rendering: Rendering, user_options: Mapping[str, str]) -> JsonObject:
    """The ConfigMap that mysqld reads."""
    text = render_my_cnf(user_options, _memory_bytes(rendering))
    name = content_name(rendering.names.my_cnf_prefix, text)
    return {**rendering.owned("v1", "ConfigMap", name), "data": {MY_CNF_KEY: text}}


def _memory_bytes(rendering: Rendering) -> int:
    """What the mysqld container requests, otherwise what it is limited to, otherwise 0."""
    resources = (user_container(rendering, "mysqld") or {}).get("resources") or {}
    for side in ("requests", "limits"):
        amount = quantity_or_none((resources.get(side) or {}).get("memory"))
        if amount:
            return amount.value()
    return 0


def lower_case_table_names(user_options: Mapping[str, str]) -> str:
    """The option that must be known when a database is initialised; empty when the user does not set it."""
    for name, value in user_options.items():
        if name.replace("-", "_").removeprefix("loose_") == "lower_case_table_names":
            return value
    return ""


def slow_log_config(rendering: Rendering) -> JsonObject:
    """The configuration of the container that prints the slow query log."""
    template = rendering.spec.slow_query_log_config_tmpl
    if template is None:
        template = _SLOW_LOG_TEMPLATE
    name = content_name(rendering.names.slow_log_prefix, template)
    text = template.replace("{{ .Path }}", slow_log_path).replace("{{.Path}}", slow_log_path)
    return {**rendering.owned("v1", "ConfigMap", name), "data": {SLOW_LOG_KEY: text}}
