"""The one-shot job of docker-compose.yml: databases, roles and topics, from the passwords in its environment."""

import asyncio
import os

from deploy.local.plan import DATABASES, PREFIX, SERVICES, VAULT
from deploy.local.setup import set_up_databases, set_up_topics


def main() -> None:
    """Sets up once or again. Raises KeyError when a password is missing."""
    passwords = {f"{name}_{role}": os.environ[f"{name}_{role}_PASSWORD".upper()] for name in DATABASES for role in ("writer", "reader")}
    set_up_databases(os.environ["FORECOURT_SUPERUSER_URL"], SERVICES, passwords)
    set_up_databases(os.environ["FORECOURT_VAULT_SUPERUSER_URL"], (VAULT,), passwords)
    asyncio.run(set_up_topics(os.environ["FORECOURT_KAFKA"], SERVICES, os.environ.get("FORECOURT_TOPIC_PREFIX", PREFIX)))


if __name__ == "__main__":
    main()
