"""The only thing a sandbox can reach: a metering reverse proxy between agents and providers."""
