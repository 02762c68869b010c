"""`make contracts`: writes schemas and documents anew; `python -m shared.contracts release` takes them as released."""

import sys

from shared.contracts import asyncapi, documents, gate, schema

if sys.argv[1:] == ["release"]:
    gate.release()
else:
    schema.write()
    documents.write()
    asyncapi.write()
