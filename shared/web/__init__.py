"""The HTTP kit every service is served with: strict input, problem+json, one shape of route."""
