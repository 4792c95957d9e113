"""The only users of SDKs, processes, clocks and sockets."""
