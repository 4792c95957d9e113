def test_it(monkeypatch):
    monkeypatch.setattr("shop.unused.value", 1)
