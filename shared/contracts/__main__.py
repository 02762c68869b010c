"""`make contracts`: writes the schemas anew."""

from shared.contracts.schema import write

write()
