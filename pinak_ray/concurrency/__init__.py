"""Who may go on, and who waits: turns and shares, fair between namespaces.

What one namespace asks for never decides whether another one is served.
"""
