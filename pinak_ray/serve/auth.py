"""Who calls: the bearer token's subject, and the one namespace that it opens."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from pinak_ray.records.errors import Forbidden
from pinak_ray.records.limits import check_name
from pinak_ray.records.state import Owner, Space
from pinak_ray.security.scopes import Scope
from pinak_ray.security.tokens import Principal
from pinak_ray.serve.context import AppContext, Context

__all__ = ["Caller", "Reader", "Writer", "require"]

_bearer = HTTPBearer(
    auto_error=False,
    bearerFormat="JWT",
    scheme_name="token",
    description="A token of `pinak-ray token`; it names the subject, one namespace and the scopes.",
)


@dataclass(frozen=True, slots=True)
class Caller:
    """A principal with the scope that the route asked for."""

    principal: Principal
    context: AppContext

    async def namespace_id(self) -> int:
        """Return the id of the token's namespace: nothing in a request can name another."""
        return await self.context.namespace_id(self.principal.namespace)

    async def agent(self, name: str | None) -> Owner:
        """Return an agent's address; without a name it is the token's subject."""
        checked = self.principal.subject if name is None else check_name("agent", name)
        return Owner(await self.namespace_id(), Space.AGENT, checked)

    async def scratchpad(self, agent: str) -> Owner:
        """Return the address of an agent's scratchpad, which is private to that agent.

        Raises Forbidden unless the agent is the token's subject, or the token is for any agent.
        """
        owner = await self.agent(agent)
        if owner.name != self.principal.subject and Scope.AGENTS not in self.principal.scopes:
            raise Forbidden(
                "a scratchpad is private to its agent: this token speaks for another subject, and "
                f"lacks the scope {Scope.AGENTS}"
            )
        return owner

    async def board(self, name: str) -> Owner:
        """Return a board's address."""
        checked = check_name("board", name)
        return Owner(await self.namespace_id(), Space.BOARD, checked)


def require(scope: Scope) -> Callable[..., Awaitable[Caller]]:
    """Return the dependency that lets in callers whose token grants `scope`."""

    async def caller(
        context: Context,
        credentials: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)],
    ) -> Caller:
        token = credentials.credentials if credentials is not None else ""
        principal = await context.keys.principal(token)
        principal.require(scope)
        return Caller(principal, context)

    return caller


Reader = Annotated[Caller, Depends(require(Scope.READ))]
Writer = Annotated[Caller, Depends(require(Scope.WRITE))]
