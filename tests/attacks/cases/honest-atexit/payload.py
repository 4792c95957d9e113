import atexit as _atexit
import logging as _logging

_atexit.register(_logging.shutdown)
