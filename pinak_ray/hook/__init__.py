"""`pinak-ray hook`: a coding agent's tool call in, a warning out where something like it failed.

It runs before every tool call, as a process of its own. So its way imports the standard library
alone (a test holds it to that), and whatever goes wrong, the tool call goes on.
"""
