_hoard = bytearray(64 * 2**30)
for _place in range(0, len(_hoard), 4096):
    _hoard[_place] = 1
