import sys as _sys
import subprocess as _subprocess  # nosec
import threading as _threading

_subprocess.run([_sys.executable, "-c", "pass"], check=True)  # nosec
_threading.Thread(target=_threading.Event().wait, args=(0.2,), daemon=True).start()
