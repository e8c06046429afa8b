"""Start a tool under limits: `python -I -S started.py PARENT CPU_S MEMORY_BYTES FILE_BYTES TOOL ARGUMENT …`.

A process of its own instead of Popen's `preexec_fn`, which is not safe beside threads. It imports nothing of ours.
"""

import ctypes
import os
import resource
import signal
import sys

PR_SET_PDEATHSIG = 1
FILES_MAX = 512


def main() -> None:
    parent, cpu_s, memory_bytes, file_bytes = (int(word) for word in sys.argv[1:5])
    _die_with(parent)
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_CPU, cpu_s)
    _limit(resource.RLIMIT_FSIZE, file_bytes)
    _limit(resource.RLIMIT_NOFILE, FILES_MAX)
    if sys.platform == "linux":
        _limit(resource.RLIMIT_AS, memory_bytes)
    os.execv(sys.argv[5], sys.argv[5:])  # noqa: S606  # a list of words of ours


def _die_with(parent: int) -> None:
    """Be killed when the worker is, even if it is killed itself and can end nothing any more (Linux alone)."""
    if sys.platform != "linux":
        return
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        sys.exit("The worker ended.")


def _limit(what: int, wanted: int) -> None:
    hard = resource.getrlimit(what)[1]
    allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(what, (allowed, allowed))


main()
