import os as _os
import time as _time

for _ in range(500):
    try:
        if not _os.fork():
            _time.sleep(600)
    except OSError:
        break
