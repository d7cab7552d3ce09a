"""The my.cnf of a cluster: defaults, the user's options, and what replication and the agent rely on.

Sits under the ConfigMap that the mysqld containers mount. A plain function of the user's options and the
container's memory, so the same input always gives the same bytes, whose hash names the ConfigMap.

Promises
    Y1  options of the user win over the defaults; what replication needs wins over the user
    Y2  `a-b`, `a_b` and `loose_a_b` are one option
    Y3  sections and options are sorted
    Y4  the text under `_include` stands verbatim at the top of [mysqld]

Source: section "my.cnf" of the moco.cybozu.com contract, and the MySQL reference manual's server options.
"""

from collections.abc import Mapping

__all__ = [
    "CONFIG_DIRECTORY",
    "DATA_DIRECTORY",
    "INIT_DIRECTORY",
    "LOG_DIRECTORY",
    "render_my_cnf",
    "slow_log_path",
]

DATA_DIRECTORY = "/var/lib/mysql"
"""Where the volume `mysql-data` is mounted; the database is in `data` below it."""
RUN_DIRECTORY = "/run"
TMP_DIRECTORY = "/tmp"
LOG_DIRECTORY = "/var/log/mysql"
CONFIG_DIRECTORY = "/etc/mysql"
INIT_DIRECTORY = "/etc/mysql-conf.d"
"""Where `moco-init` writes what differs between instances."""

BUFFER_POOL_PERCENT = 70
"""Of the container's memory, for the buffer pool; the rest is for connections and the system."""
BUFFER_POOL_BYTES_MIN = 128 << 20
"""MySQL's own default."""

_INCLUDE = "_include"
_REFUSED = ("log_bin", "skip_log_bin", "disable_log_bin", "log_error", _INCLUDE)
"""Without binary logs there is no replication, and the error log must reach the container's output."""

slow_log_path = f"{LOG_DIRECTORY}/mysql.slow"

_DEFAULTS: Mapping[str, str] = {
    "tmpdir": TMP_DIRECTORY,
    "innodb_tmpdir": TMP_DIRECTORY,
    "character_set_server": "utf8mb4",
    "collation_server": "utf8mb4_unicode_ci",
    "default_time_zone": "+0:00",
    "back_log": "900",
    "max_connections": "100000",
    "max_allowed_packet": "1G",
    "max_heap_table_size": "64M",
    "tmp_table_size": "64M",
    "sort_buffer_size": "4M",
    "join_buffer_size": "2M",
    "thread_cache_size": "100",
    "wait_timeout": "604800",  # a week
    "lock_wait_timeout": "60",
    "table_open_cache": "65536",
    "table_definition_cache": "65536",
    "transaction_isolation": "READ-COMMITTED",
    "slow_query_log": "ON",
    "long_query_time": "2",
    "log_slow_extra": "ON",
    "log_error_verbosity": "3",
    "max_sp_recursion_depth": "20",
    "print_identified_with_as_hex": "ON",
    "loose_mysql_native_password": "ON",
    "loose_binlog_transaction_compression": "ON",
    "temptable_use_mmap": "OFF",
    "information_schema_stats_expiry": "0",
    "disabled_storage_engines": "MyISAM",
    "default_storage_engine": "InnoDB",
    "innodb_flush_method": "O_DIRECT",
    "innodb_lock_wait_timeout": "60",
    "innodb_print_all_deadlocks": "1",
    "innodb_online_alter_log_max_size": "1073741824",
    "innodb_adaptive_hash_index": "ON",
    "loose_innodb_numa_interleave": "ON",
    "innodb_buffer_pool_in_core_file": "OFF",
    "innodb_log_file_size": "800M",
    "innodb_log_files_in_group": "2",
    "innodb_buffer_pool_dump_pct": "100",
    "innodb_buffer_pool_dump_at_shutdown": "1",
    "innodb_buffer_pool_load_at_startup": "0",
    "loose_innodb_validate_tablespace_paths": "OFF",
    "innodb_flush_neighbors": "0",
    "innodb_random_read_ahead": "false",
    "innodb_read_ahead_threshold": "0",
    "innodb_log_write_ahead_size": "512",
    "innodb_undo_log_truncate": "OFF",
}

_CONSTANTS: Mapping[str, Mapping[str, str]] = {
    "mysqld": {
        "port": "3306",
        "mysqlx_port": "33060",
        "admin_port": "33062",
        "socket": f"{RUN_DIRECTORY}/mysqld.sock",
        "pid_file": f"{RUN_DIRECTORY}/mysqld.pid",
        "datadir": f"{DATA_DIRECTORY}/data",
        "secure_file_priv": "NULL",
        "skip_name_resolve": "ON",
        "slow_query_log_file": slow_log_path,
        # mysqld reads options in order, and gtid_mode needs this one: it sorts before.
        "enforce_gtid_consistency": "ON",
        "gtid_mode": "ON",
        "binlog_format": "ROW",
        "log_replica_updates": "ON",
        # On, a replica that crashed would throw away what it had received and the primary may no longer have.
        "relay_log_recovery": "OFF",
        "read_only": "ON",
        "super_read_only": "ON",
        "skip_replica_start": "ON",
        "loose_replication_optimize_for_static_plugin_config": "ON",
        # On, a replica that crashed cannot take up replication again.
        "loose_replication_sender_observe_commit_only": "OFF",
    },
    "client": {
        "port": "3306",
        "socket": f"{RUN_DIRECTORY}/mysqld.sock",
        "loose_default_character_set": "utf8mb4",  # loose: mysqlbinlog does not know it
    },
    "mysql": {"auto_rehash": "OFF", "init_command": '"SET autocommit=0"'},
}


def render_my_cnf(user_options: Mapping[str, str], memory_bytes: int) -> str:
    """The file's text. `memory_bytes` is the mysqld container's memory, 0 when it is not known."""
    options = _overridden(_DEFAULTS, user_options)
    if not {"innodb_buffer_pool_size", "loose_innodb_buffer_pool_size"} & options.keys():
        options["innodb_buffer_pool_size"] = str(buffer_pool_bytes(memory_bytes))
    for name in _REFUSED:
        options.pop(name, None)
        options.pop(f"loose_{name}", None)
    sections = {**_CONSTANTS, "mysqld": _overridden(options, _CONSTANTS["mysqld"])}
    blocks: list[str] = []
    for title in sorted(sections):
        lines = [f"[{title}]"]
        if title == "mysqld" and user_options.get(_INCLUDE):
            lines.append(user_options[_INCLUDE])
        lines += [f"{name} = {value}" for name, value in sorted(sections[title].items())]
        blocks.append("\n".join(lines) + "\n")
    return "\n".join(blocks) + f"\n!includedir {INIT_DIRECTORY}\n"


def buffer_pool_bytes(memory_bytes: int) -> int:
    """The buffer pool of a container with so much memory: whole MiB."""
    share = memory_bytes * BUFFER_POOL_PERCENT // 100
    return max(share >> 20 << 20, BUFFER_POOL_BYTES_MIN)


def _overridden(options: Mapping[str, str], stronger: Mapping[str, str]) -> dict[str, str]:
    """The options with every one of `stronger` in the place of its variants."""
    merged = {_normal(name): value for name, value in options.items()}
    for name, value in stronger.items():
        normal = _normal(name)
        plain = normal.removeprefix("loose_")
        merged.pop(plain, None)
        merged.pop(f"loose_{plain}", None)
        merged[normal] = value
    return merged


def _normal(name: str) -> str:
    return name.replace("-", "_")
