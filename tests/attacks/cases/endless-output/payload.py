import os as _os

for _ in range(600):
    _os.write(1, b"x" * 100_000)
