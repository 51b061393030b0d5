"""Models: endpoints that answer one request at a time.

Each module knows one kind of server or library, and turns what it says into an `Answer`, or into one of the ways in
which there is none. They do not try again, count or keep anything: `retroweave.pipeline` does.
"""
