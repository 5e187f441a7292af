"""Who calls: the bearer token's subject, for whom it may speak, and the one namespace it opens."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from pinak_ray.records.errors import Forbidden
from pinak_ray.records.limits import check_name
from pinak_ray.records.state.owners import Owner, Space
from pinak_ray.security.scopes import Scope
from pinak_ray.security.tokens import Principal
from pinak_ray.serve.context import AppContext, Context
from pinak_ray.store.onlooker import only_looks

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

    @property
    def voice(self) -> str:
        """Return who speaks, whichever agent it speaks for: the token's subject."""
        return self.principal.subject

    @property
    def may_write(self) -> bool:
        """Tell whether anything may be recorded for it."""
        return Scope.WRITE in self.principal.scopes

    def named(self, what: str, name: str | None) -> str:
        """Return the agent or author that the caller speaks for; without a name its own subject.

        Raises Forbidden where that is another one and the token is not for any agent.
        """
        checked = self.voice if name is None else check_name(what, name)
        if checked != self.voice and Scope.AGENTS not in self.principal.scopes:
            raise Forbidden(
                f"this token speaks for its own subject alone: to name another {what} it needs the "
                f"scope {Scope.AGENTS}"
            )
        return checked

    async def agent(self, name: str | None) -> Owner:
        """Return the address of the agent that the caller speaks for; raises Forbidden."""
        checked = self.named("agent", name)
        return Owner(await self.namespace_id(), Space.AGENT, checked)

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
        found = Caller(principal, context)
        only_looks.set(not found.may_write)
        return found

    return caller


# The scope is given twice: to what asks for it, and to the OpenAPI document, which names it.
Reader = Annotated[Caller, Security(require(Scope.READ), scopes=[Scope.READ])]
Writer = Annotated[Caller, Security(require(Scope.WRITE), scopes=[Scope.WRITE])]
