#!/bin/sh
# Run once by the database's own image, as its superuser: the account of the hub, which may enter and nothing else.
# `falaj migrate` gives it its rights.
set -eu
psql -v ON_ERROR_STOP=1 -U "$POSTGRES_USER" -d "$POSTGRES_DB" -v password="$(cat /run/secrets/database-hub)" <<'SQL'
create role falaj_example login password :'password';
revoke connect on database falaj_example from public;
grant connect on database falaj_example to falaj_example;
revoke create on schema public from public;
SQL
