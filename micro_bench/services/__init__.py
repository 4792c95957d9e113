"""Services beside a sandbox: what kinds there are, and how they are made ready."""
