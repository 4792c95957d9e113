import os as _os
import threading as _threading

_threading.Timer(0.15, lambda: _os._exit(1)).start()
