// Node has SHA-256 of its own, ten times as fast; what an import loads is the one of the two that is used.
export { hmacSha256Hex, sha256Hex } from '#sha256'
