"""`pinak-ray token`."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from pinak_ray.cli.console import print_json
from pinak_ray.cli.options import AsJson, Home, Project, Tenant, VerboseFlag, settings_from
from pinak_ray.client.discovery import ClientSettings
from pinak_ray.cluster.tokens import mint
from pinak_ray.records.ids import NamespaceKey
from pinak_ray.security.scopes import Scope, scopes_named

__all__ = ["register"]

_EPILOG = """
[bold]Examples[/bold]

  pinak-ray token                                      30 days, read and write, any agent

  pinak-ray token --subject ci --project web --days 1  speaks for the agent ci alone

  pinak-ray token --scope read                         may look, may not write

  pinak-ray token --subject swarm --scope read --scope write --scope agents
                                                       swarm speaks for any agent

  export PINAK_URL=http://127.0.0.1:8642 PINAK_TOKEN=$(pinak-ray token)
"""
_OPERATOR = "cli"
_OWN_SCOPES = (Scope.READ, Scope.WRITE)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog=_EPILOG)(token)


def token(
    home: Home = None,
    subject: Annotated[
        str | None,
        typer.Option(
            help="Who the token is for, and alone speaks for: an agent, a user. [dim]cli[/dim]"
        ),
    ] = None,
    tenant: Tenant = None,
    project: Project = None,
    scope: Annotated[
        list[str] | None,
        typer.Option(
            help="read, write, agents (to speak for any agent, not only the subject) or admin; "
            "repeat it. Unless told read and write, and agents where no subject is named."
        ),
    ] = None,
    days: Annotated[float, typer.Option(help="How long it holds.")] = 30.0,
    as_json: AsJson = False,
    verbose: VerboseFlag = False,
) -> None:
    """Print a token (JWT) that opens one namespace of this stack over HTTP."""
    client = ClientSettings()
    namespace = NamespaceKey(tenant or client.tenant, project or client.project)
    # Who has the home can sign for anyone: its own token speaks for any agent, as the commands do.
    usual = _OWN_SCOPES if subject is not None else (*_OWN_SCOPES, Scope.AGENTS)
    scopes = scopes_named([_full_name(name) for name in scope or usual])
    subject = subject if subject is not None else _OPERATOR
    try:
        lifetime = timedelta(days=days)
    except (OverflowError, ValueError):
        raise typer.BadParameter(f"--days {days} is no length of time") from None
    text = mint(
        settings_from(home=home), subject, namespace=namespace, scopes=scopes, lifetime=lifetime
    )
    if not as_json:
        typer.echo(text)
        return
    print_json(
        {
            "token": text,
            "subject": subject,
            "tenant": namespace.tenant,
            "project": namespace.project,
            "scopes": scopes,
            "expires_at": datetime.now(UTC) + lifetime,
        }
    )


def _full_name(scope: str) -> str:
    return scope if "." in scope else f"memory.{scope}"
