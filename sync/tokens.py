"""Bearer tokens: fetched once for all callers, kept until shortly before they expire, never shown."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol

from sync.errors import SyncError
from sync.model import Clock

Fetch = Callable[[], Awaitable[tuple[str, float]]]
"""Asks for a token; answers it with the unix seconds at which it expires."""


class Tokens(Protocol):
    """Where a site's bearer token comes from."""

    async def token(self, rejected: str = "") -> str:
        """A token that still lives and is not the `rejected` one; raises SyncError."""
        ...


class CachedTokens:
    """Keeps one token; whoever needs a new one while it is being fetched waits for that one fetch."""

    def __init__(self, fetch: Fetch, clock: Clock) -> None:
        self._fetch = fetch
        self._clock = clock
        self._token = ""
        self._renew_at = 0.0
        self._lock = asyncio.Lock()
        self._failures = 0
        self._failure: SyncError | None = None

    async def token(self, rejected: str = "") -> str:
        if self._usable(rejected):
            return self._token
        failures = self._failures
        async with self._lock:
            if not self._usable(rejected):
                if self._failure is not None and self._failures > failures:
                    # It failed while we waited for it: asking once more each would queue up the timeouts.
                    raise SyncError(self._failure.code, self._failure.detail, status=self._failure.status)
                await self._renew()
            return self._token

    async def _renew(self) -> None:
        try:
            self._token, expires_at = await self._fetch()
        except SyncError as error:
            self._failures += 1
            self._failure = error
            raise
        life = expires_at - self._clock.now()
        self._renew_at = expires_at - min(120.0, life / 4)

    def _usable(self, rejected: str) -> bool:
        return bool(self._token) and self._token != rejected and self._clock.now() < self._renew_at


class AccessToken(Protocol):
    """The part of azure-core's AccessToken that is used."""

    @property
    def token(self) -> str: ...

    @property
    def expires_on(self) -> int: ...


class Credential(Protocol):
    """An azure-identity asynchronous credential."""

    async def get_token(self, *scopes: str) -> AccessToken: ...

    async def close(self) -> None: ...


def azure_tokens(credential: Credential, scope: str, clock: Clock) -> CachedTokens:
    """Tokens of a managed identity or another azure-identity credential (dataverse.md 4.6)."""
    from azure.core.exceptions import AzureError, ClientAuthenticationError

    async def fetch() -> tuple[str, float]:
        try:
            access = await credential.get_token(scope)
            return access.token, float(access.expires_on)
        except ClientAuthenticationError as error:
            failure = SyncError("dynamics_unauthorized", type(error).__name__)
        except AzureError as error:
            failure = SyncError("dynamics_unreachable", f"token: {type(error).__name__}")
        raise failure

    return CachedTokens(fetch, clock)
