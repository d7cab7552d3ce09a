"""Guardrails on the server: writes that need the token of a dry run, whatever program they come from."""
