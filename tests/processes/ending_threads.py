"""The served app, in which a thread ends once the instance folder has a file "end PROCESS THREAD"."""

import ctypes
import os
import threading
import time
from pathlib import Path

from wsgi import app

__all__ = ["app"]


def end_asked_thread() -> None:
    """Wait for a file that names a thread of this process, and let SystemExit come up in that thread."""
    while True:
        for thread in threading.enumerate():
            if Path(app.instance_path, f"end {os.getpid()} {thread.name}").exists():
                ctypes.pythonapi.PyThreadState_SetAsyncExc(
                    ctypes.c_ulong(thread.ident or 0), ctypes.py_object(SystemExit)
                )
                return
        time.sleep(0.05)


threading.Thread(target=end_asked_thread, daemon=True).start()
