try:
    with open("/tmp/fill", "wb") as _file:
        for _ in range(64):
            _file.write(b"x" * 2**24)
except OSError:
    pass
