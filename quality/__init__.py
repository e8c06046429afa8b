"""The gates of `make test`: style, types, layers, migrations, schema, licences, known holes, then the tests twice."""
