"""Tokens signed by the home's own key."""

from datetime import timedelta

from pinak_ray.cluster.settings import Settings
from pinak_ray.records.errors import SetupError
from pinak_ray.records.ids import NamespaceKey
from pinak_ray.security.keys import KeyRing
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
    keys = settings.home / "keys"
    if not keys.is_dir():
        # Making a ring here would sign with a key that no gateway knows.
        raise SetupError(f"{settings.home} holds no signing keys; `pinak-ray up` makes them")
    return issue_token(
        KeyRing.load_or_create(keys).current,
        subject,
        namespace=namespace,
        scopes=scopes,
        lifetime=lifetime,
    )
