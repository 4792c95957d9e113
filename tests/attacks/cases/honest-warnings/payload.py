import warnings as _warnings

_warnings.filterwarnings("ignore", category=DeprecationWarning, module="nowhere")
