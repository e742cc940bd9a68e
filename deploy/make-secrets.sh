#!/bin/sh
# Makes the secrets and passwords of an installation, and gives each service those it needs in a directory of its own below
# /secrets (or below the one named). What is there stays; what was lost on the way is made up for at the next call.
umask 077
set -eu
cd "${1:-/secrets}"
mkdir -p auth-service jobs-service postgres redis gateway

# put FILE: writes standard input, aside first, so that nobody ever reads half of it.
put() {
  cat >"$1.new"
  chmod 444 "$1.new"
  sync
  mv "$1.new" "$1"
}

# make FILE: 32 random bytes as hexadecimal text, unless it is there.
make() {
  [ -s "$1" ] || od -An -v -tx1 -N32 /dev/urandom | tr -d ' \n' | put "$1"
}

make auth-service/access_secret
make auth-service/refresh_secret
make postgres/password
make postgres/auth_service_password
make postgres/jobs_service_password
make redis/password

# Each of these follows from the ones above.
put jobs-service/access_secret <auth-service/access_secret
printf 'postgres://auth_service:%s@postgres/auth_service' "$(cat postgres/auth_service_password)" | put auth-service/database_url
printf 'postgres://jobs_service:%s@postgres/jobs_service' "$(cat postgres/jobs_service_password)" | put jobs-service/database_url
printf 'redis://latchkey:%s@redis:6379' "$(cat redis/password)" | put auth-service/token_store_url
# Nobody logs in as `default`; yet it keeps its rights, for by them Redis reads its append-only file back, and skips what they forbid.
put redis/users.acl <<ACL
user default off resetpass ~* &* +@all
user health on nopass -@all +ping
user latchkey on >$(cat redis/password) ~latchkey:* -@all +@connection +select +eval +evalsha +get +set +setrange +hget +hgetall +hset +hdel +pexpire +pttl +info +time +role +wait +del +config|get
ACL

# What the web client may offer to somebody who is not signed in. Demo users, once there, stay.
[ "${LATCHKEY_DEMO:-}" != true ] || : >gateway/demo
registration=false demo=false
[ "${LATCHKEY_REGISTRATION__ENABLED:-}" != true ] || registration=true
[ ! -e gateway/demo ] || demo=true
printf '{ "registration": %s, "demo": %s }\n' "$registration" "$demo" | put gateway/config.json
