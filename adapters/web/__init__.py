"""The HTTP API: `docs/architecture.md` says why, `/openapi.json` says what."""
