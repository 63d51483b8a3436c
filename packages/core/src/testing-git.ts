export {
  type Fault,
  type FaultRule,
  type GitServer,
  type GitServerOptions,
  type ServedRequest,
  startGitServer,
} from './testing/git/git-server.ts'
export {
  type CommitOptions,
  type CommittedFile,
  type CommittedFiles,
  type ServedRepository,
  createServedRepository,
} from './testing/git/served-repository.ts'
