"""Results into decisions: who is better, and did it get worse last night."""
