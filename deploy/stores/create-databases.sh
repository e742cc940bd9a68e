#!/bin/sh
# Run by PostgreSQL's image at its first start: a database and a role for each service, so that neither reads the other's rows.
set -e

create() {
  psql --quiet --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" <<SQL
\\set password \`cat /run/secrets/latchkey/$1_password\`
CREATE ROLE $1 LOGIN PASSWORD :'password';
CREATE DATABASE $1 OWNER $1;
REVOKE ALL ON DATABASE $1 FROM PUBLIC;
SQL
}

create auth_service
create jobs_service
