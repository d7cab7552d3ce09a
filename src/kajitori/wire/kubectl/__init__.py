"""The command line of kubectl 1.36 as values: which command is meant, its flags, and what it is about."""

from kajitori.wire.kubectl.facts import Command, commands
from kajitori.wire.kubectl.grammar import CommandLine, parse
from kajitori.wire.kubectl.targets import Target, targets_of

__all__ = ["Command", "CommandLine", "Target", "commands", "parse", "targets_of"]
