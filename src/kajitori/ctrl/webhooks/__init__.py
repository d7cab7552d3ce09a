"""Webhooks of operators: functions that an API server asks before it stores an object, and when it converts one.

An operator declares them on its manager; whoever runs the manager decides where they are answered (`host`): in the
process of `kajitori up`, or over HTTPS by `kajitori run`.

`reviews` reads what is asked and writes what is answered, `typed` has what operators write, `declared` knows names,
paths and rules, `conversion` other versions, `serving` finds what answers and `registering` keeps an API server asking.
"""

from kajitori.ctrl.webhooks.host import Answer, WebhookHost, WebhooksNotServed

__all__ = ["Answer", "WebhookHost", "WebhooksNotServed"]
