pytest_plugins = "plug.extra"
