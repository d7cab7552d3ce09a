"""`kubectl guardrails`: a look at what a command would do, and a question, before kubectl does it."""
