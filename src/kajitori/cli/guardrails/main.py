"""`kubectl guardrails COMMAND …`: kubectl, with a question where a rule wants one.

Promises
    U1  a command that no rule is about becomes kubectl at once, with its words as they were given
    U2  what is allowed in the end is done by kubectl itself in this very process: terminal, input, exit code
    U3  nothing runs when the rules cannot be read, or a rule that could match cannot be told from one that does
"""

import sys
from collections.abc import Iterable, Mapping, Sequence
from os import environ as process_environ
from os import path
from typing import TYPE_CHECKING

from kajitori.cli.guardrails.errors import GuardrailsError
from kajitori.cli.guardrails.flags import Flags, own_flags

if TYPE_CHECKING:
    from kajitori.cli.guardrails.asking import Answer
    from kajitori.cli.guardrails.looking import Look
    from kajitori.cli.guardrails.place import Place
    from kajitori.cli.guardrails.programs import Kubectl
    from kajitori.cli.guardrails.rules import Rule
    from kajitori.wire.kubectl import CommandLine

__all__ = ["DECLINED", "WRONG", "main"]

DECLINED, WRONG = 1, 2
"""Exit codes of our own. All others are kubectl's."""

HELP = """\
kubectl with a look and a question before commands that a rule is about.

  kubectl guardrails COMMAND ...        any command of kubectl
  alias kubectl='kubectl guardrails'    for every command

Rules are in ~/.kube/guardrails, or where $KUBECTL_GUARDRAILS_CONF says:

  rules:                                # the first that matches decides
  - name: production                    # told with the question
    match:                              # all must hold; left out, everything does
      contexts: ["prod*"]               # patterns; also clusters (names or addresses), users
      namespaces: [shop, "team-*"]
      verbs: [delete, rollout restart]
      resources: [namespaces, deployments.apps]
      selector: tier=db                 # labels of one object at least
      moreThan: 5                       # objects
      all: true                         # --all or --all-namespaces
    action: confirm                     # or allow, type-the-name, require-ticket, dry-run, deny
    message: this is production
    ticket: OPS-[0-9]+                  # for require-ticket
    preview: true                       # show what would go
  contexts:                             # the form of the first kubectl-guardrails
  - name: prod
    prompts: [{name: delete, dry-run: true}]
  log: ~/.kube/guardrails.log           # who was asked what, and the answer

Before kubectl runs you see context, cluster, user and namespace, the server's dry run of the command, the objects,
what garbage collection takes with them, volumes whose data is deleted, disruption budgets, services left without Pods.

flags of our own, anywhere before `--`; with plugins before their names, as what follows is theirs:
  --yes                 the answer, where a rule asks to confirm
  --yes-i-mean HASH     the answer to exactly this command on exactly these objects; the refusal tells the hash
  --ticket TICKET       the ticket, where a rule requires one

exit codes: kubectl's own where it runs; 1 declined or denied; 2 the rules or the command line are wrong.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Becomes kubectl, or gives an exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        return _run(given, process_environ)
    except GuardrailsError as error:
        print(f"guardrails: {error}", file=sys.stderr)
        return WRONG
    except KeyboardInterrupt:
        print("\nguardrails: nothing was done", file=sys.stderr)
        return DECLINED


def _run(given: list[str], environ: Mapping[str, str]) -> int:
    """Becomes kubectl, or gives an exit code. Raises: GuardrailsError."""
    from kajitori.cli.guardrails.programs import Kubectl

    called_kubectl = path.basename(sys.argv[0]) == "kubectl"
    while given[:1] == ["guardrails"]:
        del given[0]
    if not called_kubectl and given[:1] in ([], ["--help"], ["-h"]):
        print(HELP, end="")
        return 0
    kubectl = Kubectl(environ, sys.argv[0])
    from kajitori.cli.guardrails.configuration import read_configuration

    configuration = read_configuration(environ)
    words, flags = own_flags(given)
    if configuration.rules or words != given:
        from kajitori.cli.guardrails.kuberc import parse_with_preferences
        from kajitori.cli.guardrails.rules import may_match

        line = parse_with_preferences(words, environ)
        if words != given and not line.known:
            words, flags = own_flags(given, before_command=True)
            line = parse_with_preferences(words, environ)
        if not _changes_nothing(line) and any(may_match(rule, line) for rule in configuration.rules):
            from kajitori.cli.guardrails.place import place_of

            question = _Question(line, place_of(line, environ), kubectl, flags)
            if not question.settle(configuration.rules, configuration.log):
                return DECLINED
    return kubectl.become(words)


def _changes_nothing(line: "CommandLine") -> bool:
    """Whether the command only asks for help, or is a dry run already."""
    if line.unsure:
        return False
    dry = line.flag("dry-run", "none")
    return line.is_on("help") or dry in _DRY or line.is_on("local")


_DRY = ("client", "server", "true", "True", "TRUE", "t", "T", "1")
"""Values of `--dry-run` with which nothing is changed."""


class _Question:
    """One command that a rule may be about."""

    def __init__(self, line: "CommandLine", place: "Place", kubectl: "Kubectl", flags: "Flags") -> None:
        self._line, self._place, self._kubectl, self._flags = line, place, kubectl, flags
        self._known: Look | None = None

    @property
    def _look(self) -> "Look":
        if self._known is None:
            from kajitori.cli.guardrails.looking import Look

            self._known = Look(self._line, self._kubectl)
        return self._known

    def _rule(self, rules: "Sequence[Rule]") -> "Rule | None":
        from kajitori.cli.guardrails.rules import Situation, first_match

        place = self._place
        seats = (self._line, place.context, place.clusters, place.users, place.namespace)
        found = first_match(rules, Situation(*seats))
        if found is False:
            found = first_match(rules, Situation(*seats, self._look.objects().affected, asked=True))
        assert not isinstance(found, bool)
        return found

    def settle(self, rules: "Sequence[Rule]", log: str) -> bool:
        """Whether the command may run, everything told and asked that there is to."""
        from kajitori.cli.guardrails.rules import Action

        rule = self._rule(rules)
        if rule is None or rule.action is Action.ALLOW:
            return True
        answer = self._answer(rule)
        if log:
            from kajitori.cli.guardrails.logbook import note

            note(log, self._line, self._place, rule, answer)
        if not answer.granted:
            print(f"guardrails: {answer.why}; nothing was done", file=sys.stderr)
        return answer.granted

    def _answer(self, rule: "Rule") -> "Answer":
        from kajitori.cli.guardrails.asking import Answer, hash_of, is_answered
        from kajitori.cli.guardrails.rules import Action
        from kajitori.cli.guardrails.screen import heading

        self._tell(heading(self._line, self._place, rule))
        if rule.action is Action.DENY:
            return Answer(False, f"the rule {rule.name} denies this")
        if rule.preview or rule.action is Action.DRY_RUN:
            self._preview()
        if rule.action is Action.DRY_RUN:
            return Answer(False, f"the rule {rule.name} allows this as a dry run alone")
        meant, name = "", self._place.context or self._place.cluster or self._place.server
        if rule.action is not Action.CONFIRM or rule.preview or self._flags.meant:
            objects = self._look.objects().objects
            meant = hash_of(self._line.words, self._place, objects)
            if objects is not None and len(objects) == 1:
                name = str(objects[0]["metadata"].get("name"))
        answer = is_answered(rule, self._flags, name, meant)
        if answer.granted:
            self._confirm_to_the_server(answer.ticket)
        return answer

    def _preview(self) -> None:
        from kajitori.cli.guardrails import screen

        look = self._look
        run = look.dry_run()
        if run is not None:
            self._tell(screen.dry_run_lines(run))
        seen = look.everything()
        if run is not None and run.objects is not None:
            before = look.before(run.objects)
            self._tell(screen.diff_lines(before, run.objects))
        else:
            self._tell(screen.object_lines(seen))
        self._tell(screen.loss_lines(seen))

    def _confirm_to_the_server(self, ticket: str) -> None:
        """Where a dry run is answered with tokens, the server wants them back."""
        run = self._look.dry_run()
        if run is not None and run.err:
            from kajitori.cli.guardrails.confirming import confirm

            confirm(self._look, self._kubectl, run.err, ticket)

    @staticmethod
    def _tell(lines: "Iterable[str]") -> None:
        for each in lines:
            print(each, file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
