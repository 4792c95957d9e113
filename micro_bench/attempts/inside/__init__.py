"""Runs inside the sandbox: takes the patch. Standard library only; the files are sent as text."""
