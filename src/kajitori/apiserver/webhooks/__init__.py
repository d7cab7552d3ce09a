"""Webhooks: other people's servers that the API server asks, and what becomes of their answers.

`caller` carries a review to a webhook and its answer back, whatever the review is about.
"""

from kajitori.apiserver.webhooks.caller import WebhookCaller, WebhookError

__all__ = ["WebhookCaller", "WebhookError"]
