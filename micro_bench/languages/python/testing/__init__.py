"""How pytest is started and read: command, results, the tests a file defines."""
