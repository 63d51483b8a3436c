export {
  type Fault,
  type FaultRule,
  type GitServer,
  type GitServerOptions,
  type ServedRequest,
  startGitServer,
} from './testing/git/git-server.ts'
export type { CommitOptions, CommittedFile, CommittedFiles, ServedRepository } from './testing/git/served-repository.ts'
