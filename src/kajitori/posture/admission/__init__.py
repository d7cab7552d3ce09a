"""Webhooks and policies: what they see, whom they ask, and what happens while nobody answers."""
