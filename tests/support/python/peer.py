"""What the scripts of this folder share: no process of theirs outlives the test, no case its time."""
import contextlib
import ctypes
import os
import signal
import threading

CASE_S = 15  # Reached by failing cases only.
WHOLE_S = 60
PR_SET_PDEATHSIG = 1


def end_with(code, *words):
    print(*words, flush=True)
    os._exit(code)  # From any thread, whatever the others wait for.


def end_with_parent():
    """Also when the parent is killed; and after WHOLE_S in any case."""
    parent = os.getppid()
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)
    watch = threading.Timer(WHOLE_S, end_with, (1,))
    watch.daemon = True
    watch.start()


@contextlib.contextmanager
def deadline(case):
    watch = threading.Timer(CASE_S, end_with, (1, f"failed {case}: not done in {CASE_S} s"))
    watch.daemon = True
    watch.start()
    try:
        yield
    finally:
        watch.cancel()
