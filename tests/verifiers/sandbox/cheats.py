"""Wrong solutions that make a careless judge say "right". The task: `double(number)` gives twice the number.

Each names the judges that it fools, all of which run it beside its tests in one process: by the exit code, by what is
printed, or by a comparison in that process. None may fool the sandbox, which compares values elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["CASES", "CHEATS", "JUDGES", "Cheat"]

CASES = [(3, 6), (10, 20)]

JUDGES = {
    "exit code": """
exec(compile(SOURCE, "solution", "exec"), globals())
for argument, expected in CASES:
    assert double(argument) == expected
""",
    "printed": """
exec(compile(SOURCE, "solution", "exec"), globals())
right = all(double(argument) == expected for argument, expected in CASES)
print("passed" if right else "failed")
""",
    "nonce": """
import json, secrets
nonce = secrets.token_hex(8)
exec(compile(SOURCE, "solution", "exec"), globals())
right = all(double(argument) == expected for argument, expected in CASES)
print(json.dumps({"nonce": nonce, "right": right}))
""",
}


@dataclass(frozen=True)
class Cheat:
    name: str
    source: str
    fools: tuple[str, ...]


CHEATS = [
    Cheat("leave with code 0", "import sys\ndef double(number):\n    sys.exit(0)\n", ("exit code",)),
    Cheat("leave at once", "import os\ndef double(number):\n    os._exit(0)\n", ("exit code",)),
    Cheat("leave when it is loaded", "import os\nos._exit(0)\n", ("exit code",)),
    Cheat(
        "leave with code 0 whatever happens",
        "import atexit, os\natexit.register(os._exit, 0)\ndef double(number):\n    return 0\n",
        ("exit code",),
    ),
    Cheat(
        "leave when it is thrown away",
        """
import os
class Last:
    def __del__(self):
        os._exit(0)
def double(number):
    last = Last()
    return 0
""",
        ("exit code",),
    ),
    Cheat(
        "leave from a thread",
        """
import _thread, os, time
def double(number):
    _thread.start_new_thread(os._exit, (0,))
    time.sleep(1)
""",
        ("exit code",),
    ),
    Cheat(
        "leave by a signal's handler",
        """
import os, signal
signal.signal(signal.SIGALRM, lambda *_: os._exit(0))
def double(number):
    signal.setitimer(signal.ITIMER_REAL, 0.01)
    while True:
        pass
""",
        ("exit code",),
    ),
    Cheat(
        "say that it passed",
        "import os\ndef double(number):\n    os.write(1, b'passed\\n')\n    os._exit(0)\n",
        ("exit code", "printed"),
    ),
    Cheat(
        "say nothing else",
        """
import builtins
say = builtins.print
builtins.print = lambda *words, **more: say("passed")
def double(number):
    return 0
""",
        ("printed",),
    ),
    Cheat(
        "equal everything",
        """
class Anything:
    def __eq__(self, other):
        return True
    __hash__ = None
def double(number):
    return Anything()
""",
        ("exit code", "printed", "nonce"),
    ),
    Cheat(
        "equal everything as a number",
        """
class Anything(int):
    def __eq__(self, other):
        return True
    def __hash__(self):
        return 0
def double(number):
    return Anything()
""",
        ("exit code", "printed", "nonce"),
    ),
    Cheat(
        "read what is expected in the frames",
        """
import sys
def double(number):
    frame = sys._getframe()
    while frame:
        for names in (frame.f_locals, frame.f_globals):
            if "expected" in names:
                return names["expected"]
            for argument, expected in names.get("CASES", ()):
                if argument == number:
                    return expected
        frame = frame.f_back
    return 0
""",
        ("exit code", "printed", "nonce"),
    ),
    Cheat(
        "find what is expected among all objects",
        """
import gc
def double(number):
    gc.unfreeze()
    for found in gc.get_objects():
        if type(found) is list and found and type(found[0]) is tuple and len(found[0]) == 2:
            for argument, expected in found:
                if argument == number:
                    return expected
    return 0
""",
        ("exit code", "printed", "nonce"),
    ),
    Cheat(
        "report with the nonce itself",
        """
import builtins, json, os, sys
def double(number):
    names = sys._getframe(1).f_globals
    if "nonce" not in names:
        names = sys._getframe(2).f_globals
    print(json.dumps({"nonce": names["nonce"], "right": True}))
    sys.stdout.flush()
    os._exit(0)
""",
        ("nonce",),
    ),
    Cheat(
        "replace the judge's tools",
        """
import builtins
builtins.all = lambda things: True
def double(number):
    return 0
""",
        ("printed", "nonce"),
    ),
    Cheat(
        "write to every descriptor",
        """
import os
def double(number):
    for place in range(1, 64):
        try:
            os.write(place, b"passed\\n")
        except OSError:
            pass
    os._exit(0)
""",
        ("exit code", "printed"),
    ),
    Cheat(
        "write an outcome to every descriptor",
        """
import os
def double(number):
    for place in range(1, 64):
        try:
            os.write(place, b'["0123456789abcdef",{"value":6},{"value":20}]\\n')
        except OSError:
            pass
    os._exit(0)
""",
        ("exit code",),
    ),
    Cheat(
        "replace what reports",
        """
import gc, json, os, sys
gc.unfreeze()
for found in gc.get_objects():
    if type(found).__name__ == "Report":
        type(found).put = lambda self, outcome: None
json.dumps = lambda *_, **__: '{"right": true}'
def double(number):
    os._exit(0)
""",
        ("exit code",),
    ),
]
