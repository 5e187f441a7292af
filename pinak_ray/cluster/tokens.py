"""Tokens signed by the home's own key."""

from datetime import timedelta

from pinak_ray.cluster.settings import Settings
from pinak_ray.cluster.signing import own_ring
from pinak_ray.records.ids import NamespaceKey
from pinak_ray.security.scopes import Scope
from pinak_ray.security.tokens import issue_token

__all__ = ["mint"]


def mint(
    settings: Settings,
    subject: str,
    *,
    namespace: NamespaceKey,
    scopes: tuple[Scope, ...],
    lifetime: timedelta,
) -> str:
    """Return a token signed by the home's own key; raises SetupError where there is none."""
    return issue_token(
        own_ring(settings).current,
        subject,
        namespace=namespace,
        scopes=scopes,
        lifetime=lifetime,
    )
