#!/bin/sh
# Makes a database and a role for each service, so that neither reads the other's rows, and gives the roles the passwords of
# deploy/make-secrets.sh. It may be run again and again: what was lost on the way is made up for.
set -eu

PGPASSWORD=$(cat /run/secrets/latchkey/password)
export PGPASSWORD

for service in auth_service jobs_service; do
  psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --dbname postgres <<SQL
\\set password \`cat /run/secrets/latchkey/${service}_password\`
SELECT 'CREATE ROLE $service LOGIN' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '$service') \\gexec
ALTER ROLE $service PASSWORD :'password';
SELECT 'CREATE DATABASE $service OWNER $service' WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = '$service') \\gexec
REVOKE ALL ON DATABASE $service FROM PUBLIC;
SQL
done
