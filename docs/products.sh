#!/bin/sh
# The whole life of a product, as a build pipeline lives it: needs curl, and an admin's API token.
#
#   BASE=http://127.0.0.1:8000 ADMIN_TOKEN=sk_live_… sh docs/products.sh
#
# Everything that it makes it takes away again. It ends at the first answer that is not the one it expects.
set -eu

: "${BASE:?Say where the portal is: BASE=http://127.0.0.1:8000}"
: "${ADMIN_TOKEN:?Give an API token of an admin: ADMIN_TOKEN=sk_live_…}"
PRODUCT="${PRODUCT:-pipeline-$(date +%s)-$$}"
ROOM="$(mktemp -d)"
trap 'rm -rf "$ROOM"' EXIT

step() { printf '\n\033[1m%s\033[0m\n' "$*"; }

# ask TOKEN STATUS METHOD PATH [CURL OPTION]…: send it, show it, and insist on the status. The body stays in $ROOM/body.
# The token goes to curl in a file, so that no list of processes shows it.
ask() {
    token="$1" expected="$2" method="$3" path="$4"
    shift 4
    printf 'X-Api-Token: %s\n' "$token" > "$ROOM/header"
    status="$(curl -sS -o "$ROOM/body" -w '%{http_code}' -X "$method" -H "@$ROOM/header" "$@" "$BASE$path")"
    printf '  %-6s %-58s %s\n' "$method" "$(shown "$path")" "$status"
    if [ "$status" != "$expected" ]; then
        printf '  expected %s, and the answer says:\n' "$expected" >&2
        cat "$ROOM/body" >&2
        exit 1
    fi
}

json() { ask "$1" "$2" "$3" "$4" -H 'Content-Type: application/json' -d "$5"; }
show() { printf '         %s\n' "$(cat "$ROOM/body")"; }
shown() { printf '%s' "$1" | sed 's/sk_live_[0-9A-Za-z]*/sk_live_.../'; }

step 'Two tokens: one that builds, one that only installs'
json "$ADMIN_TOKEN" 201 PUT /register '{"admin": false}'
BUILDER="$(cat "$ROOM/body")"
json "$ADMIN_TOKEN" 201 PUT /register '{"admin": false}'
INSTALLER="$(cat "$ROOM/body")"
ask "$BUILDER" 200 GET "/fetch/$BUILDER"

step 'The builder creates the product, and so may do everything with it'
json "$BUILDER" 201 PUT /product/create "{\"name\": \"$PRODUCT\"}"
json "$BUILDER" 409 PUT /product/create "{\"name\": \"$PRODUCT\"}"
ask "$BUILDER" 200 GET /product/access

step 'It uploads two versions; a version is never uploaded twice'
printf 'the first build\n' > "$ROOM/my app (x86 “final”).tar.gz"
printf 'the second build\n' > "$ROOM/my-app.tar.gz"
ask "$BUILDER" 201 POST /product/upload -F "product=$PRODUCT" -F version=v1.0.0 -F "file=@$ROOM/my app (x86 “final”).tar.gz"
show
ask "$BUILDER" 201 POST /product/upload -F "product=$PRODUCT" -F version=v1.1.0+build.7 -F "file=@$ROOM/my-app.tar.gz"
ask "$BUILDER" 409 POST /product/upload -F "product=$PRODUCT" -F version=v1.0.0 -F "file=@$ROOM/my-app.tar.gz"

step 'The installer may not download yet; then it may, and nothing else'
ask "$INSTALLER" 403 GET "/product/download/$PRODUCT/v1.0.0"
json "$BUILDER" 201 PUT /product/modify/addToken \
    "{\"product\": \"$PRODUCT\", \"token\": \"$INSTALLER\", \"permissions\": {\"maintainer\": false, \"download\": true, \"upload\": false, \"delete\": false}}"
ask "$INSTALLER" 200 GET "/product/download/$PRODUCT/v1.0.0"
cmp "$ROOM/body" "$ROOM/my app (x86 “final”).tar.gz"
ask "$INSTALLER" 206 GET "/product/download/$PRODUCT/v1.0.0" -H 'Range: bytes=4-8'
show
ask "$INSTALLER" 403 DELETE "/product/delete/$PRODUCT/v1.0.0"

step 'What stands'
ask "$BUILDER" 200 GET "/product/fetch/$PRODUCT"
show

step 'Keep the last version and what is pinned; the answer says what would go'
json "$BUILDER" 200 PUT /product/modify/setRetention "{\"product\": \"$PRODUCT\", \"keepVersions\": 1, \"keepDays\": null}"
show
json "$BUILDER" 200 PUT /product/modify/pinVersion "{\"product\": \"$PRODUCT\", \"version\": \"v1.0.0\"}"

step 'The installer loses its permission'
json "$BUILDER" 204 DELETE /product/modify/deleteToken "{\"product\": \"$PRODUCT\", \"token\": \"$INSTALLER\"}"
ask "$INSTALLER" 403 GET "/product/download/$PRODUCT/v1.0.0"

step 'Versions go, by either address; what is gone is not found'
ask "$BUILDER" 204 DELETE "/product/delete/$PRODUCT/v1.0.0"
ask "$BUILDER" 404 GET "/product/download/$PRODUCT/v1.0.0"
json "$BUILDER" 200 DELETE /product/modify/deleteVersion "{\"product\": \"$PRODUCT\", \"version\": \"v1.1.0+build.7\"}"

step 'The product goes, and the tokens'
ask "$BUILDER" 204 DELETE "/product/delete/$PRODUCT"
ask "$BUILDER" 404 GET "/product/fetch/$PRODUCT"
ask "$ADMIN_TOKEN" 204 DELETE "/prune/$INSTALLER"
ask "$ADMIN_TOKEN" 204 DELETE "/prune/$BUILDER"
ask "$ADMIN_TOKEN" 404 GET "/fetch/$BUILDER"
ask "$BUILDER" 403 GET /product/access

step "Everything answered as it should."
