"""A model provider that follows a script: what agents are tried against, without a key."""
