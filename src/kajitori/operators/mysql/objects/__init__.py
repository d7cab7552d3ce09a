"""The objects that a MySQL cluster is made of, each rendered by a plain function.

What is rendered is an apply configuration: it says what the operator owns and leaves everything else to
others. `base.Rendering` is what all of them start from; nothing here looks at what exists.
"""
