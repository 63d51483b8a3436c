// The server in a process of its own, so that it takes no time of the client. Tells where it is, and the bytes it has
// sent so far.
import { startGitServer } from '@gitops-sdk/core/testing/git'
import { answerEach } from './plain-process.ts'

const server = await startGitServer({ backend: 'upload-pack' })
answerEach(() => ({
  url: server.url,
  folder: server.folder,
  sentBytes: server.requests.reduce((sum, one) => sum + one.sentBytes, 0),
}))
process.on('disconnect', () => void server.close())
