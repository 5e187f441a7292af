"""Contradictions of facts: a labelled set, and what each rule must leave alone."""

import pytest

from pinak_ray.language.contradictions import difference
from pinak_ray.records.memory.nudges import new_intent

# (fact, intent): the intent goes against the fact.
CONTRADICTED = [
    ("The orders service runs in eu-west-1.", "restart the orders service in us-east-1"),
    ("The API gateway listens on port 8443.", "curl the API gateway on port 9443"),
    ("Never deploy on Fridays.", "deploy billing to production this Friday afternoon"),
    ("Do not restart redis during business hours", "restart redis now, during business hours"),
    ("Production uses Postgres 15.4.", "build the production image with Postgres 16.1"),
    ("We use Python 3.11.", "create the virtual environment with Python 3.12"),
    ("The health check timeout is 10 seconds.", "deploy with a health check timeout of 60 seconds"),
    ("Backups are kept in /srv/backups.", "keep tonight's backups in /tmp/nightly"),
    ("Never force-push to main.", "git push --force origin main"),
    ("The staging database is db7", "run the migration on the staging database, db9"),
    ("The cache cluster has 24 nodes.", "provision the cache cluster with 12 nodes"),
    ("Use black with line length 100.", "run black with line length 88"),
    (
        "Firewall rules must never be edited by hand.",
        "edit the firewall rules by hand on the router",
    ),
    ("No releases without a canary.", "ship the releases, skip the canary this time"),
    ("Deleting customer accounts is forbidden.", "delete inactive customer accounts from a script"),
    ("The payments API allows at most 50 connections.", "open 200 connections to the payments API"),
    ("Metrics are served by prometheus.internal.", "send metrics to graphite.internal"),
    ("The search index has 5 replicas", "create the search index with 2 replicas"),
    ("Agents must not drop tables in production.", "drop the unused tables in production"),
    ("User sessions have a TTL of 30 minutes.", "store user sessions with a ttl of 24 hours"),
    # Written before they were first tried, in two rounds: 20 of 20 and 10 of 12 were found.
    (
        "The warehouse database lives in eu-central-1.",
        "create a read replica of the warehouse database in us-west-2",
    ),
    (
        "Never run VACUUM FULL on the events table.",
        "run vacuum full on the events table to free space",
    ),
    (
        "Do not change DNS records without approval.",
        "change the DNS records of the shop without waiting for approval",
    ),
    (
        "The ingress controller listens on port 443.",
        "point the health check of the ingress controller at port 8080",
    ),
    ("CI uses Node 20.11.", "pin the CI image to Node 18.19"),
    ("The worker pool has 8 workers.", "start the worker pool with 32 workers"),
    ("Logs are stored in /var/log/shop.", "store the logs in /tmp/logs"),
    (
        "Passwords must have a length of 14 characters.",
        "accept passwords with a length of 8 characters",
    ),
    ("Secrets must never be committed to git.", "commit the secrets to git so that CI finds them"),
    ("The primary is db1.", "connect to the primary on db2"),
    ("Uploads have a limit of 20 MB.", "allow uploads with a limit of 500 MB"),
    (
        "Restarting kafka during the nightly batch is prohibited.",
        "restarting kafka now, during the nightly batch",
    ),
    ("Customer data must stay in eu-west-3.", "store customer data exports in us-east-1"),
    ("Always use port 6543 for pgbouncer.", "connect to pgbouncer on port 5432"),
    ("No schema changes on Mondays.", "apply the schema changes on Monday morning"),
    ("The retry interval is 30 seconds.", "run the job with a retry interval of 1 second"),
    ("Avoid rebooting two nodes at once.", "reboot two nodes at once to finish earlier"),
    (
        "The mail relay is smtp.example.com.",
        "send the newsletter through the mail relay smtp.other.net",
    ),
    ("Log retention is 14 days.", "configure log retention of 90 days"),
    ("Do not log credit card numbers.", "log the credit card numbers for debugging"),
    ("The feature store is in ap-southeast-1.", "backfill the feature store in eu-north-1"),
    (
        "Never kill the scheduler while jobs are running.",
        "kill the scheduler now while the jobs are running",
    ),
    ("The metrics database listens on port 9187.", "scrape the metrics database on port 9100"),
    ("Terraform 1.7.5 is required.", "run terraform 1.9.0 apply"),
    (
        "The session cookie has an expiry of 8 hours.",
        "issue a session cookie with an expiry of 30 days",
    ),
    ("Do not rename columns in the billing schema.", "rename two columns in the billing schema"),
    ("The ETL job writes to /data/warehouse.", "let the ETL job write to /mnt/scratch"),
    ("Each pod has a memory limit of 512 MB.", "start each pod with a memory limit of 4 GB"),
    (
        "Direct commits to release branches are not allowed.",
        "push direct commits to the release branches",
    ),
    ("The build cluster uses Bazel 7.1.", "set up the build cluster with Bazel 6.4"),
    ("No production access without a ticket.", "open production access without a ticket"),
    ("The vault server is 10.0.0.12.", "read the token from the vault server 10.0.3.40"),
]

# (fact, intent): nothing is contradicted, though much is alike.
COMPATIBLE = [
    ("The orders service runs in eu-west-1.", "restart the orders service in eu-west-1"),
    ("The orders service runs in eu-west-1.", "restart the billing service in us-east-1"),
    (
        "The orders service runs in eu-west-1.",
        "move the orders service from eu-west-1 to us-east-1",
    ),
    ("Never deploy on Fridays.", "deploy billing to production on Monday"),
    ("Never deploy on Fridays.", "do not deploy this Friday"),
    ("Do not restart redis during business hours", "restart redis tonight at 3"),
    ("Deployed version 2.3.1 to production on Tuesday.", "deploy version 2.4.0 to production"),
    ("Migration 42 locks the orders table.", "run migration 43 on the orders table"),
    ("The health check timeout is 10 seconds.", "deploy with a health check timeout of 10s"),
    ("No releases without a canary.", "ship the releases with a canary"),
    ("The API gateway listens on port 8443.", "curl the metrics endpoint on port 9090"),
    ("The cache cluster has 24 nodes.", "scale the cache cluster to 30 nodes"),
    ("Production uses Postgres 15.4.", "build the production image with Postgres 15"),
    (
        "Python 3.11 has a bug in asyncio timeouts.",
        "create the virtual environment with Python 3.12",
    ),
    ("The payments API allows at most 50 connections.", "open 20 connections to the payments API"),
    ("Never delete user data without a backup.", "delete the user data after taking a backup"),
    ("Never force-push to main.", "git push --force origin feature/login"),
    ("Backups are kept in /srv/backups.", "restore yesterday's backups to /tmp/restore"),
    ("The staging database might be db7 or db8.", "run the migration on the staging database, db9"),
    ("Unless the tests pass, never merge to main.", "merge the branch to main"),
    # As above: 3 of 20 and 0 of 12 were taken for contradictions.
    (
        "The warehouse database lives in eu-central-1.",
        "create a read replica of the shop database in us-west-2",
    ),
    ("Never run VACUUM FULL on the events table.", "run vacuum on the events table"),
    (
        "Do not change DNS records without approval.",
        "change the DNS records of the shop after approval",
    ),
    ("The ingress controller listens on port 443.", "restart the ingress controller"),
    ("CI uses Node 20.11.", "upgrade CI to Node 22.1"),
    ("The worker pool has 8 workers.", "restart 2 workers of the worker pool one by one"),
    ("Logs are stored in /var/log/shop.", "delete old logs under /var/log/shop/archive"),
    ("The load test reached 4000 requests with 2 nodes.", "run the load test with 4 nodes"),
    ("Secrets must never be committed to git.", "remove the secrets that were committed to git"),
    ("The primary is db1.", "connect to the replica on db2"),
    ("Uploads have a limit of 20 MB.", "upload the 3 MB logo"),
    (
        "Restarting kafka during the nightly batch is prohibited.",
        "restart kafka after the nightly batch",
    ),
    (
        "Ticket 4711 asks for port 9000 on the proxy.",
        "work on ticket 4712: open port 9100 on the proxy",
    ),
    ("Always use port 6543 for pgbouncer.", "connect to pgbouncer on port 6543"),
    ("No schema changes on Mondays.", "apply the schema changes on Tuesday"),
    ("The old gateway was on port 8080.", "call the gateway on port 8443"),
    ("Avoid rebooting two nodes at once.", "reboot the nodes one at a time"),
    ("Rollback of 2.2.9 worked within three minutes.", "roll back to 2.2.8"),
    ("Log retention is 14 days.", "delete logs older than 14 days"),
    ("The staging cluster has 3 nodes.", "the production cluster with 9 nodes needs a restart"),
    ("The feature store is in ap-southeast-1.", "delete the old exports in eu-north-1"),
    (
        "Never kill the scheduler while jobs are running.",
        "kill the scheduler when the queue is empty",
    ),
    ("The metrics database listens on port 9187.", "expose the new metrics proxy on port 9100"),
    ("Terraform 1.7.5 is required.", "upgrade terraform to 1.9.0"),
    ("The session cookie has an expiry of 8 hours.", "clear the session cookie after logout"),
    ("Do not rename columns in the billing schema.", "add two columns to the billing schema"),
    ("The ETL job writes to /data/warehouse.", "archive /mnt/scratch after the ETL job"),
    ("Each pod has a memory limit of 512 MB.", "start each pod with a memory limit of 256 MB"),
    (
        "Direct commits to release branches are not allowed.",
        "merge the pull request into the release branch",
    ),
    ("In incident 12 the api timeout was 5 seconds.", "call the api with a timeout of 30 seconds"),
    ("No production access without a ticket.", "request production access with ticket 88"),
    ("The vault server is 10.0.0.12.", "ping 10.0.0.1"),
]


@pytest.mark.parametrize(("fact", "intent"), CONTRADICTED)
def test_what_goes_against_a_fact_is_told(fact: str, intent: str) -> None:
    """The labelled contradictions are found."""
    assert difference(new_intent(intent).statement, fact)


@pytest.mark.parametrize(("fact", "intent"), COMPATIBLE)
def test_what_is_only_alike_is_left_alone(fact: str, intent: str) -> None:
    """Other things, other times, changes on purpose, history and guesses contradict nothing."""
    assert not difference(new_intent(intent).statement, fact)
