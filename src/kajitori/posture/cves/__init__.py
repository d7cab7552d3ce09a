"""Known vulnerabilities of Kubernetes, matched to the versions that run.

What is affected is known from three sources, the best first: a block of OSV in the announcement, the table that is
shipped (`table`), and the announcement's text, of which nothing certain can be had.
"""
