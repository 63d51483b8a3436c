export { type GitSource, type GitSourceOptions, type GitSourceView, gitSource } from './source/git/source.ts'
export { type GitRepository, type GitRepositoryOptions, gitRepository } from './source/git/repository.ts'
export type { EntryPolicy } from './source/git/find-path.ts'
export type { SnapshotView } from './source/git/open-snapshot.ts'
export type { FollowedRef } from './source/git/follow.ts'
export type { GitRef } from './source/git/refs.ts'
export type { Rewrite, RewritePolicy } from './source/git/rewrites.ts'
export { type GitLimits, defaultLimits } from './source/git/limits.ts'
export { type GitRetry, defaultRetry } from './source/git/retry.ts'
export type { GitNetwork, GitProxy } from './source/git/transport/agent.ts'
export type { GitSsh } from './source/git/transport/ssh.ts'
export { type GitTimeouts, type Service, defaultTimeouts } from './source/git/transport/transport.ts'
export type { CredentialsProvider, CredentialsRequest, GitCredentials } from './source/git/transport/credentials.ts'
export { type AllowedSigner, parseAllowedSigners } from './source/verify/allowed-signers.ts'
export {
  type OpenPgpKey,
  type OpenPgpLibrary,
  type OpenPgpOptions,
  type OpenPgpSignature,
  type OpenPgpVerifier,
  openPgpVerifier,
} from './source/verify/openpgp.ts'
export {
  type RevisionCandidate,
  type RevisionVerifier,
  type SignatureRules,
  verifySignatures,
} from './source/verify/signatures.ts'
export type { RawObject, SignedObject } from './source/verify/signed-object.ts'
export type { UnverifiedReason } from './source/verify/unverified.ts'
export { type Signer, type Trust, verifyCommit, verifyTag } from './source/verify/verify.ts'
export type { GitWriterOptions } from './source/git/write/writer.ts'
export type { CommitSigner, Person } from './source/git/write/commit-object.ts'
export {
  type TokenSource,
  basicCredentials,
  bearerToken,
  giteaToken,
  githubToken,
  gitlabToken,
} from './source/git/transport/tokens.ts'
export { type GitHubApp, githubApp } from './source/git/transport/github-app.ts'
