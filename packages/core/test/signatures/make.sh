#!/usr/bin/env bash
# Makes vectors.json: commits and tags signed by real git with ssh-keygen and gpg. Run by hand; the result is committed.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d); trap 'gpgconf --homedir "$work/gpg" --kill all || true; rm -rf "$work"' EXIT
export GNUPGHOME=$work/gpg HOME=$work GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_SYSTEM=/dev/null
export GIT_AUTHOR_NAME=Ada GIT_AUTHOR_EMAIL=ada@example.com GIT_COMMITTER_NAME=Ada GIT_COMMITTER_EMAIL=ada@example.com
mkdir -m 700 "$GNUPGHOME"; cd "$work"; git init -q repository
keygen() { ssh-keygen -q -N '' -C ada@example.com -f "$work/$1" -t "${@:2}"; }
keygen ed25519 ed25519; keygen rsa rsa -b 2048; keygen ecdsa256 ecdsa -b 256; keygen ecdsa384 ecdsa -b 384; keygen ecdsa521 ecdsa -b 521
gpg --batch --quiet --passphrase '' --quick-generate-key 'Ada <ada@example.com>' ed25519 sign never
gpg --batch --quiet --passphrase '' --quick-generate-key 'Grace <grace@example.com>' rsa3072 sign never
cd repository
raw() { git cat-file "$1" "$2" | base64 -w0; }
entry() { # name kind id key
  printf '%s  {"name": "%s", "type": "%s", "id": "%s", "raw": "%s", "key": "%s"}' "$separator" "$1" "$2" "$3" "$(raw "$2" "$3")" "$4"; separator=$',\n'
}
separator=''
{
  echo '['
  for key in ed25519 rsa ecdsa256 ecdsa384 ecdsa521; do
    git -c gpg.format=ssh -c user.signingkey="$work/$key.pub" commit -q -S --allow-empty -m "signed with $key"
    entry "$key" commit "$(git rev-parse HEAD)" "$(cut -d' ' -f1,2 "$work/$key.pub")"
  done
  git -c gpg.format=ssh -c user.signingkey="$work/ed25519.pub" tag -s v1 -m 'first release'
  entry ed25519 tag "$(git rev-parse v1)" "$(cut -d' ' -f1,2 "$work/ed25519.pub")"
  for who in ada grace; do
    git -c user.signingkey="$who@example.com" commit -q -S --allow-empty -m "signed by $who"
    entry "$who" commit "$(git rev-parse HEAD)" "$(gpg --armor --export "$who@example.com" | base64 -w0)"
    git -c user.signingkey="$who@example.com" tag -s "by-$who" -m "released by $who"
    entry "$who" tag "$(git rev-parse "by-$who")" "$(gpg --armor --export "$who@example.com" | base64 -w0)"
  done
  echo; echo ']'
} >"$here/vectors.json"
