# Single calls from a terminal, as a TPP, as the bank and as its operator. Needs curl, openssl and node:
#
#   . docs/calls/calls.sh
#
# Keys and addresses come from the manifest of the running sandbox; with a manifest of your own it calls whom you like.
export MANIFEST=${MANIFEST:-.falaj/sandbox/manifest.json}

manifest() { node -p "JSON.parse(fs.readFileSync('$MANIFEST')).$1"; }
uuid() { node -p 'crypto.randomUUID()'; }
base64url() { openssl base64 -A | tr '+/' '-_' | tr -d '='; }

# jwt KEY-FILE KID CLAIMS: signed with PS256; iat, nbf, exp (four minutes unless LIVES says otherwise) and jti are added.
jwt() {
  local now claims signed
  now=$(date +%s)
  claims="{\"iat\":$now,\"nbf\":$now,\"exp\":$((now + ${LIVES:-240})),\"jti\":\"$(uuid)\",${3#\{}"
  signed="$(printf '{"alg":"PS256","kid":"%s"}' "$2" | base64url).$(printf '%s' "$claims" | base64url)"
  printf '%s.%s' "$signed" "$(printf '%s' "$signed" |
    openssl dgst -sha256 -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:32 -sign "$1" | base64url)"
}

# with PLACE-OF-A-CERTIFICATE CURL-ARGUMENTS: mutual TLS, and an interaction id that is shown with the answer.
with() {
  local keys=$1
  shift
  curl -sS --cacert "$(manifest trustFramework.caFile)" --cert "$(manifest "$keys.certificateFile")" \
    --key "$(manifest "$keys.keyFile")" -H "x-fapi-interaction-id: $(uuid)" \
    -w '\n%{http_code} %header{x-fapi-interaction-id}\n' "$@"
}

# The first application of the manifest, at Aurora Bank.
TPP=tpp.clients[0]
BANK=lfis.aurora
tpp() { with $TPP.transport "$@"; }
bank() {
  local claims
  claims=$(openssl x509 -noout -subject -nameopt multiline -in "$(manifest $BANK.bank.transport.certificateFile)" |
    sed -n 's/ *organizationName *= \(.*\)/"iss":"\1",/p; s/ *organizationalUnitName *= \(.*\)/"sub":"\1",/p')
  LIVES=20 with $BANK.bank.transport -H "authorization: Bearer $(LIVES=20 jwt "$(manifest $BANK.bank.signing.keyFile)" \
    "$(manifest $BANK.bank.signing.kid)" "{$claims\"aud\":\"$(manifest $BANK.bank.audience)\"}")" "$@"
}
admin() { with $BANK.adminClient "$(manifest $BANK.admin)$1" "${@:2}"; }

signed() { jwt "$(manifest $TPP.signing.keyFile)" "$(manifest $TPP.signing.kid)" "$1"; }
discovery() { curl -sS --cacert "$(manifest trustFramework.caFile)" "$(manifest $BANK.discovery)"; }
endpoint() { discovery | node -p "const found = JSON.parse(fs.readFileSync(0)); found.mtls_endpoint_aliases?.$1 ?? found.$1"; }
member() { node -p "JSON.parse(fs.readFileSync(0, 'utf8').split('\n')[0]).$1"; }

# oauth ENDPOINT PARAMETER…: a call to the authorization server, with the assertion that says who is calling.
oauth() {
  local id=$(manifest $TPP.clientId) at=$1
  shift
  tpp "$(endpoint "$at")" -d client_id="$id" \
    -d client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer \
    -d client_assertion="$(signed "{\"iss\":\"$id\",\"sub\":\"$id\",\"aud\":\"$(manifest $BANK.issuer)\"}")" "$@"
}
# own SCOPE: an access token of the application itself.
own() { oauth token_endpoint -d grant_type=client_credentials -d "scope=openid $1" | member access_token; }
# read URL TOKEN CURL-ARGUMENTS: a call with an access token.
read_as() { tpp "$1" -H "authorization: Bearer $2" -H 'accept: application/json' "${@:3}"; }
