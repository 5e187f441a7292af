"""Connect over HTTP as a caller outside the cluster would."""

from pinak_ray import Swarm, connect
from pinak_ray.client.discovery import StackFile
from pinak_ray.cluster.settings import Settings
from pinak_ray.records.ids import NamespaceKey
from pinak_ray.security import KeyRing, Scope, issue_token


def over_http(
    settings: Settings, namespace: NamespaceKey, *scopes: Scope, subject: str = "tester"
) -> Swarm:
    """Connect by URL, with a token signed by the stack's own key ring."""
    token = issue_token(
        KeyRing.load_or_create(settings.home / "keys").current,
        subject,
        namespace=namespace,
        scopes=scopes,
    )
    return connect(url=StackFile.read(settings.home).url, token=token)
