"""An app that dies while it is loaded, as by a library that the kernel ends."""

import os
import signal

os.kill(os.getpid(), signal.SIGSEGV)
