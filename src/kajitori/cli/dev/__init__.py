"""`kajitori dev MODULE`: an operator runs while it is written.

command    the command line, and what it puts together
embedded   `kajitori up` in a thread, for who names no cluster
session    the life of the code: loaded, run, replaced when it is saved
code       the user's modules, imported anew
files      which of them were saved
definitions, schemachanges
           the kinds that the code declares, installed, and what saving does to them
settling   when nothing is left to do (`--once`)
happenings, lines, logs
           what happens, as values, as lines, out of the log
"""

from kajitori.cli.dev.command import main

__all__ = ["main"]
