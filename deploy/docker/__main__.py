"""`python -m deploy.docker > .env` prints a fresh set of secrets for docker-compose.yml."""

from deploy.local.secrets import generated

if __name__ == "__main__":
    for name, value in generated().items():
        print(f'{name.upper()}="{value.strip()}"')
