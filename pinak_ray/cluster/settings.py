"""Settings: environment variables named PINAK_*, overridden by command-line options."""

import os
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from pinak_ray.client.discovery import user_path, usual_home
from pinak_ray.embedding import (
    EmbedderSpec,
    EndpointOptions,
    embedder_kinds,
    is_installed,
)
from pinak_ray.embedding.endpoint.rerank import RerankSpec
from pinak_ray.recall.cache.answers import CachePolicy
from pinak_ray.records.connection_strings import plain_dsn
from pinak_ray.records.errors import InvalidInput
from pinak_ray.records.memory.asker import zone_name
from pinak_ray.records.memory.curation import CurationPolicy
from pinak_ray.services.config import StackConfig

__all__ = ["Settings"]

_UserPath = Annotated[Path, AfterValidator(user_path)]
_ConnectionString = Annotated[
    SecretStr, AfterValidator(lambda given: SecretStr(plain_dsn(given.get_secret_value())))
]


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _installed(embedder: str) -> str:
    if not is_installed(embedder):
        raise ValueError(f"choose one of {', '.join(embedder_kinds())}")
    return embedder


def _zone(name: str) -> str:
    try:
        return zone_name(name)
    except InvalidInput as error:
        raise ValueError(str(error)) from None


_Zone = Annotated[str, AfterValidator(_zone)]


class Settings(BaseSettings):
    """Everything about one stack that a user may choose. No secret has a default."""

    model_config = SettingsConfigDict(env_prefix="PINAK_", extra="ignore")

    home: _UserPath = Field(
        default_factory=usual_home, description="state of the stack: data, keys, logs"
    )
    dsn: _ConnectionString | None = Field(
        None, description="use this PostgreSQL instead of the embedded one"
    )
    reader_dsn: _ConnectionString | None = Field(
        None, description="with a DSN: as whom reads log in, as the role pinak_app"
    )
    pg_bin: _UserPath | None = Field(None, description="programs of another PostgreSQL to embed")
    durable: bool = Field(True, description="fsync in the embedded PostgreSQL; only tests say no")
    http_host: str = Field("127.0.0.1", description="where the gateway listens")
    http_port: int = Field(8642, description="the gateway's port; 0 takes a free one")
    haproxy: bool = Field(True, description="HAProxy in front of the gateways instead of Python")
    gateways: int = Field(2, ge=1, description="gateway replicas; two survive the loss of one")
    gateway_requests: int = Field(
        1024, ge=1, description="requests that one gateway answers at once; more hear Overloaded"
    )
    hosts: int = Field(default_factory=_cores, ge=1, description="agent hosts; one per core")
    host_memory_mb: int = Field(
        1024, ge=1, description="memory of one host's active agents; beyond it the idlest leave"
    )
    host_idle_s: float = Field(600.0, gt=0, description="an agent idle this long leaves memory")
    writers: int = Field(1, ge=1, description="writers")
    writer_capacity: int = Field(
        16_384, ge=256, description="memories that may wait in one writer; more hear Overloaded"
    )
    recallers: int = Field(1, ge=1, description="recallers for Ray callers")
    indexers: int = Field(1, ge=1, description="indexers")
    window_quiet_s: float = Field(
        10.0, gt=0, description="a session without news for so long has ended, for its windows"
    )
    nudge_cooldown_s: float = Field(
        600.0,
        ge=0,
        description="for so long an agent is not shown the same warning again; 0: never",
    )
    auto_links: bool = Field(True, description="link each memory to the ones most like it")
    cache: bool = Field(True, description="answer repeated recalls from memory; never stale")
    cache_ttl_s: float = Field(900.0, gt=0, description="a cached answer is kept so long at most")
    cache_mb: int = Field(32, ge=1, description="memory of one process's cached answers")
    zone: _Zone = Field("UTC", description="the zone of askers who name none")
    zones: dict[str, _Zone] = Field(
        default_factory=dict,
        description='zones of namespaces by "tenant/project", as a JSON object',
    )
    vectors_mb: int = Field(
        256, ge=1, description="memory of one process's vectors; a million in a namespace take 110"
    )
    curate_every_s: float = Field(
        3600.0, ge=60, description="between two passes of the Curator over a namespace"
    )
    curate_merge: bool = Field(False, description="merge memories that say the same")
    curate_merge_cosine: float = Field(
        0.95, gt=0, le=1, description="least cosine of two memories that may say the same"
    )
    curate_forget_below: float = Field(
        0.0, ge=0, le=1, description="archive and delete memories weaker than that; 0: none"
    )
    curate_forget_after_days: float = Field(
        90.0, ge=0, description="nothing younger is archived, however weak"
    )
    curate_half_life_days: float = Field(
        30.0, gt=0, description="unrecalled for so long, a memory has half its strength"
    )
    curate_archive_days: float = Field(
        90.0, ge=0, description="what was archived can be restored for so long; 0: for ever"
    )
    ray_address: str | None = Field(
        None, description="a Ray cluster that runs, to start the parts on: auto, or HOST:PORT"
    )
    num_cpus: int | None = Field(None, description="cores Ray may give to tasks; default all")
    embedder: Annotated[str, AfterValidator(_installed)] = Field(
        "minilm", description="minilm, e5, openai, hashing (tests), or an installed provider's name"
    )
    model_dir: _UserPath | None = Field(None, description="a directory with the model files")
    model_cache: _UserPath | None = Field(None, description="where model files are built once")
    embedding_url: str | None = Field(None, description="an OpenAI-compatible endpoint")
    embedding_model: str | None = Field(None, description="the endpoint's model")
    embedding_dimension: int | None = Field(
        None, description="the endpoint's dimension; it is asked for one that is not its own"
    )
    embedding_api_key: SecretStr | None = Field(None, description="the endpoint's key")
    embedding_api_key_file: _UserPath | None = Field(
        None, description="a file with the endpoint's key, read anew for each request"
    )
    embedding_batch: int = Field(64, ge=1, le=2048, description="texts a request at most")
    embedding_timeout_s: float = Field(
        30.0, gt=0, le=600, description="for a request that indexing waits for"
    )
    embedding_query_timeout_s: float = Field(
        0.8, gt=0, le=60, description="for a query's vector; later the words answer alone"
    )
    embedding_body: dict[str, Any] = Field(
        default_factory=dict, description="further fields of every request, as a JSON object"
    )
    embedding_query_body: dict[str, Any] = Field(
        default_factory=dict, description="further fields where a query is embedded"
    )
    embedding_passage_body: dict[str, Any] = Field(
        default_factory=dict, description="further fields where a memory is embedded"
    )
    embedding_query_prefix: str = Field("", description="said before each query")
    embedding_passage_prefix: str = Field("", description="said before each memory's text")
    embedding_api_keys: dict[str, SecretStr] = Field(
        default_factory=dict, description="keys of further endpoints by URL, as a JSON object"
    )
    rerank_url: str | None = Field(None, description="an endpoint that reranks; none: nobody does")
    rerank_model: str | None = Field(None, description="the reranker's model")
    rerank_api_key: SecretStr | None = Field(None, description="the reranker's key")
    rerank_api_key_file: _UserPath | None = Field(
        None, description="a file with the reranker's key, read anew for each request"
    )
    rerank_timeout_s: float = Field(
        1.0, gt=0, le=60, description="for one question; later its hits stay as they are"
    )
    rerank_always: bool = Field(True, description="no: only what asks for it is reranked")
    record_queries: float = Field(
        0.0, ge=0, le=1, description="share of queries kept for a week, to compare models by"
    )

    @property
    def cache_dir(self) -> Path:
        """Where model files are built: shared by all stacks of a user, they are the same."""
        if self.model_cache is not None:
            return self.model_cache
        base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
        return Path(base) / "pinak-ray" / "models"

    def embedder_spec(self) -> EmbedderSpec:
        """Return what actors load their embedder from."""
        key = self.embedding_api_key
        return EmbedderSpec(
            kind=self.embedder,
            cache_dir=self.cache_dir,
            directory=self.model_dir,
            url=self.embedding_url,
            api_key=key.get_secret_value() if key else None,
            model=self.embedding_model,
            dimension=self.embedding_dimension,
            endpoint=self.endpoint_options(),
        )

    def endpoint_options(self) -> EndpointOptions:
        """Return how the endpoint is asked."""
        key_file = self.embedding_api_key_file
        return EndpointOptions(
            batch=self.embedding_batch,
            timeout_s=self.embedding_timeout_s,
            query_timeout_s=self.embedding_query_timeout_s,
            body=self.embedding_body,
            query_body=self.embedding_query_body,
            passage_body=self.embedding_passage_body,
            query_prefix=self.embedding_query_prefix,
            passage_prefix=self.embedding_passage_prefix,
            key_file=key_file.absolute() if key_file else None,  # an actor has another directory
        )

    def rerank_spec(self) -> RerankSpec | None:
        """Return who reranks, if anybody does."""
        if not self.rerank_url:
            return None
        key, key_file = self.rerank_api_key, self.rerank_api_key_file
        return RerankSpec(
            url=self.rerank_url,
            model=self.rerank_model,
            api_key=key.get_secret_value() if key else None,
            key_file=key_file.absolute() if key_file else None,
            timeout_s=self.rerank_timeout_s,
            always=self.rerank_always,
        )

    def stack_config(self, dsn: str, reader_dsn: str | None = None) -> StackConfig:
        """Return what the actors are started with."""
        if reader_dsn is None and self.reader_dsn is not None:
            reader_dsn = self.reader_dsn.get_secret_value()
        return StackConfig(
            dsn=dsn,
            reader_dsn=reader_dsn,
            embedder=self.embedder_spec(),
            rerank=self.rerank_spec(),
            api_keys={url: key.get_secret_value() for url, key in self.embedding_api_keys.items()},
            record_queries=self.record_queries,
            gateway_requests=self.gateway_requests,
            hosts=self.hosts,
            window_quiet_s=self.window_quiet_s,
            host_memory_bytes=self.host_memory_mb << 20,
            host_idle_s=self.host_idle_s,
            writers=self.writers,
            writer_capacity=self.writer_capacity,
            recallers=self.recallers,
            indexers=self.indexers,
            auto_links=self.auto_links,
            nudge_cooldown_s=self.nudge_cooldown_s,
            cache=CachePolicy(self.cache, self.cache_ttl_s, self.cache_mb << 20),
            zone=self.zone,
            zones=self.zones,
            vectors_bytes=self.vectors_mb << 20,
            curation=self.curation_policy(),
        )

    def curation_policy(self) -> CurationPolicy:
        """Return what the Curator does."""
        return CurationPolicy(
            every_s=self.curate_every_s,
            merge=self.curate_merge,
            merge_cosine=self.curate_merge_cosine,
            forget_below=self.curate_forget_below,
            forget_after_days=self.curate_forget_after_days,
            half_life_days=self.curate_half_life_days,
            archive_days=self.curate_archive_days,
        )
