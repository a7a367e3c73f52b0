"""Runs a script and kills it, as kill -9 does, right before its n-th effect: a request, a file opened to write, a rename.

python -m tests.examples.fatal 7 examples/crm_sync.py its arguments
"""

import os
import runpy
import signal
import sys

left = int(sys.argv[1])


def watch(event, arguments):
    """Count effects; at the last one, die."""
    global left
    if event == "socket.connect" or event == "os.rename" or (event == "open" and _writes(arguments)):
        left -= 1
        if not left:
            os.kill(os.getpid(), signal.SIGKILL)


def _writes(arguments):
    path, _, flags = arguments
    return isinstance(path, str) and ".csv" in path and bool(flags & (os.O_WRONLY | os.O_RDWR))


del sys.argv[:2]
sys.addaudithook(watch)
runpy.run_path(sys.argv[0], run_name="__main__")
