"""ISO 20022's own schema of pain.001.001.09, and what holds documents to it.

The schema is the registration authority's (iso20022.org), word for word as the package `sepaxml` 2.7.0 carries it. The
validator knows what that schema uses of XML Schema, and refuses to read a schema that uses more.
"""
