pytest_plugins = ["plug.fixtures", "solo"]
