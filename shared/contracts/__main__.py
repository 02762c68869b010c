"""`make contracts`: writes the schemas and documents anew."""

from shared.contracts import documents, schema

schema.write()
documents.write()
