"""The doors to what a test must be able to replace: clock, randomness, sockets, files, processes, netlink.

Code above takes a door as an argument and never opens one itself, so that a simulation can hold the other
end.
"""
